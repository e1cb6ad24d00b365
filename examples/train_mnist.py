"""Train a network on MNIST, score it once on the test set, and write down what it learned.

The recipe is Adam on cross-entropy; the learning rate goes up to --lr and down again, along one
cycle. Against overfitting, each model has its own dropout, its own weight decay (AdamW), and its
own random shift of the batches, by so many pixels at most. All of this was chosen by the validation
split:

  model    epochs  batch-size     lr  decay  shift
  linear        6          64  0.003    0.0      0
  mlp           8          64  0.003    0.1      0
  lenet         6         128  0.010    0.1      1
  cnn          10          96  0.001    0.0      0

Files in --out:
  history.json    loss and accuracy of each epoch, in training and validation
  metrics.json    losses and accuracies at the end, seconds, and all that was chosen
  model.npz       the weights, which minigrad.load reads
  curves.png, predictions.png, confusion.png    if matplotlib is installed

Ctrl-C ends the training early; what was learned until then is scored and written.

Examples:
  python examples/train_mnist.py
  python examples/train_mnist.py --model mlp --out runs/mlp
  python examples/train_mnist.py --model cnn --epochs 10 --batch-size 96 --lr 0.001
  python examples/train_mnist.py --data ~/Downloads/train.csv --seed 1
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from digits import load_digits
from models import MODELS
from report import draw, seconds, write_json

import minigrad as mg
from minigrad import data, metrics
from minigrad.parallel import choose_workers


class Recipe(NamedTuple):
    """How a model is trained, unless the command line says otherwise."""

    epochs: int
    batch_size: int
    lr: float  # the highest learning rate
    decay: float  # weight decay
    shift: int  # a batch is moved by up to so many pixels


RECIPES = {
    "linear": Recipe(epochs=6, batch_size=64, lr=0.003, decay=0.0, shift=0),
    "mlp": Recipe(epochs=8, batch_size=64, lr=0.003, decay=0.1, shift=0),
    "lenet": Recipe(epochs=6, batch_size=128, lr=0.01, decay=0.1, shift=1),
    "cnn": Recipe(epochs=10, batch_size=96, lr=0.001, decay=0.0, shift=0),
}


def main(argv=None):
    args = arguments(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    (images, labels), test, kind = load_digits(args.data)
    examples, held = data.split(data.normalize(images), labels, args.validation, args.seed)

    mg.manual_seed(args.seed)
    model = MODELS[args.model]()
    args.workers = choose_workers(args.workers, model.parameters(), args.batch_size)
    args.parameters = sum(p.size for p in model.parameters())
    print(f"model: {args.model}, {args.parameters:,} parameters, {args.workers} worker(s)")
    history = train(model, examples, held, args)

    print("Scoring on all training images, and once on the test set ...")
    numbers, outputs = score(model, examples, held, test, args.workers)
    matrix = metrics.confusion_matrix(outputs, test[1])
    print(metrics.classification_report(matrix))
    mg.save(args.out / "model.npz", model)
    write_json(args.out / "history.json", history)
    pictures = draw(args.out, history, matrix, *test, mg.softmax(outputs))
    numbers |= {**vars(args), "data": kind, "out": str(args.out), "numpy": np.__version__}
    numbers |= {"epochs": len(history.get("loss", [])), "interrupted": history.interrupted}
    numbers["seconds"] = round(seconds(), 2)
    write_json(args.out / "metrics.json", numbers)
    print(f"{args.out}: history.json, metrics.json, model.npz", *pictures, sep=", ")
    print(last_line(numbers))


def train(model, examples, held, args):
    def shifted(x, rng):
        return np.roll(x, rng.integers(-args.shift, args.shift + 1, size=2), axis=(2, 3))

    loader = data.DataLoader(*examples, args.batch_size, seed=args.seed, transform=shifted)
    optimizer = mg.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=args.decay)
    schedule = mg.optim.OneCycleLR(optimizer, args.lr, args.epochs * len(loader))
    return mg.fit(
        model,
        loader,
        held,
        optimizer=optimizer,
        schedule=schedule,
        epochs=args.epochs,
        seed=args.seed,
        workers=args.workers,
    )


def score(model, examples, held, test, workers):
    """Losses and accuracies in training, validation and test, and the outputs for the last."""
    numbers = {}
    for name, pair in (("train", examples), ("val", held)):
        found = mg.evaluate(model, pair, workers=workers)
        numbers |= {f"{name}_{key}": value for key, value in found.items()}
    outputs = mg.predict(model, data.normalize(test[0]), workers=workers)
    numbers["test_loss"] = float(mg.cross_entropy(outputs, test[1]))
    numbers["test_accuracy"] = metrics.accuracy(outputs, test[1])
    return numbers, outputs


def last_line(numbers):
    right = f"{numbers['test_accuracy']:.2%} of the test set right"
    line = f"{numbers['model']}: {right}, after {numbers['seconds']:.1f} s"
    if numbers["interrupted"]:
        line += f", INTERRUPTED after {numbers['epochs']} whole epochs"
    if numbers["data"] == "synthetic":
        line += ", on SYNTHETIC digits: no result on MNIST"
    return line


def arguments(argv):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--model", choices=MODELS, default="lenet", help="default: lenet")
    option("--epochs", type=whole, metavar="N", help="passes over the training images")
    option("--batch-size", type=whole, metavar="N", help="images in a step")
    option("--lr", type=positive, metavar="RATE", help="the highest learning rate")
    option(
        "--data",
        default="auto",
        metavar="{auto,mnist,synthetic,FOLDER,train.csv}",
        help="auto (default): MNIST, or synthetic digits where it cannot be had; a folder that "
        "holds MNIST's files; the train.csv of Kaggle's Digit Recognizer",
    )
    option("--validation", type=float, default=0.1, help="share held back (default: 0.1)")
    option("--seed", type=int, default=0, help="of split, weights, batches, dropout (default: 0)")
    option("--out", type=Path, default=Path("runs/mnist"), help="folder (default: runs/mnist)")
    option("--workers", type=workers, default="auto", help="threads (auto: by model and cores)")
    args = parser.parse_args(argv)
    recipe = RECIPES[args.model]
    args.epochs = args.epochs or recipe.epochs
    args.batch_size = args.batch_size or recipe.batch_size
    args.lr = args.lr or recipe.lr
    args.decay = recipe.decay
    args.shift = recipe.shift
    return args


def positive(text, kind=float):
    if not 0 < kind(text) < np.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return kind(text)


def whole(text):
    return positive(text, int)


def workers(text):
    return text if text == "auto" else whole(text)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # its message says what to do
        sys.exit(f"train_mnist.py: {error}")
    except KeyboardInterrupt:
        sys.exit("train_mnist.py: interrupted; nothing more is written")
