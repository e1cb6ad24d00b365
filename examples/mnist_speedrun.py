"""99 % of MNIST in seconds: the small `lenet`, a short one-cycle schedule, all cores.

The clock runs from the start of the process to the score: imports, reading and checking the files,
training and testing are in it. Network, epochs, batch size and learning rate were chosen by a
validation split (`--validation`); the test set is scored once, after the last epoch.

    python examples/mnist_speedrun.py               one seed
    python examples/mnist_speedrun.py --seeds 10    ten, each in a process of its own
    python examples/mnist_speedrun.py --validation  hold back 10,000 images, and score those
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from digits import load_digits
from models import lenet
from report import seconds, write_json
from seeds import run_seeds, tell

import minigrad as mg
from minigrad import data, optim

EPOCHS, BATCH_SIZE, LR = 2, 128, 0.02
GOAL = 0.99


def shifted(x, rng):
    """The whole batch moved by up to a pixel: a digit is the same digit beside its place."""
    return np.roll(x, rng.integers(-1, 2, size=2), axis=(2, 3))


def run(args):
    """One seed: train, score, write metrics.json."""
    (images, labels), test, kind = load_digits(args.data)
    train = data.normalize(images), labels
    test = data.normalize(test[0]), test[1]
    if args.validation:
        train, test = data.split(*train, validation=1 / 6, seed=args.seed)
    mg.manual_seed(args.seed)
    model = lenet()
    loader = data.DataLoader(*train, args.batch_size, seed=args.seed, transform=shifted)
    optimizer = optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = optim.OneCycleLR(optimizer, args.lr, args.epochs * len(loader), pct_start=0.2)
    mg.fit(model, loader, optimizer=optimizer, schedule=schedule, epochs=args.epochs,
           seed=args.seed, workers="auto")  # fmt: skip
    found = mg.evaluate(model, test, workers="auto")
    args.out.mkdir(parents=True, exist_ok=True)
    metrics = {"test_accuracy": found["accuracy"], "test_loss": found["loss"], "data": kind,
               "seconds": round(seconds(), 2), "seed": args.seed, "epochs": args.epochs,
               "batch_size": args.batch_size, "lr": args.lr, "validation": args.validation,
               "parameters": sum(p.size for p in model.parameters())}  # fmt: skip
    write_json(args.out / "metrics.json", metrics)
    which = "validation" if args.validation else "test"
    note = "" if kind == "mnist" else f", on {kind.upper()} digits: no result on MNIST"
    print(f"{found['accuracy']:.2%} of the {which} set after {metrics['seconds']:.2f} s{note}")


def main(argv=None):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--seeds", type=int, metavar="N", help="run so many seeds, and report their mean")
    option("--seed", type=int, default=0, help="default: 0")
    option("--epochs", type=int, default=EPOCHS, help=f"default: {EPOCHS}")
    option("--batch-size", type=int, default=BATCH_SIZE, help=f"default: {BATCH_SIZE}")
    option("--lr", type=float, default=LR, help=f"highest learning rate (default: {LR})")
    option("--data", default="auto", help="as of train_mnist.py (default: auto)")
    option("--validation", action="store_true", help="score held-back training images instead")
    option("--out", type=Path, default=Path("runs/speedrun"), help="default: runs/speedrun")
    args = parser.parse_args(argv)
    if args.seeds is None:
        return run(args)
    options = ["--epochs", args.epochs, "--batch-size", args.batch_size, "--lr", args.lr]
    options += ["--data", args.data] + ["--validation"] * args.validation
    result = run_seeds(__file__, args.seeds, args.out, [str(word) for word in options])
    print(tell(result, GOAL))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"mnist_speedrun.py: {error}")
