"""Fool a network with changes that no one would notice: the gradient with respect to the image.

Training asks how the loss changes with the weights. The same backward pass also tells how it
changes with each pixel of the input, and a pixel can be moved as well as a weight:

  image + eps * sign(gradient)

moves no pixel by more than eps, and all of them in the direction that hurts most. This is the fast
gradient sign method (Goodfellow et al. 2015, "Explaining and harnessing adversarial examples").

What to see:
  accuracy.png    accuracy against eps, for three changes of the same size. Random signs hardly
                  matter. The gradient's signs do; ten small steps, with a new gradient each (Madry
                  et al. 2018), matter even more: it is not the size that fools, but the direction.
  fooled.png      digits, the change (orange: darker, violet: brighter) and the network's answers
                  to their sum. In the last row the steps lead down the loss of a class we chose,
                  so that most digits are taken for it. We still read them as what they are.

Accuracy on a test set says how good a network is as long as nobody means harm.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from digits import load_digits
from models import MODELS
from report import seconds, write_json

import minigrad as mg
from minigrad import plot

DIGITS = 10_000  # training images
EPOCHS = 5
BATCH = 64  # images in a step
RATE = 0.003  # Adam's learning rate
ATTACKED = 1000  # test images that are changed
SIZES = 0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3  # eps, of pixels from 0 (black) to 1 (white)
SHOWN = 0.2  # the eps of the picture and of the last line printed
TARGET = 3  # what the network is to take the last row of the picture for


def gradient(model, x, y):
    """d loss / d pixel, of the shape of `x`; the weights are left alone."""
    x = mg.Tensor(x, requires_grad=True)
    loss = mg.cross_entropy(model(x), y, reduction="sum")  # of each image by itself
    return mg.gradients(loss, [x])[0]


def fast(model, x, y, eps):
    """One step against the true class `y` (Goodfellow et al. 2015)."""
    return (x + np.float32(eps) * np.sign(gradient(model, x, y))).clip(0, 1)


def iterated(model, x, y, eps, steps=10, toward=False):
    """Small steps, each along a new gradient; `toward` the class y, or away from it."""
    direction = -1 if toward else 1
    step = np.float32(direction * 2.5 * eps / steps)
    lowest = x - np.float32(eps)
    highest = x + np.float32(eps)
    changed = x
    for _ in range(steps):
        changed = changed + step * np.sign(gradient(model, changed, y))
        changed = changed.clip(lowest, highest).clip(0, 1)
    return changed


def noise(model, x, y, eps):
    """As large a change as that of `fast`, in a random direction."""
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), x.shape)
    return (x + np.float32(eps) * signs).clip(0, 1)


ATTACKS = {"random signs": noise, "one step (FGSM)": fast, "ten steps": iterated}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    option = parser.add_argument
    option("--data", default="auto", help="auto, mnist, synthetic, a folder (default: auto)")
    option("--model", choices=MODELS, default="lenet", help="see models.py (default: lenet)")
    option("--seed", type=int, default=0, help="of weights and batches (default: 0)")
    option("--out", type=Path, default=Path("runs/adversarial"), help="default: runs/adversarial")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    (images, labels), (test, y), kind = load_digits(args.data)
    x, y = pixels(test[:ATTACKED]), y[:ATTACKED]  # (N, 1, 28, 28), (N,)
    mg.manual_seed(args.seed)
    model = MODELS[args.model]()
    optimizer = mg.optim.Adam(model.parameters(), lr=RATE)
    mg.fit(
        model,
        (pixels(images[:DIGITS]), labels[:DIGITS]),
        optimizer=optimizer,
        epochs=EPOCHS,
        batch_size=BATCH,
        seed=args.seed,
        workers="auto",
    )
    model.eval()

    accuracies = {name: [] for name in ATTACKS}
    print("\neps   " + "  ".join(f"{name:>15}" for name in ATTACKS))
    for eps in SIZES:
        for name, attack in ATTACKS.items():
            changed = attack(model, x, y, eps)
            found = mg.evaluate(model, (changed, y), workers="auto")
            accuracies[name].append(found["accuracy"])
        print(f"{eps:.2f}  " + "  ".join(f"{found[-1]:15.1%}" for found in accuracies.values()))
    shown = SIZES.index(SHOWN)
    results = [f"{found[shown]:.1%} after {name}" for name, found in accuracies.items()]
    print(f"No pixel moved by more than {SHOWN}: {', '.join(results)}, on {kind} digits")
    numbers = {
        "data": kind,
        "model": args.model,
        "seed": args.seed,
        "eps": SIZES,
        "accuracy": accuracies,
        "seconds": seconds(),
    }
    write_json(args.out / "metrics.json", numbers)
    draw(args.out, model, x, y, accuracies)


def pixels(images):
    """Bytes (N, 28, 28) as floats from 0 to 1, (N, 1, 28, 28), so that eps needs no unit."""
    return np.divide(images, 255, dtype=np.float32)[:, None]


def draw(out, model, x, y, accuracies):
    try:
        ax = plot.new_axes(6, 4)
        for (name, found), color, marker in zip(accuracies.items(), plot.COLORS, plot.MARKERS):
            ax.plot(SIZES, 100 * np.array(found), color=color, marker=marker, label=name)
        ax.set(xlabel="eps: the largest change of a pixel, of 0 to 1", ylabel="accuracy (%)")
        ax.set_title("Three changes of the same size")
        ax.legend()
        saved = plot.save(out / "accuracy.png", ax)
        print(saved, plot.save(out / "fooled.png", gallery(model, x, y)))
    except ImportError as error:
        print(f"no picture: {error}")


def gallery(model, x, y):
    """One digit of each class, the first that the network reads right, and what becomes of it."""
    right = mg.predict(model, x).argmax(axis=1) == y
    first = np.concatenate([np.flatnonzero(right & (y == digit))[:1] for digit in range(10)])
    x, y = x[first], y[first]
    changed = fast(model, x, y, SHOWN)
    targets = np.full_like(y, TARGET)
    led = iterated(model, x, targets, SHOWN, steps=40, toward=True)
    rows = {"image": x, "change": changed - x, "sum": changed, f"led to {TARGET}": led}
    figure = plot.new_figure(1.05 * len(x), 5.4)
    figure.suptitle(f"What the network answers; no pixel differs by more than {SHOWN}")
    grid = figure.subplots(4, 10)
    for axes, (name, images) in zip(grid, rows.items(), strict=True):
        axes[0].set_ylabel(name)
        answers = mg.predict(model, images).argmax(axis=1)
        for ax, image, answer, truth in zip(axes, images[:, 0], answers, y, strict=True):
            ax.set(xticks=[], yticks=[])
            if name == "change":
                ax.imshow(image, cmap="PuOr", vmin=-SHOWN, vmax=SHOWN)
                continue
            ax.imshow(image, cmap="gray", vmin=0, vmax=1)
            if answer == truth:
                ax.set_title(answer, color="black")
            else:
                ax.set_title(f"✗ {answer}", color=plot.RED)
    return figure


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # its message says what to do
        sys.exit(f"adversarial.py: {error}")
