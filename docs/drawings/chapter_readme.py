"""The picture of the README: what its first command comes to, from the numbers that it wrote."""

import json
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.plot import new_figure

RUN = json.loads(Path(__file__).with_name("mnist_run.json").read_text("utf-8"))


def mnist():
    """MNIST: accuracy over the epochs, and what became of the 10,000 digits of the test set."""
    figure = new_figure(10, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=[4, 5])
    epochs = np.arange(1, len(RUN["accuracy"]) + 1)
    for key, style, label in (
        ("accuracy", "o-", "training"),
        ("val_accuracy", "s--", "validation"),
    ):
        left.plot(epochs, 100 * np.array(RUN[key]), style, label=label)
    matrix = np.array(RUN["test_confusion"])
    test = 100 * np.trace(matrix) / matrix.sum()
    left.plot(epochs[-1:], [test], "*", color="black", markersize=13, label=f"test: {test:.2f} %")
    left.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(94, 100), xticks=epochs)
    left.set_title(f"lenet, {RUN['parameters']:,} parameters")
    left.grid(alpha=0.3)
    left.legend(loc="lower right")
    mg.plot.confusion(matrix, right)
    return figure


PICTURES = (mnist,)
