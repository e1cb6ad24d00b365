"""The four networks of the examples, from a single matrix to a deep convolutional one.

Each takes normalized images of shape (N, 1, 28, 28) and gives a score for each of ten classes;
`mg.cross_entropy` trains on the scores, `mg.softmax` turns them into probabilities.

| name   | network                                                         | parameters |
|--------|-----------------------------------------------------------------|------------|
| linear | 784-10                                                          |      7,850 |
| mlp    | 784-128-10, ReLU                                                |    101,770 |
| lenet  | two 5x5 convolutions, two dense layers                          |     20,522 |
| cnn    | two 3x3 convolutions, two dense layers, dropout                 |  1,199,882 |

Initial weights come from the default generator: call `mg.manual_seed` before.
"""

from minigrad import nn


def linear():
    """One matrix: the score of a class is a weighted sum of the pixels (softmax regression)."""
    return nn.Sequential(nn.Flatten(), nn.Dense(784, 10))


def mlp():
    """A hidden layer of 128 units, which no longer cares how many pixels there were."""
    return nn.Sequential(
        nn.Flatten(),  # (N, 784)
        nn.Dense(784, 128),
        nn.ReLU(),
        nn.Dense(128, 10),
    )


def lenet():
    """Two convolutions with pooling, in the spirit of LeNet-5 (LeCun et al. 1998).

    Not that network itself: ReLU stands for its tanh, max-pooling for its trained averages, and
    the layers have other sizes.
    """
    return nn.Sequential(
        nn.Conv2D(1, 8, 5),  # (N, 8, 24, 24)
        nn.ReLU(),
        nn.MaxPool(2),  # (N, 8, 12, 12)
        nn.Conv2D(8, 16, 5),  # (N, 16, 8, 8)
        nn.ReLU(),
        nn.MaxPool(2),  # (N, 16, 4, 4)
        nn.Flatten(),  # (N, 256)
        nn.Dense(256, 64),
        nn.ReLU(),
        nn.Dense(64, 10),
    )


def cnn():
    """The convolutional network of Keras' and PyTorch's MNIST examples, 98 % of it one layer."""
    return nn.Sequential(
        nn.Conv2D(1, 32, 3),  # (N, 32, 26, 26)
        nn.ReLU(),
        nn.Conv2D(32, 64, 3),  # (N, 64, 24, 24)
        nn.ReLU(),
        nn.MaxPool(2),  # (N, 64, 12, 12)
        nn.Dropout(0.25),
        nn.Flatten(),  # (N, 9216)
        nn.Dense(9216, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Dense(128, 10),
    )


MODELS = {"linear": linear, "mlp": mlp, "lenet": lenet, "cnn": cnn}
