"""Read a rhyme letter by letter with a recurrent network, and let it recite.

The network sees a letter, keeps what it needs in a memory of 64 numbers, and guesses the next
letter. The same cell, a gated recurrent unit (Cho et al. 2014), runs at each letter, and the
gradient runs back through all of them. Where `update` is near 0, the memory passes unchanged, and
so does its gradient.

The text is a rhyme in the manner of "The house that Jack built": each verse puts a line on top of
all that came before. The last verse is held back; all but its first line can be known.

What to see in surprise.png:
  left     the loss. The upper gray line is what a letter costs a guesser who knows how often each
           letter comes; the lower, one who also knows the letter before. Below that memory begins.
  right    the verse held back; the darker a letter, the more it surprised. The new line does, as
           it should. What follows is known by heart, though it never came after that line.
"""

import argparse
from pathlib import Path

import numpy as np
from report import seconds, write_json

import minigrad as mg
from minigrad import nn, plot

LINES = [
    "the valley that no one had seen",
    "the river that ran through",
    "the boat that lay on",
    "the girl that rowed",
    "the dog that slept beside",
    "the cat that teased",
    "the bird that mocked",
    "the wind that lifted",
    "the cloud that came with",
    "the rain that fell from",
    "the hill that drank",
    "the tree that stood on",
    "the moon that silvered",
    "the night that carried",
    "the song that ended",
]
# A verse begins with its own line, and goes back through all lines before it.
VERSES = ["This is " + "\n".join(LINES[i::-1]) + ".\n\n" for i in range(len(LINES))]
LETTERS = sorted(set("".join(VERSES)))
HIDDEN = 64  # numbers in the memory
STEPS = 300
BATCH = 32  # windows in a step
LENGTH = 60  # letters to be guessed in a window
RATE = 0.01  # Adam's learning rate


def encode(text):
    """The number of each letter."""
    return np.array([LETTERS.index(letter) for letter in text])


class GRUCell(nn.Module):
    def __init__(self, inputs, hidden):
        self.gates = nn.Dense(inputs + hidden, 2 * hidden)
        self.candidate = nn.Dense(inputs + hidden, hidden)

    def forward(self, x, h):
        """Input (N, inputs) and memory (N, hidden) to the new memory (N, hidden)."""
        gates = mg.sigmoid(self.gates(mg.concatenate([x, h], axis=-1)))  # (N, 2 * hidden)
        update, reset = mg.split(gates, 2, axis=-1)
        new = mg.tanh(self.candidate(mg.concatenate([x, reset * h], axis=-1)))
        return (1 - update) * h + update * new


class Reader(nn.Module):
    def __init__(self, letters, hidden):
        self.embed = nn.Embedding(letters, hidden)
        self.cell = GRUCell(hidden, hidden)
        self.guess = nn.Dense(hidden, letters)

    def forward(self, codes, h=None):
        """Codes (N, T) and memory (N, hidden) to scores (N, T, letters) and memory."""
        x = self.embed(codes)  # (N, T, hidden)
        if h is None:  # nothing has been read yet
            h = np.zeros((len(codes), x.shape[-1]), x.dtype)
        memories = []
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
            memories.append(h)
        return self.guess(mg.stack(memories, axis=1)), h


def entropy(p):
    """Bits that something of these probabilities costs on average."""
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def entropies(codes):
    """Bits that a letter costs if all frequencies are known, and if the letter before is, too."""
    pairs = np.histogram2d(codes[:-1], codes[1:], len(LETTERS))[0] / (len(codes) - 1)
    single = entropy(pairs.sum(axis=1))
    return single, entropy(pairs) - single


@mg.no_grad()
def surprise(model, codes):
    """Bits that each letter cost, from the second on."""
    scores, _ = model(codes[None, :-1])  # (1, T - 1, letters)
    return mg.cross_entropy(scores.data[0], codes[1:], reduction="none") / np.log(2)


def train(model, codes, held, rng):
    """The loss of each step in bits, and ten pairs (step, loss) of the verse held back."""
    optimizer = mg.optim.Adam(model.parameters(), lr=RATE)
    losses = []
    checks = []
    for step in range(1, STEPS + 1):
        starts = rng.integers(len(codes) - LENGTH, size=(BATCH, 1))
        window = codes[starts + np.arange(LENGTH + 1)]  # (N, T + 1)
        optimizer.zero_grad()
        scores, _ = model(window[:, :-1])  # the last letter is only guessed
        loss = mg.cross_entropy(scores.reshape(-1, len(LETTERS)), window[:, 1:].ravel())
        loss.backward()
        mg.optim.clip_grad_norm(model.parameters(), 1.0)  # cliffs are common through time
        optimizer.step()
        losses.append(loss.item() / np.log(2))
        if step % (STEPS // 10) == 0:
            check = surprise(model, held).mean()
            checks.append((step, check))
            print(f"step {step:4}: {losses[-1]:.2f} bits a letter, held back {check:.2f}")
    return losses, checks


@mg.no_grad()
def recite(model, text, count, rng):
    """Go on from the text: each letter is drawn with the probability it is given, and fed back."""
    h = None
    codes = encode(text)
    for _ in range(count):
        scores, h = model(codes[None], h)
        probabilities = mg.softmax(scores.data[0, -1].astype(float))
        codes = rng.choice(len(LETTERS), size=1, p=probabilities)
        text += LETTERS[codes[0]]
    return text


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of weights and windows (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs/char_rnn"), help="folder")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    known = encode("".join(VERSES[:-1]))
    held = encode(VERSES[-1])
    mg.manual_seed(args.seed)
    model = Reader(len(LETTERS), HIDDEN)
    rng = np.random.default_rng(args.seed)
    losses, checks = train(model, known, held, rng)
    print(f"\n{recite(model, 'This is ', 250, rng)}...\n\nBits that a letter costs:")

    single, pair = entropies(known)
    bits = surprise(model, held)
    end = VERSES[-1].index("\n")  # of the new line
    numbers = {
        "bits_by_frequencies": float(single),
        "bits_by_pairs": float(pair),
        "bits_in_training": float(np.mean(losses[-20:])),
        "bits_held_back": float(bits.mean()),
        "bits_in_new_line": float(bits[:end].mean()),
        "bits_in_others": float(bits[end:].mean()),
    }
    for name, value in numbers.items():
        print(f"  {value:.2f} {name.removeprefix('bits_')}")
    numbers |= {"data": "the script's rhyme", "seed": args.seed, "seconds": seconds()}
    write_json(args.out / "metrics.json", numbers)
    try:
        page = picture(losses, checks, (single, pair), bits)
        print(plot.save(args.out / "surprise.png", page))
    except ImportError as error:
        print(f"no picture: {error}")


def picture(losses, checks, levels, bits):
    ax, page = plot.new_figure(11, 4.6).subplots(1, 2)
    ax.plot(losses, color=plot.COLORS[0], label="training")
    ax.plot(*zip(*checks), "--s", color=plot.COLORS[1], label="verse held back")
    for level, name in zip(levels, ("letters", "pairs")):
        ax.axhline(level, color="gray", linewidth=1)
        ax.text(len(losses), level + 0.05, f"frequencies of {name}", ha="right")
    ax.set(xlabel="step", ylabel="bits a letter", title="Loss", ylim=(0, None))
    ax.legend(loc=(0.55, 0.62))
    shades = np.minimum([0, *bits / 10], 1)  # 10 bits, one in a thousand, is the darkest
    x, y = 0, 0
    for letter, shade in zip(VERSES[-1], shades, strict=True):
        look = {"color": plot.COLORS[1], "alpha": shade, "linewidth": 0, "pad": 1.5}
        shown = letter.replace("\n", " ")  # the end of a line can surprise, too
        page.text(x, y, shown, family="monospace", ha="center", va="center", bbox=look)
        x, y = (0, y + 1) if letter == "\n" else (x + 1, y)
    page.set(title="Surprise by the verse held back", xlim=(-1, 33), ylim=(15, -1))
    page.axis("off")
    return page


if __name__ == "__main__":
    main()
