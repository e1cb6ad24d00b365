"""The examples as a reader runs them, on a few digits drawn by NumPy."""

import functools
import importlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import data

EXAMPLES = Path(__file__).parents[1] / "examples"
SYNTHETIC = 400, 100  # digits to learn from, and to be tested on
KEYS = {
    "test_accuracy", "test_loss", "train_accuracy", "train_loss", "val_accuracy", "val_loss",
    "seconds", "data", "model", "parameters", "epochs", "seed", "interrupted", "batch_size", "lr",
    "validation", "workers",
}  # fmt: skip
NUMBERS = {"history.json", "metrics.json", "model.npz"}
PICTURES = {"confusion.png", "curves.png", "predictions.png"}


@pytest.fixture
def train(example, tmp_path, monkeypatch, capsys):
    """Run train_mnist.py; returns the folder, its metrics.json and what was printed."""

    def run(*options, out=tmp_path / "runs" / "a", draw=False):
        script = example("train_mnist")
        if not draw:  # pictures take longer than the training
            monkeypatch.setattr(script, "draw", lambda *arguments: [])
        script.main([*options, "--out", str(out)])
        return out, json.loads((out / "metrics.json").read_text()), capsys.readouterr().out

    return run


def in_a_shell(script, *options):
    command = [sys.executable, str(EXAMPLES / script), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def files(folder):
    return {path.name for path in folder.iterdir()}


# ---- models.py -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["linear", "mlp", "lenet", "cnn"])
def test_the_networks_have_the_parameters_that_the_docstring_tells(example, name):
    models = example("models")
    model = models.MODELS[name]()
    told = re.search(rf"^\| {name} .*\| +([\d,]+) \|$", models.__doc__, re.MULTILINE).group(1)
    assert sum(p.size for p in model.parameters()) == int(told.replace(",", ""))
    assert mg.predict(model, np.zeros((2, 1, 28, 28), np.float32)).shape == (2, 10)


def test_the_comments_tell_the_shapes_in_the_networks(example):
    models = example("models")
    for name in ("lenet", "cnn"):
        source = (EXAMPLES / "models.py").read_text("utf-8").split(f"def {name}")[1]
        told = re.findall(r"# \(N, (.*)\)", source.split("\n    )\n")[0])
        shapes = re.findall(r"\(N, (.*?)\) ", models.MODELS[name]().summary((1, 28, 28)))
        assert told
        steps = iter(shapes)
        assert all(shape in steps for shape in told), (told, shapes)  # told in this order


# ---- train_mnist.py ------------------------------------------------------------------------------


def test_a_run_writes_numbers_weights_and_pictures(train):
    pytest.importorskip("matplotlib")
    options = "--data", "synthetic", "--epochs", "2", "--workers", "2"
    out, numbers, printed = train(*options, draw=True)
    assert files(out) == NUMBERS | PICTURES
    assert set(numbers) >= KEYS
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in PICTURES)
    history = json.loads((out / "history.json").read_text())
    assert {key: len(values) for key, values in history.items()} == dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy"), 2
    )
    assert numbers["val_loss"] == pytest.approx(history["val_loss"][-1], rel=1e-5)
    assert (numbers["model"], numbers["parameters"]) == ("lenet", 20522)
    assert (numbers["epochs"], numbers["workers"], numbers["seed"]) == (2, 2, 0)
    assert (numbers["batch_size"], numbers["lr"], numbers["interrupted"]) == (128, 0.01, False)
    assert "precision  recall" in printed
    assert all(name in printed for name in NUMBERS | PICTURES)


def test_the_weights_and_the_digits_give_the_numbers_again(train, example):
    out, numbers, _ = train("--data", "synthetic", "--model", "mlp", "--epochs", "1")
    model = example("models").mlp()
    mg.load(out / "model.npz", model)
    images, labels = data.synthetic_digits(100, seed=1)
    again = mg.evaluate(model, (data.normalize(images), labels))
    assert again["accuracy"] == numbers["test_accuracy"]
    assert again["loss"] == pytest.approx(numbers["test_loss"], rel=1e-5)
    images, labels = data.synthetic_digits(400)
    again = mg.evaluate(model, data.split(data.normalize(images), labels)[0])
    assert again["accuracy"] == numbers["train_accuracy"]


@pytest.mark.parametrize("source", ["auto", "synthetic"])
def test_synthetic_digits_are_named_first_last_and_in_the_file(train, source):
    _, numbers, printed = train("--data", source, "--model", "linear", "--epochs", "1")
    assert numbers["data"] == "synthetic"
    first, last = printed.split("model:")[0], printed.splitlines()[-1]
    assert "SYNTHETIC digits, drawn by NumPy; not MNIST" in first
    assert ("no network" in first) == (source == "auto")
    assert last.endswith("on SYNTHETIC digits: no result on MNIST")


def test_mnist_that_was_asked_for_is_never_replaced(train):
    with pytest.raises(data.DataUnavailable):
        train("--data", "mnist")


def test_the_same_seed_gives_the_same_numbers(train, tmp_path):
    def numbers(seed, name):
        options = "--data", "synthetic", "--model", "linear", "--epochs", "1", "--seed", seed
        found = train(*options, out=tmp_path / name)[1]
        return [value for key, value in found.items() if key.endswith(("loss", "accuracy"))]

    assert numbers("3", "a") == numbers("3", "b") != numbers("4", "c")


def test_no_curves_of_a_training_without_a_whole_epoch(example, tmp_path):
    pytest.importorskip("matplotlib")
    images, labels = data.synthetic_digits(10)
    matrix, probabilities = np.eye(10, dtype=int), np.full((10, 10), 0.1)
    drawn = example("report").draw(tmp_path, {}, matrix, images, labels, probabilities)
    assert set(drawn) == files(tmp_path) == PICTURES - {"curves.png"}


def test_the_recipes_are_those_of_the_help_text(example):
    script = example("train_mnist")
    assert script.RECIPES.keys() == script.MODELS.keys()
    for model, recipe in script.RECIPES.items():
        row = re.search(rf"^  {model} +(.*)$", script.__doc__, re.MULTILINE).group(1).split()
        assert [float(number) for number in row] == list(recipe)


def test_without_matplotlib_the_pictures_alone_are_missing(train, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    options = "--data", "synthetic", "--model", "linear", "--epochs", "1"
    out, _, printed = train(*options, draw=True)
    assert files(out) == NUMBERS
    assert "pip install 'minigrad-numpy[examples]'" in printed


def test_ctrl_c_scores_and_writes_what_was_learnt(train, monkeypatch):
    class Press(mg.Callback):
        def on_batch_end(self, run):
            if (run.epoch, run.batch) == press:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(mg, "fit", functools.partial(mg.fit, callbacks=[Press()]))
    for press in [(0, 2), (1, 2)]:
        _, numbers, printed = train("--data", "synthetic", "--model", "linear", "--epochs", "3")
        assert numbers["interrupted"]
        assert numbers["epochs"] == press[0]
        assert f"INTERRUPTED after {press[0]} whole epochs" in printed.splitlines()[-1]
        assert 0 < numbers["val_accuracy"] < 1


def test_seconds_count_from_the_start_of_the_process():
    code = f"import time, sys; time.sleep(0.5); sys.path.append({str(EXAMPLES)!r})\n"
    code += "import report; print(report.seconds())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (0.5 if sys.platform == "linux" else 0) < float(done.stdout) < 60


@pytest.mark.skipif(sys.platform != "linux", reason="needs a shell that replaces itself")
def test_seconds_do_not_count_what_a_shell_did_before():
    before = "import time; sum(range(10**6)); time.sleep(2); print(time.monotonic())"
    code = f"import sys; sys.path.append({str(EXAMPLES)!r}); import report, time\n"
    code += "print(time.monotonic() - report.seconds())"
    line = f'"$0" -c "{before}"; exec "$0" -c "{code}"'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable], capture_output=True, text=True, check=True
    )
    ended, began = map(float, done.stdout.split())
    assert began > ended - 1  # not two seconds before, as the shell did


def kaggle(path, n, labels=True):
    images, digits = data.synthetic_digits(n)
    rows = np.column_stack([digits, images.reshape(n, -1)])[:, 0 if labels else 1 :]
    header = ["label"] * labels + [f"pixel{i}" for i in range(784)]
    np.savetxt(path, rows, fmt="%d", delimiter=",", header=",".join(header), comments="")
    return str(path)


def test_kaggles_train_csv_is_split_into_training_and_test(train, tmp_path):
    source = kaggle(tmp_path / "train.csv", 70)
    _, numbers, printed = train("--data", source, "--model", "linear", "--epochs", "1")
    assert numbers["data"] == "kaggle"
    assert "70 digits, of which 10 are the test set" in printed
    with pytest.raises(ValueError, match=r"train\.csv"):
        train("--data", kaggle(tmp_path / "test.csv", 3, labels=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "/no/such/folder"], 'expected "auto", "mnist", "synthetic", a folder'),
        (["--data", "/no/such/train.csv"], "No such file"),
        (["--epochs", "0"], "--epochs: expected a number above 0, got 0"),
        (["--lr", "nan"], "--lr: expected a number above 0, got nan"),
        (["--workers", "-1"], "expected a number above 0"),
        (["--model", "transformer"], "invalid choice: 'transformer'"),
        (["--out", __file__], "exists"),  # Windows has a longer sentence for it
    ],
)
def test_a_mistake_on_the_command_line_gets_a_sentence(options, message):
    done = in_a_shell("train_mnist.py", *options)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_share_for_validation_is_refused(train):
    with pytest.raises(ValueError, match=r"more than 0, less than 1, got 1\.5"):
        train("--data", "synthetic", "--validation", "1.5")


def test_help_tells_options_files_and_examples():
    done = in_a_shell("train_mnist.py", "--help")
    assert done.returncode == 0
    for word in ("--data {auto,mnist,synthetic,FOLDER,train.csv}", "metrics.json", "Examples:"):
        assert word in done.stdout


def test_real_mnist_says_where_it_is_from(monkeypatch, capsys):
    try:
        data.load_mnist(download=False)
    except data.DataUnavailable:
        pytest.skip("MNIST is not on this machine (MINIGRAD_DATA_DIR)")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    train, test, kind = importlib.import_module("digits").load_digits("mnist")
    assert (len(train[0]), len(test[0]), kind) == (60000, 10000, "mnist")
    assert capsys.readouterr().out.startswith("data: MNIST, from ")


# ---- quickstart.py, moons.py ---------------------------------------------------------------------


def test_quickstart_finds_the_line_of_least_squares():
    done = in_a_shell("quickstart.py")
    assert done.returncode == 0, done.stderr
    steps = re.findall(r"y = (\S+) x (\S+), loss (\S+)", done.stdout)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 100)
    y = 3 * x - 1 + 0.1 * rng.standard_normal(100)
    assert np.array(steps[-1][:2], float) == pytest.approx(np.polyfit(x, y, 1), abs=0.001)
    losses = [float(loss) for _, _, loss in steps]
    assert losses == sorted(losses, reverse=True)


def test_moons_are_told_apart_by_a_hidden_layer_alone(example, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    example("moons").main(["--out", str(tmp_path)])
    straight, bent = map(
        float, re.findall(r"([\d.]+)% of the test points", capsys.readouterr().out)
    )
    assert straight < 90
    assert bent > 96
    assert files(tmp_path) == {"hidden-0.png", "hidden-16.png"}


# ---- train_mnist_mpi.py; tests/test_mpi.py runs it -----------------------------------------------


def test_without_mpi4py_the_example_says_how_to_get_it():
    path = str(EXAMPLES / "train_mnist_mpi.py")
    code = "import runpy, sys; sys.modules['mpi4py'] = None\n"
    code += f"sys.path.append({str(EXAMPLES)!r}); runpy.run_path({path!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'minigrad-numpy[mpi]' brings mpi4py and MPI" in done.stderr
    assert "Traceback" not in done.stderr
