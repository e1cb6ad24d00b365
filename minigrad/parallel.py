"""Threads for training: each takes a shard of the batch, all share the one model.

NumPy lets other threads run while it computes, so two threads with a BLAS thread each do more than
one thread with two: elementwise passes run in parallel too. On the way to the gradients a worker
only returns values: running statistics and parameters are changed after all have succeeded.
"""

import ctypes
import functools
import os
import sys
import warnings
import weakref
from contextlib import AbstractContextManager
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


class Workers(AbstractContextManager):
    """A number of threads, of which the caller's is the first; one alone starts none.

    A context manager: at its end the threads have ended, and BLAS has its own threads back.

    Examples
    --------
    >>> with Workers(2) as workers:
    ...     workers.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(self, count):
        keep_freed_pages()
        self.count = count
        if count > 1:
            from concurrent.futures import ThreadPoolExecutor  # slow to import

            self._pool = ThreadPoolExecutor(count - 1, "minigrad")
            self._close = weakref.finalize(self, _shut, self._pool, _one_blas_thread())

    def map(self, function, items):
        """[function(item) for item in items], item i on worker i % count, in this context.

        An exception comes after all workers have stopped; a note says which item it was.
        """
        if self.count == 1 or len(items) < 2:
            return [_run(function, i, item) for i, item in enumerate(items)]
        results = [None] * len(items)

        def work(k):
            for i in range(k, len(items), self.count):
                results[i] = _run(function, i, items[i])

        others = range(1, min(self.count, len(items)))
        futures = [self._pool.submit(copy_context().run, work, k) for k in others]
        try:
            copy_context().run(work, 0)
        finally:
            for future in futures:
                future.exception()  # waits
        for future in futures:
            future.result()  # raises what was raised there
        return results

    def close(self):
        """End the threads."""
        if self.count > 1:
            self._close()

    def __exit__(self, *error):
        self.close()


def _run(function, i, item):
    try:
        return function(item)
    except Exception as error:
        error.add_note(f"in shard {i}")
        raise


def _shut(pool, restore):
    pool.shutdown()
    restore()


def _one_blas_thread():
    """Set BLAS, for the whole process, to one thread; returns what gives them back."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        _warn_once("threadpoolctl is not installed (pip install it): BLAS' threads slow workers.")
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

    glibc hands each array above 128 kB back to the system, which clears every page of the next one:
    3 of 46 ms of a training step, 1.5 of 4.5 of a small one. Other systems are left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another system or C library
        return
    mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD
    mallopt(-1, 2**30)  # M_TRIM_THRESHOLD
    mallopt(-2, 64 * 2**20)  # M_TOP_PAD
