"""Blocks: a few images, rows or numbers at a time, so that what is computed stays in the cache."""


def blocks(length, bytes_each, block_bytes):
    """Slices that cut `length` items into blocks of at most `block_bytes`, but at least one item.

    Examples
    --------
    >>> blocks(3, bytes_each=4, block_bytes=8)
    [slice(0, 2, None), slice(2, 4, None)]
    """
    step = max(1, block_bytes // max(1, bytes_each))
    return [slice(start, start + step) for start in range(0, length, step)]
