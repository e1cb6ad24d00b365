"""The speedrun, the record, and several seeds of a script: small, and what they write."""

import json
import os

import pytest

import minigrad as mg

SYNTHETIC = 1200, 200  # digits to learn from, and to be tested on


def numbers(folder):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("validation", [False, True])
def test_the_speedrun_learns_and_says_what_on(example, tmp_path, capsys, validation):
    options = ["--out", str(tmp_path), "--epochs", "4"] + ["--validation"] * validation
    example("mnist_speedrun").main(options)
    found = numbers(tmp_path)
    assert found["data"] == "synthetic"
    assert found["test_accuracy"] > 0.6
    assert found["validation"] is validation
    assert found["parameters"] < 110_000
    assert found["seconds"] > 0
    said = capsys.readouterr().out
    assert "SYNTHETIC digits: no result on MNIST" in said
    assert ("validation set" in said) is validation


@pytest.mark.parametrize(("options", "most"), [(["--tiny"], 5_000), ([], 400_000)])
def test_the_record_is_one_small_network(example, tmp_path, options, most):
    record = example("mnist_record")
    record.main(["--out", str(tmp_path), "--epochs", "1", "--batch-size", "64", *options])
    found = numbers(tmp_path)
    assert found["parameters"] < most
    assert 0.1 < found["test_accuracy"] <= 1
    assert (tmp_path / "model.npz").exists()


def test_each_ingredient_of_the_record_can_be_left_out(example, tmp_path):
    record = example("mnist_record")
    options = ["--out", str(tmp_path), "--epochs", "1", "--tiny", "--validation"]
    record.main([*options, "--without", *record.INGREDIENTS])
    assert numbers(tmp_path)["without"] == list(record.INGREDIENTS)


def test_several_seeds_run_in_processes_of_their_own_and_their_lists_are_kept(
    example, tmp_path, capsys
):
    script = tmp_path / "script.py"
    script.write_text(
        "import json, os, sys, pathlib\n"
        "seed, out = int(sys.argv[2]), pathlib.Path(sys.argv[4])\n"
        "out.mkdir(parents=True)\n"
        "found = {'test_accuracy': 0.98 + seed / 100, 'seconds': 2.0 + seed, 'parameters': 5,\n"
        "         'data': 'mnist', 'pid': os.getpid(), 'extra': sys.argv[5:]}\n"
        "(out / 'metrics.json').write_text(json.dumps(found))\n"
    )
    seeds = example("seeds")
    result = seeds.run_seeds(str(script), 3, tmp_path / "out", ["--epochs", "1"])
    processes = {numbers(tmp_path / "out" / f"seed-{seed}")["pid"] for seed in range(3)}
    assert len(processes - {os.getpid()}) == 3
    assert result == numbers(tmp_path / "out")
    assert result["test_accuracy"] == pytest.approx([0.98, 0.99, 1.0])
    assert result["seconds"] == [2.0, 3.0, 4.0]
    assert (result["mean_test_accuracy"], result["mean_seconds"]) == pytest.approx((0.99, 3.0))
    assert result["sd_test_accuracy"] == pytest.approx(0.01)
    assert result["extra"] == ["--epochs", "1"]
    assert seeds.tell(result, 0.985).startswith("3 seeds: test accuracy 99.000% +- 1.000%, 2 ")


@pytest.mark.parametrize("option", ["--seeds", "--epochs", "--batch-size"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_number_that_makes_no_run_is_refused(example, capsys, option, value):
    with pytest.raises(SystemExit, match="2"):
        example("mnist_speedrun").main([option, value])
    assert f"argument {option}: " in capsys.readouterr().err


def test_an_interrupted_training_is_not_scored(example, tmp_path, monkeypatch):
    def interrupted(*args, **options):
        history = mg.History()
        history.interrupted = True
        return history

    monkeypatch.setattr(mg, "fit", interrupted)
    with pytest.raises(SystemExit, match="not scored"):
        example("mnist_speedrun").main(["--out", str(tmp_path / "run")])
    assert not (tmp_path / "run").exists()


def test_a_seed_that_fails_ends_it(example, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit(3)")
    with pytest.raises(SystemExit, match="seed 0 failed"):
        example("seeds").run_seeds(str(script), 2, tmp_path, [])
