"""The pictures of chapter 9: curves that part, remedies, a digit that moves; on drawn digits."""

import functools

import numpy as np

import minigrad as mg
from minigrad.plot import COLORS, new_axes, new_figure

REMEDIES = {
    "nothing": {},
    "dropout 0.5": {"dropout": 0.5},
    "decay 1": {"decay": 1.0},
    "shifts": {"transform": mg.data.augment.RandomAffine(degrees=0, translate=2 / 28)},
}


def digits():
    images, labels = mg.data.synthetic_digits(1000, seed=0)
    return mg.data.split(mg.data.normalize(images), labels, validation=0.5, seed=0)


@functools.cache
def curves(remedy, epochs=30):
    """The training of the chapter: its history."""
    train, held = digits()
    options = {"dropout": 0.0, "decay": 0.0, "transform": None} | REMEDIES[remedy]
    mg.manual_seed(0)
    model = mg.nn.Sequential(
        mg.nn.Flatten(),
        mg.nn.Dense(784, 64),
        mg.nn.ReLU(),
        mg.nn.Dropout(options["dropout"]),
        mg.nn.Dense(64, 10),
    )
    optimizer = mg.optim.AdamW(model.parameters(), lr=0.001, weight_decay=options["decay"])
    loader = mg.data.DataLoader(*train, batch_size=32, seed=0, transform=options["transform"])
    return mg.fit(model, loader, held, optimizer=optimizer, epochs=epochs, progress=False)


def two_curves():
    """Training and validation loss, and the epoch in which the second is lowest."""
    history = curves("nothing")
    seen, unseen = np.array(history["loss"]), np.array(history["val_loss"])
    epochs = np.arange(1, len(seen) + 1)
    best = int(unseen.argmin())
    ax = new_axes(7, 3.3)
    ax.fill_between(epochs, seen, unseen, where=unseen > seen, color="#EEEEEE")
    ax.plot(epochs, seen, color=COLORS[0])
    ax.plot(epochs, unseen, color=COLORS[1])
    ax.plot(epochs[best], unseen[best], "o", color=COLORS[1])
    note = f"lowest after epoch {epochs[best]}: {unseen[best]:.2f}"
    ax.text(epochs[best], unseen[best] + 0.12, note, color=COLORS[1])
    ax.text(epochs[-1], unseen[-1] + 0.06, "500 others", color=COLORS[1], ha="right")
    ax.text(epochs[-1], seen[-1] + 0.06, "500 learned from", color=COLORS[0], ha="right")
    ax.set(xlabel="epoch", ylabel="loss", ylim=(0, None), xlim=(1, epochs[-1]))
    return ax.figure


def remedies():
    """The validation loss of four trainings."""
    ax = new_axes(7, 3.3)
    for name, style, color in zip(REMEDIES, ("-", "--", "-.", "-"), (COLORS[1], *COLORS[2:5])):
        losses = curves(name)["val_loss"]
        ax.plot(range(1, len(losses) + 1), losses, style, color=color, label=name)
    ax.set(xlabel="epoch", ylabel="loss, unseen digits", ylim=(0.5, 1.3), xlim=(1, 30))
    ax.legend(frameon=False, ncols=2)
    return ax.figure


def moved_digit():
    """One drawn digit, moved down by 0, 2, 3 and 4 pixels."""
    images, _ = mg.data.synthetic_digits(10, seed=0)
    image = images[1].astype(np.float32)[None, None]
    figure = new_figure(7, 1.9)
    for ax, n in zip(figure.subplots(1, 4), (0, 2, 3, 4)):
        moved = mg.data.augment.affine(image, translate=(0, n))
        ax.imshow(moved[0, 0], cmap="gray_r", interpolation="nearest")
        ax.axhline(13.5, color=COLORS[1], linewidth=0.8)
        ax.axvline(13.5, color=COLORS[1], linewidth=0.8)
        ax.set(xticks=[], yticks=[])
        ax.set_title("as it is" if n == 0 else f"{n} pixels down", fontsize=9.5)
        ax.spines[:].set_visible(True)
    return figure


PICTURES = (two_curves, remedies, moved_digit)
