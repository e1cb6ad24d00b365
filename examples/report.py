"""What a training run leaves behind beside its weights: numbers as JSON, pictures, the time."""

import json
import os
import time
from pathlib import Path

from minigrad import plot
from minigrad.files import replacing


def _seconds_before():
    """How long this process has been running, as Linux tells it; elsewhere its CPU time.

    It is the CPU time, too, where a shell ran other programs before it became this process, as
    `bash -c "pip install ... && python ..."` does: those seconds are not ours.
    """
    times = os.times()
    try:
        if times.children_user + times.children_system > 0:
            return time.process_time()
        # The 22nd field is the start, in ticks since the boot; the second, the program's name in
        # parentheses, may hold blanks.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - start
    except (OSError, AttributeError):
        return time.process_time()


BEGAN = time.perf_counter() - _seconds_before()


def write_json(path, content):
    """Write a file of numbers, of which nobody ever reads half."""
    with replacing(path) as file:
        file.write((json.dumps(content, indent=2) + "\n").encode())


def draw(out, history, matrix, images, labels, probabilities):
    """Draw what can be drawn: pictures of the training, of the test set's digits and classes.

    Parameters
    ----------
    out : Path of a folder
    history : History
        Empty if no epoch was completed; there are no curves then.
    matrix : array (K, K)
        The confusion matrix.
    images, labels, probabilities : arrays (N, H, W), (N,), (N, K)

    Returns
    -------
    list of str
        The files' names; none if matplotlib is missing, which is printed.
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
        plot.save(out / name, picture)
    return list(pictures)


def _predictions(images, labels, probabilities):
    """The first images as they come, and below them the worst mistakes among all."""
    figure = plot.new_figure(12, 9.6)
    above, below = figure.subfigures(2, 1, height_ratios=(3, 2))
    plot.predictions(images, probabilities, labels, count=24, figure=above)
    plot.mistakes(images, probabilities, labels, count=16, figure=below)
    return figure


def seconds():
    """Seconds since the process started."""
    return time.perf_counter() - BEGAN
