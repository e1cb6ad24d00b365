"""Blocks: all items once, in order, no block above its size unless a single item is."""

from hypothesis import given
from hypothesis import strategies as st

from minigrad.ops.blocks import blocks

sizes = st.integers(0, 40)


@given(length=sizes, bytes_each=sizes, block_bytes=st.integers(1, 100))
def test_blocks_hold_all_items_in_order_and_no_more_than_fit(length, bytes_each, block_bytes):
    items = list(range(length))
    found = [items[block] for block in blocks(length, bytes_each, block_bytes)]
    assert [item for block in found for item in block] == items
    for block in found:
        assert len(block) == 1 or len(block) * bytes_each <= block_bytes
    for block in found[:-1]:  # full
        assert (len(block) + 1) * max(1, bytes_each) > block_bytes
