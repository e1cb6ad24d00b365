"""Clean noisy digits with a network that was never told what a digit is.

An autoencoder squeezes an image of 784 pixels through a code of 32 numbers and draws it again from
the code alone. Here it is given noisy images and asked for the clean ones (Vincent et al. 2008,
"Extracting and composing robust features with denoising autoencoders"). No label is used. Noise
does not fit through 32 numbers, but a digit does, as digits have much in common: the network must
find out what.

What to see in the pictures:
  denoised.png    noisy, restored and true digits. Where noise has eaten a stroke, the network draws
                  a likely one, and at times the wrong one.
  morph.png       the straight line between the codes of two digits, drawn in eight steps. Halfway
                  there are shapes that nobody drew, and most of them look like digits: neighbors in
                  the code are neighbors in shape. For pixels this does not hold, as the last row
                  shows: half of a 0 and half of a 6 is a double image in gray.

The noise is drawn anew for each batch, so that the network never meets the same image twice and
cannot learn the noise by heart.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from digits import load_digits
from report import seconds, write_json

import minigrad as mg
from minigrad import data, nn, plot

DIGITS = 10_000  # training images
EPOCHS = 15
BATCH = 64  # images in a step
RATE = 0.003  # the highest learning rate of the cycle
CODE = 32  # numbers in the code of an image
NOISE = 0.5  # the standard deviation that is added to pixels of 0 to 1


class Autoencoder(nn.Module):
    def __init__(self):
        self.encode = nn.Sequential(nn.Dense(784, 256), nn.ReLU(), nn.Dense(256, CODE))
        self.decode = nn.Sequential(nn.Dense(CODE, 256), nn.ReLU(), nn.Dense(256, 784))

    def forward(self, x):
        """Pixels (N, 784) to scores (N, 784), whose sigmoid is the restored image."""
        return self.decode(self.encode(x))


def noisy(x, rng):
    return x + np.float32(NOISE) * rng.standard_normal(x.shape, np.float32)


def flat(images):
    """Bytes (N, 28, 28) as pixels from 0 to 1, (N, 784)."""
    return np.divide(images, 255, dtype=np.float32).reshape(len(images), -1)


def error(a, b):
    """The mean square difference of two sets of images."""
    return float(np.square(a - b).mean())


def main(argv=None):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    option = parser.add_argument
    option("--data", default="auto", help="auto, mnist, synthetic, a folder (default: auto)")
    option("--seed", type=int, default=0, help="of weights, batches and noise (default: 0)")
    option("--out", type=Path, default=Path("runs/autoencoder"), help="default: runs/autoencoder")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    (images, _), (test, labels), kind = load_digits(args.data)
    clean, truth = flat(images[:DIGITS]), flat(test)
    mg.manual_seed(args.seed)
    model = Autoencoder()
    # The loader's transform makes the input noisy, and the target stays as it is.
    loader = data.DataLoader(clean, clean, BATCH, seed=args.seed, transform=noisy)
    optimizer = mg.optim.Adam(model.parameters(), lr=RATE)
    schedule = mg.optim.OneCycleLR(optimizer, RATE, EPOCHS * len(loader))
    loss = mg.binary_cross_entropy_with_logits  # a pixel is the probability of ink
    # On a busy machine, two workers with one BLAS thread each are steadier than one with two.
    history = mg.fit(
        model,
        loader,
        loss=loss,
        optimizer=optimizer,
        schedule=schedule,
        epochs=EPOCHS,
        seed=args.seed,
        workers=2,
    )

    spoiled = noisy(truth, np.random.default_rng(args.seed))
    restored = mg.sigmoid(mg.predict(model, spoiled, workers=2))
    errors = {
        "error_noisy": error(spoiled, truth),
        "error_clipped": error(spoiled.clip(0, 1), truth),  # can be had without a network
        "error_average_digit": error(clean.mean(axis=0), truth),  # without looking at the image
        "error_restored": error(restored, truth),
    }
    print("\nMean square error of a pixel, on test digits that the network never saw:")
    for name, value in errors.items():
        print(f"  {name.removeprefix('error_').replace('_', ' '):14} {value:.4f}")
    gain = errors["error_noisy"] / errors["error_restored"]
    print(
        f"The code of {CODE} numbers keeps the digit and loses the noise: {gain:.0f} times less "
        f"error, on {kind} digits"
    )
    numbers = {
        **errors,
        "data": kind,
        "epochs": len(history["loss"]),
        "seed": args.seed,
        "seconds": seconds(),
    }
    write_json(args.out / "metrics.json", numbers)
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]  # of each class
    rows = {"noisy": spoiled[first], "restored": restored[first], "true": truth[first]}
    draw(args.out, model, rows)


def draw(out, model, rows):
    try:
        denoised = gallery(rows, "What comes in, what comes out, and the truth")
        plot.save(out / "denoised.png", denoised)
        plot.save(out / "morph.png", gallery(morphs(model, rows["true"]), "From code to code"))
    except ImportError as error:
        print(f"no pictures: {error}")
    else:
        print(f"{out}: metrics.json, denoised.png, morph.png")


def morphs(model, x, steps=8):
    """Straight lines between the codes of some digits; the last row mixes pixels instead."""
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    rows = {}
    with mg.no_grad():
        code = model.encode(x).data  # (10, CODE)
        for a, b in [(3, 8), (4, 9), (1, 7), (0, 6)]:
            line = (1 - share) * code[a] + share * code[b]  # (steps, CODE)
            rows[f"{a} to {b}"] = mg.sigmoid(model.decode(line).data)  # (steps, 784)
    rows["0 to 6,\npixels"] = (1 - share) * x[0] + share * x[6]
    return rows


def gallery(rows, title):
    """Rows of images (N, 784), each with its name."""
    columns = max(map(len, rows.values()))
    figure = plot.new_figure(columns, len(rows) + 0.4)
    figure.suptitle(title)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes, (name, images) in zip(grid, rows.items(), strict=True):
        for ax, image in zip(axes, images, strict=True):
            ax.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
        axes[0].set_ylabel(name)
    return figure


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # its message says what to do
        sys.exit(f"autoencoder.py: {error}")
