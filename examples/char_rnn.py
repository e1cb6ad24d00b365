"""Read a rhyme letter by letter with a recurrent network, and let it recite.

The network sees a letter, keeps what it needs in a memory of 64 numbers, and guesses the next one.
The same cell, a gated recurrent unit (Cho et al. 2014), runs at each letter, and the gradient runs
back through all. Where `update` is near 0, memory passes unchanged, and so does its gradient.

The text is a rhyme in the manner of "The house that Jack built": each verse puts a line on top of
all that came before. The last is held back. All of it but its first line can be known.

What to see in surprise.png:
  left     the loss. The upper line is what a letter costs a guesser who knows how often each one
           comes; the lower, one who also knows the letter before. Below that line memory begins.
  right    the verse held back; the darker a letter, the more it surprised. The new line does, as
           it should. What follows is known by heart, though it never came after that line.
"""

import argparse
from pathlib import Path

import numpy as np
from report import seconds, write_json

import minigrad as mg
from minigrad import nn, plot

LINES = """the valley that no one had seen/the river that ran through/the boat that lay on
the girl that rowed/the dog that slept beside/the cat that teased/the bird that mocked
the wind that lifted/the cloud that came with/the rain that fell from/the hill that drank
the tree that stood on/the moon that silvered/the night that carried/the song that ended"""
LINES = LINES.replace("\n", "/").split("/")
VERSES = ["This is " + "\n".join(LINES[i::-1]) + ".\n\n" for i in range(len(LINES))]
LETTERS = sorted(set("".join(VERSES)))
encode = lambda text: np.array([LETTERS.index(letter) for letter in text])
HIDDEN, STEPS, BATCH, LENGTH, RATE = 64, 300, 32, 60, 0.01


class GRUCell(nn.Module):
    def __init__(self, inputs, hidden):
        self.gates = nn.Dense(inputs + hidden, 2 * hidden)
        self.candidate = nn.Dense(inputs + hidden, hidden)

    def forward(self, x, h):  # input (N, inputs) and memory (N, hidden) to the new memory
        gates = mg.sigmoid(self.gates(mg.concatenate([x, h], axis=-1)))  # (N, 2 * hidden)
        update, reset = mg.split(gates, 2, axis=-1)
        new = mg.tanh(self.candidate(mg.concatenate([x, reset * h], axis=-1)))
        return (1 - update) * h + update * new


class Reader(nn.Module):
    def __init__(self, letters, hidden):
        self.embed, self.cell = nn.Embedding(letters, hidden), GRUCell(hidden, hidden)
        self.guess = nn.Dense(hidden, letters)

    def forward(self, codes, h=None):
        """Codes (N, T) and memory (N, hidden) to scores (N, T, letters) and memory."""
        x, memories = self.embed(codes), []  # (N, T, hidden)
        h = np.zeros((len(codes), x.shape[-1]), x.dtype) if h is None else h  # nothing yet
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
            memories.append(h)
        return self.guess(mg.stack(memories, axis=1)), h


def entropies(codes):
    """Bits that a letter costs who knows all frequencies, and who knows the letter before too."""
    pairs = np.histogram2d(codes[:-1], codes[1:], len(LETTERS))[0] / (len(codes) - 1)
    joint, single = (-(p[p > 0] * np.log2(p[p > 0])).sum() for p in (pairs, pairs.sum(axis=1)))
    return single, joint - single


@mg.no_grad()
def surprise(model, codes):
    scores = model(codes[None, :-1])[0].data[0]  # bits that each letter cost, from the second on
    return mg.cross_entropy(scores, codes[1:], reduction="none") / np.log(2)


def train(model, codes, held, rng):
    """The loss of each step in bits, and ten times (step, loss) of the verse held back."""
    optimizer, losses, checks = mg.optim.Adam(model.parameters(), lr=RATE), [], []
    for step in range(1, STEPS + 1):
        window = codes[rng.integers(len(codes) - LENGTH, size=(BATCH, 1)) + np.arange(LENGTH + 1)]
        optimizer.zero_grad()
        scores, _ = model(window[:, :-1])  # of a window (N, T + 1), all but the last letter
        loss = mg.cross_entropy(scores.reshape(-1, len(LETTERS)), window[:, 1:].ravel())
        loss.backward()
        mg.optim.clip_grad_norm(model.parameters(), 1.0)  # cliffs are common through time
        optimizer.step()
        losses.append(loss.item() / np.log(2))
        if step % (STEPS // 10) == 0:
            checks.append((step, surprise(model, held).mean()))
            print(f"step {step:4}: {losses[-1]:.2f} bits a letter, held back {checks[-1][1]:.2f}")
    return losses, checks


@mg.no_grad()
def recite(model, text, count, rng):
    h, codes = None, encode(text)  # each letter is drawn as it is expected, and fed back
    for _ in range(count):
        scores, h = model(codes[None], h)
        codes = rng.choice(len(LETTERS), size=1, p=mg.softmax(scores.data[0, -1].astype(float)))
        text += LETTERS[codes[0]]
    return text


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of weights and windows (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs/char_rnn"), help="folder")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    known, held = encode("".join(VERSES[:-1])), encode(VERSES[-1])
    mg.manual_seed(args.seed)
    rng, model = np.random.default_rng(args.seed), Reader(len(LETTERS), HIDDEN)
    losses, checks = train(model, known, held, rng)
    print(f"\n{recite(model, 'This is ', 250, rng)}...\n\nBits that a letter costs:")
    bits, levels, end = surprise(model, held), entropies(known), VERSES[-1].index("\n")
    found = *levels, np.mean(losses[-20:]), bits.mean(), bits[:end].mean(), bits[end:].mean()
    names = ("by_frequencies", "by_pairs", "in_training", "held_back", "in_new_line", "in_others")
    numbers = {f"bits_{name}": float(value) for name, value in zip(names, found)}
    print(*(f"  {value:.2f} {name[5:]}" for name, value in numbers.items()), sep="\n")
    numbers |= {"data": "the script's rhyme", "seed": args.seed, "seconds": seconds()}
    write_json(args.out / "metrics.json", numbers)
    try:
        print(plot.save(picture(losses, checks, levels, bits), args.out / "surprise.png"))
    except ImportError as error:
        print(f"no picture: {error}")


def picture(losses, checks, levels, bits):
    ax, page = plot.canvas.new_figure(11, 4.6).subplots(1, 2)
    ax.plot(losses, color=plot.COLORS[0], label="training")
    ax.plot(*zip(*checks), "--s", color=plot.COLORS[1], label="verse held back")
    for level, name in zip(levels, ("letters", "pairs")):
        ax.axhline(level, color="gray", linewidth=1)
        ax.text(len(losses), level + 0.05, f"frequencies of {name}", ha="right")
    ax.set(xlabel="step", ylabel="bits a letter", title="Loss", ylim=(0, None))
    ax.legend(loc=(0.55, 0.62))
    shades = iter(np.minimum([0, *bits / 10], 1))  # 10 bits, one in a thousand, is the darkest
    for y, row in enumerate(VERSES[-1].split("\n")):
        for x, (letter, shade) in enumerate(zip(row + " ", shades)):
            look = {"color": plot.COLORS[1], "alpha": shade, "linewidth": 0, "pad": 1.5}
            page.text(x, y, letter, family="monospace", ha="center", va="center", bbox=look)
    page.set(title="Surprise by the verse held back", xlim=(-1, 33), ylim=(15, -1))
    page.axis("off")
    return page


if __name__ == "__main__":
    main()
