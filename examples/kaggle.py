"""Train on Kaggle's Digit Recognizer and write the file that the competition asks for.

https://www.kaggle.com/competitions/digit-recognizer gives two files: train.csv, 42,000 digits of
MNIST with their labels, and test.csv, 28,000 without. What is wanted of these is submission.csv:

  ImageId,Label
  1,2
  2,0
  ...

with the images counted from 1. Nobody can know the score before Kaggle counts it, as the labels of
test.csv are secret. So a part of train.csv is held back from training: the accuracy on that part
is the honest guess. Whoever tries many settings and keeps the best makes the guess too good: each
look at the digits held back costs a little of its honesty.

Files in --out:
  submission.csv    to be uploaded
  metrics.json      loss and accuracy in training and validation, and all that was chosen
  model.npz         the weights, which minigrad.load reads
  curves.png, mistakes.png    where matplotlib is installed

Examples:
  python examples/kaggle.py --train ~/Downloads/train.csv --test ~/Downloads/test.csv
  python examples/kaggle.py --model cnn --epochs 10
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from models import MODELS
from report import seconds, write_json

import minigrad as mg
from minigrad import data, plot
from minigrad.files import replacing

BATCH = 64  # digits in a step
RATE = {"linear": 0.003, "mlp": 0.003, "lenet": 0.005, "cnn": 0.001}  # highest learning rates
PAGE = "https://www.kaggle.com/competitions/digit-recognizer/data"


def main(argv=None):
    args = arguments(argv)
    # Both files are read before training: a mistake in the second is found at once.
    images, labels = read(args.train, labeled=True)
    unknown, _ = read(args.test, labeled=False)
    print(f"{args.train}: {len(images):,} digits; {args.test}: {len(unknown):,} to be read")
    args.out.mkdir(parents=True, exist_ok=True)

    examples, held = data.split(data.normalize(images), labels, args.validation, args.seed)
    mg.manual_seed(args.seed)
    model = MODELS[args.model]()
    history = train(model, examples, held, args)
    answers = mg.predict(model, data.normalize(unknown), workers="auto").argmax(axis=1)

    write_submission(args.out / "submission.csv", answers)
    mg.save(args.out / "model.npz", model)
    numbers = {key: values[-1] for key, values in history.items()}
    numbers |= {"interrupted": history.interrupted, "data": "kaggle", "seconds": seconds()}
    for name, value in vars(args).items():
        numbers[name] = str(value) if isinstance(value, Path) else value
    write_json(args.out / "metrics.json", numbers)
    draw(args.out, model, history, held)
    files = ", ".join(sorted(path.name for path in args.out.iterdir()))
    print(f"{args.out}: {files}")
    if history:
        print(
            f"{numbers['val_accuracy']:.2%} of the {len(held[0]):,} digits held back are right: "
            "expect about that from Kaggle"
        )


def read(path, labeled):
    """The images and labels of a file, which must be train.csv or test.csv as asked."""
    if not path.is_file():
        raise ValueError(
            f"there is no file {path}. Fetch train.csv and test.csv from {PAGE} "
            "and name them by --train and --test."
        )
    images, labels = data.load_kaggle(path)
    if labeled and labels is None:
        raise ValueError(
            f"--train expects Kaggle's train.csv, but {path} has no column label to learn from: "
            "is it test.csv?"
        )
    if not labeled and labels is not None:
        raise ValueError(
            f"--test expects Kaggle's test.csv, but {path} has a column label, and test.csv has "
            "none: is it train.csv?"
        )
    return images, labels


def train(model, examples, held, args):
    def shifted(x, rng):
        # By a pixel at most, so that the network learns not to mind where a digit stands.
        return np.roll(x, rng.integers(-1, 2, size=2), axis=(2, 3))

    rate = RATE[args.model]
    loader = data.DataLoader(*examples, BATCH, seed=args.seed, transform=shifted)
    optimizer = mg.optim.Adam(model.parameters(), lr=rate)
    schedule = mg.optim.OneCycleLR(optimizer, rate, args.epochs * len(loader))
    return mg.fit(
        model,
        loader,
        held,
        optimizer=optimizer,
        schedule=schedule,
        epochs=args.epochs,
        seed=args.seed,
        workers="auto",
    )


def write_submission(path, answers):
    """Write the answers as Kaggle wants them; nobody ever uploads half a file."""
    lines = ["ImageId,Label"]
    for number, label in enumerate(answers, 1):
        lines.append(f"{number},{label}")
    with replacing(path) as file:
        file.write(("\n".join(lines) + "\n").encode("ascii"))


def draw(out, model, history, held):
    probabilities = mg.softmax(mg.predict(model, held[0], workers="auto"))
    try:
        plot.save(out / "mistakes.png", plot.mistakes(held[0][:, 0], probabilities, held[1]))
        if history:  # empty where Ctrl-C came before the end of the first epoch
            plot.save(out / "curves.png", plot.history(history))
    except ImportError as error:
        print(f"No pictures: {error}")


def arguments(argv):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--train", type=Path, default=Path("train.csv"), help="default: train.csv")
    option("--test", type=Path, default=Path("test.csv"), help="default: test.csv")
    option("--model", choices=MODELS, default="lenet", help="see models.py (default: lenet)")
    option("--epochs", type=int, default=8, help="passes over the digits (default: 8)")
    option("--validation", type=float, default=0.1, help="share held back (default: 0.1)")
    option("--seed", type=int, default=0, help="of split, weights and batches (default: 0)")
    option("--out", type=Path, default=Path("runs/kaggle"), help="folder (default: runs/kaggle)")
    args = parser.parse_args(argv)
    if args.epochs < 1:
        parser.error(f"--epochs: expected a number above 0, got {args.epochs}")
    args.train = args.train.expanduser()
    args.test = args.test.expanduser()
    return args


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # its message says what to do
        sys.exit(f"kaggle.py: {error}")
