"""Measure the steps of several ranks: how long they take, and how much of it is spent adding up.

    OPENBLAS_NUM_THREADS=1 mpiexec -n 1 python docs/measure_ranks.py
    OPENBLAS_NUM_THREADS=1 mpiexec -n 2 python docs/measure_ranks.py

A row for each network of examples/models.py, with the batch size of its recipe and with an eighth
of that: ms for a step, the median and the least, and the median of what is spent adding up. The
least of one rank are the constants of several-machines.md. For the others the machine has to be
quiet, and to have a processor for each rank.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np
from mpi4py import MPI

import minigrad as mg
from minigrad.shards import pieces

sys.path.append(str(Path(__file__).parents[1] / "examples"))

from models import MODELS
from train_mnist import RECIPES

STEPS = 60


def measured(comm, name, batch_size):
    """The seconds of each step with such batches, and those of it in `reduce`."""
    mg.manual_seed(0)
    model = MODELS[name]()
    own = pieces(batch_size, comm.size)[comm.rank]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch_size, 1, 28, 28)).astype(np.float32)[own]
    y = rng.integers(0, 10, batch_size)[own]
    adding = []

    def add_up(array):
        start = time.perf_counter()
        comm.Allreduce(MPI.IN_PLACE, array)
        adding[-1] += time.perf_counter() - start

    optimizer = mg.optim.AdamW(model.parameters())
    step = mg.TrainStep(model, mg.cross_entropy, optimizer, reduce=add_up, rank=comm.rank)
    seconds = []
    for _ in range(STEPS + 5):  # the first ones bring memory and caches into shape
        adding.append(0)
        start = time.perf_counter()
        step(x, y)
        seconds.append(time.perf_counter() - start)
    return seconds[5:], adding[5:]


def main():
    comm = MPI.COMM_WORLD
    for name in ("mlp", "lenet", "cnn"):
        for batch_size in (RECIPES[name].batch_size, RECIPES[name].batch_size // 8):
            seconds, adding = measured(comm, name, batch_size)
            found = statistics.median(seconds), min(seconds), statistics.median(adding)
            median, least, added = (1000 * number for number in found)
            if comm.rank == 0:
                row = f"{name:6}{batch_size:4} digits, {comm.size} rank(s): {median:7.2f} ms"
                print(f"{row}, at least {least:7.2f}; adding up {added:6.2f} ms", flush=True)


if __name__ == "__main__":
    main()
