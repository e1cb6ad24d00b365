"""Let optimizers race: down Rosenbrock's valley, and in fitting a curve to points.

Rosenbrock's function (1960), (1 - x)^2 + 100 (y - x^2)^2, has its least value, 0, at (1, 1), in a
long bent valley. To reach the valley is easy; to walk along its floor is not: at (1, 1), the star
in rosenbrock.png, the function curves 2,500 times as much across the valley as along it. What to
see there:

  SGD         reaches the floor in ten steps and then creeps, as a longer step would throw it from
              wall to wall. After 1,000 steps it has come to x = 0.83.
  momentum    swings from wall to wall for some hundred steps. These slopes cancel; the small ones
              along the floor add up, and it comes nearest of the four.
  RMSProp     divides by the size of the gradient, so that a steep slope and a gentle one move it
              by about the same. It is slow on the way and comes last; from step 800 on it trembles
              from side to side, and ends at x = 0.70.
  Adam        both ideas: it swings at first, then walks along the floor, and is second.
  Newton      computes from the second derivatives (mg.hessian) where the slope will be zero. Its
              second step leaps out of the picture, to a value above 3,000; the sixth hits the goal.
              A network of a million weights has 10^12 second derivatives.

fit.png tells another story: the same optimizers fit a small network to noisy points of a wave. The
ranking is different, so a race on one function proves little: Adam leads, momentum and RMSProp come
to about the same loss, and SGD is far from done, as its curve shows. The losses of RMSProp and Adam
leap up at the first step and now and then later. Where there are no points, in the gap and outside,
each curve goes its own way: the points say nothing there.

Rosenbrock's learning rates are the best of 1, 2 and 5 times powers of ten, by the value at the end,
except for Adam's: with 0.5 it would end at 7e-9, ahead of momentum. Those of the fit were chosen by
eye.
"""

import argparse
from pathlib import Path

import numpy as np
from report import seconds, write_json

import minigrad as mg
from minigrad import nn, optim, plot

START = -1.5, 1.0  # on Rosenbrock's function
STEPS = 1000  # on Rosenbrock's function; Newton takes six
FIT_STEPS = 1500
POINTS = 60  # to fit the network to
RACERS = {  # the optimizer, its options, and its learning rates on Rosenbrock and for the fit
    "SGD": (optim.SGD, {}, 0.002, 0.05),
    "momentum": (optim.SGD, {"momentum": 0.9}, 0.0005, 0.02),
    "RMSProp": (optim.RMSProp, {}, 0.01, 0.002),
    "Adam": (optim.Adam, {}, 0.2, 0.01),
}


def rosenbrock(p):
    x, y = p[0], p[1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def wave(x):
    return np.sin(3 * x) + 0.3 * x


def descend(optimizer, loss, steps):
    """The values of the first parameter before each step and at the end, and all losses."""
    path = []
    losses = []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        value = loss()
        path.append(optimizer.params[0].data.copy())
        losses.append(value.item())
        value.backward()
        optimizer.step()
    return np.array(path), losses


def newton(p, steps=6):
    """Steps to where the second derivatives say that the slope is zero (in float64)."""
    path = [p]
    for _ in range(steps):
        p = p - np.linalg.solve(mg.hessian(rosenbrock)(p), mg.grad(rosenbrock)(p))
        path.append(p)
    return np.array(path), [float(rosenbrock(p)) for p in path]


def race_downhill():
    found = {}
    for name, (kind, options, lr, _) in RACERS.items():
        p = nn.Parameter(np.array(START))
        optimizer = kind([p], lr=lr, **options)
        found[name] = descend(optimizer, lambda p=p: rosenbrock(p), STEPS)
    return {**found, "Newton": newton(np.array(START))}


def race_to_fit(seed):
    """The points, and the model and the losses of each optimizer, all from the same weights."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 1.3, (POINTS, 1)).astype(np.float32)
    x[x > 0] += 0.7  # the gap: no point from 0 to 0.7
    y = wave(x) + np.float32(0.1) * rng.standard_normal(x.shape, np.float32)
    found = {}
    for name, (kind, options, _, lr) in RACERS.items():
        mg.manual_seed(seed)
        model = nn.Sequential(
            nn.Dense(1, 32),
            nn.Tanh(),
            nn.Dense(32, 32),
            nn.Tanh(),
            nn.Dense(32, 1),
        )
        optimizer = kind(model.parameters(), lr=lr, **options)
        _, losses = descend(optimizer, lambda model=model: mg.mse_loss(model(x), y), FIT_STEPS)
        found[name] = model, losses
    return (x, y), found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of points and weights (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs/curve_fitting"), help="a folder")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    downhill = race_downhill()
    points, fits = race_to_fit(args.seed)
    numbers = {"data": "synthetic", "seed": args.seed}
    for title, runs in {"rosenbrock": downhill, "fit": fits}.items():
        print(f"{title}:")
        for name, (_, losses) in runs.items():
            steps = len(losses) - 1
            print(f"  {name:9} from {losses[0]:.3g} to {losses[-1]:.1e} in {steps} steps")
            result = {"start": losses[0], "end": losses[-1], "steps": steps}
            numbers[f"{title}_{name}"] = result
    numbers["seconds"] = seconds()
    write_json(args.out / "metrics.json", numbers)
    try:
        print(plot.save(args.out / "rosenbrock.png", draw_paths(downhill)))
        print(plot.save(args.out / "fit.png", draw_fits(points, fits)))
    except ImportError as error:
        print(f"no picture: {error}")


def draw_losses(ax, runs):
    for (name, (_, losses)), color in zip(runs.items(), plot.COLORS):
        ax.plot(np.maximum(losses, 1e-16), color=color, label=name)
    ax.set(xscale="symlog", yscale="log", xlabel="step", ylabel="value", title="How fast")


def draw_paths(runs):
    ax, right = plot.new_figure(11, 4.6).subplots(1, 2)
    x, y = np.meshgrid(np.linspace(-2, 2, 200), np.linspace(-1, 3, 200))
    ax.contour(x, y, np.log10(rosenbrock(np.array([x, y]))), 12, colors="silver", linewidths=0.8)
    for (name, (path, _)), color, marker in zip(runs.items(), plot.COLORS, plot.MARKERS):
        often = max(len(path) // 12, 1)
        ax.plot(*path.T, marker=marker, markevery=often, ms=5, lw=1.2, color=color, label=name)
    ax.plot(1, 1, "k*", ms=14)
    ax.set(xlim=(-2, 2), ylim=(-1, 3), xlabel="x", ylabel="y", title="Paths to the star")
    ax.legend(loc="upper center")
    draw_losses(right, runs)
    return ax


def draw_fits(points, fits):
    ax, right = plot.new_figure(11, 4.6).subplots(1, 2)
    x = np.linspace(-2.6, 2.6, 300, dtype=np.float32)[:, None]
    ax.plot(x, wave(x), "--", color="gray", label="truth")
    for (name, (model, _)), color in zip(fits.items(), plot.COLORS):
        ax.plot(x, mg.predict(model, x), color=color, label=name)
    ax.plot(*points, "ko", ms=4, label="points")
    ax.set(xlabel="x", ylabel="y", title="One network, fitted by each")
    ax.legend(loc="lower right", fontsize="small")
    draw_losses(right, fits)
    return ax


if __name__ == "__main__":
    main()
