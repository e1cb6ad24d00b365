"""Blocks: a few images, rows or numbers at a time, so that what is computed stays in the cache."""


def blocks(length, bytes_each, block_bytes):
    """Slices that cut `length` things into blocks of about `block_bytes`, but of one at least.

    Examples
    --------
    >>> blocks(3, bytes_each=4, block_bytes=8)
    [slice(0, 2, None), slice(2, 4, None)]
    """
    step = max(1, block_bytes // max(1, bytes_each))
    return [slice(start, start + step) for start in range(0, length, step)]
