"""The benchmark: what it counts and what it says of measurements; its times are made up here."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SYNTHETIC = 10, 10  # the benchmark reads no digits
MACHINE = {"processor": "an abacus", "cores": 2, "gflop_per_second": {1: 50.0, 2: 100.0}}


@pytest.fixture
def benchmark(example):
    return example("benchmark")


def runs(*medians):
    """The measurements of one program, of which each round had this median."""
    return [{"median": ms, "min": ms / 2, "import": 0.1, "memory": 50.0} for ms in medians]


def test_the_benchmark_measures_and_writes(benchmark, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "look_at_machine", lambda rounds, seconds: MACHINE)
    monkeypatch.setattr(benchmark, "programs_here", lambda: ["minigrad, 1 worker"])
    benchmark.main(["--quick", "--only", "W1", "--json", str(tmp_path / "bench.json")])
    written = json.loads((tmp_path / "bench.json").read_text())
    found = written["W1"]["minigrad, 1 worker"]
    assert 0 < found["ms_least"] <= found["ms"] <= found["ms_most"]
    assert found["images_per_second"] == pytest.approx(64e3 / found["ms"])
    assert found["floor_share"] == pytest.approx(written["W1"]["gflop"] / 100 / found["ms"] * 1e3)
    assert written["machine"]["processor"] == "an abacus"
    assert written["machine"]["gflop_per_second"] == {"1": 50.0, "2": 100.0}
    said = capsys.readouterr().out
    assert "784-128-10" in said
    assert "processor: an abacus; cores that may be used: 2" in said
    assert "50 GFLOP/s with 1 thread, 100 with 2" in said


def test_the_legend_says_whose_arithmetic_the_floor_is(benchmark, capsys):
    benchmark.show_machine(MACHINE)
    said = " ".join(capsys.readouterr().out.split())
    assert "counted by direct convolution" in said
    assert "it can be above 100 %" in said


# ---- the floor -----------------------------------------------------------------------------------

# By hand: multiplications of an image, layer by layer. A convolution has outputs times weights.
DENSE_W2 = [784 * 512, 512 * 512, 512 * 10]
CONV_W3 = [24 * 24 * 8 * 25, 8 * 8 * 16 * 8 * 25, 256 * 64, 64 * 10]
CONV_W4 = [26 * 26 * 32 * 9, 24 * 24 * 64 * 32 * 9, 9216 * 128, 128 * 10]


@pytest.mark.parametrize(
    ("workload", "images", "products"),
    [
        ("W1", 64, [784 * 128, 128 * 10]),
        ("W2", 128, DENSE_W2),
        ("W3", 64, CONV_W3),
        ("W4", 96, CONV_W4),
        ("W4-16", 16, CONV_W4),
    ],
)
def test_the_arithmetic_of_a_step_is_that_of_a_count_by_hand(benchmark, workload, images, products):
    first, *others = products
    by_hand = 2 * images * (2 * first + 3 * sum(others))  # nobody needs the images' gradient
    assert benchmark.arithmetic(workload) == pytest.approx(by_hand / 1e9, rel=1e-12)


def test_the_arithmetic_of_w4_is_that_of_the_page_and_its_forward_pass_has_no_gradients(benchmark):
    assert round(benchmark.arithmetic("W4"), 1) == 6.9
    by_hand = 2 * 1000 * sum(CONV_W4) / 1e9
    assert benchmark.arithmetic("W4-forward") == pytest.approx(by_hand, rel=1e-12)


def test_the_share_of_the_floor_may_be_above_one(benchmark, capsys):
    found = {"minigrad, 1 worker": runs(40, 50, 60)}
    gflop = benchmark.arithmetic("W4")
    rows = benchmark.summary("W4", found, rate=gflop / 0.060)  # the floor is 60 ms
    assert rows["minigrad, 1 worker"]["floor_share"] == pytest.approx(1.2)
    benchmark.show("W4", rows)
    line = next(s for s in capsys.readouterr().out.splitlines() if "1 worker" in s)
    assert " ".join(line.split()) == "minigrad, 1 worker 50.00 40.00 60.00 1,920 120 50 0.10"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_rate_of_bare_products_is_that_of_the_quickest_run(benchmark, monkeypatch, threads):
    ticks = iter([0, 0, 0, 9, 0, 10, 14, 0, 20, 29, 0])  # before each run, its start, its end
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr(benchmark, "time", clock)
    quickest = 14 - 10
    by_hand = threads * 20 * 2 * 4608 * 288 * 64 / 1e9 / quickest
    assert benchmark.product_rate(threads, seconds=-1) == pytest.approx(by_hand)


# ---- the processor -------------------------------------------------------------------------------


def test_the_processor_has_a_name_and_this_process_some_of_its_cores(benchmark, monkeypatch):
    rates = iter([3.0, 4.0, 5.0, 2.0])
    monkeypatch.setattr(benchmark, "in_a_process", lambda *_, **__: next(rates))
    machine = benchmark.look_at_machine(rounds=2, seconds=0)
    assert machine["processor"].strip()
    assert machine["cores"] >= 1
    assert machine["gflop_per_second"] == {1: 5.0, 2: 4.0}  # the most of two rounds


@pytest.mark.parametrize(
    ("system", "told", "name"),
    [
        ("linux", "processor : 0\nmodel name\t: A CPU: fast\nmodel name\t: B\n", "A CPU: fast"),
        ("linux", "processor : 0\nBogoMIPS : 50\n", "arm"),
        ("darwin", "Apple M9\n", "Apple M9"),
        ("darwin", "", "arm"),
        ("win32", "Intel64 Family 6", "Intel64 Family 6"),
    ],
)
def test_each_system_is_asked_for_the_processor_in_its_own_way(
    benchmark, monkeypatch, system, told, name
):
    monkeypatch.setattr(benchmark, "sys", SimpleNamespace(platform=system))
    file = SimpleNamespace(read_text=lambda encoding: told)
    monkeypatch.setattr(benchmark, "Path", lambda path: file)
    done = SimpleNamespace(stdout=told)
    monkeypatch.setattr(benchmark.subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(benchmark.platform, "processor", lambda: told)
    monkeypatch.setattr(benchmark.platform, "machine", lambda: "arm")
    assert benchmark.processor() == name


# ---- beside other libraries ----------------------------------------------------------------------


def test_ratios_are_medians_of_rounds_and_stand_for_each_library_that_ran(benchmark, capsys):
    found = {
        "minigrad, 1 worker": runs(10, 20, 30),
        "minigrad, 2 workers": runs(9, 8, 10),
        "PyTorch, fused Adam": runs(10, 10, 20),
        "TensorFlow": runs(18, 4, 10),
    }
    rows = benchmark.summary("W1", found, rate=100)
    assert rows["ratio"] == pytest.approx(0.8)  # of 0.9, 0.8 and 0.5
    assert rows["ratio_tensorflow"] == pytest.approx(1.0)  # of 0.5, 2 and 1
    assert "ratio_jax" not in rows
    benchmark.show("W1", rows)
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if "/ " in line] == [
        ["minigrad", "/", "PyTorch,", "fused", "Adam", "0.80"],
        ["minigrad", "/", "TensorFlow", "1.00"],
        ["Other", "programs", "disturb,", "take", "the", "figures", "with", "care;", "most", "/",
         "least:", "minigrad,", "1", "worker", "3.0;", "PyTorch,", "fused", "Adam", "2.0;",
         "TensorFlow", "4.5"],
    ]  # fmt: skip


@pytest.mark.parametrize(("most", "warned"), [(1.29, False), (1.31, True)])
def test_rounds_that_differ_by_more_than_a_third_say_that_others_disturb(
    benchmark, capsys, most, warned
):
    found = {"minigrad, 1 worker": runs(1, 1, most), "minigrad, 2 workers": runs(1, 1.1, 1)}
    benchmark.show("W1", benchmark.summary("W1", found, rate=100))
    last = capsys.readouterr().out.splitlines()[-1]
    assert ("Other programs disturb" in last) == warned
    if warned:
        assert last.endswith("most / least: minigrad, 1 worker 1.3")


@pytest.mark.parametrize("here", [set(), {"torch"}, {"torch", "tensorflow", "jax"}])
def test_what_is_not_installed_is_left_out_and_named_in_one_line(
    benchmark, capsys, monkeypatch, here
):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: "a spec" if name in here else None
    )
    programs = benchmark.programs_here()
    libraries = {benchmark.PROGRAMS[program]["library"] for program in programs}
    assert libraries == here | {"minigrad"}
    said = capsys.readouterr().out
    missing = [name for library, name in benchmark.NAMES.items() if library not in here]
    assert said == (f"not installed, and left out: {', '.join(missing)}\n" if missing else "")


@pytest.mark.parametrize("library", ["minigrad", "torch", "tensorflow", "jax"])
def test_steps_of_each_library_that_is_here_learn_their_batch(library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    code = (
        "import sys, functools, benchmark, benchmark_steps\n"
        "_, library, options = sys.argv\n"
        "build = functools.partial(benchmark.layers, 'W4')\n"
        "batch = benchmark.random_batch('W4-16')\n"
        "make = benchmark_steps.STEPS[library]\n"
        "step = make(build, *batch, True, **eval(options))\n"
        "print(*[step() for _ in range(12)])\n"
        "print(*make(build, *batch, False, **eval(options))().shape)\n"
    )
    options = {"minigrad": {"workers": 2}, "torch": {"fused": True}}.get(library, {})
    command = [sys.executable, "-W", "ignore", "-c", code, library, str(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLES)
    assert done.returncode == 0, done.stderr
    losses, shape = done.stdout.splitlines()[-2:]
    first, *_, last = map(float, losses.split())
    assert 1.8 < first < 3.0  # ln 10 is 2.3
    assert last < 0.75 * first
    assert shape == "16 10"


def test_the_picture_has_bars_for_each_program_that_ran(benchmark, tmp_path):
    pytest.importorskip("matplotlib")
    found = {program: runs(1, 2, 3) for program in benchmark.PROGRAMS}
    results = {name: benchmark.summary(name, found, rate=100) for name in ("W1", "W2")}
    path = benchmark.picture(results, tmp_path / "benchmark.png")
    assert Path(path).read_bytes().startswith(b"\x89PNG")
