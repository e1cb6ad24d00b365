"""Files that are complete or not there at all: written beside their place, then renamed."""

import os
import uuid
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path):
    """Inside `with`, a path to write to, which takes the place of `path` if all goes well.

    Anyone who reads meanwhile sees the old file or the new one, never half of it, even if the
    program is killed or the disk is full. The folder is made if there is none.

    Parameters
    ----------
    path : str or Path

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> with replacing(path) as part:
    ...     _ = part.write_text("1 2 3")
    >>> path.read_text()
    '1 2 3'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays, because programs choose a format by it; the name is unique.
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex}{path.suffix}")
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # the content reaches the disk before the name
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
