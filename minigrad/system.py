"""What concerns the whole process: its cores, BLAS threads, freed memory, Ctrl-C."""

import ctypes
import functools
import math
import os
import re
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path, PurePosixPath


def cores(root="/"):
    """How many processors this process may use: those it may run on, within its share of time.

    On Linux, control groups, as those of containers, may have a quota of time. It is rounded down,
    but not below 1: with more threads, all of them stop once a period's quota is used up.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quotas = _quotas(Path(root)) if sys.platform == "linux" else []
    return max(1, min([count, *quotas]))


def _quotas(root):
    """The quotas of this process's control groups and of those around them, in whole processors."""
    try:
        groups = (root / "proc/self/cgroup").read_text()
    except (OSError, ValueError):
        return []
    quotas = []
    for controllers, name in re.findall(r"^\d+:([^:\n]*):/(.*)$", groups, re.MULTILINE):
        if controllers == "":  # version 2
            folder, files = "sys/fs/cgroup", ["cpu.max"]
        elif "cpu" in controllers.split(","):  # version 1
            folder, files = "sys/fs/cgroup/cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        own = PurePosixPath(name)
        for group in (own, *own.parents):
            quotas.append(_quota([root / folder / group / file for file in files]))
    return quotas


def _quota(files):
    """The quota that stands in a control group's files, as microseconds in each period."""
    try:
        quota, period = [int(word) for file in files for word in file.read_text().split()]
    except (OSError, ValueError):  # there are none, or "max", which is no quota
        return math.inf
    return quota // period if quota > 0 and period > 0 else math.inf


@functools.cache
def warn_if_busy():
    """Warn if the machine is busy before threads of this process share a batch for the first time.

    Later it is not looked at again: these threads are then part of the load. That of a training
    that ended a moment ago is the number of processors, so it takes half as much again.
    """
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # there is none on Windows
        return
    processors = os.cpu_count() or 1
    if load > 1.5 * processors:
        warn_once(
            f'workers="auto" takes several threads, but on average {load:.1f} threads wanted to '
            f"run on the {processors} processors in the last minute. Threads that wait for each "
            "other lose time there: set OPENBLAS_NUM_THREADS=1 in the environment before Python "
            "starts, and then workers=1."
        )


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
