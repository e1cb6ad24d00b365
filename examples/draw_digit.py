"""Draw a digit with mouse or finger, and watch a convolutional network of yours read it.

The page of the course's chapter 0 opens in the browser, docs/_static/draw, with a network trained
here. While you draw, it shows the ten probabilities, the 28x28 pixels that the network gets, and
the feature maps of both convolutions.

The network is the lenet of models.py. It comes from the first of these that exists:

  --model FILE.npz    weights that train_mnist.py has written, such as runs/mnist/model.npz
  --out/model.npz     left by an earlier start of this script
  a training          of 10 to 20 seconds, on MNIST, or on synthetic digits where there is none

What to see:
  The drawing becomes an image like MNIST's before the network gets it: draw in a corner, and the
  28x28 pixels stay the same; draw small, and only the line gets thicker. Then draw something that
  is no digit. The network has ten answers and no other, and often it is sure: a probability tells
  which of the ten, not whether it is one of them.

Files in --out:
  page/           the page with these weights, rounded to floats of 16 bits: index.html opens
                  anywhere, by a double click, and loads nothing from elsewhere
  model.npz       the weights, so that the next start takes no time; remove it to train anew
  metrics.json    the accuracy on the test set, the data, seconds, if a training was needed

Examples:
  python examples/draw_digit.py
  python examples/draw_digit.py --model runs/mnist/model.npz
  python examples/draw_digit.py --no-browser
"""

import argparse
import importlib
import json
import shutil
import sys
import webbrowser
from pathlib import Path

from digits import load_digits
from models import lenet
from report import seconds, write_json

import minigrad as mg
from minigrad import data
from minigrad.data.augment import RandomAffine

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "_static" / "draw"

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


def write_page(model, about, folder):
    """Copy the page into `folder`, with the model's weights in place of its own."""
    sys.path.append(str(DOCS))
    weights = importlib.import_module("make_weights")
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    weights.write(folder / "weights.js", model.state_dict(), about, "Written by draw_digit.py.")
    return folder / "index.html"


def main(argv=None):
    args = arguments(argv)
    try:
        model, about = get_model(args)
    except KeyboardInterrupt:
        sys.exit("draw_digit.py: the training was interrupted; nothing of it is kept")
    page = write_page(model, about, args.out / "page").resolve()
    print(f"Draw on {page}")
    if not args.no_browser:
        webbrowser.open(page.as_uri())


def arguments(argv):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--model", type=Path, metavar="FILE.npz", help="a lenet's weights from train_mnist.py")
    kinds = "{auto,mnist,synthetic,FOLDER}"
    option("--data", default="auto", metavar=kinds, help="what a training learns from (auto)")
    option("--no-browser", action="store_true", help="open no browser; print the path only")
    option("--out", type=Path, default=Path("runs/draw_digit"), help="default: runs/draw_digit")
    return parser.parse_args(argv)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # its message says what to do
        sys.exit(f"draw_digit.py: {error}")
