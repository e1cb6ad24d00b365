"""The clinic of chapter 10: a healthy network, number 0, ten sick ones, and one in reserve.

Every patient is the healthy network with other settings, which stand in `DISEASES` for all to
read. Which number has which disease does not: the ward is sorted by a hash of the diseases' names,
so that the numbers tell nothing. `chart` reads them out; whoever measures does not need it.

The patients learn MNIST where its files are found on this machine, else 1,000 synthetic digits;
nothing is downloaded. `use` chooses, and `digits().source` says which.
"""

import hashlib
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import numpy as np

import minigrad as mg
from minigrad import nn

HEALTHY = {
    "weights": "random",  # or "zero"
    "pixels": "normalized",  # or "0 to 255"
    "lr": 0.1,
    "clear": True,  # the gradients before each step, or not
    "softmax": "once",  # inside the loss; or "twice", or "over the batch"
    "labels": "with their images",  # or "shuffled apart"
    "order": "shuffled",  # or "sorted by label"
    "layers": 1,  # hidden ones
    "activation": "relu",  # or "sigmoid"
    "dropout": 0.0,  # the share of hidden units that training drops
    "evaluation": "without dropout",  # or "with dropout"
}

DISEASES = {
    "data sorted": {"order": "sorted by label"},
    "dropout in evaluation": {"dropout": 0.8, "evaluation": "with dropout"},
    "gradients not cleared": {"clear": False},
    "labels shuffled": {"labels": "shuffled apart"},
    "pixels not normalized": {"pixels": "0 to 255"},
    "rate too large": {"lr": 5.0},
    "rate too small": {"lr": 1e-4},
    "softmax over the batch": {"softmax": "over the batch"},
    "softmax twice": {"softmax": "twice"},
    "too many sigmoids": {"layers": 4, "activation": "sigmoid"},
    "zero weights": {"weights": "zero"},
}
RESERVE = "dropout in evaluation"  # number 11, with which the chapter shows how it is done
CHOICES = {
    "weights": ("random", "zero"),
    "pixels": ("normalized", "0 to 255"),
    "softmax": ("once", "twice", "over the batch"),
    "labels": ("with their images", "shuffled apart"),
    "order": ("shuffled", "sorted by label"),
    "activation": ("relu", "sigmoid"),
    "evaluation": ("without dropout", "with dropout"),
}


def chart(number):
    """The disease of a patient. It ends the game: measure first."""
    names = sorted(DISEASES.keys() - {RESERVE}, key=_shuffled)
    return ["nothing", *names, RESERVE][number]


def _shuffled(name):
    return hashlib.sha256(f"the ward: {name}".encode()).hexdigest()


# ---- the digits ----------------------------------------------------------------------------------

_chosen = None


def use(source=None):
    """Choose "mnist" or "synthetic"; None takes MNIST where it is found without a download."""
    global _chosen
    if source not in (None, "mnist", "synthetic"):
        raise ValueError(f'use expects "mnist" or "synthetic", got {source!r}')
    _chosen = source


def digits():
    """What the patients learn: `source`, `train`, `validation`, `epochs`, `batch`."""
    if _chosen is not None:
        return _digits(_chosen)
    try:
        return _digits("mnist")
    except mg.data.DataUnavailable:
        return _digits("synthetic")


@cache
def _digits(source):
    if source == "mnist":
        (images, labels), _ = mg.data.load_mnist(download=False)
        train, validation = mg.data.split(images, labels, validation=0.1, seed=0)
        sizes, epochs, batch, name = (6_000, 1_000), 4, 64, "6,000 digits of MNIST"
    else:
        images, labels = mg.data.synthetic_digits(1_000, seed=0)
        train, validation = mg.data.split(images, labels, validation=0.2, seed=0)
        sizes, epochs, batch, name = (800, 200), 8, 20, "800 synthetic digits"
    pairs = [
        (mg.data.normalize(x[:n]).reshape(-1, 784), y[:n])
        for (x, y), n in zip((train, validation), sizes)
    ]
    names = "source", "train", "validation", "epochs", "batch"
    return SimpleNamespace(**dict(zip(names, (name, *pairs, epochs, batch))))


# ---- a patient -----------------------------------------------------------------------------------


class Patient:
    """A network, its loss, its digits and its training step: all there is to measure.

    Attributes
    ----------
    model : nn.Sequential
        784-128-10; its weights, and their gradients after `backward`, may be looked at.
    loader : DataLoader
        Hands out the training digits, (x, y), in batches of 20, on MNIST of 64.
    validation : pair of arrays
        Digits, (x, y), that it does not learn from.
    """

    def __init__(self, number, settings, seed=0):
        self.number, self._settings = number, settings
        s, data = SimpleNamespace(**settings), digits()
        # In float64, in which another processor's last digits do not grow into another course.
        self.model = network(s, np.random.default_rng(seed)).astype(np.float64)
        self.validation = _pixels(data.validation[0], s), data.validation[1]
        x, y = _arranged(*data.train, s)
        shuffle = s.order == "shuffled"
        self.loader = mg.data.DataLoader(_pixels(x, s), y, data.batch, shuffle, seed)
        self._optimizer = mg.optim.SGD(self.model.parameters(), lr=s.lr)

    def __repr__(self):
        return f"<patient {self.number}, {digits().source}>"

    def loss(self, x, y):
        """The loss of a batch, as a Tensor."""
        scores, softmax = self.model(x), self._settings["softmax"]
        if softmax == "twice":
            scores = mg.softmax(scores, axis=1)
        if softmax == "over the batch":
            return -mg.log_softmax(scores, axis=0)[np.arange(len(y)), y].mean()
        return mg.cross_entropy(scores, y)

    def backward(self, x, y):
        """The first half of a step, which leaves gradients; returns the loss as a float."""
        if self._settings["clear"]:
            self._optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        return loss.item()

    def step(self, x, y):
        """A whole step: gradients, then new weights; returns the loss as a float."""
        loss = self.backward(x, y)
        self._optimizer.step()
        return loss

    def predict(self, x):
        """The labels that the network gives to images."""
        with self._evaluating():
            return self.model(x).data.argmax(axis=1)

    def validate(self):
        """(loss, accuracy) of the validation digits, batch by batch."""
        (x, y), size = self.validation, digits().batch
        with self._evaluating():
            parts = [slice(i, i + size) for i in range(0, len(x), size)]
            total = sum(self.loss(x[part], y[part]).item() * len(x[part]) for part in parts)
        return total / len(x), float((self.predict(x) == y).mean())

    def _evaluating(self):
        with_dropout = self._settings["evaluation"] == "with dropout"
        return mg.no_grad() if with_dropout else self.model.evaluating()

    def train(self, epochs=None):
        """Train; returns `first`, the loss of the first batch, and what each epoch came to.

        Those are the lists `losses`, the mean over the epoch's batches, `validation_losses` and
        `accuracies`.
        """
        course = SimpleNamespace(first=None, losses=[], validation_losses=[], accuracies=[])
        with np.errstate(all="ignore"):  # a sick network may overflow
            for _ in range(epochs or digits().epochs):
                losses = [self.step(x, y) for x, y in self.loader]
                course.first = losses[0] if course.first is None else course.first
                course.losses.append(float(np.mean(losses)))
                loss, accuracy = self.validate()
                course.validation_losses.append(loss)
                course.accuracies.append(accuracy)
        return course


def patient(number, *, seed=0, **mended):
    """Patient 0 (healthy) to 10, or 11, in reserve; keywords change settings: lr=0.1."""
    if number not in range(len(DISEASES) + 1):
        raise ValueError(f"there is no patient {number!r}: they are 0 (healthy) to {len(DISEASES)}")
    for name, value in mended.items():
        if name not in HEALTHY:
            raise ValueError(f"there is no setting {name!r}: {', '.join(HEALTHY)}")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"{name} is one of {', '.join(map(repr, CHOICES[name]))}")
        if name == "layers" and not 0 <= value <= 20:
            raise ValueError(f"layers, the hidden ones, are from 0 to 20, got {value}")
    sick = DISEASES.get(chart(number), {})
    return Patient(number, HEALTHY | sick | mended, seed)


def network(s, rng):
    """784-128-10 with its hidden layers, as the settings want it."""
    sizes, layers = [784] + [128] * s.layers, []
    for before, after in pairwise(sizes):
        layers += [nn.Dense(before, after, rng=rng)]
        layers += [nn.ReLU() if s.activation == "relu" else nn.Sigmoid()]
        layers += [nn.Dropout(s.dropout, rng=rng)] if s.dropout else []
    model = nn.Sequential(*layers, nn.Dense(sizes[-1], 10, rng=rng))
    if s.weights == "zero":
        for p in model.parameters():
            p.data[...] = 0
    return model


def _arranged(x, y, s):
    if s.labels == "shuffled apart":
        y = np.random.default_rng(0).permutation(y)
    if s.order == "sorted by label":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    return x, y


def _pixels(x, s):
    return x if s.pixels == "normalized" else ((x * 0.3081 + 0.1307) * 255).astype(np.float32)
