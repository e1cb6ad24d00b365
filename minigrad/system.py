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


class _BlasLimit:
    """BLAS keeps to one thread as long as somebody asks for that; the last to leave restores it.

    The number of threads is one for the process, so those who ask are counted: whoever restored
    what it had found itself would leave the limit of another behind.
    """

    def __init__(self):
        # A finalizer may run in the middle of `enter`, in the same thread: hence an RLock.
        self._lock = threading.RLock()
        self._users = 0
        self._restore = None

    def enter(self):
        with self._lock:
            if self._users == 0:
                self._restore = _limit_blas()
            self._users += 1

    def leave(self):
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()


_blas_limit = _BlasLimit()


def one_blas_thread():
    """Limit BLAS to one thread; returns a function, to be called once, that ends the limit.

    BLAS gets its threads back when all limits have ended, in whatever order.
    """
    _blas_limit.enter()
    return _blas_limit.leave


def _limit_blas():
    """Limit BLAS to one thread; returns a function that restores the threads it had."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        warn_once("threadpoolctl is not installed (pip install it): BLAS threads slow workers.")
        return lambda: None
    if sys.platform == "darwin":
        warn_once("BLAS threads cannot be limited if NumPy uses macOS Accelerate.")
    return threadpool_limits(1, "blas").restore_original_limits


@functools.cache
def warn_once(message):
    """Warn of what the machine lacks, the first time that it is missed; names the user's line."""
    level = 2  # the caller of this function
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(f"{__package__}."):
        frame = frame.f_back
        level += 1
    warnings.warn(message, RuntimeWarning, stacklevel=level)


@functools.cache
def keep_freed_pages():
    """Tell glibc to keep freed memory instead of returning it to the system.

    Otherwise it returns each array above 128 kB, and the system clears every page of the next one.
    That takes 3 of the 46 ms of a training step, 1.5 of the 4.5 ms of a small one. Other C
    libraries and systems are left alone: a `mallopt` of theirs gives the numbers another meaning.
    """
    if sys.platform != "linux":
        return
    try:
        libc = ctypes.CDLL(None)
    except OSError:  # Python is one static program
        return
    if not hasattr(libc, "gnu_get_libc_version"):  # musl, or Android's
        return
    libc.mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD
    libc.mallopt(-1, 2**30)  # M_TRIM_THRESHOLD
    libc.mallopt(-2, 64 * 2**20)  # M_TOP_PAD


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
