"""read_idx: what was written comes back, and a file that is anything else is named."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad.data import read_idx

CODES = {"|u1": 8, "|i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def as_idx(array):
    """The bytes of an IDX file, written from the format's description."""
    big = array.astype(array.dtype.newbyteorder(">"))
    header = struct.pack(
        f">BBBB{array.ndim}I", 0, 0, CODES[big.dtype.str], array.ndim, *array.shape
    )
    return header + big.tobytes()


@given(
    array=hnp.arrays(
        st.sampled_from([np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64]),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
    ),
    packed=st.booleans(),
)
def test_read_idx_gives_back_what_was_written(array, packed, tmp_path_factory):
    path = tmp_path_factory.mktemp("idx") / "array"
    path.write_bytes(gzip.compress(as_idx(array)) if packed else as_idx(array))
    got = read_idx(path)
    assert got.dtype == array.dtype
    assert got.dtype.isnative
    assert got.flags.writeable
    np.testing.assert_array_equal(got, array)


WHOLE = as_idx(np.arange(12, dtype=np.int16).reshape(3, 4))


@pytest.mark.parametrize("cut", range(len(WHOLE)))
def test_an_idx_file_cut_off_anywhere_is_named(cut, tmp_path):
    path = tmp_path / "some-idx2"
    path.write_bytes(WHOLE[:cut])
    with pytest.raises(ValueError, match=r"some-idx2 (is no IDX|is cut off|has the wrong length)"):
        read_idx(path)


@pytest.mark.parametrize("cut", [2, 5, 12, -9, -4, -1])
def test_a_gz_file_cut_off_anywhere_is_named(cut, tmp_path):
    path = tmp_path / "some-idx2.gz"
    path.write_bytes(gzip.compress(WHOLE)[:cut])
    with pytest.raises(ValueError, match=r"some-idx2\.gz cannot be unpacked"):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>not found</html>", "no IDX file.* got 3c 68 74 6d"),
        (b"\0\0\x07\1\0\0\0\0", "no IDX file"),
        (b"\1\0\x08\1\0\0\0\0", "no IDX file"),
        (WHOLE + b"\0", r"shape \(3, 4\).* takes 36 bytes, got 37"),
        (b"\0\0\x08\3" + b"\xff" * 12, "wrong length"),
        (b"", "got nothing"),
    ],
)
def test_what_is_no_idx_file_is_named(content, words, tmp_path):
    (tmp_path / "odd").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_idx(tmp_path / "odd")
