"""The figures of MNIST that the course quotes, each measured by one function, from one seed.

    python docs/figures.py hidden --seed 0   trains and prints the rows of that table
    python docs/figures.py                   what there is

MNIST is found as by `mg.data.load_mnist`. Validation is the last tenth that `mg.data.split` holds
back; only `final`, for chapter 12, opens the test set. The rows are pasted into the chapters.
"""

import argparse

import minigrad as mg

FIGURES = {}


def figures(f):
    """Enter a function of (data, seed) that yields the cells of its rows."""
    FIGURES[f.__name__] = f
    return f


def load():
    """MNIST as rows of 784 normalized pixels: (training pair), (validation pair)."""
    (images, labels), _ = mg.data.load_mnist()
    x = mg.data.normalize(images).reshape(len(images), 784)
    return mg.data.split(x, labels, validation=0.1, seed=0)


# ---- chapter 5 -----------------------------------------------------------------------------------

# ---- chapter 6 -----------------------------------------------------------------------------------

# ---- chapter 9 -----------------------------------------------------------------------------------

# ---- chapter 10 ----------------------------------------------------------------------------------

# ---- chapter 12 ----------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=sorted(FIGURES))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.name is None:
        print("\n".join(sorted(FIGURES)))
        return
    for cells in FIGURES[given.name](load(), given.seed):
        command = f"`python docs/figures.py {given.name} --seed {given.seed}`"
        print("| " + " | ".join([command, *map(str, cells)]) + " |")


if __name__ == "__main__":
    main()
