"""Picture of chapter 6: how large the activations are, layer after layer."""

import numpy as np

import minigrad as mg
from minigrad.plot import COLORS, new_figure


def layer_outputs(deviation, layers=5, width=128):
    """The outputs of five layers of relu for 200 synthetic digits; weights of He's rule scaled."""
    images, _ = mg.data.synthetic_digits(200, seed=0)
    x = mg.data.normalize(images).reshape(200, 784)
    rng = np.random.default_rng(0)
    for _ in range(layers):
        w = rng.normal(size=(x.shape[1], width)) * deviation(x.shape[1])
        x = np.maximum(x @ w, 0)
        yield x


def activations():
    """Histograms of layers 1, 3 and 5 for weights half, once and twice as large as He's."""
    figure = new_figure(7.4, 4.2)
    axes = figure.subplots(3, 3, sharex=True, sharey="row")
    bins = np.linspace(-4, 2.5, 40)
    scales = {"half as large": 0.5, "He: √(2 / n)": 1.0, "twice as large": 2.0}
    for column, (name, scale) in enumerate(scales.items()):
        axes[0, column].set_title(name)
        outputs = list(layer_outputs(lambda n, s=scale: s * (2 / n) ** 0.5))
        for row, layer in enumerate([1, 3, 5]):
            ax, x = axes[row, column], outputs[layer - 1]
            ax.hist(np.log10(x[x > 0]), bins, color=COLORS[column], histtype="stepfilled")
            ax.axvline(0, color="#888888", linewidth=0.8, zorder=0)
            ax.set(yticks=[])
            ax.spines["left"].set_visible(False)
            if column == 0:
                ax.set_ylabel(f"layer {layer}", rotation=0, ha="right", va="center")
    for ax in axes[-1]:
        ax.set_xticks(range(-4, 3, 2), ["0.0001", "0.01", "1", "100"])
        ax.set_xlabel("activation")
    return figure


PICTURES = (activations,)
