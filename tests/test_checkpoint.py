"""Weights in files: exactly the state_dict, atomic, and nothing that runs code."""

import os
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def model():
    return nn.Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm(2), nn.Flatten(), nn.Dense(8, 3))


def same(one, two):
    return all((one[name] == two[name]).all() for name in one)


def test_a_file_holds_exactly_the_state_dict_and_comes_back_in_place(tmp_path):
    one, two = model(), model()
    path = tmp_path / "new folder" / "model.npz"
    mg.save(path, one)
    with np.load(path) as file:
        assert sorted(file.files) == sorted(one.state_dict())
    places = [p.data for p in two.parameters()]
    mg.load(path, two)
    assert same(one.state_dict(), two.state_dict())
    assert all(p.data is place for p, place in zip(two.parameters(), places, strict=True))


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path, one = tmp_path / "model.npz", model()
    mg.save(path, one)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="no space"):
        mg.save(path, model())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.npz"]


def test_save_wants_npz(tmp_path):
    with pytest.raises(ValueError, match=r"\.npz"):
        mg.save(tmp_path / "model.pkl", model())


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_refused_and_changes_nothing(tmp_path, kept):
    path, one = tmp_path / "model.npz", model()
    mg.save(path, one)
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    other = model()
    before = other.state_dict()
    with pytest.raises(ValueError, match=r"model\.npz.*damaged"):
        mg.load(path, other)
    assert same(before, other.state_dict())


def test_flipped_bytes_are_noticed(tmp_path):
    path = tmp_path / "model.npz"
    mg.save(path, model())
    content = bytearray(path.read_bytes())
    content[content.find(b"NUMPY") + 200] ^= 255  # in the numbers: the archive's CRC knows
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        mg.load(path, model())


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_loading_never_runs_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("object.npz", **{"0.weight": np.array([Bomb()], dtype=object)})
    with open("pickle.npz", "wb") as file:
        pickle.dump(Bomb(), file)
    for name in ("object.npz", "pickle.npz"):
        with pytest.raises(ValueError, match=name):
            mg.load(name, model())
    assert not os.path.exists("exploded")


def test_a_single_array_is_refused(tmp_path):
    with open(tmp_path / "array.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="single array"):
        mg.load(tmp_path / "array.npz", model())


def test_the_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    mg.save(path, nn.Dense(2, 3))
    with pytest.raises(ValueError, match=r"model\.npz.*missing.*0\.weight"):
        mg.load(path, model())
    with pytest.raises(ValueError, match=r"load_state_dict\(state, strict=False\).*of mg\.load\."):
        mg.load(path, model())


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        mg.load(tmp_path / "none.npz", model())


def test_attributes_with_the_names_of_numpys_arguments_are_saved_and_loaded(tmp_path):
    class Odd(nn.Module):
        def __init__(self, value):
            for name in ("file", "allow_pickle", "args", "kwds", "arr_0", "path", "self"):
                setattr(self, name, nn.Parameter([value]))

    one, two = Odd(1.0), Odd(2.0)
    mg.save(tmp_path / "odd.npz", one)
    mg.load(tmp_path / "odd.npz", two)
    assert len(one.state_dict()) == 7
    assert same(one.state_dict(), two.state_dict())


@pytest.mark.parametrize("dtype", [complex, "complex64", "U5", "S3", "M8[s]", "m8[D]", bool, ">i2"])
def test_whatever_array_is_written_for_a_buffer_is_read_again(tmp_path, dtype):
    class Buffered(nn.Module):
        buffers = ("kept",)

        def __init__(self, kept):
            self.kept = kept

    mg.save(tmp_path / "kept.npz", Buffered(np.ones(3, dtype)))
    other = Buffered(np.zeros(3, dtype))
    mg.load(tmp_path / "kept.npz", other)
    assert (other.kept == np.ones(3, dtype)).all()


@pytest.mark.parametrize("dtype", [complex, "U5", "M8[s]"])
def test_weights_that_are_no_real_numbers_are_refused_by_the_name_of_the_file(tmp_path, dtype):
    model = nn.Dense(2, 3)
    before = model.state_dict()
    np.savez(tmp_path / "odd.npz", weight=np.ones((3, 2)), bias=np.zeros(3, dtype))
    with pytest.raises(ValueError, match=r"odd\.npz.*bias expects numbers that fit float32"):
        mg.load(tmp_path / "odd.npz", model)
    assert same(before, model.state_dict())


def test_weights_of_booleans_become_numbers(tmp_path):
    model = nn.Dense(2, 3)
    np.savez(tmp_path / "odd.npz", weight=np.ones((3, 2)), bias=np.array([True, False, True]))
    mg.load(tmp_path / "odd.npz", model)
    assert model.bias.data.tolist() == [1, 0, 1]
