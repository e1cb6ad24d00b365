"""Learn from many drawn digits first, then from few real ones.

A hundred labeled images are few for a network of 20,000 weights. But what its first layers learn,
edges and bends, is useful for other images, too. So it is trained on digits that NumPy draws, of
which there are as many as one likes, and then learns from the few real ones, in two ways:

  frozen       the convolutions stay as they are (requires_grad = False, so that no gradient is even
               computed for them), and only the two dense layers learn. Less can go wrong.
  fine-tuned   all weights go on learning, at a small learning rate so that they do not forget.

What to see in transfer.png: accuracy on real test digits against the number of real digits learned
from. The dashed line is the network that has seen drawn digits alone. On MNIST it gets 92.7 %
right, about as much as a new network that has learned from 1,000 real ones (91.7 %). As few as 30
real digits do not improve it, 100 do; the more there are, the smaller its lead.

Without real digits (see --data), slanted ones stand in for them: drawn digits that lean to the
left, as hardly any of those that the network has seen did.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from digits import load_digits
from models import lenet
from report import seconds, write_json

import minigrad as mg
from minigrad import data, plot

DRAWN = 10_000  # drawn digits to learn from first
DRAWN_EPOCHS = 4
BATCH = 64  # drawn digits in a step
RATE = 0.002  # Adam's learning rate on drawn digits
FEW = 30, 100, 300, 1000  # real digits to learn from
SEEDS = 3  # draws of the few, for each point of the picture
STEPS = 200  # of learning from the few
TEST = 2000  # test digits for each point of the picture
CONVOLUTIONS = 6  # the first layers of lenet, up to the second pooling
WAYS = {"from scratch": 0.005, "frozen": 0.002, "fine-tuned": 0.0005}  # learning rates


def pretrained(seed):
    """A network that has seen drawn digits alone."""
    images, labels = data.synthetic_digits(DRAWN, seed=2)  # not those of load_digits
    mg.manual_seed(seed)
    model = lenet()
    optimizer = mg.optim.Adam(model.parameters(), lr=RATE)
    mg.fit(
        model,
        (data.normalize(images), labels),
        optimizer=optimizer,
        epochs=DRAWN_EPOCHS,
        batch_size=BATCH,
        seed=seed,
        workers="auto",
    )
    return model


def teach(way, weights, few, seed):
    """A network that has learned from the few digits, in one of the three ways."""
    mg.manual_seed(seed)
    model = lenet()
    if way != "from scratch":
        model.load_state_dict(weights)
    for p in model[:CONVOLUTIONS].parameters():
        p.requires_grad = way != "frozen"
    optimizer = mg.optim.Adam(model.parameters(), lr=WAYS[way])
    n = len(few[0])
    batch = min(32, n)
    mg.fit(
        model,
        few,
        optimizer=optimizer,
        epochs=max(1, round(STEPS * batch / n)),  # about as many steps, however many digits
        batch_size=batch,
        seed=seed,
        workers="auto",
        progress=False,
    )
    return model


def slanted(images):
    """Each row moved, the upper ones to the left, the lower ones to the right."""
    rows = [np.roll(images[:, i], round(0.5 * (i - 13.5)), axis=1) for i in range(28)]
    return np.stack(rows, axis=1)


def balanced(x, y, n, rng):
    """n examples at random, equally many of each class."""
    chosen = [rng.choice(np.flatnonzero(y == k), n // 10, replace=False) for k in range(10)]
    chosen = np.concatenate(chosen)  # (n,)
    return x[chosen], y[chosen]


def main(argv=None):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--data", default="auto", help="auto, mnist, synthetic, a folder (default: auto)")
    option("--seed", type=int, default=0, help="of weights, batches, digits (default: 0)")
    option("--out", type=Path, default=Path("runs/transfer"), help="default: runs/transfer")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    train, test, kind = load_digits(args.data)
    if kind == "synthetic":
        print("There are NO REAL DIGITS here: slanted synthetic ones stand in for them.")
        train = slanted(train[0]), train[1]
        test = slanted(test[0]), test[1]
    x, y = data.normalize(train[0]), train[1]
    test = data.normalize(test[0][:TEST]), test[1][:TEST]

    model = pretrained(args.seed)
    before = mg.evaluate(model, test)["accuracy"]
    print(f"\nDrawn digits alone: {before:.1%} of the {kind} test digits right")
    accuracy = {way: [] for way in WAYS}
    print(f"{'few':>5}" + "".join(f"{way:>18}" for way in WAYS))
    for n in FEW:
        for way in WAYS:
            found = []
            for seed in range(args.seed, args.seed + SEEDS):
                few = balanced(x, y, n, np.random.default_rng(seed))
                taught = teach(way, model.state_dict(), few, seed)
                found.append(mg.evaluate(taught, test, workers="auto")["accuracy"])
            accuracy[way].append(found)
        row = f"{n:5}"
        for found in accuracy.values():
            row += f"{np.mean(found[-1]):11.1%} ± {np.std(found[-1], ddof=1):.1%}"
        print(row)
    numbers = {
        "data": kind,
        "few": FEW,
        "accuracy": accuracy,
        "drawn_alone": before,
        "seed": args.seed,
        "seconds": seconds(),
    }
    write_json(args.out / "metrics.json", numbers)
    draw(args.out / "transfer.png", accuracy, before, kind)
    print(f"{args.out}:", *sorted(path.name for path in args.out.iterdir()))


def draw(path, accuracy, before, kind):
    try:
        ax = plot.new_axes(6.4, 4.4)
    except ImportError as error:
        print(f"no picture: {error}")
        return
    ax.axhline(100 * before, color="gray", linestyle="--", label="drawn digits alone")
    for (way, found), color, marker in zip(accuracy.items(), plot.COLORS, plot.MARKERS):
        mean = 100 * np.mean(found, axis=1)
        sd = 100 * np.std(found, axis=1, ddof=1)
        ax.errorbar(FEW, mean, sd, label=way, color=color, marker=marker, capsize=4)
    real = "slanted" if kind == "synthetic" else "real"
    ax.set(xscale="log", xlabel=f"{real} digits learned from", ylabel="accuracy (%)")
    ax.set(title=f"Test accuracy on {real} digits: mean and sd of {len(found[0])} draws")
    ax.set_xticks(FEW, map(str, FEW))
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    plot.save(path, ax)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # its message says what to do
        sys.exit(f"transfer.py: {error}")
