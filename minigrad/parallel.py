"""Threads for training: each takes a shard of the batch, all share the one model.

NumPy lets other threads run while it computes, so two threads with a BLAS thread each do more than
one thread with two: elementwise passes run in parallel too. A worker only returns values; what is
shared (parameters, running statistics) is changed after all have succeeded.
"""

import ctypes
import functools
import os
import sys
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context


def cores():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def choose_workers(workers, parameters, batch_size):
    """The number of workers; of "auto", by a fixed rule.

    A worker for each core, but at most 8, and no more than one for each 8 examples of the batch,
    where the model convolves (has parameters of 4 axes). Else 1: the matrix products of a small
    dense network are over before a thread has woken up.

    Raises
    ------
    ValueError
        If `workers` is neither "auto" nor a positive integer.
    """
    if workers == "auto":
        convolves = any(p.ndim == 4 for p in parameters)
        return max(1, min(cores(), 8, batch_size // 8)) if convolves else 1
    if not isinstance(workers, int) or workers < 1:
        raise ValueError(f'workers expects a number from 1 on, or "auto", got {workers!r}.')
    return workers


class Workers:
    """A number of threads, of which the caller's is the first; one alone starts none.

    A context manager: at its end the threads have ended, and BLAS has its own threads back.

    Examples
    --------
    >>> with Workers(2) as workers:
    ...     workers.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(self, count):
        self.count = count
        if count > 1:
            keep_freed_pages()
            self._pool = ThreadPoolExecutor(count - 1, "minigrad")
            self._close = weakref.finalize(self, _shut, self._pool, _one_blas_thread())

    def map(self, function, items):
        """[function(item) for item in items], item i on worker i % count, in this context.

        An exception comes after all workers have stopped; a note says which item it was.
        """
        if self.count == 1 or len(items) < 2:
            return [_run(function, i, item) for i, item in enumerate(items)]
        hands = [
            list(enumerate(items))[k :: self.count] for k in range(min(self.count, len(items)))
        ]
        jobs = [functools.partial(copy_context().run, _run_all, function, hand) for hand in hands]
        futures = [self._pool.submit(job) for job in jobs[1:]]
        try:
            first = jobs[0]()
        finally:
            for future in futures:
                future.exception()  # waits
        return _in_turn([first, *[future.result() for future in futures]])

    def close(self):
        """End the threads."""
        if self.count > 1:
            self._close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _run(function, i, item):
    try:
        return function(item)
    except Exception as error:
        error.add_note(f"in shard {i}")
        raise


def _run_all(function, hand):
    return [_run(function, i, item) for i, item in hand]


def _in_turn(hands):
    """Deal the results out as the items were: one of each hand, again and again."""
    count = sum(len(hand) for hand in hands)
    return [hands[i % len(hands)][i // len(hands)] for i in range(count)]


def _shut(pool, restore):
    pool.shutdown()
    restore()


def _one_blas_thread():
    """Set BLAS, for the whole process, to one thread; returns what gives them back."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        _warn_once(
            "threadpoolctl is not installed: each worker's BLAS starts threads of its own, and they "
            "get in each other's way. pip install 'minigrad-numpy[examples]'"
        )
        return lambda: None
    if sys.platform == "darwin":
        _warn_once("BLAS threads cannot be limited if NumPy uses macOS Accelerate.")
    return threadpool_limits(1, "blas").restore_original_limits


@functools.cache
def _warn_once(message):
    warnings.warn(message, RuntimeWarning, stacklevel=5)


@functools.cache
def keep_freed_pages():
    """Tell glibc, for the whole process, to keep freed memory instead of returning it.

    It hands each array above 128 kB back to the system, which clears every page of the next one:
    KEEP_FIGURE of a training step. Other systems are left alone.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # malloc.h
    mallopt(mmap_threshold, 32 * 2**20)
    mallopt(trim_threshold, 2**30)
    mallopt(top_pad, 64 * 2**20)
