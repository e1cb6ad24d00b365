"""load_kaggle: both files of Kaggle's are read, and what is wrong in one is named."""

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


@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (3, 1, 256, "'256' .* at row 3, column 2"),
        (0, 784, -1, "'-1' .* at row 0, column 785"),
        (9, 5, "x", "'x' .* at row 9, column 6"),
        (2, 5, "", "'' .* at row 2, column 6"),
        (2, 5, "1.5", "'1.5' .* at row 2, column 6"),
        (4, 0, 10, "labels 0..9, got 10"),
        (4, 3, "1,2", "from 785 to 786 at row 5"),
    ],
)
def test_a_wrong_cell_is_named(table, tmp_path, row, column, value, words):
    rows = table.astype(object)
    rows[row, column] = value
    path = write(tmp_path / "train.csv", csv(*rows))
    with pytest.raises(ValueError, match=f"train.csv expects .*{words}"):
        load_kaggle(path)


def test_a_row_cut_off_is_named(table, tmp_path):
    text = csv(*table)
    with pytest.raises(ValueError, match=r"from 785 to \d at row 10\b"):
        load_kaggle(
            write(tmp_path / "train.csv", text[: text.rindex("\n9,") + 20].rsplit(",", 1)[0])
        )


def test_rows_that_all_lack_a_column_do_not_pass_by_accident(tmp_path):
    rows = np.zeros((784, 784), int)
    with pytest.raises(ValueError, match=r"784 pixels .* into shape \(784,28,28\)"):
        load_kaggle(write(tmp_path / "train.csv", csv(*rows)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected Kaggle's header .* got '' and ''"),
        ("ImageId,Label\n1,2\n", "got 'ImageId,Label' and '1,2'"),
        (HEADER.replace("pixel7,", "pixel9,") + "\n1\n", "header label,pixel0,...,pixel783"),
        (HEADER + ",more\n1\n", "header"),
        (HEADER[:-9] + "\n1\n", "header"),
        ("PK\x03\x04\n", "header .* got 'PK"),
        (HEADER + "\n", "digits below, got 'label,.* and ''"),
        (HEADER, "digits below, got 'label,.* and ''"),
    ],
)
def test_a_file_that_is_not_kaggles_is_refused(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        load_kaggle(write(tmp_path / "odd.csv", text))
