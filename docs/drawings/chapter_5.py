"""Pictures of chapter 5: digits, and what ten classes look for."""

import numpy as np

import minigrad as mg
from minigrad.plot import new_figure


def digits():
    """Each digit twice, synthetic."""
    images, labels = mg.data.synthetic_digits(200, seed=3)
    axes = new_figure(7.4, 1.75).subplots(2, 10)
    for digit in range(10):
        for row, image in enumerate(images[labels == digit][:2]):
            axes[row, digit].imshow(image, cmap="gray", interpolation="nearest")
            axes[row, digit].axis("off")
    return axes[0, 0].figure


def trained_weights():
    """The weights (784, 10) of a linear classifier after 10 epochs of 4,000 synthetic digits."""
    images, labels = mg.data.synthetic_digits(4_000, seed=0)
    x = mg.data.normalize(images).reshape(len(images), 784)
    w, b, targets = np.zeros((784, 10), np.float32), np.zeros(10, np.float32), np.eye(10)[labels]
    rng = np.random.default_rng(0)
    for _ in range(10):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            p = mg.softmax(x[batch] @ w + b).data
            g = ((p - targets[batch]) / len(batch)).astype(np.float32)
            w -= 0.01 * (x[batch].T @ g)
            b -= 0.01 * g.sum(axis=0)
    return w


def ten_weights():
    """The ten columns of a trained weight as images, on one scale."""
    w = trained_weights()
    figure = new_figure(7.4, 3.3)
    axes = figure.subplots(2, 5)
    bound = np.abs(w).max()
    for digit, ax in enumerate(axes.flat):
        image = ax.imshow(w[:, digit].reshape(28, 28), cmap="RdBu", vmin=-bound, vmax=bound)
        ax.set_title(str(digit))
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
        ax.spines[:].set_color("#BBBBBB")
    figure.colorbar(image, ax=axes, label="weight", shrink=0.8)
    return figure


PICTURES = (digits, ten_weights)
