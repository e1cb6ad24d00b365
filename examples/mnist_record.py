"""The best honest single network: no ensemble, nothing chosen by the test set.

Six 3x3 convolutions with batch norm, on digits that are turned, scaled, sheared and moved a little
each time they are seen; AdamW along one cycle; label smoothing; and a moving average of the
weights, which is scored once, after the last epoch. `--tiny` is a network of fewer than 5,000
parameters: the same recipe with less dropout, and without label smoothing. All of this was chosen
by a validation split (`--validation`).

    python examples/mnist_record.py              one seed
    python examples/mnist_record.py --seeds 3    three, each in a process of its own
    python examples/mnist_record.py --tiny
    python examples/mnist_record.py --validation --epochs 5 --without augmentation

What each ingredient gave: the accuracy on 10,000 training images held back after 5 epochs, the mean
of three seeds, and the difference to the same three seeds with all, with its standard error.

    all                    99.56 %
    without average        99.55 %   -0.01 +- 0.01   (of the weights)
    without dropout        99.52 %   -0.03 +- 0.03
    without augmentation   99.52 %   -0.04 +- 0.05
    without smoothing      99.51 %   -0.05 +- 0.01
    without decay          99.51 %   -0.05 +- 0.02
    without cycle          99.42 %   -0.14 +- 0.04   (one learning rate throughout)

So the cycle matters most, and of augmentation 5 epochs cannot tell: in them no image is seen often
enough to be learned by heart. Five wider layers (99.57 % with 32 to 128 filters, 99.58 % with 48 to
192) took more time for no difference beyond the error, and so did, with a single seed, padding,
trembling digits (ElasticTransform) and the mean of the scores of a digit's moved copies.
"""

import functools

import seeds

import minigrad as mg
from minigrad import data, nn, optim
from minigrad.data import augment

INGREDIENTS = ("augmentation", "smoothing", "average", "dropout", "decay", "cycle")
GOAL = 0.997  # the test accuracy that a seed is to reach
TINY_GOAL = 0.993


def block(inputs, filters):
    """Convolution, batch norm, ReLU; without padding, so that the image loses its border."""
    return [nn.Conv2D(inputs, filters, 3, bias=False), nn.BatchNorm(filters), nn.ReLU()]


def network(widths, dropout):
    """Two blocks, pool, three blocks, pool, one block, one dense layer."""
    a, b, c, d, e, f = widths
    return nn.Sequential(
        *block(1, a),  # (N, a, 26, 26)
        *block(a, b),  # (N, b, 24, 24)
        nn.MaxPool(2),  # (N, b, 12, 12)
        nn.Dropout(dropout),
        *block(b, c),  # (N, c, 10, 10)
        *block(c, d),  # (N, d, 8, 8)
        *block(d, e),  # (N, e, 6, 6)
        nn.MaxPool(2),  # (N, e, 3, 3)
        nn.Dropout(dropout),
        *block(e, f),  # (N, f, 1, 1)
        nn.Dropout(dropout),
        nn.Flatten(),  # (N, f)
        nn.Dense(f, 10),
    )


def groups(model, decay):
    """Weights decay; biases, and the scales of batch norm, do not."""
    parameters = model.parameters()
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]


def run(args):
    """One seed: train, score, write metrics.json."""
    train, test, kind = seeds.digits(args)
    widths = (6, 8, 10, 10, 12, 12) if args.tiny else (16, 32, 64, 64, 96, 128)
    dropout = 0.02 if args.tiny else 0.1
    smoothing = 0.0 if args.tiny else 0.05
    decay = 0.02
    move = augment.RandomAffine(degrees=12, translate=0.1, scale=(0.88, 1.12), shear=12)
    callbacks = [mg.AverageWeights(0.998)]
    if "dropout" in args.without:
        dropout = 0.0
    if "smoothing" in args.without:
        smoothing = 0.0
    if "decay" in args.without:
        decay = 0.0
    if "augmentation" in args.without:
        move = None
    if "average" in args.without:
        callbacks = []

    mg.manual_seed(args.seed)
    model = network(widths, dropout)
    loader = data.DataLoader(
        *train, args.batch_size, seed=args.seed, transform=move, drop_last=True
    )
    optimizer = optim.AdamW(groups(model, decay), lr=args.lr / 4)
    # Making the schedule sets the first learning rate, args.lr / 25; without the cycle it stays.
    schedule = optim.OneCycleLR(optimizer, args.lr, args.epochs * len(loader), pct_start=0.2)
    history = mg.fit(
        model,
        loader,
        loss=functools.partial(mg.cross_entropy, label_smoothing=smoothing),
        optimizer=optimizer,
        schedule=None if "cycle" in args.without else schedule,
        epochs=args.epochs,
        seed=args.seed,
        workers="auto",
        callbacks=callbacks,
    )
    seeds.score(args, model, test, kind, history)


def main(argv=None):
    parser = seeds.parser(__doc__, "runs/record", epochs=24, batch_size=128, lr=0.008)
    option = parser.add_argument
    option("--tiny", action="store_true", help="fewer than 5,000 parameters")
    option("--without", nargs="+", default=[], choices=INGREDIENTS, help="leave these out")
    args = parser.parse_args(argv)
    seeds.main(__file__, run, args, TINY_GOAL if args.tiny else GOAL)


if __name__ == "__main__":
    main()
