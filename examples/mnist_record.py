"""The best honest single network: no ensemble, nothing chosen by the test set.

Five 3x3 convolutions with batch norm, on digits that are turned, scaled, sheared and moved a little
each time they are seen; AdamW along one cycle, label smoothing, and the moving average of the
weights, which is what is scored, once, after the last epoch. `--tiny` is a network of fewer than
10,000 parameters by the same recipe. All was chosen by a validation split (`--validation`).

    python examples/mnist_record.py              one seed
    python examples/mnist_record.py --seeds 3    three, each in a process of its own
    python examples/mnist_record.py --tiny
    python examples/mnist_record.py --validation --epochs 5 --without augmentation
"""

import argparse
import functools
import sys
from pathlib import Path

from digits import load_digits
from report import seconds, write_json
from seeds import run_seeds, tell

import minigrad as mg
from minigrad import data, nn, optim
from minigrad.data import augment

INGREDIENTS = ("augmentation", "smoothing", "average", "dropout", "decay", "cycle")
GOAL = {False: 0.9965, True: 0.993}


def block(inputs, filters):
    """Convolution, batch norm, ReLU; the image keeps its size."""
    convolution = nn.Conv2D(inputs, filters, 3, padding=1, bias=False)
    return [convolution, nn.BatchNorm(filters), nn.ReLU()]


def network(widths, dropout):
    """Two blocks, pool, two blocks, pool, one block, pool, one dense layer."""
    a, b, c, d, e = widths
    return nn.Sequential(
        *block(1, a), *block(a, b), nn.MaxPool(2), nn.Dropout(dropout),  # (N, b, 14, 14)
        *block(b, c), *block(c, d), nn.MaxPool(2), nn.Dropout(dropout),  # (N, d, 7, 7)
        *block(d, e), nn.MaxPool(2), nn.Dropout(dropout),  # (N, e, 3, 3)
        nn.Flatten(), nn.Dense(9 * e, 10),
    )  # fmt: skip


def groups(model, decay):
    """Weights decay; biases, and the scales of batch norm, do not."""
    parameters = model.parameters()
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]


def run(args):
    """One seed: train, score, write metrics.json."""
    (images, labels), test, kind = load_digits(args.data)
    train = data.normalize(images), labels
    test = data.normalize(test[0]), test[1]
    if args.validation:
        train, test = data.split(*train, validation=1 / 6, seed=args.seed)
    keep = {name: name not in args.without for name in INGREDIENTS}
    widths = (8, 8, 12, 16, 16) if args.tiny else (24, 24, 48, 48, 96)
    mg.manual_seed(args.seed)
    model = network(widths, (0.02 if args.tiny else 0.1) * keep["dropout"])
    move = augment.RandomAffine(degrees=12, translate=0.1, scale=(0.88, 1.12), shear=12)
    loader = data.DataLoader(*train, args.batch_size, seed=args.seed, drop_last=True,
                             transform=move if keep["augmentation"] else None)  # fmt: skip
    optimizer = optim.AdamW(groups(model, 0.02 * keep["decay"]), lr=args.lr / 4)
    schedule = optim.OneCycleLR(optimizer, args.lr, args.epochs * len(loader), pct_start=0.2)
    smoothing = (0.0 if args.tiny else 0.05) * keep["smoothing"]
    loss = functools.partial(mg.cross_entropy, label_smoothing=smoothing)
    mg.fit(model, loader, optimizer=optimizer, epochs=args.epochs, seed=args.seed, loss=loss,
           schedule=schedule if keep["cycle"] else None, workers="auto",
           callbacks=[mg.AverageWeights(0.998)] if keep["average"] else ())  # fmt: skip
    found = mg.evaluate(model, test, workers="auto")
    args.out.mkdir(parents=True, exist_ok=True)
    mg.save(args.out / "model.npz", model)
    metrics = {"test_accuracy": found["accuracy"], "test_loss": found["loss"], "data": kind,
               "seconds": round(seconds(), 2), "seed": args.seed, "epochs": args.epochs,
               "parameters": sum(p.size for p in model.parameters()), "tiny": args.tiny,
               "without": args.without, "validation": args.validation}  # fmt: skip
    write_json(args.out / "metrics.json", metrics)
    which = "validation" if args.validation else "test"
    note = "" if kind == "mnist" else f", on {kind.upper()} digits: no result on MNIST"
    print(f"{found['accuracy']:.2%} of the {which} set, {metrics['parameters']:,} parameters, "
          f"{metrics['seconds']:.0f} s{note}")  # fmt: skip


def main(argv=None):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--seeds", type=int, metavar="N", help="run so many seeds, and report their mean")
    option("--seed", type=int, default=0, help="default: 0")
    option("--tiny", action="store_true", help="fewer than 10,000 parameters")
    option("--epochs", type=int, default=14, help="default: 14")
    option("--batch-size", type=int, default=128, help="default: 128")
    option("--lr", type=float, default=0.008, help="highest learning rate (default: 0.008)")
    option("--without", nargs="+", default=[], choices=INGREDIENTS, help="leave these out")
    option("--data", default="auto", help="as of train_mnist.py (default: auto)")
    option("--validation", action="store_true", help="score held-back training images instead")
    option("--out", type=Path, default=Path("runs/record"), help="default: runs/record")
    args = parser.parse_args(argv)
    if args.seeds is None:
        return run(args)
    options = ["--epochs", args.epochs, "--batch-size", args.batch_size, "--lr", args.lr]
    options += ["--data", args.data] + ["--validation"] * args.validation + ["--tiny"] * args.tiny
    options += ["--without", *args.without] if args.without else []
    result = run_seeds(__file__, args.seeds, args.out, [str(word) for word in options])
    print(tell(result, GOAL[args.tiny]))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"mnist_record.py: {error}")
