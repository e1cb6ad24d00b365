"""Write docs/_static/draw/weights.js, the network that reads on the page of chapter 0.

    python examples/train_mnist.py --model lenet --seed 0 --workers 2 --out runs/mnist
    python docs/make_weights.py runs/mnist

The weights of that run, rounded to floats of 16 bits, as base64. The file begins with the command and
the seed that trained them, as the run's metrics.json tells them.
"""

import argparse
import base64
import json
import sys
import textwrap
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parent / "_static" / "draw" / "weights.js"
ABOUT = "It is a lenet that minigrad trained on MNIST."
ORIGIN = """\
Written by `python docs/make_weights.py {folder}`, after
`python examples/train_mnist.py {options} --out {folder}`,
of seed {seed}, which had {val_accuracy:.2%} of its validation digits right."""
FILE = """\
// The weights of the page's network, as floats of 16 bits in base64.
// {origin}
"use strict";
const WEIGHTS = {{
  about: {about},
  shapes: {shapes},
  base64: `
{base64}
`,
}};
"""


def write(path, arrays, about, origin):
    """Write weights by name as the page's script reads them.

    `about` is a sentence that the page shows; `origin` says in a comment where they come from.
    """
    halves = {name: np.asarray(array, "<f2") for name, array in arrays.items()}
    shapes = json.dumps({name: list(array.shape) for name, array in halves.items()})
    content = b"".join(array.tobytes() for array in halves.values())
    text = FILE.format(
        origin=origin.replace("\n", "\n// "),
        about=json.dumps(about),
        shapes=textwrap.fill(shapes, 90, subsequent_indent=" " * 11),
        base64=textwrap.fill(base64.b64encode(content).decode(), 100),
    )
    path.write_text(text, "utf-8")


def read(path=PAGE):
    """The arrays in such a file, by name, as float32."""
    text = path.read_text("utf-8")
    shapes = json.loads(text.partition("shapes: ")[2].partition("},")[0] + "}")
    content = base64.b64decode(text.partition("base64: `")[2].partition("`")[0])
    numbers = np.frombuffer(content, "<f2").astype(np.float32)
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
    parts = np.split(numbers, ends[:-1])
    return {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where train_mnist.py wrote its files")
    folder = parser.parse_args().folder
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    if (metrics["model"], metrics["data"]) != ("lenet", "mnist"):
        sys.exit(
            f"{folder}: expected a lenet trained on mnist, got {metrics['model']} trained on "
            f"{metrics['data']}. Train it by the command in this script's docstring."
        )
    options = " ".join(f"--{name} {metrics[name]}" for name in ("model", "seed", "workers"))
    with np.load(folder / "model.npz") as arrays:
        write(
            PAGE, arrays, ABOUT, ORIGIN.format(folder=folder.as_posix(), options=options, **metrics)
        )
    print(f"{PAGE}  {PAGE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
