"""load_kaggle: both files of Kaggle's are read, and what is wrong in one is named by its line."""

import numpy as np
import pytest

from minigrad.data import load_kaggle

HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])


def csv(*rows, header=HEADER):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def write(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.fixture
def table():
    rng = np.random.default_rng(1)
    return np.column_stack([np.arange(10), rng.integers(0, 256, (10, 784))])


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("tail", ["", "\n\n"])
def test_kaggle_with_labels(table, tmp_path, ending, mark, tail):
    text = (mark + csv(*table) + tail).replace("\n", ending)
    images, labels = load_kaggle(write(tmp_path / "train.csv", text))
    assert images.dtype == labels.dtype == np.uint8
    assert images.flags.c_contiguous or images[0].flags.c_contiguous
    np.testing.assert_array_equal(images, table[:, 1:].reshape(-1, 28, 28))
    np.testing.assert_array_equal(labels, table[:, 0])


@pytest.mark.parametrize("count", [1, 10])
def test_kaggle_without_labels(table, tmp_path, count):
    text = csv(*table[:count, 1:], header=HEADER.removeprefix("label,"))
    images, labels = load_kaggle(str(write(tmp_path / "test.csv", text)))
    assert labels is None
    np.testing.assert_array_equal(images, table[:count, 1:].reshape(-1, 28, 28))


@pytest.mark.filterwarnings("ignore")  # as in a program: NumPy 2.0 warns that it reads 256 as 0
@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (3, 1, 256, "line 5, column pixel0: expected a number 0..255, got '256'"),
        (0, 784, -1, "line 2, column pixel783: .* got '-1'"),
        (9, 5, "x", "line 11, column pixel4: .* got 'x'"),
        (2, 5, "", "line 4, column pixel4: .* got ''"),
        (2, 5, "1.5", "line 4, column pixel4: .* got '1.5'"),
        (4, 0, 10, "line 6, column label: expected a number 0..9, got '10'"),
        (4, 3, "1,2", "line 6: expected 785 values, got 786"),
    ],
)
def test_a_wrong_cell_is_named(table, tmp_path, row, column, value, words):
    rows = table.astype(object)
    rows[row, column] = value
    path = write(tmp_path / "train.csv", csv(*rows))
    with pytest.raises(ValueError, match=f"train.csv: {words}"):
        load_kaggle(path)


def test_a_row_cut_off_is_named(table, tmp_path):
    text = csv(*table)
    with pytest.raises(ValueError, match=r"line 11: expected 785 values, got \d\b"):
        load_kaggle(
            write(tmp_path / "train.csv", text[: text.rindex("\n9,") + 20].rsplit(",", 1)[0])
        )


def test_rows_that_all_lack_a_column_do_not_pass_by_accident(tmp_path):
    rows = np.zeros((784, 784), int)
    with pytest.raises(ValueError, match="line 2: expected 785 values, got 784"):
        load_kaggle(write(tmp_path / "train.csv", csv(*rows)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1, column 1: expected label, got nothing"),
        ("ImageId,Label\n1,2\n", "line 1, column 1: expected label, got ImageId"),
        (HEADER.replace("pixel7,", "pixel9,") + "\n", "column 9: expected pixel7, got pixel9"),
        (HEADER + ",more\n", "column 786: expected no more columns, got more"),
        (HEADER[:-9] + "\n", "column 785: expected pixel783, got nothing"),
        ("PK\x03\x04\n", "expected label"),
        (HEADER + "\n", "a header alone"),
        (HEADER, "a header alone"),
    ],
)
def test_a_file_that_is_not_kaggles_is_refused(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        load_kaggle(write(tmp_path / "odd.csv", text))
