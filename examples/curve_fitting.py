"""Let optimizers race: down Rosenbrock's valley, and in fitting a curve to points.

Rosenbrock's function (1960), (1 - x)^2 + 100 (y - x^2)^2, has its least value, 0, at (1, 1), at the
end of a long bent valley. To reach the valley is easy; to walk along it is not, as the walls are
thousands of times steeper than the floor. What to see in rosenbrock.png:

  SGD         a step that the walls allow is far too short for the floor: it creeps.
  momentum    the floor's small slopes add up, the walls' cancel: the same step arrives.
  RMSProp     divides by the size of the gradient, so its steps never get short: it comes near and
              then trembles about the goal.
  Adam        both ideas together.
  Newton      asks the second derivatives (mg.hessian) where the slope will be zero, and is there in
              a few steps. A network of a million weights has 10^12 of these: nobody asks them.

fit.png tells another story: the same optimizers fit a small network to noisy points of a wave, with
a gap where there is none. The ranking is not the same, and where there are no points, each curve goes
its own way: all fit well, and none knows. So a race on one function proves little about another.
The learning rates are the best of 1, 2 or 5 times a power of ten, by the value after the last step.
"""

import argparse
from pathlib import Path

import numpy as np
from report import seconds, write_json

import minigrad as mg
from minigrad import nn, optim, plot

START, STEPS = (-1.5, 1.0), 2000
RACERS = {  # the optimizer, by parameters, and by learning rates on Rosenbrock and for the fit
    "SGD": (optim.SGD, {}, 0.001, 0.1),
    "momentum": (optim.SGD, {"momentum": 0.9}, 0.0005, 0.05),
    "RMSProp": (optim.RMSProp, {}, 0.005, 0.005),
    "Adam": (optim.Adam, {}, 0.05, 0.01),
}


def rosenbrock(p):
    x, y = p[0], p[1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def descend(optimizer, loss):
    """All losses, from before the first step to after the last."""
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        losses.append(value.item())
        yield
    print(value.item())
