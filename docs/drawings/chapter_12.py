"""The pictures of chapter 12, of the networks that its fences train on synthetic digits."""

import functools

import numpy as np

import minigrad as mg
from minigrad.plot import new_figure


@functools.cache
def digits():
    """The page's 600 digits to learn from and 200 for validation, normalized."""
    images, labels = mg.data.synthetic_digits(1_000, seed=0)
    x = mg.data.normalize(images[:800])
    return mg.data.split(x, labels[:800], validation=0.25, seed=0)


def _shifted(x, rng):
    return np.roll(x, rng.integers(-1, 2, size=2), axis=(2, 3))


def _fit(model, epochs, lr, shift=None):
    # In float64, in which another machine's last digits do not grow into other curves.
    model.astype(np.float64)
    train, validation = digits()
    loader = mg.data.DataLoader(*train, 64, seed=0, transform=shift)
    optimizer = mg.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.1)
    schedule = mg.optim.OneCycleLR(optimizer, lr, epochs * len(loader))
    history = mg.fit(
        model,
        loader,
        validation,
        optimizer=optimizer,
        schedule=schedule,
        epochs=epochs,
        progress=False,
    )
    return model, history


@functools.cache
def trained():
    """The page's convolutional network and its history."""
    nn = mg.nn
    mg.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2D(1, 8, 5), nn.ReLU(), nn.MaxPool(2),
        nn.Conv2D(8, 16, 5), nn.ReLU(), nn.MaxPool(2),
        nn.Flatten(), nn.Dense(256, 64), nn.ReLU(), nn.Dense(64, 10),
    )  # fmt: skip
    return _fit(model, 24, 0.005, _shifted)


@functools.cache
def trained_dense():
    """The page's network with a hidden layer, and its history."""
    nn = mg.nn
    mg.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Dense(784, 128), nn.ReLU(), nn.Dense(128, 10))
    return _fit(model, 24, 0.003)


@functools.cache
def _answers():
    """Probabilities and labels of the validation digits."""
    _, (x, labels) = digits()
    return mg.softmax(mg.predict(trained()[0], x)), labels


def curves():
    """Loss and accuracy of both networks, in training and validation."""
    runs = {"784-128-10": trained_dense()[1], "two convolutions": trained()[1]}
    return mg.plot.history(runs, new_figure(8.4, 3.6))


def confusion():
    """Counts of the validation digits by actual digit and answer."""
    probabilities, labels = _answers()
    ax = new_figure(6, 4.6).add_subplot()
    return mg.plot.confusion(mg.metrics.confusion_matrix(probabilities, labels), ax).figure


def mistakes():
    """The validation digits that were read wrongly, the surest first."""
    probabilities, labels = _answers()
    _, (x, _) = digits()
    return mg.plot.mistakes(x, probabilities, labels, count=8, columns=4, figure=new_figure(7, 4.6))


PICTURES = (curves, confusion, mistakes)
