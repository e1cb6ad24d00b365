"""What wrong uses are tried on: a world, models that lack something, a foreign tensor."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import data, nn, optim


class Foreign:
    """A tensor of another library: NumPy can read it, but its dtype is none of NumPy's."""

    dtype = "another library's float32"

    def __init__(self, array):
        self.array = array
        self.shape = array.shape
        self.ndim = array.ndim

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, index):
        return Foreign(self.array[index])

    def __repr__(self):
        return f"Foreign({self.shape})"


class World:
    """What wrong uses are tried on: a model in the midst of its training, data, and a folder."""

    def __init__(self, folder):
        rng = np.random.default_rng(0)
        self.folder = folder
        self.x = rng.normal(size=(6, 2)).astype(np.float32)
        self.y = np.array([0, 1, 2, 0, 1, 2])
        self.images = rng.normal(size=(2, 3, 8, 8)).astype(np.float32)
        self.probabilities = np.full((6, 3), 1 / 3)
        self.bytes = np.zeros((6, 28, 28), np.uint8)
        self.model = nn.Dense(2, 3, rng=rng)
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.01)
        self.fit()
        self.loss().backward()

    def resume(self, **options):
        """`fit` that goes on from run.npz, with other arguments than before."""
        return self.fit(epochs=2, checkpoint=self.folder / "run.npz", resume=True, **options)

    def loss(self):
        return mg.cross_entropy(self.model(self.x), self.y)

    def fit(self, train=None, validation=None, **options):
        """`mg.fit`, of which the row gives what is wrong."""
        model = options.pop("model", self.model)
        given = {"optimizer": self.optimizer, "epochs": 1, "progress": False} | options
        return mg.fit(model, (self.x, self.y) if train is None else train, validation, **given)

    def twice(self, loss):
        """Gradients through one graph, and again."""
        return [mg.gradients(loss, self.model.parameters()) for _ in range(2)]

    def step(self, *batch, **options):
        """A step of `mg.TrainStep`."""
        with mg.TrainStep(self.model, mg.cross_entropy, self.optimizer, **options) as step:
            return step(*batch)

    def lr_range(self, **options):
        given = {"optimizer": self.optimizer, "steps": 3} | options
        return mg.lr_range_test(given.pop("model", self.model), (self.x, self.y), **given)

    def loader(self, **options):
        return data.DataLoader(self.x, self.y, **options)

    def state(self):
        """All that a wrong use might change, as values that can be compared."""
        arrays = dict(self.model.named_arrays()) | self.optimizer.state_dict()
        arrays |= {f"{name}.grad": p.grad for name, p in self.model.named_parameters()}
        found = {name: (str(a.dtype), a.tobytes()) for name, a in arrays.items()}
        found["training"] = self.model.training
        for path in self.folder.rglob("*"):
            found[str(path)] = path.read_bytes() if path.is_file() else "folder"
        return found


def wrong(what, call, error, *words):
    """A row: what is done, the call, the exception, and words that its message holds."""
    return pytest.param(call, error, words, id=what)


class NoForward(nn.Module):
    pass


class Buffered(nn.Module):
    """A module with one buffer, called mean."""

    def __init__(self, mean, buffers=("mean",)):
        self.mean = mean
        self.buffers = buffers


class NoReturn(nn.Module):
    def __init__(self):
        self.layer = nn.Dense(2, 3)

    def forward(self, x):
        self.layer(x)


class TwoOutputs(NoReturn):
    def forward(self, x):
        return self.layer(x), x


class OneNumber(NoReturn):
    def forward(self, x):
        return self.layer(x).sum()


def sgd(w):
    """An optimizer beside the one of the world, which a schedule may change."""
    return optim.SGD(nn.Dense(2, 3).parameters(), lr=0.1)


def with_lr(w, lr):
    """An optimizer of the model, whose learning rate was changed after it was made."""
    optimizer = optim.SGD(w.model.parameters(), lr=0.1)
    optimizer.param_groups[0]["lr"] = lr
    return optimizer
