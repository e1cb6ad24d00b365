// The page: a pen, by pointer or by keys; what the network answers; a network of one's own.
"use strict";

const $ = (id) => document.getElementById(id);
const pad = $("pad"), side = pad.width, pen = pad.getContext("2d", { willReadFrequently: true });
const nothing = $("answer").textContent;
const lenet = networkOf(unpack(WEIGHTS));
const state = { network: lenet, image: null, found: null };

// The arrays of weights.js, by name.
function unpack({ shapes, base64 }) {
  const view = new DataView(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
  let at = 0;
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => {
    const values = new Float64Array(shape.reduce((a, b) => a * b));
    for (let i = 0; i < values.length; i++, at += 2) values[i] = half(view.getUint16(at, true));
    return [name, { shape, values }];
  }));
}

// ---- the pen: one pointer at a time, so that a second finger draws no line across ---------------

pen.lineCap = pen.lineJoin = "round";
pen.lineWidth = side * 0.08;
let pointer = null, last = null, asked = false;

function place(event) {
  const box = pad.getBoundingClientRect();
  return [(event.clientX - box.left) * side / box.width,
          (event.clientY - box.top) * side / box.height];
}

function line(to) {
  pen.beginPath();
  if (last) pen.moveTo(...last);
  else pen.arc(...to, 0.01, 0, 7);  // where the pen comes down: a dot
  pen.lineTo(...to);
  pen.stroke();
  last = to;
  changed();
}

pad.addEventListener("pointerdown", (event) => {
  if (pointer !== null || event.button !== 0) return;
  event.preventDefault();
  pointer = event.pointerId;
  pad.setPointerCapture(pointer);
  pad.focus({ preventScroll: true, focusVisible: false });
  $("answer").setAttribute("aria-busy", "true");  // read aloud when the pen is lifted
  lift();
  line(place(event));
});

pad.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pointer) return;
  const between = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const e of between.length ? between : [event]) line(place(e));
});

for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
  pad.addEventListener(end, (event) => {
    if (event.pointerId !== pointer) return;
    pointer = last = null;
    $("answer").removeAttribute("aria-busy");
  });
}

function clear() {
  pen.clearRect(0, 0, side, side);
  pointer = null;
  $("answer").removeAttribute("aria-busy");
  lift();
  changed();
}
$("clear").addEventListener("click", clear);

// ---- the keys -----------------------------------------------------------------------------------

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = side / 28;
let at = [side / 2, side / 2], down = false;

function lift() {
  down = false;
  last = null;
  $("tip").hidden = true;
}

function tip() {
  $("tip").hidden = false;
  $("tip").classList.toggle("down", down);
  [$("tip").style.left, $("tip").style.top] = at.map((x) => `${100 * x / side}%`);
}

pad.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key in ARROWS) {
    at = at.map((x, axis) => Math.min(Math.max(x + STEP * ARROWS[event.key][axis], 0), side));
    if (down) line(at);
    tip();
  } else if (event.key === " ") {
    down = !down;
    last = null;
    if (down) line(at);
    tip();
  } else if (event.key in SAMPLES) sample(Number(event.key));
  else return;
  event.preventDefault();
});
pad.addEventListener("blur", lift);
addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });

// ---- samples: a path for each digit, every time a little different ------------------------------

const SAMPLES = [
  "M140 50 C85 50 85 230 140 230 C195 230 195 50 140 50",
  "M150 50 L135 230",
  "M90 100 C95 30 195 35 185 105 C175 155 110 195 85 225 L195 225",
  "M90 70 C130 25 205 70 175 110 C165 130 145 135 130 135"
    + " C200 135 205 210 150 228 C120 235 95 225 85 205",
  "M105 50 L90 145 L195 145 M170 70 L160 230",
  "M190 50 L110 50 L103 125 C150 105 195 130 188 180 C180 235 115 240 88 210",
  "M175 50 C120 85 90 140 95 190 C100 240 185 235 182 185 C180 140 115 140 97 180",
  "M85 60 L190 60 L130 230",
  "M175 75 C150 35 95 55 110 95 C120 125 180 150 180 190"
    + " C178 240 100 240 102 190 C104 150 180 120 175 75",
  "M180 85 C160 35 95 55 98 100 C102 145 170 140 180 85 C182 130 175 180 160 230",
];
let next = 3;

function sample(digit, tilt = Math.random() - 0.5) {
  clear();
  pen.save();
  pen.translate(side / 2, side / 2);
  pen.transform(1, 0.2 * tilt, -0.4 * tilt, 1 - 0.2 * tilt, 0, 0);
  pen.translate(-side / 2, -side / 2);
  pen.stroke(new Path2D(SAMPLES[digit]));
  pen.restore();
  changed();
}
$("sample").addEventListener("click", () => { sample(next); next = (next + 1) % 10; });

// ---- reading: once in a frame, however fast the pen is ------------------------------------------

function changed() {
  if (!asked) requestAnimationFrame(look);
  asked = true;
}

function look() {
  asked = false;
  const rgba = pen.getImageData(0, 0, side, side).data, ink = new Uint8Array(side * side);
  for (let i = 0; i < ink.length; i++) ink[i] = rgba[4 * i + 3];  // how much of it
  state.image = centered(ink, side);
  state.found = state.image && read(state.image, state.network);
  $("hint").hidden = Boolean(state.image);
  show();
}

function show() {
  const { image, found, network } = state;
  const p = found ? softmax(found.scores) : Array(10).fill(0);
  const [best, second] = [...p.keys()].sort((a, b) => p[b] - p[a]);
  say(!found ? nothing : p[best] < 0.6 ? `Perhaps ${best}, or ${second}.` : `I read ${best}.`);
  [...$("bars").children].forEach((row, digit) => {
    row.classList.toggle("best", found && digit === best);
    row.querySelector(".bar").style.width = `${100 * p[digit]}%`;
    row.querySelector(".number").textContent = found ? `${(100 * p[digit]).toFixed(1)} %` : "";
  });
  paint($("seen"), image, (v) => [255, 255, 255, v]);
  const style = getComputedStyle(document.documentElement);
  const [on, off] = ["--on", "--off"].map((name) => rgb(style.getPropertyValue(name)));
  document.querySelectorAll(".tiles").forEach((tiles, i) => {
    const maps = found ? inside(found, network)[i] : [];
    const largest = Math.max(1e-9, ...maps.map((map) => Math.max(...map.map(Math.abs))));
    [...tiles.children].forEach((canvas, k) =>
      paint(canvas, maps[k], (v) => [...(v > 0 ? on : off), Math.abs(v) * 255 / largest]));
  });
}

function say(answer) {
  if ($("answer").textContent !== answer) $("answer").textContent = answer;
}

function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.trim().slice(i, i + 2), 16));
}

function paint(canvas, values, color) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  if (values) image.data.set([...values].flatMap(color));
  context.putImageData(image, 0, 0);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);

// ---- inside: the maps of convolutions, or what the units of a dense layer look for --------------

function inside(found, network) {
  if (network.convolutions.length) return found.maps;
  const [{ weight }] = network.dense, [outputs] = found.units;
  const strongest = [...outputs.keys()].sort((a, b) => outputs[b] - outputs[a]);
  return [strongest.slice(0, 16).map((unit) => weight.slice(784 * unit, 784 * unit + 784))];
}

const WORDS = ["first", "second"];
const COLORS = {
  maps: `Each filter of 5 x 5 weights looks at every place.
    <span class="on">Blue</span>: it finds what it looks for, and relu lets it pass.
    <span class="off">Orange</span>: the contrary, which relu sets to 0.`,
  units: `The weights of the units that answer most to this drawing.
    <span class="on">Blue</span>: ink here speaks for the unit.
    <span class="off">Orange</span>: against it.`,
};

// Lay out the tiles that the network in use needs.
function furnish() {
  const { convolutions, dense } = state.network;
  const rooms = convolutions.map(({ shape: [filters] }, i) => ({
    title: `Feature maps of the ${WORDS[i]} convolution`, label: "Feature map", count: filters,
    width: [24, 8][i],
  }));
  if (!rooms.length)
    rooms.push({ title: "What its first layer looks for", label: "Weights of unit", width: 28,
      count: Math.min(16, dense[0].bias.length) });
  $("maps").replaceChildren(...rooms.map(({ title, label, count, width }) => {
    const room = document.createElement("div");
    const tile = (k) => `<canvas width="${width}" height="${width}" role="img"
      aria-label="${label} ${k + 1} of ${count}"></canvas>`;
    room.innerHTML = `<h2>${title}</h2><div class="tiles">${
      Array.from({ length: count }, (_, k) => tile(k)).join("")}</div>`;
    return room;
  }));
  $("colors").innerHTML = convolutions.length ? COLORS.maps : COLORS.units;
}

// ---- a network of one's own ---------------------------------------------------------------------

async function take(file) {
  try {
    use(networkOf(await arraysOf(await file.arrayBuffer())), file.name);
  } catch (error) {
    tell(`${file.name} is not read. ${error.message} The network stays as it was.`, true);
  }
}

function use(network, name) {
  state.network = network;
  const sizes = network.dense.map(({ bias }) => bias.length);
  const about = network.convolutions.length ? "a lenet" : [784, ...sizes].join("-");
  tell(name ? `Reading now: your network, ${about}, from ${name}.`
    : `Reading now: the network of this page. ${WEIGHTS.about}`, false);
  $("back").hidden = !name;
  furnish();
  look();
}

function tell(sentence, wrong) {
  $("told").textContent = sentence;
  $("told").classList.toggle("wrong", wrong);
}

$("file").addEventListener("change", () => {
  if ($("file").files.length) take($("file").files[0]);
  $("file").value = "";  // so that the same file can be chosen again
});
$("back").addEventListener("click", () => { use(lenet); $("file").focus(); });
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
});

$("bars").innerHTML = Array.from({ length: 10 }, (_, digit) =>
  `<li><span class="digit">${digit}</span><span class="track"><span class="bar"></span></span>
  <span class="number"></span></li>`).join("");
use(lenet);
