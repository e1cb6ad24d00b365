"""The cores that a process really has, and the warning where others use them too."""

import os
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.parallel import choose_workers
from minigrad.system import cores, warn_if_busy, warn_once


@pytest.fixture
def eight(monkeypatch):
    """A process of Linux that may run on eight processors."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)


def system(root, groups, **files):
    """A root folder with the control groups of the process, and files of theirs."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for path, text in files.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


VERSION_1 = "5:memory:/docker/a1\n4:cpu,cpuacct:/docker/a1\n1:name=systemd:/docker/a1\n"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "1600000 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "399999 100000\n"}, 3),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 50000\n"}, 2),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3),
        ("0::/a/b\n", {"a/b/cpu.max": "600000 100000\n", "a/cpu.max": "500000 100000\n"}, 5),
        ("0::/a\n", {"other/cpu.max": "100000 100000\n"}, 8),
        (VERSION_1, {"cpu/docker/a1/cpu.cfs_quota_us": "250000\n",
                     "cpu/docker/a1/cpu.cfs_period_us": "100000\n"}, 2),
        # Inside of a container, its own group may be the root of what it sees.
        (VERSION_1, {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        (VERSION_1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        (VERSION_1 + "0::/\n", {"cpu/cpu.cfs_quota_us": "600000\n",
                                "cpu/cpu.cfs_period_us": "100000\n"}, 6),
    ],
)  # fmt: skip
def test_the_quota_of_a_control_group_and_of_those_around_it_limits_the_cores(
    groups, files, expected, eight, tmp_path
):
    assert cores(system(tmp_path, groups, **files)) == expected


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("", {}),
        ("no control groups\n0::\n:::\n", {"cpu.max": "100000 100000\n"}),
        ("0::/a\n", {}),
        ("0::/../..\n", {}),
        ("0::/\n", {"cpu.max": ""}),
        ("0::/\n", {"cpu.max": "100000\n"}),
        ("0::/\n", {"cpu.max": "100000 0\n"}),
        ("0::/\n", {"cpu.max": "100000 100000 100000\n"}),
        ("0::/\n", {"cpu.max": "a b\n"}),
        ("0::/\n", {"cpu.max/is/a/folder": ""}),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "100000\n"}),
        ("4:cpuset:/\n", {"cpu.max": "100000 100000\n"}),
    ],
)
def test_where_files_are_missing_or_odd_affinity_alone_counts(groups, files, eight, tmp_path):
    assert cores(system(tmp_path, groups, **files)) == 8


def test_where_nothing_can_be_read_affinity_alone_counts(eight, tmp_path):
    assert cores(tmp_path) == 8
    (system(tmp_path, "") / "proc/self/cgroup").write_bytes(b"0::/\xff\n")
    assert cores(tmp_path) == 8


def test_other_systems_than_linux_read_no_quota(eight, monkeypatch, tmp_path):
    root = system(tmp_path, "0::/\n", **{"cpu.max": "100000 100000\n"})
    assert cores(root) == 1
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cores(root) == 8
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores(root) == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores(root) == 1


# ---- a busy machine ------------------------------------------------------------------------------


@pytest.fixture
def load(monkeypatch):
    """Sets the load of a machine of two processors on which nothing has been warned of."""
    warn_once.cache_clear()
    warn_if_busy.cache_clear()
    monkeypatch.setattr(mg.parallel, "cores", lambda: 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    yield lambda value: monkeypatch.setattr(os, "getloadavg", lambda: (value, 0.0, 0.0))
    warn_once.cache_clear()
    warn_if_busy.cache_clear()


CONVOLVES = nn.Conv2D(1, 1, 3).parameters()


def test_auto_warns_once_on_a_busy_machine_and_stays_a_fixed_rule(load):
    load(4.25)
    with pytest.warns(RuntimeWarning, match=r"4\.2 .*OPENBLAS_NUM_THREADS=1.*workers=1") as seen:
        assert choose_workers("auto", CONVOLVES, 64) == 2
    assert seen[0].filename == __file__
    load(9.0)
    assert choose_workers("auto", CONVOLVES, 64) == 2  # a second warning would be an error


def test_what_a_training_that_has_just_ended_leaves_as_load_is_no_reason_to_warn(load):
    load(2.9)
    assert choose_workers("auto", CONVOLVES, 64) == 2


def test_the_load_is_looked_at_before_the_first_threads_start_and_never_again(load):
    load(0.0)
    model, x = nn.Sequential(nn.Conv2D(1, 1, 3)), np.zeros((16, 1, 5, 5), np.float32)
    mg.predict(model, x, workers="auto")
    load(9.0)
    mg.predict(model, x, workers="auto")


def test_one_worker_or_a_number_of_workers_asks_for_no_load(load):
    load(9.0)
    assert choose_workers("auto", nn.Dense(1, 1).parameters(), 64) == 1
    assert choose_workers("auto", CONVOLVES, 8) == 1
    assert choose_workers(2, CONVOLVES, 64) == 2


def test_a_part_of_a_large_machine_is_not_busy_because_the_rest_works(load, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    load(40.0)
    assert choose_workers("auto", CONVOLVES, 64) == 2


def test_a_system_that_tells_no_load_is_not_warned_of(load, monkeypatch):
    def unknown():
        raise OSError("no load average")

    monkeypatch.setattr(os, "getloadavg", unknown, raising=False)
    assert choose_workers("auto", CONVOLVES, 64) == 2
    warn_if_busy.cache_clear()
    monkeypatch.delattr(os, "getloadavg")
    assert choose_workers("auto", CONVOLVES, 64) == 2
