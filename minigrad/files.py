"""Files that are complete or not there at all: written beside their place, then renamed."""

import glob
import os
import uuid
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks; there, what a killed process left stays
    fcntl = None  # type: ignore[assignment]


def path_of(call, value):
    """`value` as a Path, in which ~ is the user's folder.

    Raises
    ------
    TypeError
        If it is no path; `call` says where one is expected.
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{call} expects a path, a str or a pathlib.Path, got {value!r:.80}.")
    return Path(value).expanduser()


def make_folder(folder):
    """Make a folder, and those that it is in, unless it is there.

    Raises
    ------
    NotADirectoryError, PermissionError
        If there is a file in its place, or it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(
            f"expected a folder to write to, got {folder}, where a file is in the way: remove it, "
            "or take another path."
        ) from error
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"expected a folder to write to, got {folder}, which is read-only for this user: "
            "take another path."
        )


@contextmanager
def replacing(path):
    """Inside `with`, a binary file to write to, which replaces `path` if no error occurs.

    Anyone reading meanwhile sees the old file or the new one, never half of it, even if the program
    is killed or the disk is full. The folder is created if it does not exist. What writers of the
    same path left that were killed is removed, but not on Windows. There a PermissionError is
    raised if somebody has the old file open.

    Parameters
    ----------
    path : str or Path

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> with replacing(path) as file:
    ...     _ = file.write(b"1 2 3")
    >>> path.read_text()
    '1 2 3'
    """
    path = path_of("replacing", path).resolve()  # what a link leads to; the link stays
    make_folder(path.parent)
    _remove_abandoned(path)
    with _part(path) as (part, file):
        yield file
        file.flush()
        os.fsync(file.fileno())  # on the disk before it takes the name
        if not fcntl:
            file.close()  # Windows renames no open file
        os.replace(part, path)


@contextmanager
def _part(path):
    """A new file beside `path`: its path, and itself. While it is locked, its writer is alive."""
    ours = False
    while not ours:  # or another writer took it for abandoned before it was locked
        # A name that no other writer has, and that no search for the ending of `path` finds.
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with open(part, "xb") as file:
                ours = _locked(file) and part.exists()
                if ours:
                    yield part, file
        finally:
            part.unlink(missing_ok=True)


def _locked(file):
    """Lock a file, unless another process or thread has; the lock ends with the process."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    return True


def _remove_abandoned(path):
    """Remove the part files of writers that were killed: nobody holds the lock."""
    if not fcntl:
        return
    for part in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part"):
        try:
            with open(part, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
        except OSError:  # its writer is alive, or another one was quicker
            continue
