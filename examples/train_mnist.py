"""Train a network on MNIST, score it once on the test set, and write down what it learnt.

The recipe is Adam on cross-entropy; the learning rate goes up to --lr and down again, along one
cycle. Options that are left out depend on the model, and were chosen by the validation split:

  model    epochs  batch-size     lr
  linear        6          64  0.003
  mlp           8          64  0.003
  lenet         6          64  0.005
  cnn          10          96  0.001

Files in --out:
  history.json    loss and accuracy of each epoch, in training and validation
  metrics.json    losses and accuracies at the end, seconds, and all that was chosen
  model.npz       the weights, which minigrad.load reads
  curves.png, predictions.png, confusion.png    where matplotlib is installed

Ctrl-C ends the training early; what was learnt until then is scored and written.

Examples:
  python examples/train_mnist.py
  python examples/train_mnist.py --model mlp --out runs/mlp
  python examples/train_mnist.py --model cnn --epochs 10 --batch-size 96 --lr 0.001
  python examples/train_mnist.py --data ~/Downloads/train.csv --seed 1
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from digits import load_digits
from models import MODELS

import minigrad as mg
from minigrad import data, metrics, plot
from minigrad.parallel import choose_workers

STARTED = time.perf_counter()
RECIPES = {  # epochs, batch size, highest learning rate
    "linear": (6, 64, 0.003),
    "mlp": (8, 64, 0.003),
    "lenet": (6, 64, 0.005),
    "cnn": (10, 96, 0.001),
}


def arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sources = "{auto,mnist,synthetic,FOLDER,train.csv}"
    # fmt: off  (a row for each option)
    for name, default, kind, shown, text in [
        ("--epochs", None, number(int), "N", "passes over the training images"),
        ("--batch-size", None, number(int), "N", "images in a step"),
        ("--lr", None, number(float), "RATE", "the highest learning rate"),
        ("--data", "auto", str, sources, "auto (default): MNIST, or synthetic digits where it "
         "cannot be had; a folder that holds MNIST; Kaggle's train.csv"),
        ("--validation", 0.1, number(float), "SHARE", "held back to choose by (default 0.1)"),
        ("--seed", 0, int, "N", "of split, weights, batches and dropout (default 0)"),
        ("--out", Path("runs/mnist"), Path, "FOLDER", "made if missing (default runs/mnist)"),
        ("--workers", "auto", workers, "N", "threads; auto (default): by model and processors"),
    ]:
        parser.add_argument(name, default=default, type=kind, metavar=shown, help=text)
    # fmt: on
    parser.add_argument("--model", choices=MODELS, default="lenet", help="lenet if left out")
    args = parser.parse_args(argv)
    for name, choice in zip(("epochs", "batch_size", "lr"), RECIPES[args.model], strict=True):
        setattr(args, name, getattr(args, name) or choice)
    return args


def number(kind):
    def read(text):
        if not kind(text) > 0:
            raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
        return kind(text)

    return read


def workers(text):
    return text if text == "auto" else number(int)(text)


def train(model, examples, held, args):
    loader = data.DataLoader(*examples, args.batch_size, seed=args.seed)
    optimizer = mg.optim.Adam(model.parameters(), lr=args.lr)
    schedule = mg.optim.OneCycleLR(optimizer, args.lr, args.epochs * len(loader))
    options = {"epochs": args.epochs, "seed": args.seed, "workers": args.workers}
    return mg.fit(model, loader, held, optimizer=optimizer, schedule=schedule, **options)


def draw(out, history, matrix, images, labels, probabilities):
    pictures = {
        "confusion": plot.confusion(matrix),
        "predictions": plot.predictions(images, labels, probabilities),
    }
    if history:
        pictures["curves"] = plot.history(history)
    for name, picture in pictures.items():
        plot.save(picture, out / f"{name}.png")


def write_json(path, content):
    """Written beside and renamed, so that nobody reads half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(part, path)


def seconds():
    """Since the process started, where /proc knows it (Linux); else since the imports."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return time.perf_counter() - STARTED
