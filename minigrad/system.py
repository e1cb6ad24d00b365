"""What concerns the whole process: its cores, BLAS threads, freed memory, Ctrl-C."""

import ctypes
import functools
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager


def cores():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def one_blas_thread():
    """Limit BLAS to one thread; returns a function that restores the threads it had."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        _warn_once("threadpoolctl is not installed (pip install it): BLAS threads slow workers.")
        return lambda: None
    if sys.platform == "darwin":
        _warn_once("BLAS threads cannot be limited if NumPy uses macOS Accelerate.")
    return threadpool_limits(1, "blas").restore_original_limits


@functools.cache
def _warn_once(message):
    warnings.warn(message, RuntimeWarning, stacklevel=5)  # the line that asked for workers


@functools.cache
def keep_freed_pages():
    """Tell glibc to keep freed memory instead of returning it to the system.

    Otherwise it returns each array above 128 kB, and the system clears every page of the next one.
    That takes 3 of the 46 ms of a training step, 1.5 of the 4.5 ms of a small one. Other C
    libraries and systems are left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another system or C library
        return
    mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD
    mallopt(-1, 2**30)  # M_TRIM_THRESHOLD
    mallopt(-2, 64 * 2**20)  # M_TOP_PAD


@contextmanager
def deferred_interrupt(note):
    """Inside `with`, the first Ctrl-C only calls `note()`, so that no work is cut in half.

    A second one raises KeyboardInterrupt. Only the main thread gets signals; in other threads
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted = False

    def handle(number, frame):
        nonlocal noted
        if noted:
            raise KeyboardInterrupt
        noted = True
        note()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
