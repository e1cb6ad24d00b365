"""Threads for training: each takes a shard of the batch, and all share one model.

NumPy lets other threads run while it computes, so two threads with a BLAS thread each do more than
one thread with two: elementwise passes run in parallel too. While gradients are computed, a
worker only returns values; running statistics and parameters change after all have succeeded.
"""

import os
import threading
import weakref
from contextlib import AbstractContextManager
from contextvars import copy_context

from .system import cores, keep_freed_pages, one_blas_thread, warn_if_busy, warn_once


def choose_workers(workers, parameters, batch_size):
    """The number of workers; for "auto", by a fixed rule.

    If the model convolves (has parameters of 4 axes), one worker for each core, but at most 8, and
    at most one for every 8 examples of the batch. Otherwise 1: the matrix products of a small dense
    network are over before a thread has woken up. How busy the machine is changes nothing: with
    another number of workers a training gives other bits.

    Raises
    ------
    ValueError
        If `workers` is neither "auto" nor a positive integer.

    Warns
    -----
    RuntimeWarning
        Once, if "auto" gives more than one worker while the machine is busy.
    """
    if workers == "auto":
        convolves = any(p.ndim == 4 for p in parameters)
        count = max(1, min(cores(), 8, batch_size // 8)) if convolves else 1
        if count > 1:
            warn_if_busy()
        return count
    if not isinstance(workers, int) or workers < 1:
        raise ValueError(f'workers expects an integer of 1 or more, or "auto", got {workers!r}.')
    return workers


class Workers(AbstractContextManager):
    """A number of threads, the first of which is the caller's; so `Workers(1)` starts none.

    A context manager: on leaving, it ends the threads and gives BLAS its own threads back.

    Attributes
    ----------
    count : int
        1 where no threads can be started, as in a browser, whatever was asked for.

    Warns
    -----
    RuntimeWarning
        Once, if the threads cannot be started.

    Examples
    --------
    >>> with Workers(2) as workers:
    ...     workers.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(self, count):
        keep_freed_pages()
        self.count = 1
        if count > 1:
            self._start(count)

    def _start(self, count):
        try:
            self._pool = _started(count - 1)
        except RuntimeError as error:
            warn_once(f"workers={count}, but no threads start here ({error}): one worker does all.")
            return
        self.count = count
        self._process = os.getpid()
        self._close = weakref.finalize(self, _shut, self._pool, one_blas_thread())

    def map(self, function, items):
        """[function(item) for item in items], item i on worker i % count, in the caller's context.

        An exception is raised only after all workers have stopped.
        """
        if self.count == 1 or len(items) < 2:
            return [function(item) for item in items]
        if self._process != os.getpid():
            raise RuntimeError(
                "these workers are threads of the process that was forked, and there are none of "
                "them in this one: make a new TrainStep after the fork."
            )
        results = [None] * len(items)

        def work(k):
            for i in range(k, len(items), self.count):
                results[i] = function(items[i])

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


def _started(count):
    """A pool of `count` threads, which are all there before it is used.

    Raises
    ------
    RuntimeError
        If the system starts no more threads; then none is left.
    """
    from concurrent.futures import ThreadPoolExecutor  # slow to import

    pool = ThreadPoolExecutor(count, "minigrad")
    together = threading.Barrier(count + 1)  # a thread that waits there takes no other task
    try:
        for _ in range(count):
            pool.submit(together.wait)
    except RuntimeError:
        together.abort()
        pool.shutdown(cancel_futures=True)
        raise
    together.wait()
    return pool


def _shut(pool, restore_blas_threads):
    pool.shutdown()
    restore_blas_threads()
