"""What a training run leaves behind beside its weights: numbers as JSON, pictures, the time."""

import json
import os
import time
from pathlib import Path

from minigrad import plot


def _seconds_before():
    """How long this process has been running: where Linux tells, else its CPU time.

    Also CPU time where a shell ran other programs before it became this process, as the last
    command of `bash -c "pip install ... && python ..."`: those seconds are not ours.
    """
    times = os.times()
    try:
        if times.children_user + times.children_system > 0:
            return time.process_time()
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return time.process_time()


BEGAN = time.perf_counter() - _seconds_before()


def write_json(path, content):
    """Write a file of numbers, beside and renamed, so that nobody ever reads half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)


def draw(out, history, matrix, images, labels, probabilities):
    """Draw what can be drawn: pictures of the training, of the test set's digits and classes.

    Parameters
    ----------
    out : Path of a folder
    history : History
        Empty where no epoch came to its end; there are no curves then.
    matrix : array (K, K)
        The confusion matrix.
    images, labels, probabilities : arrays (N, H, W), (N,), (N, K)

    Returns
    -------
    list of str
        The files' names; none where matplotlib is missing, which is said on the screen.
    """
    try:
        pictures = {"confusion.png": plot.confusion(matrix)}
    except ImportError as error:
        print(f"No pictures: {error}")
        return []
    pictures["predictions.png"] = _predictions(images, labels, probabilities)
    if history:
        pictures["curves.png"] = plot.history(history)
    for name, picture in pictures.items():
        plot.save(picture, out / name)
    return list(pictures)


def _predictions(images, labels, probabilities):
    """The first images as they come, and below them the worst mistakes among all."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 9.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(3, 2))
    plot.predictions(images, labels, probabilities, count=24, figure=above)
    plot.mistakes(images, labels, probabilities, count=16, figure=below)
    return figure


def seconds():
    """Seconds since the process started."""
    return time.perf_counter() - BEGAN
