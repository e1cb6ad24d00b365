"""Teach a small transformer to reverse strings, and to sort them; see where it looks.

All letters of a string go in at once, and all letters of the answer come out at once. Attention is
how a place in the answer finds its letter: it asks (query), each letter shows what it has (key),
and the better the two match, the more of that letter's content (value) it gets (Vaswani et al.
2017):

  weights = softmax(query @ key.T / sqrt(size))         one row of weights for each place, sum 1
  answer  = weights @ value

Nothing in these two lines knows that the letters stand in a row: that is why an embedding of its
place is added to each letter. The network learns from random strings, each used once, and is tested
with others: there are 20 ** 10 of them, so that none can be known by heart.

What to see in attention.png: the weights for one string, rows of the answer against letters of the
input. To reverse, a place looks at the place opposite, whatever stands there: the anti-diagonal. To
sort, no place is right for all strings. The first block looks at everything, as one must to count;
the second at letters that are near, in the alphabet, to the one that belongs here, wherever they
stand.
"""

import argparse
from pathlib import Path

import numpy as np
from report import seconds, write_json

import minigrad as mg
from minigrad import nn, plot

LETTERS = "abcdefghijklmnopqrst"
LENGTH = 10  # letters in a string
WIDTH = 48  # numbers that stand for a letter inside the network
BLOCKS = 2
STEPS = 800
BATCH = 64  # strings in a step
RATE = 0.004  # the highest learning rate of the cycle
TASKS = {"reverse": lambda x: x[:, ::-1].copy(), "sort": lambda x: np.sort(x, axis=1)}


class Attention(nn.Module):
    def __init__(self, width):
        self.query = nn.Dense(width, width, bias=False)
        self.key = nn.Dense(width, width, bias=False)
        self.value = nn.Dense(width, width, bias=False)

    def weights(self, x):
        """How much each place (row) takes from each (column): (N, L, width) to (N, L, L)."""
        scores = self.query(x) @ self.key(x).swapaxes(1, 2)  # (N, L, L)
        return mg.softmax(scores / x.shape[-1] ** 0.5, axis=-1)

    def forward(self, x):
        return self.weights(x) @ self.value(x)  # (N, L, width)


class Block(nn.Module):
    """Attention carries content between places, two dense layers compute within each place.

    Both add to what is there, so that the gradient has a straight way down (He et al. 2016).
    """

    def __init__(self, width):
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width)
        self.norm2 = nn.LayerNorm(width)
        self.widen = nn.Dense(width, 4 * width)
        self.narrow = nn.Dense(4 * width, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))  # (N, L, width)
        hidden = mg.gelu(self.widen(self.norm2(x)))  # (N, L, 4 * width)
        return x + self.narrow(hidden)  # (N, L, width)


class Transformer(nn.Module):
    def __init__(self, letters, length, width, blocks):
        self.letter = nn.Embedding(letters, width)
        self.place = nn.Embedding(length, width)
        self.blocks = [Block(width) for _ in range(blocks)]
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Dense(width, letters)

    def forward(self, codes, looks=None):
        """Codes (N, L) to scores (N, L, letters); a list `looks` gets the weights of all blocks."""
        x = self.letter(codes) + self.place(np.arange(codes.shape[1]))  # (N, L, width)
        for block in self.blocks:
            if looks is not None:
                looks.append(block.attention.weights(block.norm1(x)).data)
            x = block(x)
        return self.answer(self.norm(x))  # (N, L, letters)


def loss(scores, answers):
    """The cross-entropy of all letters of all strings."""
    return mg.cross_entropy(scores.reshape(-1, scores.shape[-1]), answers.ravel())


def train(model, task, rng):
    optimizer = mg.optim.Adam(model.parameters(), lr=RATE)
    schedule = mg.optim.OneCycleLR(optimizer, RATE, STEPS)
    with mg.TrainStep(model, loss, optimizer, clip_norm=1.0) as step:
        for number in range(1, STEPS + 1):
            codes = rng.integers(len(LETTERS), size=(BATCH, LENGTH))
            answers = TASKS[task](codes)
            found = step(codes, answers)
            schedule.step()
            if number % (STEPS // 5) == 0:
                share = step.hits / codes.size
                print(f"{task}, step {number:4}: loss {found:.3f}, {share:.1%} of the letters")


def score(model, task, rng, n=1000):
    codes = rng.integers(len(LETTERS), size=(n, LENGTH))
    truth = TASKS[task](codes)
    right = mg.predict(model, codes).argmax(axis=-1) == truth  # (n, L)
    # Whoever sees nothing does best to answer the most common letter of each place.
    blind = np.mean([np.bincount(column).max() / n for column in truth.T])
    return {
        "letters": float(right.mean()),
        "strings": float(right.all(axis=1).mean()),
        "blind": float(blind),
    }


def main(argv=None):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--seed", type=int, default=0, help="of weights and strings (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs/attention"), help="runs/attention")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    models = {}
    numbers = {"data": "synthetic", "steps": STEPS, "seed": args.seed}
    for task in TASKS:
        mg.manual_seed(args.seed)
        models[task] = Transformer(len(LETTERS), LENGTH, WIDTH, BLOCKS)
        for_training, for_test = np.random.SeedSequence(args.seed).spawn(2)
        train(models[task], task, np.random.default_rng(for_training))
        found = score(models[task], task, np.random.default_rng(for_test))
        numbers[task] = found
        print(
            f"{task}: of new strings {found['letters']:.1%} of the letters are right, "
            f"{found['strings']:.1%} of the whole strings; "
            f"a blind guess: {found['blind']:.1%} of the letters\n"
        )
    numbers["seconds"] = seconds()
    write_json(args.out / "metrics.json", numbers)
    try:
        plot.save(args.out / "attention.png", picture(models, np.random.default_rng(1)))
    except ImportError as error:
        print(f"no picture: {error}")
    else:
        print(f"{args.out}: metrics.json, attention.png")


def picture(models, rng):
    codes = rng.choice(len(LETTERS), size=(1, LENGTH), replace=False)
    figure = plot.new_figure(4 * BLOCKS, 4 * len(models))
    grid = figure.subplots(len(models), BLOCKS, squeeze=False)
    for axes, (task, model) in zip(grid, models.items(), strict=True):
        looks = []
        with mg.no_grad():
            answer = model(codes, looks).data.argmax(axis=-1)  # (1, L)
        for number, (ax, weights) in enumerate(zip(axes, looks), 1):
            ax.imshow(weights[0], cmap="Blues", vmin=0, vmax=1)
            ax.set_xticks(range(LENGTH), [LETTERS[c] for c in codes[0]])
            ax.set_yticks(range(LENGTH), [LETTERS[c] for c in answer[0]])
            ax.set(title=f"{task}, block {number}", xlabel="input", ylabel="answer")
    return figure


if __name__ == "__main__":
    main()
