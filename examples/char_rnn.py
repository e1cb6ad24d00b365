"""Read a rhyme letter by letter with a recurrent network, and let it recite.

The network sees a letter, keeps what it needs in a memory of 64 numbers, and guesses the next
letter. The memory is all it has of the past: the same cell runs at each letter, and the gradient
runs back through all of them ("through time"). The cell is a gated recurrent unit (Cho et al. 2014):

  update, reset = sigmoid(...)            of the letter and the memory, numbers from 0 to 1
  candidate     = tanh(...)               of the letter and reset * memory
  memory        = (1 - update) * memory + update * candidate

Where `update` is near 0, memory passes unchanged, and so does its gradient: that is why such a cell
remembers longer than tanh(...) alone.

The text is a rhyme in the manner of "The house that Jack built", in which each verse adds a line on
top of all that came before. The last verse is held back. It can be known but for its first words.

What to see in surprise.png:
  left     the loss in bits, of the training and of the verse held back. Who knows how often each
           letter comes pays the upper line, who knows the letter before as well the lower one.
           Below it begins memory.
  right    the verse held back. The darker a letter, the more it surprised: the new line does, and
           where a word begins that could be several. The old lines are known by heart.
"""

import argparse
from pathlib import Path

import numpy as np
from report import seconds, write_json

import minigrad as mg
from minigrad import nn, plot

LINES = """the valley that no one had seen
the river that ran through
the boat that lay on
the girl that rowed
the dog that slept beside
the cat that teased
the bird that mocked
the wind that lifted
the cloud that came with
the rain that fell from
the hill that drank
the tree that stood on
the moon that silvered
the night that carried
the song that ended""".split("\n")
VERSES = ["This is " + "\n".join(LINES[i::-1]) + ".\n\n" for i in range(len(LINES))]
LETTERS = sorted(set("".join(VERSES)))
HIDDEN, STEPS, BATCH, LENGTH, RATE = 64, 500, 32, 60, 0.01


class GRUCell(nn.Module):
    def __init__(self, inputs, hidden):
        self.gates = nn.Dense(inputs + hidden, 2 * hidden)
        self.candidate = nn.Dense(inputs + hidden, hidden)

    def forward(self, x, h):
        """The memory (N, hidden) after the input (N, inputs)."""
        gates = mg.sigmoid(self.gates(mg.concatenate([x, h], axis=-1)))  # (N, 2 * hidden)
        update, reset = mg.split(gates, 2, axis=-1)
        candidate = mg.tanh(self.candidate(mg.concatenate([x, reset * h], axis=-1)))
        return (1 - update) * h + update * candidate


class Reader(nn.Module):
    def __init__(self, letters, hidden):
        self.embed = nn.Embedding(letters, hidden)
        self.cell = GRUCell(hidden, hidden)
        self.guess = nn.Dense(hidden, letters)

    def forward(self, codes, h):
        """Codes (N, T) and memory (N, hidden) to scores (N, T, letters) and memory."""
        x, memories = self.embed(codes), []  # (N, T, hidden)
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
            memories.append(h)
        return self.guess(mg.stack(memories, axis=1)), h


def start(n):
    return np.zeros((n, HIDDEN), np.float32)  # nothing in memory


def encode(text):
    return np.array([LETTERS.index(letter) for letter in text])


def entropies(codes):
    """Bits that a letter costs who knows all frequencies, and who knows the letter before too."""
    pairs = np.zeros((len(LETTERS), len(LETTERS)))
    np.add.at(pairs, (codes[:-1], codes[1:]), 1 / (len(codes) - 1))
    joint, first = (-(p[p > 0] * np.log2(p[p > 0])).sum() for p in (pairs, pairs.sum(axis=1)))
    return float(first), float(joint - first)


def surprise(model, codes):
    """Bits that each letter cost the network, from the second on."""
    with mg.no_grad():
        scores, _ = model(codes[None, :-1], start(1))
    return mg.cross_entropy(scores[0], codes[1:], reduction="none").numpy() / np.log(2)


def train(model, codes, held, rng):
    """The loss of each step, and now and then (step, loss) of the verse held back, in bits."""
    optimizer = mg.optim.Adam(model.parameters(), lr=RATE)
    schedule = mg.optim.OneCycleLR(optimizer, RATE, STEPS)
    losses, checks = [], []
    for step in range(1, STEPS + 1):
        begin = rng.integers(len(codes) - LENGTH, size=(BATCH, 1))
        window = codes[begin + np.arange(LENGTH + 1)]  # (N, T + 1)
        optimizer.zero_grad()
        scores, _ = model(window[:, :-1], start(BATCH))
        loss = mg.cross_entropy(scores.reshape(-1, len(LETTERS)), window[:, 1:].ravel())
        loss.backward()
        mg.optim.clip_grad_norm(model.parameters(), 1.0)  # steep cliffs are common through time
        optimizer.step()
        schedule.step()
        losses.append(loss.item() / np.log(2))
        if step % (STEPS // 10) == 0:
            checks.append((step, float(surprise(model, held).mean())))
            print(f"step {step:4}: {losses[-1]:.2f} bits a letter, held back {checks[-1][1]:.2f}")
    return losses, checks


def recite(model, text, count, rng):
    """Go on from `text`: each letter is drawn from what the network expects, and fed back."""
    h, codes = start(1), encode(text)
    with mg.no_grad():
        for _ in range(count):
            scores, h = model(codes[None], h)
            codes = rng.choice(len(LETTERS), size=1, p=mg.softmax(scores.data[0, -1].astype(float)))
            text += LETTERS[codes[0]]
    return text


def main(argv=None):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--seed", type=int, default=0, help="of weights and windows (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs/char_rnn"), help="runs/char_rnn")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    print("placeholder")


if __name__ == "__main__":
    main()
