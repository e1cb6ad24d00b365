"""Draw a digit with mouse or finger, and watch a convolutional network read it.

A page opens in the browser. While you draw, it shows the ten probabilities, the 28x28 pixels that
the network gets, and the feature maps of its first convolution: what each of eight filters finds.

The network is the lenet of models.py. It comes from the first of these that exists:

  --model FILE.npz    weights that train_mnist.py has written, such as runs/mnist/model.npz
  --out/model.npz     left by an earlier start of this script
  a training          of 10 to 20 seconds, on MNIST, or on synthetic digits where there is none

What to see:
  The drawing becomes an image like MNIST's before the network gets it: draw in a corner, and the
  28x28 pixels stay the same; draw small, and only the line gets thicker. Then draw something that
  is no digit. The network has ten answers and no other, and often it is sure: a probability tells
  which of the ten, not whether it is one of them.

Files in --out, if a training was needed:
  model.npz       the weights, so that the next start takes no time; remove it to train anew
  metrics.json    the accuracy on the test set, the data, seconds

The page is served on this machine alone (127.0.0.1) and loads nothing from elsewhere. Ctrl-C ends
it.

Examples:
  python examples/draw_digit.py
  python examples/draw_digit.py --model runs/mnist/model.npz
  python examples/draw_digit.py --port 0 --no-browser
"""

import argparse
import base64
import hashlib
import html
import json
import socket
import sys
import threading
import traceback
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

import numpy as np
from digits import load_digits
from models import lenet
from report import seconds, write_json

import minigrad as mg
from minigrad import data
from minigrad.data.augment import RandomAffine

SIDE = 280  # pixels of the page's canvas, along each side

# MNIST's images: 28x28 pixels, the digit in a box of 20x20, its center of mass in the middle of
# pixel 14, counted from 0.
FRAME = 28
BOX = 20
CENTER = 14.5

# The training, where one is needed.
BATCH = 64  # images in a step
RATE = 0.005  # the highest learning rate
DECAY = 0.1  # weight decay
SEED = 0
EPOCHS = {"mnist": 2, "synthetic": 5}
HAND = RandomAffine(degrees=10, scale=(0.9, 1.1), shear=(-10, 10, 0, 0))  # nobody draws like MNIST
KINDS = {
    "mnist": "It learned from MNIST.",
    "synthetic": "It learned from SYNTHETIC digits, drawn by a program, not from MNIST: "
    "handwriting is partly new to it.",
}


# ---- from a drawing to an image like MNIST's -----------------------------------------------------


def as_mnist(drawing):
    """Make an image like MNIST's of a drawing of any size.

    The drawing's bounding box is scaled until its longer side has 20 pixels, and placed so that its
    center of mass lies where those of MNIST do. Each of the 28x28 pixels becomes the mean of what
    it covers, so that edges are soft. MNIST differs in one point: it moves by whole pixels.

    Parameters
    ----------
    drawing : ndarray of uint8, shape (H, W)
        0 is paper, 255 is ink.

    Returns
    -------
    ndarray of uint8, shape (28, 28)

    Raises
    ------
    ValueError
        If there is no ink.
    """
    if not drawing.any():
        raise ValueError("there is no ink in the drawing: draw a digit first.")
    rows = np.flatnonzero(drawing.any(axis=1))
    columns = np.flatnonzero(drawing.any(axis=0))
    box = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)  # (h, w)
    scale = BOX / max(box.shape)
    down = _shares(box.sum(axis=1), scale)  # (28, h)
    right = _shares(box.sum(axis=0), scale)  # (28, w)
    return (down @ box @ right.T).round().astype(np.uint8)  # (28, 28)


def _shares(profile, scale):
    """How much of each of 28 pixels each pixel of the box covers, along one side: (28, n).

    profile : (n,), the ink along that side, whose center of mass is moved to CENTER.
    """
    edges = np.arange(len(profile) + 1) * scale
    center = (edges[:-1] + scale / 2) @ profile / profile.sum()
    edges += np.clip(CENTER - center, 0, FRAME - edges[-1])  # nothing leaves the frame
    pixels = np.arange(FRAME)[:, None]
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return covered.clip(0)


def read(model, image):
    """What the network makes of an image, in numbers and lists that JSON can hold.

    Parameters
    ----------
    model : Module
        A lenet, in evaluation mode.
    image : ndarray of uint8, shape (28, 28)

    Returns
    -------
    dict
        `probabilities` (10), `image` (28, 28) of 0..255, and `maps` (8, 24, 24), the outputs of the
        first convolution, from -100 to 100 where 100 is the largest in absolute value.
    """
    with mg.no_grad():
        maps = model[0](data.normalize(image[None]))  # (1, 8, 24, 24)
        scores = model[1:](maps)  # (1, 10)
    maps = maps.data[0] * (100 / max(np.abs(maps.data).max(), 1e-9))
    return {
        "probabilities": [round(float(p), 4) for p in mg.softmax(scores.data)[0]],
        "image": image.tolist(),
        "maps": maps.round().astype(int).tolist(),
    }


# ---- the network: loaded, or trained on the spot -------------------------------------------------


def get_model(args):
    """A network in evaluation mode, and a sentence on the digits that it has learned from."""
    path = args.model or args.out / "model.npz"
    model = lenet()
    if args.model or path.exists():
        mg.load(path, model)
        print(f"model: {path}. {known(path)}")
    else:
        print(f"There is no {path} yet, so a network is trained first.")
        train(model, args)
    return model.eval(), known(path)


def known(path):
    """Which digits the weights in a file have learned from, by the metrics.json beside it."""
    try:
        kind = json.loads(path.with_name("metrics.json").read_text("utf-8"))["data"]
        return KINDS.get(kind, f"It learned from: {kind}.")
    except (OSError, ValueError, KeyError, TypeError):
        return "Nothing tells which digits it learned from."


def train(model, args):
    """Train a network for a few seconds; write its weights and numbers to `args.out`."""
    args.out.mkdir(parents=True, exist_ok=True)
    (images, labels), test, kind = load_digits(args.data)
    epochs = EPOCHS.get(kind, EPOCHS["mnist"])
    loader = data.DataLoader(data.normalize(images), labels, BATCH, seed=SEED, transform=HAND)
    optimizer = mg.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = mg.optim.OneCycleLR(optimizer, RATE, epochs * len(loader))
    history = mg.fit(
        model,
        loader,
        optimizer=optimizer,
        schedule=schedule,
        epochs=epochs,
        seed=SEED,
        workers="auto",
    )
    if history.interrupted:
        raise KeyboardInterrupt
    found = mg.evaluate(model, (data.normalize(test[0]), test[1]), workers="auto")
    numbers = {
        "data": kind,
        "model": "lenet",
        "epochs": epochs,
        "seed": SEED,
        "parameters": sum(p.size for p in model.parameters()),
        "test_loss": found["loss"],
        "test_accuracy": found["accuracy"],
        "seconds": round(seconds(), 2),
    }
    write_json(args.out / "metrics.json", numbers)
    mg.save(args.out / "model.npz", model)
    print(f"{numbers['test_accuracy']:.2%} of the test set right. {KINDS.get(kind, '')}")
    print(f"{args.out}: metrics.json, model.npz")


# ---- the server ----------------------------------------------------------------------------------


class Refused(Exception):
    """A request that is not answered: the status, and what was wrong with it."""

    def __init__(self, status, message, **headers):
        super().__init__(message)
        self.status = status
        self.headers = headers


class Server(ThreadingHTTPServer):
    """Answers the page's requests, on this machine alone.

    A web site elsewhere cannot use it through the visitor's browser. A name of the site's that
    points to 127.0.0.1 (DNS rebinding) shows in the Host header; a request across origins shows in
    the Origin header or in its content type; and no header allows the site to read the answer.

    Parameters
    ----------
    model : Module
    about : str
        A sentence on the model, for the page.
    port : int
        0 takes any that is free.
    """

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # there it would share the port
    allow_reuse_port = False

    def __init__(self, model, about, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.model = model
        self.page = Template(PAGE).substitute(
            style=STYLE,
            script=SCRIPT,
            about=html.escape(about),
            look="warn" if "SYNTHETIC" in about else "soft",
        )
        port = self.server_address[1]
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        if port == 80:  # which browsers leave out
            self.hosts |= {"127.0.0.1", "localhost"}
        self.url = f"http://127.0.0.1:{port}/"


class Handler(BaseHTTPRequestHandler):
    """One request: GET / for the page, or POST /predict with a drawing's pixels.

    The body of the latter is SIDE x SIDE bytes, row by row: 0 is paper, 255 is ink.
    """

    server_version = "minigrad"
    sys_version = ""  # else the Server header would tell the version of Python
    timeout = 10  # seconds to wait for the rest of a request

    def answer(self):
        try:
            self.check_host()
            path = self.path.partition("?")[0]
            if path not in ("/", "/predict"):
                raise Refused(404, f"there is no {path[:100]} here: GET / is the page.")
            allowed = "GET" if path == "/" else "POST"
            if self.command != allowed:
                raise Refused(405, f"{path} takes {allowed}, not {self.command}.", Allow=allowed)
            if path == "/":
                self.send(200, self.server.page, "text/html; charset=utf-8")
            else:
                self.send(200, json.dumps(read(self.server.model, self.image())))
        except Refused as error:
            self.refuse(error.status, str(error), error.headers)
        except ConnectionError:  # the page was closed
            self.close_connection = True
        except TimeoutError:
            self.refuse(408, f"the rest of the request did not come within {self.timeout} seconds.")
        except Exception:
            traceback.print_exc()
            self.refuse(500, "this is a mistake of the server's; its terminal shows where.")

    # http.server looks for do_GET where the request says GET, and so on.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def check_host(self):
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            raise Refused(403, f"this page has one address, {self.server.url}")
        origin = self.headers.get("Origin")
        if origin and origin.lower().removeprefix("http://") not in self.server.hosts:
            raise Refused(403, "other web sites may not use this server.")

    def image(self):
        """The drawing that was sent, as the network wants it."""
        size = SIDE**2
        if self.headers.get_content_type() != "application/octet-stream":
            raise Refused(415, f"expected {size} bytes of type application/octet-stream.")
        length = self.headers.get("Content-Length")
        if length is None or "Transfer-Encoding" in self.headers:
            raise Refused(411, f"expected {size} bytes, and their number as Content-Length.")
        if not (length.isascii() and length.isdigit()):
            raise Refused(400, f"expected {size} bytes, got a Content-Length that is no number.")
        if len(length) > 20 or int(length) > size:  # int() refuses thousands of digits
            raise Refused(413, f"expected {size} bytes, got more.")
        body = self.rfile.read(int(length))
        if len(body) != size:
            raise Refused(
                400, f"expected {SIDE} x {SIDE} = {size} bytes, row by row, got {len(body)}."
            )
        try:
            return as_mnist(np.frombuffer(body, np.uint8).reshape(SIDE, SIDE))
        except ValueError as error:  # there is no ink
            raise Refused(400, str(error)) from error

    def refuse(self, status, message, headers=()):
        error = {"status": status, "error": message}
        self.send(status, json.dumps(error), headers=headers)
        self.drain()

    def send_error(self, code, message=None, explain=None):
        """Answer what http.server itself refuses, such as a method that it does not know."""
        self.refuse(int(code), message or self.responses[code][1])

    def send(self, status, text, kind="application/json", headers=()):
        body = text.encode()
        headers = {**HEADERS, **dict(headers), "Content-Type": kind}
        headers["Content-Length"] = str(len(body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def drain(self):
        """Read on for a while: closing at once would reset the connection and lose the answer."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            for _ in range(16):  # times 64 kB at most: enough for a polite client
                if not self.connection.recv(2**16):
                    break
        except OSError:
            pass

    def log_message(self, *args):
        """The terminal stays quiet."""


# ---- the page ------------------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light dark; --back: #fafaf8; --card: #fff; --text: #1c1c1a; --soft: #5d5d58;
  --line: #d9d9d2; --track: #ecece6; --on: #0072b2; --off: #b85000; --warn: #fff3d6; }
@media (prefers-color-scheme: dark) { :root { --back: #161719; --card: #212327; --text: #ececea;
  --soft: #a5a8ad; --line: #3b3e44; --track: #131417; --on: #56b4e9; --off: #e69f00;
  --warn: #42361a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 50rem; background: var(--back);
  color: var(--text); font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .25rem; }
p { margin: .25rem 0; }
.soft { color: var(--soft); font-size: .875rem; }
.warn { background: var(--warn); color: var(--text); padding: .4rem .7rem; border-radius: .4rem; }
main { display: grid; grid-template-columns: minmax(0, 21rem) minmax(0, 1fr); gap: 1rem;
  margin-top: 1rem; align-items: start; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .7rem;
  padding: .8rem; }
.wide { grid-column: 1 / -1; }
canvas { display: block; width: 100%; }
#pad { aspect-ratio: 1; background: #fff; border-radius: .4rem; touch-action: none;
  cursor: crosshair; user-select: none; -webkit-user-select: none;
  -webkit-touch-callout: none; }
.frame { border: 2px solid var(--line); border-radius: .5rem; position: relative; }
#hint { position: absolute; inset: 0; display: grid; place-items: center; color: #6a6a66;
  pointer-events: none; text-align: center; padding: 1rem; }
#hint[hidden] { display: none; }
.row { display: flex; justify-content: space-between; align-items: center; gap: 1rem;
  margin-top: .7rem; }
button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--soft);
  border-radius: .5rem; min-height: 2.75rem; padding: 0 1.1rem; cursor: pointer; }
button:hover { border-color: var(--on); }
button:focus-visible { outline: 3px solid var(--on); outline-offset: 2px; }
#answer { font-size: 1.15rem; font-weight: 600; min-height: 1.7em; margin: 0 0 .3rem; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .2rem 1rem; }
li { display: flex; align-items: center; gap: .3rem; font-variant-numeric: tabular-nums; }
.digit { width: 1.1rem; font-weight: 600; }
.number { width: 5rem; text-align: right; white-space: nowrap; color: var(--soft); }
.track { flex: 1; background: var(--track); border-radius: .3rem; height: 1.05rem;
  overflow: hidden; }
.bar { display: block; background: var(--soft); height: 100%; width: 0; }
.best .digit, .best .number { color: var(--on); font-weight: 700; }
.best .bar { background: var(--on); }
.inside { display: grid; grid-template-columns: minmax(6rem, 1fr) 4fr; gap: 1.2rem; }
.maps { display: grid; grid-template-columns: repeat(4, 1fr); gap: .5rem; }
.inside canvas { image-rendering: pixelated; aspect-ratio: 1; border-radius: .25rem;
  border: 1px solid var(--line); }
#seen { background: #000; }
.on { color: var(--on); font-weight: 600; } .off { color: var(--off); font-weight: 600; }
@media (max-width: 40rem) { body { padding: .5rem; } main { grid-template-columns: minmax(0, 1fr);
  gap: .5rem; margin-top: .5rem; } section { padding: .5rem; } .intro { display: none; }
  .draw { max-width: 18.5rem; width: 100%; margin: 0 auto; } .row { margin-top: .4rem; }
  .warn { font-size: .875rem; line-height: 1.3; } .number { width: 4.1rem; font-size: .875rem; }
  ul { grid-auto-flow: column; grid-template-rows: repeat(5, auto); grid-auto-columns: 1fr; }
  .inside { grid-template-columns: minmax(0, 1fr); gap: .8rem; } .gets { display: grid;
  grid-template-columns: 6rem 1fr; column-gap: .8rem; } .gets h2 { grid-column: 1 / -1; } }
@media (pointer: coarse) { .keys { visibility: hidden; } }
@media (prefers-color-scheme: dark) { #pad { filter: invert(.93); } #hint { color: #a5a8ad; } }
"""

SCRIPT = """
"use strict";
const $ = (id) => document.getElementById(id);
const pad = $("pad"), pen = pad.getContext("2d", { willReadFrequently: true });
const side = pad.width, start = $("answer").textContent;
let pointer = null, last = null, version = 0, shown = 0, busy = false, reply = null;

pen.lineCap = pen.lineJoin = "round";
pen.lineWidth = side * 0.08;

// ---- the pen: one pointer at a time, so that a second finger draws no line across

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
}

pad.addEventListener("pointerdown", (event) => {
  if (pointer !== null || event.button !== 0) return;
  event.preventDefault();
  pointer = event.pointerId;
  pad.setPointerCapture(pointer);
  $("answer").setAttribute("aria-busy", "true");  // read aloud when the pen is lifted
  $("hint").hidden = true;
  last = null;
  line(place(event));
  changed();
});

pad.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pointer) return;
  const between = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const e of between.length ? between : [event]) line(place(e));
  changed();
});

for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
  pad.addEventListener(end, (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    $("answer").removeAttribute("aria-busy");
  });
}

function clear() {
  pen.clearRect(0, 0, side, side);
  version = shown = version + 1;
  pointer = null;
  $("answer").removeAttribute("aria-busy");
  $("hint").hidden = false;
  show(null);
  say(start);
}
$("clear").addEventListener("click", clear);
addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });

// ---- asking: one request at a time, the newest drawing next

function changed() {
  version += 1;
  if (!busy) ask();
}

async function ask() {
  busy = true;
  while (shown < version) {
    const asked = version;
    try {
      const found = await fetch("/predict", { method: "POST", body: pixels(),
        headers: { "Content-Type": "application/octet-stream" } });
      const told = await found.json();
      if (shown > asked) continue;  // it was cleared meanwhile
      if (found.ok) { show(told); say(sentence(told.probabilities)); }
      else say("Error " + told.status + ": " + told.error);
    } catch (error) {
      if (shown <= asked) say("No answer. Is draw_digit.py still running?");
    }
    shown = Math.max(shown, asked);
  }
  busy = false;
}

function pixels() {
  const rgba = pen.getImageData(0, 0, side, side).data, grey = new Uint8Array(side * side);
  for (let i = 0; i < grey.length; i++) grey[i] = rgba[4 * i + 3];  // how much ink
  return grey;
}

// ---- showing

function sentence(p) {
  const order = [...p.keys()].sort((a, b) => p[b] - p[a]);
  return p[order[0]] < 0.6 ? `Perhaps ${order[0]}, or ${order[1]}.` : `I read ${order[0]}.`;
}

function say(text) {
  if ($("answer").textContent !== text) $("answer").textContent = text;
}

function show(found) {
  reply = found;
  const p = found ? found.probabilities : Array(10).fill(0), best = Math.max(...p);
  document.querySelectorAll("li").forEach((row, k) => {
    row.classList.toggle("best", p[k] > 0 && p[k] === best);
    row.querySelector(".bar").style.width = 100 * p[k] + "%";
    row.querySelector(".number").textContent = found ? (100 * p[k]).toFixed(1) + " %" : "";
  });
  paint($("seen"), found && found.image, (v) => [255, 255, 255, v]);
  const style = getComputedStyle(document.documentElement);
  const [on, off] = ["--on", "--off"].map((name) => rgb(style.getPropertyValue(name)));
  document.querySelectorAll(".map").forEach((canvas, k) => {
    paint(canvas, found && found.maps[k], (v) => [...(v > 0 ? on : off), Math.abs(v) * 2.55]);
  });
}

function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.trim().slice(i, i + 2), 16));
}

function paint(canvas, rows, color) {
  const context = canvas.getContext("2d"), n = canvas.width;
  const image = context.createImageData(n, n);
  if (rows) image.data.set(rows.flat().flatMap(color));
  context.putImageData(image, 0, 0);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(reply));
"""

ROWS = "\n".join(
    f'<li><span class="digit">{k}</span><span class="track"><span class="bar"></span></span>'
    '<span class="number"></span></li>'
    for k in range(10)
)
MAPS = "\n".join(
    f'<canvas class="map" width="24" height="24" role="img" aria-label="Feature map {k} of 8">'
    "</canvas>"
    for k in range(1, 9)
)
ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 10'%3E%3Cpath \
d='M2 2h6L4 9' fill='none' stroke='%230072b2' stroke-width='1.6'/%3E%3C/svg%3E"

PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Draw a digit - minigrad</title>
<link rel="icon" href="{ICON}">
<style>$style</style>
</head>
<body>
<header>
<h1>Draw a digit</h1>
<p class="soft intro">A convolutional network, written in NumPy, reads it while you draw.</p>
<p id="about" class="$look">$about</p>
</header>
<main>
<section class="draw" aria-label="Drawing">
<div class="frame">
<canvas id="pad" width="{SIDE}" height="{SIDE}" role="img"
 aria-label="Draw a digit here, with a mouse, a pen or a finger."></canvas>
<div id="hint" aria-hidden="true">Draw a digit from 0 to 9 here</div>
</div>
<div class="row"><span class="soft keys">Escape clears, too</span>
<button id="clear" type="button">Clear</button></div>
</section>
<section aria-label="Answer">
<p id="answer" aria-live="polite" aria-atomic="true">Nothing to read yet.</p>
<ul role="list" aria-label="The probability of each digit">
{ROWS}
</ul>
<noscript>This page needs JavaScript.</noscript>
</section>
<section class="wide inside" aria-label="Inside the network">
<div class="gets">
<h2>What it gets</h2>
<canvas id="seen" width="28" height="28" role="img"
 aria-label="The drawing as 28 by 28 pixels, like an image of MNIST"></canvas>
<p class="soft">28x28 pixels: cropped, scaled, centered by mass</p>
</div>
<div>
<h2>Feature maps of the first convolution</h2>
<div class="maps">
{MAPS}
</div>
<p class="soft">Each of 8 filters of 5x5 pixels looks at every place.
<span class="on">Blue</span>: it finds what it looks for, and the ReLU lets it pass.
<span class="off">Orange</span>: the contrary, which the ReLU sets to 0.</p>
</div>
</section>
</main>
<script>$script</script>
</body>
</html>
"""


def _hash(text):
    """The name by which the policy below allows a script or a style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src {_hash(SCRIPT)}; "
    f"style-src {_hash(STYLE)}; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


# ---- the command ---------------------------------------------------------------------------------


def main(argv=None):
    args = arguments(argv)
    try:
        model, about = get_model(args)
    except KeyboardInterrupt:
        sys.exit("draw_digit.py: the training was interrupted; nothing of it is kept")
    try:
        server = Server(model, about, args.port)
    except OSError as error:
        raise OSError(f"port {args.port}: {error.strerror}. --port 0 takes a free one.") from error
    with server:
        try:
            print(f"Draw at {server.url}, Ctrl-C ends.", flush=True)
            if not args.no_browser:  # in a thread: a browser in the terminal returns at its end
                threading.Thread(target=webbrowser.open, args=[server.url], daemon=True).start()
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nended")


def arguments(argv):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--model", type=Path, metavar="FILE.npz", help="a lenet's weights from train_mnist.py")
    kinds = "{auto,mnist,synthetic,FOLDER}"
    option("--data", default="auto", metavar=kinds, help="what a training learns from (auto)")
    option("--port", type=port, default=8000, help="0 takes any that is free (default: 8000)")
    option("--no-browser", action="store_true", help="open no browser; print the address only")
    option("--out", type=Path, default=Path("runs/draw_digit"), help="default: runs/draw_digit")
    return parser.parse_args(argv)


def port(text):
    if not 0 <= int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, got {text}")
    return int(text)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # its message says what to do
        sys.exit(f"draw_digit.py: {error}")
