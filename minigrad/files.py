"""Files that are complete or not there at all: written beside their place, then renamed."""

import os
import uuid
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path):
    """Inside `with`, a binary file to write to, which replaces `path` if no error occurs.

    Anyone reading meanwhile sees the old file or the new one, never half of it, even if the program
    is killed or the disk is full. The folder is created if it does not exist.

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
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name that no other writer has, and that no search for the ending of `path` finds.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # on the disk before it takes the name
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
