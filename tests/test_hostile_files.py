"""Files made to do harm: each is refused by its name, before it costs memory."""

import gzip
import io
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

import minigrad as mg
from minigrad import checkpoint, nn
from minigrad.checkpoint import read_arrays, write_arrays
from minigrad.data import load_kaggle, read_idx

MEGABYTE = 2**20


@contextmanager
def little_memory(most):
    """Inside `with`, no more than `most` bytes are taken at once; counted, not measured."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak / MEGABYTE:.1f} MB"


def npy(array):
    """The bytes of a .npy."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_with_header(header, content=b""):
    """A .npy whose header is `header`, a text."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def zipped(members, compression=zipfile.ZIP_STORED):
    """The bytes of an archive of (name, content)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def patched(content, form, value, in_local, in_central):
    """An archive with a field of the headers of its first member changed, by their offsets."""
    content = bytearray(content)
    struct.pack_into(form, content, content.index(b"PK\3\4") + in_local, value)
    struct.pack_into(form, content, content.index(b"PK\1\2") + in_central, value)
    return bytes(content)


def stating(content, size):
    """An archive that states another size of what its first member unpacks to."""
    return patched(content, "<I", size, 22, 24)


WHOLE = zipped([("weight.npy", npy(np.ones(10)))])
BOMB = zipped([("weight.npy", npy(np.zeros(4 * MEGABYTE)))], zipfile.ZIP_DEFLATED)  # 32 MB
LONG_HEADER = b"\x93NUMPY\2\0\xff\xff\xff\xff"  # of 4 GB
HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"
EMPTY = "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,)}"
NESTED = "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 9000 + "}"

HOSTILE = {
    "a bomb": (BOMB, r"its arrays have 33,5\d\d,\d\d\d bytes"),
    "a bomb that states a small size": (stating(BOMB, 208), "Bad CRC-32"),
    "a size of 4 GB": (stating(WHOLE, 2**32 - 2), "its arrays have 4,294,967,294 bytes"),
    "an array of 3.6 TiB": (zipped([("w.npy", npy_with_header(HUGE))]), r"\(1000000000000,\)"),
    "a million million of nothing": (zipped([("w.npy", npy_with_header(EMPTY))]), "1000000000000"),
    "a header of 4 GB": (zipped([("w.npy", LONG_HEADER)]), "header"),
    "a bomb that states a small size, and a header of 4 GB": (
        stating(zipped([("w.npy", LONG_HEADER + bytes(32 * MEGABYTE))], zipfile.ZIP_DEFLATED), 208),
        "Bad CRC-32",
    ),
    "a header nested 9,000 times": (zipped([("w.npy", npy_with_header(NESTED))]), "damaged"),
    "a header of an unknown version": (zipped([("w.npy", b"\x93NUMPY\7\0\0\0")]), "version"),
    "encrypted": (patched(WHOLE, "<H", 1, 6, 8), "encrypted"),
    "an unknown compression": (patched(WHOLE, "<H", 97, 8, 10), "compressed in a way"),
    "bzip2, of which 45 bytes may become 900,000": (
        zipped([("weight.npy", npy(np.ones(10)))], zipfile.ZIP_BZIP2),
        "compressed in a way",
    ),
    "two arrays of one name": (
        zipped([("weight.npy", npy(np.ones(3))), ("weight", npy(np.zeros(3)))]),
        "two arrays of one name",
    ),
    "no array": (zipped([("weight.npy", b"no array")]), "magic"),
    "no archive": (b"no archive", "not a zip file"),
    "nothing": (b"", "not a zip file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_npz_is_refused_by_its_name_before_it_costs_memory(tmp_path, name):
    content, words = HOSTILE[name]
    path = tmp_path / "hostile.npz"
    path.write_bytes(content)
    with little_memory(4 * MEGABYTE), pytest.raises(ValueError, match=rf"hostile\.npz.*{words}"):
        read_arrays(path)
    model = nn.Dense(2, 3)
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"hostile\.npz"):
        mg.load(path, model)
    assert all((value == before[name]).all() for name, value in model.state_dict().items())


@pytest.mark.parametrize("hostile", [BOMB, zipped([(f"{i}.npy", b"") for i in range(20_000)])])
def test_numbers_and_sizes_are_compared_before_anything_is_unpacked(tmp_path, monkeypatch, hostile):
    path = tmp_path / "hostile.npz"
    path.write_bytes(hostile)

    def opened(*_):
        raise AssertionError("opened")

    monkeypatch.setattr(zipfile.ZipFile, "open", opened)
    with pytest.raises(ValueError, match=r"hostile\.npz.*(20,000 arrays|its arrays have)"):
        read_arrays(path)


def test_an_error_does_not_recite_the_file(tmp_path):
    path = tmp_path / "long.npz"
    path.write_bytes(zipped([("weight.npy", npy_with_header("?" * 9000))]))
    with pytest.raises(ValueError, match=r"long\.npz") as caught:
        read_arrays(path)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_what_numpy_compressed_is_read(tmp_path):
    arrays = {
        "normal": np.random.default_rng(0).normal(size=(50, 40)),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "zeros": np.zeros(100_000),
        "empty": np.zeros((0, 3)),
        "number": np.array(7),
        "text": np.array("Adam"),
        "big-endian": np.arange(3, dtype=">i4"),
    }
    np.savez_compressed(tmp_path / "packed.npz", **arrays)
    found = read_arrays(tmp_path / "packed.npz")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].flags.writeable
        np.testing.assert_array_equal(found[name], array)


def test_the_size_compared_is_that_of_the_file_that_is_open(tmp_path, monkeypatch):
    """Meanwhile a writer may give the path to a smaller file."""
    path = tmp_path / "large.npz"
    write_arrays(path, {"weight": np.ones(MEGABYTE)})
    opening = zipfile.ZipFile

    def replaced_now(file):
        write_arrays(path, {"weight": np.ones(1)})
        return opening(file)

    monkeypatch.setattr(
        zipfile, "ZipFile", lambda *a: replaced_now(*a) if len(a) == 1 else opening(*a)
    )
    assert read_arrays(path)["weight"].shape == (MEGABYTE,)
    monkeypatch.undo()
    assert read_arrays(path)["weight"].shape == (1,)  # it was replaced


# ---- what cannot be read back is not written -----------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        [1, [2, 3]],
        np.array([{}], dtype=object),
        np.zeros(2, [("ä", "f4")]),
        np.array(["text"], dtype=np.dtypes.StringDType()),
        2**70,
    ],
    ids=["None", "ragged", "objects", "a table", "StringDType", "a large int"],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, value):
    path = tmp_path / "odd.npz"
    with pytest.raises(TypeError, match="odd expects numbers or text"):
        write_arrays(path, {"whole": np.ones(3), "odd": value})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arrays", [{"a\0b": 1}, dict.fromkeys(map(str, range(checkpoint.MOST_ARRAYS + 1)), 1)]
)
def test_names_and_numbers_of_arrays_that_could_not_be_read_back_are_not_written(tmp_path, arrays):
    with pytest.raises(ValueError, match=r"an \.npz (cannot hold|expects at most)"):
        write_arrays(tmp_path / "odd.npz", arrays)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a/b", "../up", "ä", "weight.npy", "", "."])
def test_any_other_name_is_read_back(tmp_path, name):
    write_arrays(tmp_path / "odd.npz", {name: np.arange(3), "next": np.ones(1)})
    found = read_arrays(tmp_path / "odd.npz")
    assert list(found) == [name, "next"]
    np.testing.assert_array_equal(found[name], np.arange(3))


def test_the_most_arrays_that_are_written_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "MOST_ARRAYS", 50)
    write_arrays(tmp_path / "many.npz", {str(i): np.array(i) for i in range(50)})
    assert len(read_arrays(tmp_path / "many.npz")) == 50


# ---- IDX and CSV ---------------------------------------------------------------------------------


def idx(*shape, content=b""):
    """The bytes of an IDX file of uint8 that states a shape."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(idx(32 * MEGABYTE, content=bytes(32 * MEGABYTE))), "can be in it"),
        (gzip.compress(idx(10, content=bytes(32 * MEGABYTE))), "takes 18 bytes, got 19 or more"),
        (gzip.compress(bytes(32 * MEGABYTE)), "no IDX file"),
        (gzip.compress(idx(*[2**32 - 1] * 255)), "can be in it"),
        (idx(*[2**32 - 1] * 255), "can be in it"),
        (idx(*[1] * 65, content=b"1"), "a shape that no array has"),
        (idx(0, *[2**32 - 1] * 3), "a shape that no array has"),
    ],
    ids=["a bomb", "more than stated", "zeros", "huge", "huge, plain", "65 axes", "empty and huge"],
)
def test_a_hostile_idx_file_is_refused_by_its_name_before_it_costs_memory(tmp_path, content, words):
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(content)
    with little_memory(2 * MEGABYTE), pytest.raises(ValueError, match=rf"images-idx3.*{words}"):
        read_idx(path)


def test_an_idx_file_that_unpacks_to_a_hundred_times_its_size_is_read(tmp_path):
    (tmp_path / "zeros.gz").write_bytes(gzip.compress(idx(MEGABYTE, content=bytes(MEGABYTE))))
    assert read_idx(tmp_path / "zeros.gz").shape == (MEGABYTE,)


HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])
ROW = ",".join(["7"] * 785)


def test_a_csv_whose_last_cell_is_bad_costs_no_more_than_its_numbers(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("\n".join([HEADER, *[ROW] * 1999, ROW[:-1] + "x"]))  # 1.6 million cells
    with (
        little_memory(5 * MEGABYTE),
        pytest.raises(ValueError, match=r"train\.csv: line 2001, column pixel783: .* got 'x'"),
    ):
        load_kaggle(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("label" * 2 * MEGABYTE, "line 1, column 1: expected label, got labellabel"),
        (f"{HEADER}\n{ROW}\n{ROW}{',1' * MEGABYTE}", "line 3: expected 785 values, got 1049361"),
        (f"{HEADER}\n{ROW[:-1]}{' ' * 20_000}7", "expected lines of less than 20,000 characters"),
        (f"{HEADER}\n{ROW[:-1]}{'9' * 5000}", "line 2, column pixel783: .* got '9999"),
        (f"{HEADER}\n{ROW[:-1]}٣", "line 2, column pixel783: expected a number 0..255, got '٣'"),
    ],
    ids=[
        "a line of 10 MB",
        "a million cells",
        "spaces",
        "5,000 digits",
        "a digit of another script",
    ],
)
def test_a_hostile_csv_is_refused_by_its_name_and_line(tmp_path, text, words):
    path = tmp_path / "train.csv"
    path.write_text(text, encoding="utf-8")
    with little_memory(12 * MEGABYTE), pytest.raises(ValueError, match=rf"train\.csv.*{words}"):
        load_kaggle(path)


def test_what_numpy_advises_to_trust_is_not_passed_on(tmp_path):
    """Of a long header it says to load it with allow_pickle=True."""
    path = tmp_path / "long.npz"
    path.write_bytes(zipped([("a.npy", npy_with_header(" " * 20_000))]))
    with pytest.raises(ValueError, match=r"long\.npz.*not be safe to load") as raised:
        read_arrays(path)
    assert "allow_pickle" not in str(raised.value)
