"""The figures of MNIST that the course quotes, each measured by one function, from one seed.

    python docs/figures.py hidden --seed 0   trains and prints the rows of that table
    python docs/figures.py                   what there is

MNIST is found as by `mg.data.load_mnist`. Validation is the last tenth that `mg.data.split` holds
back; only `final`, for chapter 12, opens the test set. The rows are pasted into the chapters.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

import minigrad as mg

sys.path.insert(0, str(Path.cwd()))  # the reader's own my_engine.py, if one is here, before ours

from my_engine import Value, backward

FIGURES = {}


def figures(f):
    """Enter a function of (data, seed) that yields the cells of its rows."""
    FIGURES[f.__name__] = f
    return f


def load():
    """MNIST as rows of 784 normalized pixels: (training pair), (validation pair)."""
    (images, labels), _ = mg.data.load_mnist()
    x = mg.data.normalize(images).reshape(len(images), 784)
    return mg.data.split(x, labels, validation=0.1, seed=0)


# ---- chapters 5 and 6: on the reader's engine ----------------------------------------------------


def cross_entropy(scores, labels):
    """Chapter 5's loss, as a function of the engine in my_engine.py."""
    rows = np.arange(len(labels))
    z = scores.data - scores.data.max(axis=1, keepdims=True)
    e = np.exp(z)
    loss = np.log(e.sum(axis=1)) - z[rows, labels]
    slope = e / e.sum(axis=1, keepdims=True)
    slope[rows, labels] -= 1
    return Value(loss.mean(), (scores,), lambda g: (g * slope / len(labels),))


def relu(x):
    """Chapter 6's bend."""
    return Value(np.maximum(x.data, 0), (x,), lambda g: (g * (x.data > 0),))


def own_parameters(rng, hidden=None, scale=1.0):
    """Chapter 5's zero weights; with `hidden`, chapter 6's, drawn by He's rule times `scale`."""
    if hidden is None:
        sizes, scale = [784, 10], 0.0
    else:
        sizes = [784, hidden, 10]
    arrays = []
    for n, m in pairwise(sizes):
        arrays.append(scale * rng.normal(size=(n, m)) * (2 / n) ** 0.5)
        arrays.append(np.zeros(m))
    return [Value(a.astype(np.float32)) for a in arrays]


def own_scores(parameters, x):
    """The scores of one layer or of two."""
    *hidden, w, b = parameters
    if hidden:
        x = relu(x @ hidden[0] + hidden[1])
    return x @ w + b


def own_training(data, rng, parameters, rates):
    """Train by SGD in batches of 32, an epoch at each rate; yields the validation's accuracy."""
    (x, y), (x_held, y_held) = data
    for rate in rates:
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            loss = cross_entropy(own_scores(parameters, x[batch]), y[batch])
            for p in parameters:
                p.grad = 0.0
            backward(loss)
            for p in parameters:
                p.data = p.data - rate * p.grad
        yield (own_scores(parameters, x_held).data.argmax(axis=1) == y_held).mean()


@figures
def linear(data, seed):
    """784-10 from zero weights, three epochs at 0.01."""
    rng = np.random.default_rng(seed)
    found = own_training(data, rng, own_parameters(rng), [0.01] * 3)
    yield [seed, *(f"{100 * a:.1f} %" for a in found)]


@figures
def hidden(data, seed):
    """784-128-10, ten epochs at rates from 0.2 down; saves the weights as my_network.npz."""
    rng = np.random.default_rng(seed)
    parameters = own_parameters(rng, hidden=128)
    found = list(own_training(data, rng, parameters, [0.2 * 0.7**epoch for epoch in range(10)]))
    names = ["w1", "b1", "w2", "b2"]
    np.savez("my_network.npz", **{n: p.data for n, p in zip(names, parameters)})
    yield [seed, *(f"{100 * found[epoch - 1]:.1f} %" for epoch in (1, 2, 5, 10))]


@figures
def initial(data, seed):
    """784-128-10 from He's weights times several scales: the first loss, three epochs at 0.1."""
    for scale in 0.0, 0.01, 1.0, 10.0:
        rng = np.random.default_rng(seed)
        parameters = own_parameters(rng, 128, scale)
        (x, y), _ = data
        first = cross_entropy(own_scores(parameters, x[:1000]), y[:1000]).data
        found = list(own_training(data, rng, parameters, [0.1] * 3))
        yield [seed, f"{scale:g}", f"{first:.2f}", *(f"{100 * a:.1f} %" for a in found)]


# ---- chapter 8 -----------------------------------------------------------------------------------


@figures
def race(data, seed):
    """784-128-10, 3 epochs: each optimizer at the best of four rates, kept or falling."""
    train, validation = data
    for name, optimizer, rates, options in (
        ("SGD", mg.optim.SGD, (0.03, 0.1, 0.3, 1.0), {}),
        ("momentum 0.9", mg.optim.SGD, (0.003, 0.01, 0.03, 0.1), {"momentum": 0.9}),
        ("RMSProp", mg.optim.RMSProp, (0.0003, 0.001, 0.003, 0.01), {}),
        ("Adam", mg.optim.Adam, (0.0003, 0.001, 0.003, 0.01), {}),
    ):
        cells = [name]
        for falling in False, True:
            found = [
                (raced(train, validation, seed, optimizer, falling, lr=lr, **options), lr)
                for lr in rates
            ]
            loss, lr = min(found)
            cells += [lr, f"{loss:.3f}"]
        yield seed, *cells


def raced(train, validation, seed, optimizer, falling, **options):
    """The validation loss after 3 epochs."""
    mg.manual_seed(seed)
    model = mg.nn.Sequential(mg.nn.Dense(784, 128), mg.nn.ReLU(), mg.nn.Dense(128, 10))
    optimizer = optimizer(model.parameters(), **options)
    loader = mg.data.DataLoader(*train, batch_size=32, seed=seed)
    schedule = None
    if falling:
        schedule = mg.optim.CosineAnnealingLR(optimizer, 3 * len(loader), interval="step")
    options = {"schedule": schedule, "epochs": 3, "seed": seed, "progress": False}
    mg.fit(model, loader, optimizer=optimizer, **options)
    return mg.evaluate(model, validation)["loss"]


# ---- chapter 9 -----------------------------------------------------------------------------------

FEW = 6000  # the training digits of chapter 9


def moved_by(x, down, right):
    """Rows of 784 pixels, moved as images; what comes in from outside is background."""
    n = 4  # at most so many pixels
    images = np.pad(x.reshape(-1, 28, 28), ((0, 0), (n, n), (n, n)), constant_values=x.min())
    top, left = n - down, n - right
    return images[:, top : top + 28, left : left + 28].reshape(x.shape)


def shifted(x, rng):
    return moved_by(x, *rng.integers(-2, 3, size=2))


def fitted(model, train, seed, decay=0.0, transform=None, epochs=20):
    """Train by AdamW, 1e-3 falling along a cosine, on batches of 32."""
    loader = mg.data.DataLoader(*train, batch_size=32, seed=seed, transform=transform)
    optimizer = mg.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=decay)
    schedule = mg.optim.CosineAnnealingLR(optimizer, epochs * len(loader), interval="step")
    options = {"schedule": schedule, "epochs": epochs, "seed": seed, "progress": False}
    mg.fit(model, loader, optimizer=optimizer, **options)
    return model


def percent(share):
    return f"{share:.1%}".replace("%", " %")


@figures
def overfit(data, seed):
    """784-128-10 on 6,000 digits, 20 epochs: what helps on others."""
    (x, y), validation = data
    for name, count, p, options in (
        ("nothing", FEW, 0.0, {}),
        ("dropout 0.5", FEW, 0.5, {}),
        ("decay 0.3", FEW, 0.0, {"decay": 0.3}),
        ("shifts", FEW, 0.0, {"transform": shifted}),
        ("shifts, long", FEW, 0.0, {"transform": shifted, "epochs": 60}),
        ("54,000 digits", len(x), 0.0, {"epochs": 2}),
    ):
        mg.manual_seed(seed)
        dense = mg.nn.Dense(784, 128), mg.nn.ReLU(), mg.nn.Dropout(p), mg.nn.Dense(128, 10)
        train = x[:count], y[:count]
        model = fitted(mg.nn.Sequential(*dense), train, seed, **options)
        seen, unseen = mg.evaluate(model, train), mg.evaluate(model, validation)
        losses = f"{seen['loss']:.3f}", f"{unseen['loss']:.3f}"
        yield seed, name, *losses, percent(seen["accuracy"]), percent(unseen["accuracy"])


@figures
def moved(data, seed):
    """Trained on 6,000 digits as they are, asked about others that are moved by 0, 2, 3, 4."""
    (x, y), (x_validation, y_validation) = data
    for name, network, transform in (
        ("linear", linear_network, None),
        ("lenet", lenet_network, None),
        ("linear, shifts", linear_network, shifted),
        ("lenet, shifts", lenet_network, shifted),
    ):
        mg.manual_seed(seed)
        model = fitted(network(), (x[:FEW], y[:FEW]), seed, transform=transform, epochs=10)
        cells = []
        for n in 0, 2, 3, 4:  # the mean of four directions
            right = [
                mg.evaluate(model, (moved_by(x_validation, *way), y_validation))["accuracy"]
                for way in ((n, 0), (-n, 0), (0, n), (0, -n))
            ]
            cells.append(percent(np.mean(right)))
        yield seed, name, *cells


def linear_network():
    return mg.nn.Dense(784, 10)


def lenet_network():
    """That of examples/models.py, for rows of 784 pixels."""
    convolutions = (
        mg.nn.Conv2D(1, 8, 5),
        mg.nn.ReLU(),
        mg.nn.MaxPool(2),
        mg.nn.Conv2D(8, 16, 5),
        mg.nn.ReLU(),
        mg.nn.MaxPool(2),
    )
    dense = mg.nn.Flatten(), mg.nn.Dense(256, 64), mg.nn.ReLU(), mg.nn.Dense(64, 10)
    return mg.nn.Sequential(Images(), *convolutions, *dense)


class Images(mg.nn.Module):
    """Rows of 784 pixels as images of one channel."""

    def forward(self, x):
        return x.reshape(-1, 1, 28, 28)


# ---- chapter 10 ----------------------------------------------------------------------------------


@figures
def clinic(data, seed):
    """Health: first loss, loss of epochs 1 and 4, validation, ratios, 20 examples, gradients."""
    from exercises import diagnosis, zoo

    zoo.use("mnist")  # 6,000 of the training digits, and 1,000 of those for validation
    healthy = zoo.patient(0, seed=seed)
    weights, ratios = [healthy.model[0].weight, healthy.model[2].weight], ([], [])
    step = healthy.step

    def watched(x, y):
        before = [w.data.copy() for w in weights]
        loss = step(x, y)
        for w, old, found in zip(weights, before, ratios):
            found.append(diagnosis.norm(w.data - old) / diagnosis.norm(old))
        return loss

    healthy.step = watched
    course = healthy.train()
    x, y = next(iter(zoo.patient(0, seed=seed).loader))
    twenty = diagnosis.learn_twenty(zoo.patient(0, seed=seed), x, y)
    first, last = diagnosis.gradient_norms(zoo.patient(0, seed=seed), x, y)
    yield (
        seed,
        f"{course.first:.2f}",
        *(f"{course.losses[epoch]:.2f}" for epoch in (0, 3)),
        f"{course.validation_losses[-1]:.2f}",
        f"{100 * course.accuracies[-1]:.1f} %",
        *("{:.3f} to {:.3f}".format(*np.quantile(found, (0.05, 0.95))) for found in ratios),
        f"{twenty:.4f}",
        f"{first / last:.1f}",
    )


@figures
def complaints(data, seed):
    """Patients 1 to 10: first loss, loss of each epoch, validation loss and share read."""
    from exercises import clinic, zoo

    zoo.use("mnist")
    for number in range(1, 11):
        course = zoo.patient(number, seed=seed).train()
        losses = course.first, *course.losses, course.validation_losses[-1]
        yield seed, number, *map(clinic.short, losses), f"{100 * course.accuracies[-1]:.1f} %"


# ---- chapter 12 ----------------------------------------------------------------------------------


def _conv_network(pool=mg.nn.MaxPool, second=True):
    """The convolutional network of chapter 12; 20,522 parameters as it is."""
    nn = mg.nn
    middle = [nn.Conv2D(8, 16, 5), nn.ReLU(), pool(2)] if second else []
    size = 256 if second else 8 * 12 * 12
    return nn.Sequential(
        nn.Conv2D(1, 8, 5), nn.ReLU(), pool(2), *middle,
        nn.Flatten(), nn.Dense(size, 64), nn.ReLU(), nn.Dense(64, 10),
    )  # fmt: skip


def _dense_network(hidden=None):
    nn = mg.nn
    if hidden is None:
        return nn.Sequential(nn.Flatten(), nn.Dense(784, 10))
    return nn.Sequential(nn.Flatten(), nn.Dense(784, hidden), nn.ReLU(), nn.Dense(hidden, 10))


def _shifted(x, rng):
    return np.roll(x, rng.integers(-1, 2, size=2), axis=(2, 3))


def _taught(build, train, seed, epochs, batch, lr, decay=0.0, shift=False, cycle=True):
    """A network trained by the recipe of chapter 12: AdamW along one cycle of the rate."""
    mg.manual_seed(seed)
    model = build()
    transform = _shifted if shift else None
    loader = mg.data.DataLoader(*train, batch, seed=seed, transform=transform)
    optimizer = mg.optim.AdamW(model.parameters(), lr=lr, weight_decay=decay)
    schedule = mg.optim.OneCycleLR(optimizer, lr, epochs * len(loader)) if cycle else None
    mg.fit(model, loader, optimizer=optimizer, schedule=schedule, epochs=epochs, progress=False)
    return model


CONV_RECIPE = {"epochs": 6, "batch": 128, "lr": 0.01, "decay": 0.1, "shift": True}


def _as_images(pair):
    x, labels = pair
    return x.reshape(-1, 1, 28, 28), labels


def _scored(name, model, held):
    """The cells of a row: name, parameters, loss, accuracy and its standard error."""
    found = mg.evaluate(model, held)
    p, n = found["accuracy"], len(held[1])
    size = sum(parameter.size for parameter in model.parameters())
    error = (p * (1 - p) / n) ** 0.5
    return name, f"{size:,}", f"{found['loss']:.4f}", _percent(p), _percent(error)


def _percent(share):
    return f"{100 * share:.2f} %"


@figures
def dense(data, seed):
    """Two networks that see the pixels as a row, on validation."""
    train, held = map(_as_images, data)
    linear = _taught(_dense_network, train, seed, epochs=6, batch=64, lr=0.003)
    yield seed, *_scored("784-10", linear, held)
    hidden = _taught(lambda: _dense_network(128), train, seed, 8, 64, 0.003, decay=0.1)
    yield seed, *_scored("784-128-10", hidden, held)


@figures
def conv(data, seed):
    """The convolutional network, on validation."""
    train, held = map(_as_images, data)
    model = _taught(_conv_network, train, seed, **CONV_RECIPE)
    yield seed, *_scored("two convolutions", model, held)


@figures
def confusions(data, seed):
    """The convolutional network's most frequent confusions on validation."""
    train, held = map(_as_images, data)
    model = _taught(_conv_network, train, seed, **CONV_RECIPE)
    matrix = mg.metrics.confusion_matrix(mg.predict(model, held[0]), held[1])
    mistakes = matrix * (1 - np.eye(10, dtype=int))
    for place in np.argsort(-mistakes, axis=None, kind="stable")[:5]:
        actual, answer = divmod(int(place), 10)
        yield seed, actual, answer, mistakes[actual, answer], matrix[actual].sum()


@figures
def ablations(data, seed):
    """One ingredient left out at a time: 10,000 digits, five runs from the seed on."""
    train, held = map(_as_images, data)
    train = train[0][:10_000], train[1][:10_000]
    whole = {"epochs": 6, "batch": 64, "lr": 0.005, "decay": 0.1, "shift": True}
    variants = {
        "all": (_conv_network, {}),
        "no shifts": (_conv_network, {"shift": False}),
        "no cycle": (_conv_network, {"cycle": False}),
        "no weight decay": (_conv_network, {"decay": 0.0}),
        "average pooling": (lambda: _conv_network(mg.nn.AvgPool), {}),
        "one convolution": (lambda: _conv_network(second=False), {}),
        "no convolution: 784-128-10": (lambda: _dense_network(128), {}),
    }
    accuracies = {
        name: np.array([
            mg.evaluate(_taught(build, train, seed + run, **whole | change), held)["accuracy"]
            for run in range(5)
        ])
        for name, (build, change) in variants.items()
    }  # fmt: skip
    for name, found in accuracies.items():
        error = _error(found)
        less = found - accuracies["all"]
        cost = "" if name == "all" else f"{100 * less.mean():+.2f} ± {_error(100 * less):.2f}"
        yield seed, name, _percent(found.mean()), _percent(error), cost


def _error(runs):
    return runs.std(ddof=1) / len(runs) ** 0.5


@figures
def final(data, seed):
    """The network that validation chose, on the test set: opened here, and nowhere else."""
    (train, _), (_, test) = data, mg.data.load_mnist()
    model = _taught(_conv_network, _as_images(train), seed, **CONV_RECIPE)
    x = mg.data.normalize(test[0])
    yield seed, *_scored("two convolutions", model, (x, test[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=sorted(FIGURES))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.name is None:
        print("\n".join(sorted(FIGURES)))
        return
    for cells in FIGURES[given.name](load(), given.seed):
        command = f"`python docs/figures.py {given.name} --seed {given.seed}`"
        print("| " + " | ".join([command, *map(str, cells)]) + " |")


if __name__ == "__main__":
    main()
