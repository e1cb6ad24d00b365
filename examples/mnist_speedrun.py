"""99 % of MNIST in seconds: the small `lenet`, a short one-cycle schedule, all cores.

The clock runs from the start of the process to the score: imports, reading and checking the files,
training and testing are in it. Network, epochs, batch size and learning rate were chosen by a
validation split (`--validation`); the test set is scored once, after the last epoch.

    python examples/mnist_speedrun.py               one seed
    python examples/mnist_speedrun.py --seeds 10    ten, each in a process of its own
    python examples/mnist_speedrun.py --validation  hold back 10,000 images, and score those
"""

import numpy as np
import seeds
from models import lenet

import minigrad as mg
from minigrad import data, optim


def shifted(x, rng):
    """The whole batch moved by up to a pixel: a digit that is moved is still the same digit."""
    return np.roll(x, rng.integers(-1, 2, size=2), axis=(2, 3))


def run(args):
    """One seed: train, score, write metrics.json."""
    train, test, kind = seeds.digits(args)
    mg.manual_seed(args.seed)
    model = lenet()
    loader = data.DataLoader(*train, args.batch_size, seed=args.seed, transform=shifted)
    optimizer = optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = optim.OneCycleLR(optimizer, args.lr, args.epochs * len(loader), pct_start=0.2)
    history = mg.fit(
        model,
        loader,
        optimizer=optimizer,
        schedule=schedule,
        epochs=args.epochs,
        seed=args.seed,
        workers="auto",
    )
    seeds.score(args, model, test, kind, history)


def main(argv=None):
    parser = seeds.parser(__doc__, "runs/speedrun", epochs=2, batch_size=128, lr=0.02)
    seeds.main(__file__, run, parser.parse_args(argv), goal=0.99)


if __name__ == "__main__":
    main()
