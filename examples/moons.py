"""Tell two interleaved moons apart, and draw where a network sees the border between them.

No straight line separates the moons. The same training, with a hidden layer and without, shows what
the layer is for: bending the border.
"""

import argparse
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad import nn, plot


def moons(n, noise, rng):
    """Points (n, 2) on two half circles, one upside down and moved into the other; labels (n,)."""
    labels = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    x = np.where(labels == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(labels == 0, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], axis=1) + noise * rng.standard_normal((n, 2))
    return points.astype(np.float32), labels


def network(hidden):
    """Two hidden layers of so many units, or none."""
    if hidden == 0:
        return nn.Sequential(nn.Dense(2, 2))
    return nn.Sequential(
        nn.Dense(2, hidden),
        nn.Tanh(),
        nn.Dense(hidden, hidden),
        nn.Tanh(),
        nn.Dense(hidden, 2),
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    option = parser.add_argument
    option("--hidden", type=int, default=16, help="units in a hidden layer; 0: none (default: 16)")
    option("--noise", type=float, default=0.15, help="deviation of the points (default: 0.15)")
    option("--epochs", type=int, default=60, help="passes over the points (default: 60)")
    option("--seed", type=int, default=0, help="of points, weights and batches (default: 0)")
    option("--out", type=Path, default=Path("runs/moons"), help="folder (default: runs/moons)")
    args = parser.parse_args(argv)

    rng = np.random.default_rng(args.seed)
    train = moons(600, args.noise, rng)
    test = moons(600, args.noise, rng)
    mg.manual_seed(args.seed)
    for hidden in sorted({0, args.hidden}):
        model = network(hidden)
        optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
        history = mg.fit(
            model,
            train,
            optimizer=optimizer,
            epochs=args.epochs,
            batch_size=32,
            seed=args.seed,
            progress=False,
        )
        score = mg.evaluate(model, test)["accuracy"]
        name = f"{hidden} hidden units" if hidden else "no hidden layer"
        print(f"{name}: loss {history['loss'][-1]:.3f}, {score:.1%} of the test points right")
        draw(args.out / f"hidden-{hidden}.png", model, test, f"{name}: {score:.1%} right")


def draw(path, model, points, title):
    try:
        ax = plot.decision_boundary(lambda grid: mg.predict(model, grid), *points)
    except ImportError as error:
        print(f"no picture: {error}")
        return
    ax.set(title=title, xlabel="", ylabel="", aspect="equal")
    print(f"{plot.save(path, ax)}: the border, and the test points")


if __name__ == "__main__":
    main()
