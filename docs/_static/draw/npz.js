// A network out of a file: the arrays of an .npz, and the layers that they are. What cannot be read
// is told by an Error whose message says what was expected, what came, and what to do.
"use strict";

const SAVE = 'Save it by np.savez("my_network.npz", w1=w1, b1=b1, w2=w2, b2=b2).';

function expect(condition, expected, came, todo = SAVE) {
  if (!condition) throw new Error(`Expected ${expected}, but ${came}. ${todo}`);
}

function whole(condition, name) {
  expect(condition, "the bytes that were saved", `the file is damaged or cut off at ${name}`,
    "Save it again, or copy it again.");
}

// ---- the file: a zip archive of .npy files, listed at its end -----------------------------------

const START = 0x04034b50, ENTRY = 0x02014b50, END = 0x06054b50;  // "PK" and two more bytes

// The arrays in the bytes of an .npz, by name, each {shape, values}, the last axis running fastest.
async function arraysOf(buffer) {
  const found = {};
  for (const entry of entries(buffer)) {
    expect(entry.file.endsWith(".npy"), "arrays alone", `the file holds "${entry.file}"`);
    const bytes = await inflated(entry);
    whole(bytes.length === entry.size && checksum(bytes) === entry.crc, entry.file);
    found[entry.name] = array(bytes, entry.name);
  }
  return found;
}

function entries(buffer) {
  const view = new DataView(buffer), length = buffer.byteLength, found = [];
  const is = (at, mark) => at + 4 <= length && view.getUint32(at, true) === mark;
  const begins = is(0, START) || is(0, END);
  expect(begins, "an .npz, which is a zip archive of arrays", "the file does not begin like one");
  let end = length - 22;
  while (end >= 0 && !is(end, END)) end--;
  whole(end >= 0, "its end");
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    whole(at + 46 <= length && is(at, ENTRY), "its list of arrays");
    const short = (offset) => view.getUint16(at + offset, true);
    const long = (offset) => view.getUint32(at + offset, true);
    const next = at + 46 + short(28) + short(30) + short(32), local = long(42);
    whole(next <= length && local + 30 <= length && is(local, START), "its list of arrays");
    const file = new TextDecoder().decode(new Uint8Array(buffer, at + 46, short(28)));
    const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    whole(from + long(20) <= length, file);
    const packed = new Uint8Array(buffer, from, long(20));
    const name = file.slice(0, -4);  // without .npy
    found.push({ file, name, packed, method: short(10), crc: long(16), size: long(24) });
    at = next;
  }
  return found;
}

async function inflated({ file, method, packed }) {
  if (method === 0) return packed;
  expect(method === 8, "arrays packed by NumPy", `"${file}" is packed in another way`);
  expect(globalThis.DecompressionStream, "a browser that unpacks archives", "this one does not",
    "Take a newer one, or save by np.savez, which packs nothing.");
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    return whole(false, file);
  }
}

// The CRC-32 by which zip archives notice a changed byte.
function checksum(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// ---- an array: a line that tells its type, order and shape, then its numbers --------------------

const FLOATS = {
  f2: (view, at, little) => half(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};
const KINDS = { O: "Python objects", U: "text", S: "text", b: "true and false",
  i: "whole numbers", u: "whole numbers", c: "complex numbers" };

// A float of 16 bits: 1 for its sign, 5 for the exponent, 10 for the fraction.
function half(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function array(bytes, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const begins = bytes.length >= 12 && view.getUint32(0) === 0x934e554d;  // "\x93NUM"
  expect(begins, `"${name}" to be a NumPy array`, "it does not begin like one");
  const start = bytes[6] === 1 ? 10 : 12;  // by the version of the format
  const size = start === 10 ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + size));
  const [, order, type] = header.match(/'descr': *'([<>|=])(\w+)'/) || [, "", ""];
  const shape = (header.match(/'shape': *\(([^)]*)\)/)?.[1].match(/\d+/g) || []).map(Number);
  expect(type in FLOATS, "numbers of float16, float32 or float64",
    `"${name}" holds ${KINDS[type[0]] || "something else"}`, 'Save it after .astype("float32").');
  const width = Number(type[1]), from = start + size, count = shape.reduce((a, b) => a * b, 1);
  whole(from + count * width === bytes.length, name);
  const values = new Float64Array(count);
  for (let i = 0; i < values.length; i++)
    values[i] = FLOATS[type](view, from + i * width, order !== ">");
  const fortran = /'fortran_order': *True/.test(header);
  return { shape, values: fortran ? transposed(values, shape) : values };
}

// The values of an array of that shape whose first axis ran fastest; now the last one does.
function transposed(values, shape) {
  return values.map((_, i) => {
    let at = 0, step = values.length, rest = i;
    for (const size of [...shape].reverse()) {
      step /= size;
      at += rest % size * step;
      rest = Math.floor(rest / size);
    }
    return values[at];
  });
}

// ---- the network: layers of weights and biases --------------------------------------------------

const CONVOLUTIONS = [[8, 1, 5, 5], [16, 8, 5, 5]];  // of the lenet in examples/models.py
const text = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

// The network that arrays by name are, as `read` of network.js takes it: w1, b1, w2, b2 and so on,
// or a state_dict: 0.weight, 0.bias, 2.weight and so on.
function networkOf(arrays) {
  const layers = layersOf(arrays), convolutions = [];
  while (layers[0]?.w.shape.length === 4 && convolutions.length < 2)
    convolutions.push(convolution(layers.shift(), CONVOLUTIONS[convolutions.length]));
  let inputs = [784, 1152, 256][convolutions.length];
  const dense = layers.map((layer, i) => {
    const found = denseLayer(layer, inputs, i ? "units of the layer before" : "pixels");
    inputs = found.bias.length;
    return found;
  });
  expect(dense.length && inputs === 10, "ten scores from the last layer, one for each digit",
    `there are ${inputs}`, "Save all layers of a network that reads digits.");
  return { convolutions, dense };
}

// Pairs {w, b} of a weight and its bias, in the order of the numbers in their names.
function layersOf(arrays) {
  const layers = {};
  for (const [name, { shape, values }] of Object.entries(arrays)) {
    const short = name.match(/^([wb])_?(\d*)$/i), long = name.match(/^(?:(.+)\.)?(weight|bias)$/i);
    expect(short || long, "the names w1, b1, w2, b2 and so on, or a state_dict's such as 0.weight",
      `one is called "${name}"`);
    expect(values.every(Number.isFinite), "numbers", `"${name}" holds nan or infinity`,
      "The training has diverged: train with a lower rate.");
    const key = `#${short ? short[2] : long[1] || ""}`;
    layers[key] ??= { inputsFirst: Boolean(short) };
    layers[key][(short ? short[1] : long[2])[0].toLowerCase()] = { name, shape, values };
  }
  const number = (key) => Number(key.match(/\d+/g)?.at(-1) ?? 0);
  const keys = Object.keys(layers).sort((a, b) => number(a) - number(b));
  expect(keys.length, "the weights of a network", "the file holds no array");
  const alone = keys.map((key) => layers[key]).find(({ w }) => !w);
  expect(!alone, "weights with each bias", `"${alone?.b.name}" has none`);
  return keys.map((key) => layers[key]);
}

function convolution({ w, b }, shape) {
  expect(text(w.shape) === text(shape), "dense layers",
    `"${w.name}" of shape ${text(w.shape)} is a convolution`,
    `Of those, this page reads the lenet of examples/models.py alone, with ${text(shape)}.`);
  return { shape, weight: w.values, bias: biasOf(b, shape[0]) };
}

// A dense layer, its weight turned to (units, inputs) where it came as (inputs, units).
function denseLayer({ w, b, inputsFirst }, inputs, each) {
  const [rows, columns] = w.shape, turned = rows === inputs && (columns !== inputs || inputsFirst);
  expect(w.shape.length === 2 && (turned || columns === inputs),
    `weights of shape (${inputs}, units) or (units, ${inputs}), ${inputs} being the ${each}`,
    `"${w.name}" has ${text(w.shape)}`, "Save all dense layers, and no others.");
  const shape = turned ? [columns, rows] : [rows, columns];
  const weight = turned ? transposed(w.values, shape) : w.values;
  return { shape, weight, bias: biasOf(b, shape[0]) };
}

function biasOf(b, units) {
  if (!b) return new Float64Array(units);
  expect(b.values.length === units, `a bias of shape (${units},), one number for each unit`,
    `"${b.name}" has ${text(b.shape)}`, "Save the weights and biases of one network.");
  return b.values;
}
