"""Files are there whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

import minigrad as mg
from minigrad import files, nn
from minigrad.files import replacing


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no file that is being read")
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


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "large disk").mkdir()
    link = tmp_path / "latest.npz"
    link.symlink_to(tmp_path / "large disk" / "weights.npz")
    for number in (1, 2):
        mg.save(link, filled(number))
        assert link.is_symlink()
        assert read_whole(tmp_path / "large disk" / "weights.npz") == number
    assert names(tmp_path) == ["large disk", "latest.npz"]


def test_a_tilde_is_the_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    model = filled(1)
    train(model, checkpoint="~/run.npz")
    mg.save("~/weights.npz", model)
    mg.load("~/weights.npz", filled(2))
    assert names(tmp_path) == ["me"]
    assert names(tmp_path / "me") == ["run.npz", "weights.npz"]


def test_a_folder_that_cannot_be_written_to_is_found_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write anyway
    model = filled(1)
    before = model.weight.data.copy()
    for options in (
        {"checkpoint": tmp_path / "run.npz"},
        {"callbacks": [mg.KeepLast(tmp_path)]},
        {"callbacks": [mg.SaveBest(tmp_path / "best.npz", monitor="loss")]},
    ):
        with pytest.raises(PermissionError, match=r"read-only for this user: take another path"):
            train(model, **options)
    assert (model.weight.data == before).all()
    assert names(tmp_path) == []


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "numbers.txt"
    with replacing(path) as one, replacing(path) as two:
        one.write(b"1")
        two.write(b"2")
    assert path.read_text() == "1"  # renamed last


# ---- killed writers, writers of one path, full disks ---------------------------------------------


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(program, *arguments, **options):
    """A Python process of its own."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@contextmanager
def killed_at_the_end(process):
    try:
        yield
    finally:
        process.kill()
        process.communicate()


with_locks = pytest.mark.skipif(
    os.name == "nt", reason="Windows has no locks that end with their process"
)

HALF = """
import sys, time
from minigrad.files import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half of it")
    file.flush()
    print("written", flush=True)
    time.sleep(3600)
"""


@with_locks
def test_what_killed_writers_left_is_removed_by_the_next_but_not_what_others_write(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")
    alive, killed = run(HALF, path), run(HALF, path)
    with killed_at_the_end(alive), killed_at_the_end(killed):
        for process in (alive, killed):
            assert process.stdout.readline() == b"written\n", process.stderr.read()
        killed.kill()
        killed.wait()
        assert len(names(tmp_path)) == 3
        assert path.read_text() == "old"
        with replacing(path) as file:
            file.write(b"new")
        assert path.read_text() == "new"
        (part,) = set(names(tmp_path)) - {"numbers.txt"}
        assert (tmp_path / part).read_text() == "half of it"
    with replacing(path) as file:
        file.write(b"newer")
    assert names(tmp_path) == ["numbers.txt"]


def test_only_parts_of_the_same_path_are_removed(tmp_path):
    others = [".b.txt.01234567.part", "a.txt.01234567.part", ".a.txt.part", ".a.txt.notes.part"]
    for name in others:
        (tmp_path / name).write_text("mine")
    with replacing(tmp_path / "a.txt") as file:
        file.write(b"1")
    assert names(tmp_path) == sorted([*others, "a.txt"])


@with_locks
def test_a_part_that_is_taken_for_abandoned_before_it_is_locked_is_written_anew(
    tmp_path, monkeypatch
):
    """Between a writer's opening its part and its locking it, another writer may remove it."""
    path = tmp_path / "numbers.txt"
    locking = files._locked
    removed = []

    def late(file):
        if not removed:
            removed.append(file.name)
            files._remove_abandoned(path)
            assert not os.path.exists(file.name)
        return locking(file)

    monkeypatch.setattr(files, "_locked", late)
    with replacing(path) as file:
        file.write(b"1")
    assert path.read_text() == "1"
    assert names(tmp_path) == ["numbers.txt"]


@with_locks
def test_a_file_system_without_locks_is_written_to(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", no_locks)
    (tmp_path / ".numbers.txt.01234567.part").write_text("perhaps somebody's")
    with replacing(tmp_path / "numbers.txt") as file:
        file.write(b"1")
    assert (tmp_path / "numbers.txt").read_text() == "1"
    assert len(names(tmp_path)) == 2


SAVE = """
import sys, itertools
import minigrad as mg
path, number, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model = mg.nn.Dense(100, 100)
for parameter in model.parameters():
    parameter.data[...] = number
print("ready", flush=True)
for _ in range(times) if times else itertools.count():
    mg.save(path, model)
"""


def read_whole(path):
    """The number that all weights of the file have: files of two writers are never mixed."""
    model = nn.Dense(100, 100)
    mg.load(path, model)
    (number,) = {*model.weight.data.flat, *model.bias.data.flat}
    return number


def filled(number):
    model = nn.Dense(100, 100)
    for parameter in model.parameters():
        parameter.data[...] = number
    return model


def train(model, **options):
    """An epoch of `mg.fit`, which writes files."""
    x, y = np.ones((4, 100), np.float32), np.zeros(4, int)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    mg.fit(model, (x, y), optimizer=optimizer, epochs=1, progress=False, **options)


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no file that is being read")
def test_two_threads_and_two_processes_save_one_path_and_every_read_is_whole(tmp_path):
    path = tmp_path / "model.npz"
    mg.save(path, filled(0))
    processes = [run(SAVE, path, number, 50) for number in (1, 2)]
    one, two = map(killed_at_the_end, processes)
    with ThreadPoolExecutor(2) as pool, one, two:

        def save(number):
            model = filled(number)
            for _ in range(50):
                mg.save(path, model)

        writers = [pool.submit(save, number) for number in (3, 4)]
        seen = set()
        while any(process.poll() is None for process in processes) or not all(
            writer.done() for writer in writers
        ):
            seen.add(read_whole(path))
        for writer in writers:
            writer.result()  # raises what that raised
        for process in processes:
            assert process.returncode == 0, process.stderr.read().decode()
    assert seen <= {0, 1, 2, 3, 4}
    assert names(tmp_path) == ["model.npz"]


@with_locks
def test_savers_killed_at_any_moment_leave_a_whole_file_and_the_next_save_tidies_up(tmp_path):
    path = tmp_path / "model.npz"
    rng = np.random.default_rng(0)
    mg.save(path, filled(0))
    for number in range(1, 9):
        process = run(SAVE, path, number, 0)
        with killed_at_the_end(process):
            assert process.stdout.readline() == b"ready\n", process.stderr.read()
            while read_whole(path) != number:
                assert process.poll() is None, process.stderr.read()
            time.sleep(rng.uniform(0, 0.01))
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert read_whole(path) == number
    mg.save(path, filled(10))
    assert names(tmp_path) == ["model.npz"]
    assert read_whole(path) == 10


FULL = """
import resource, sys
import numpy as np
import minigrad as mg
path, kind = sys.argv[1:]
model = mg.nn.Dense(100, 100)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # Python ignores the signal of it
try:
    if kind == "save":
        mg.save(path, model)
    else:
        x, y = np.ones((4, 100), np.float32), np.zeros(4, int)
        optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
        mg.fit(model, (x, y), optimizer=optimizer, epochs=2, checkpoint=path, resume=True,
               progress=False)
except OSError as error:
    print(error.errno, flush=True)
"""


@pytest.mark.parametrize("kind", ["save", "fit"])
def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(tmp_path, kind):
    pytest.importorskip("resource", reason="only Unix limits the size of files")
    path = tmp_path / "model.npz"
    if kind == "save":
        mg.save(path, filled(1))
    else:
        train(filled(1), checkpoint=path)
    before = path.read_bytes()
    process = run(FULL, path, kind)
    said, error = process.communicate()
    assert said.decode().strip() == str(errno.EFBIG), error.decode()
    assert path.read_bytes() == before
    assert names(tmp_path) == ["model.npz"]
