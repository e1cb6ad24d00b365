"""Twenty steps of training from the same weights, which go over and back as .npz files."""

import numpy as np
import pytest
import torch
from compare import in_step, same
from models import cnn, lenet, mlp

import minigrad as mg
from minigrad import nn, optim

STEPS, BATCH = 20, 8


class SameDropout(torch.nn.Module):
    """Dropout in PyTorch by the masks that minigrad draws, from a generator of the same seed.

    minigrad draws them in the memory order of its arrays, in which the channels come last.
    """

    def __init__(self, p, seed):
        super().__init__()
        self.p = p
        self.rng = np.random.default_rng(seed)

    def forward(self, x):
        if not self.training:
            return x
        N, *channels, features = tuple(x.shape) if x.ndim == 2 else x.permute(0, 2, 3, 1).shape
        mask = mg.dropout(np.ones((N, *channels, features)), self.p, self.rng)
        return x * torch.tensor(mask if x.ndim == 2 else mask.transpose(0, 3, 1, 2))


def with_batch_norm():
    return nn.Sequential(
        nn.Conv2D(1, 6, 5, stride=2, padding=2, bias=False),  # (N, 6, 14, 14)
        nn.BatchNorm(6),
        nn.ReLU(),
        nn.AvgPool(2),  # (N, 6, 7, 7)
        nn.Flatten(),
        nn.Dense(294, 32),
        nn.BatchNorm(32),
        nn.Tanh(),
        nn.Dense(32, 10),
    )


def in_pytorch(model):
    """The same network, layer by layer, with weights of its own."""
    return torch.nn.Sequential(*(_layer(place, layer) for place, layer in enumerate(model)))


def _layer(place, layer):
    name = type(layer).__name__
    has_bias = getattr(layer, "bias", None) is not None
    if name == "Dense":
        return torch.nn.Linear(layer.in_features, layer.out_features, has_bias)
    if name == "Conv2D":
        sizes = layer.in_channels, layer.out_channels, layer.kernel_size
        return torch.nn.Conv2d(*sizes, layer.stride, layer.padding, bias=has_bias)
    if name == "BatchNorm":
        wide = torch.nn.BatchNorm2d if place < 4 else torch.nn.BatchNorm1d
        return wide(layer.num_features)
    if name == "Dropout":
        layer.rng = np.random.default_rng(place)
        return SameDropout(layer.p, place)
    pools = {"MaxPool": torch.nn.MaxPool2d, "AvgPool": torch.nn.AvgPool2d}
    if name in pools:
        return pools[name](layer.kernel_size)
    return {"ReLU": torch.nn.ReLU, "Tanh": torch.nn.Tanh, "Flatten": torch.nn.Flatten}[name]()


def filled_from(path, theirs):
    """PyTorch's network with the arrays of an .npz, none transposed."""
    with np.load(path) as file:
        state = {name: torch.tensor(file[name]) for name in file.files}
    theirs.double().load_state_dict(state)
    return theirs


def batch(rng):
    return rng.normal(size=(BATCH, 1, 28, 28)), rng.integers(0, 10, BATCH)


def our_step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = mg.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def their_step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y))
    loss.backward()
    optimizer.step()
    return loss


@pytest.mark.parametrize(
    ("name", "options"),
    [("SGD", {"lr": 0.05, "momentum": 0.9}), ("Adam", {"lr": 1e-3}), ("AdamW", {"lr": 1e-3})],
    ids=["SGD", "Adam", "AdamW"],
)
@pytest.mark.parametrize("network", [mlp, lenet, cnn, with_batch_norm], ids=lambda f: f.__name__)
def test_training_from_the_same_weights(network, name, options, tmp_path):
    mg.manual_seed(0)
    rng = np.random.default_rng(1)
    ours = network().astype(np.float64)
    mg.save(tmp_path / "start.npz", ours)
    theirs = filled_from(tmp_path / "start.npz", in_pytorch(ours))
    our_optimizer = getattr(optim, name)(ours.parameters(), **options)
    their_optimizer = getattr(torch.optim, name)(theirs.parameters(), **options)
    for step in range(STEPS):
        x, y = batch(rng)
        losses = our_step(ours, our_optimizer, x, y), their_step(theirs, their_optimizer, x, y)
        same(f"loss of {network.__name__}, step {step}", [losses[0]], [losses[1]])
    state = {key: value.numpy() for key, value in theirs.state_dict().items()}
    arrays = ours.state_dict()
    same("weights", list(arrays.values()), [state[key] for key in arrays])
    np.savez(tmp_path / "end.npz", **state)
    back = network().astype(np.float64)
    mg.load(tmp_path / "end.npz", back)
    x, _ = batch(rng)
    same("outputs", [back.eval()(x)], [theirs.eval()(torch.tensor(x))])
    in_step[network.__name__] += 1
