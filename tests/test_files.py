"""Files are there whole or not at all."""

import os

import pytest

from minigrad.files import replacing


def test_the_new_file_takes_the_place_of_the_old_one_at_once(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")
    with open(path) as reader, replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
        assert part.parent == path.parent  # a rename within a folder is a single step
        inode = part.stat().st_ino
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_ino == inode  # renamed, not copied: who reads meanwhile reads one of both
    assert os.listdir(tmp_path) == ["numbers.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")

    def fill_the_disk():
        with replacing(path) as part:
            part.write_text("half of it")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        fill_the_disk()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["numbers.txt"]


def test_a_block_that_writes_nothing_leaves_the_old_file(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_the_folder_is_made_and_the_ending_stays(tmp_path):
    with replacing(tmp_path / "a" / "b" / "picture.png") as part:
        assert part.suffix == ".png"
        part.write_bytes(b"")
    assert (tmp_path / "a" / "b" / "picture.png").exists()


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "numbers.txt"
    with replacing(path) as one, replacing(path) as two:
        one.write_text("1")
        two.write_text("2")
    assert path.read_text() == "1"  # renamed last
