"""Files are there whole or not at all."""

import os

import pytest

from minigrad.files import replacing


def test_the_new_file_takes_the_place_of_the_old_one_at_once(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")
    with open(path) as reader, replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
        inode = os.fstat(file.fileno()).st_ino
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_ino == inode  # renamed, not copied: who reads meanwhile reads one of both
    assert os.listdir(tmp_path) == ["numbers.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")

    def fill_the_disk():
        with replacing(path) as file:
            file.write(b"half of it")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        fill_the_disk()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["numbers.txt"]


def test_what_a_killed_program_leaves_is_not_taken_for_a_whole_file(tmp_path):
    with replacing(tmp_path / "weights.npz"):
        assert len(os.listdir(tmp_path)) == 1
        assert list(tmp_path.glob("*.npz")) == []


def test_the_folder_is_made(tmp_path):
    path = tmp_path / "a" / "b" / "numbers.txt"
    with replacing(path) as file:
        file.write(b"1")
    assert path.read_text() == "1"


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "numbers.txt"
    with replacing(path) as one, replacing(path) as two:
        one.write(b"1")
        two.write(b"2")
    assert path.read_text() == "1"  # renamed last
