"""Draw the pictures of the course, docs/pictures/NAME.svg, each by the function of its name.

    python docs/pictures.py           all of them
    python docs/pictures.py NAME ...  some

The functions are in `drawings`, one file for each chapter; each returns a figure and draws the same
from the same seeds. Nothing of MNIST is drawn: where digits are shown, they are synthetic.
"""

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import matplotlib

FOLDER = Path(__file__).parent / "pictures"
SETTINGS = {  # the same bytes from the same numbers, readable on a white and on a dark page
    "svg.hashsalt": "minigrad",
    "svg.fonttype": "path",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def pictures():
    """The functions that draw, by the names of their pictures."""
    found = {}
    for path in sorted((Path(__file__).parent / "drawings").glob("chapter_*.py")):
        module = importlib.import_module(f"drawings.{path.stem}")
        found |= {f.__name__: f for f in getattr(module, "PICTURES", ())}
    return found


def draw(name, folder=FOLDER):
    """Draw one picture into `folder`; returns its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.svg"
    with matplotlib.rc_context(SETTINGS):
        figure = pictures()[name]()
        figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="which pictures; all if none is named")
    for name in parser.parse_args().names or pictures():
        path = draw(name)
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB")
