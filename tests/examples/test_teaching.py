"""The examples that teach: each, made small, still shows what its docstring says."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import data

EXAMPLES = Path(__file__).parents[2] / "examples"
SYNTHETIC = 2000, 300  # digits to learn from, and to be tested on
NAMES = [
    "kaggle",
    "autoencoder",
    "adversarial",
    "char_rnn",
    "attention",
    "curve_fitting",
    "transfer",
]


def numbers(out):
    return json.loads((out / "metrics.json").read_text("utf-8"))


def check_files(out, *pictures):
    """The folder holds these files, whole pictures among them, and nothing half-written."""
    pytest.importorskip("matplotlib")
    assert {path.name for path in out.iterdir()} == {"metrics.json", *pictures}
    for name in pictures:
        assert not name.endswith(".png") or (out / name).read_bytes().startswith(b"\x89PNG")


def code_lines(source):
    """How many lines are no docstring, no comment, and not blank."""
    lines = [line.strip() for line in source.splitlines()]
    for node in ast.walk(ast.parse(source)):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node) is not None:
            first, last = node.body[0].lineno, node.body[0].end_lineno
            lines[first - 1 : last] = [""] * (last - first + 1)
    return sum(bool(line) and not line.startswith("#") for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_scripts_are_short_and_teach(name):
    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    assert 10 < code_lines(source) <= 150
    assert len(ast.get_docstring(ast.parse(source)).splitlines()) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_help_tells_the_options(example, name, capsys):
    with pytest.raises(SystemExit) as end:
        example(name).main(["--help"])
    assert end.value.code == 0
    assert "--out" in capsys.readouterr().out


# ---- autoencoder.py ------------------------------------------------------------------------------


def test_the_autoencoder_comes_nearer_to_the_clean_image(example, tmp_path, capsys):
    script = example("autoencoder", DIGITS=1500, EPOCHS=6)
    script.main(["--data", "auto", "--out", str(tmp_path)])
    found = numbers(tmp_path)
    assert found["data"] == "synthetic"
    assert found["error_noisy"] == pytest.approx(0.25, abs=0.005)  # the variance of the noise
    assert found["error_restored"] < found["error_average_digit"] < found["error_clipped"]
    assert "SYNTHETIC" in capsys.readouterr().out
    check_files(tmp_path, "denoised.png", "morph.png")


def test_the_noise_of_the_autoencoder_differs_from_batch_to_batch(example):
    script = example("autoencoder")
    x = np.zeros((4, 784), np.float32)
    loader = data.DataLoader(x, x, 2, transform=script.noisy)
    (a, clean), (b, _) = loader
    assert a.dtype == np.float32
    assert not np.array_equal(a, b)
    assert not clean.any()


# ---- adversarial.py ------------------------------------------------------------------------------


def test_the_gradient_fools_where_noise_does_not(example, tmp_path):
    script = example("adversarial", DIGITS=2000, ATTACKED=200, SIZES=(0.0, 0.2), EPOCHS=3)
    script.main(["--data", "synthetic", "--model", "mlp", "--out", str(tmp_path)])
    found = numbers(tmp_path)["accuracy"]
    clean, noise = found["random signs"]
    assert clean > 0.7
    assert noise > clean - 0.15
    assert found["ten steps"][1] <= found["one step (FGSM)"][1] < clean / 2
    check_files(tmp_path, "accuracy.png", "fooled.png")


@pytest.mark.parametrize("eps", [0.0, 0.1, 0.3])
def test_no_pixel_changes_by_more_than_eps(example, eps):
    script = example("adversarial")
    images, y = data.synthetic_digits(20)
    x, model = script.pixels(images), importlib.import_module("models").mlp()
    changed = [attack(model, x, y, eps) for attack in script.ATTACKS.values()]
    changed.append(script.iterated(model, x, np.full_like(y, 3), eps, toward=True))
    for z in changed:
        assert z.dtype == np.float32
        assert np.abs(z - x).max() <= eps + 1e-6
        assert 0 <= z.min() <= z.max() <= 1
    losses = [float(mg.cross_entropy(mg.predict(model, z), y)) for z in (x, *changed[1:3])]
    assert losses == sorted(losses)  # one step raises the loss, ten raise it more
    assert all(p.grad is None for p in model.parameters())


def test_the_gradient_of_the_image_is_that_of_finite_differences(example):
    script = example("adversarial")
    model = importlib.import_module("models").mlp().astype(np.float64)
    x, y = np.random.default_rng(0).random((2, 1, 28, 28)), np.array([3, 5])
    g, direction = script.gradient(model, x, y), np.random.default_rng(1).random(x.shape)

    def loss(t):
        return float(mg.cross_entropy(mg.predict(model, x + t * direction), y, reduction="sum"))

    assert (g * direction).sum() == pytest.approx((loss(1e-6) - loss(-1e-6)) / 2e-6, rel=1e-5)


# ---- char_rnn.py ---------------------------------------------------------------------------------


def test_the_recurrent_network_beats_the_frequencies_of_letters(example, tmp_path, capsys):
    script = example("char_rnn", STEPS=60, HIDDEN=48, LENGTH=30)
    script.main(["--out", str(tmp_path)])
    found = numbers(tmp_path)
    assert found["bits_in_training"] < found["bits_by_pairs"] < found["bits_by_frequencies"]
    assert 2 * found["bits_in_others"] < found["bits_in_new_line"]
    assert "This is" in capsys.readouterr().out
    check_files(tmp_path, "surprise.png")


def test_the_verse_held_back_is_not_in_the_training_text(example):
    script = example("char_rnn")
    assert script.LINES[-1] not in "".join(script.VERSES[:-1])
    assert script.VERSES[0] == "This is the valley that no one had seen.\n\n"
    text = "".join(script.VERSES)
    assert "".join(script.LETTERS[code] for code in script.encode(text)) == text


def test_entropies_of_a_text_known_by_hand(example):
    script = example("char_rnn")
    single, pair = script.entropies(np.tile([0, 1], 500))  # either, and then the other
    assert single == pytest.approx(1, abs=1e-3)
    assert pair == pytest.approx(0, abs=1e-9)


def test_gradients_of_the_recurrent_cell_alone_and_through_time(example):
    script = example("char_rnn")
    rng = np.random.default_rng(0)
    assert mg.gradcheck(script.GRUCell(3, 4), (rng.normal(size=(2, 3)), rng.normal(size=(2, 4))))
    reader = script.Reader(5, 4).astype(np.float64)
    codes, p = rng.integers(5, size=(2, 6)), reader.cell.gates.weight

    def loss(weight):
        reader.cell.gates.weight = weight
        return reader(codes)[0].sum()

    assert mg.gradcheck(loss, p.data)


def test_a_closed_gate_keeps_the_memory(example):
    cell = example("char_rnn").GRUCell(3, 4)
    cell.gates.bias.data[:4] = -50  # update = 0
    h = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    assert np.allclose(cell(np.ones((2, 3), np.float32), h).data, h)


# ---- attention.py --------------------------------------------------------------------------------


def test_the_transformer_learns_both_tasks(example, tmp_path):
    sizes = {"LETTERS": "abcdefgh", "LENGTH": 5, "WIDTH": 32, "STEPS": 250, "BATCH": 32}
    example("attention", **sizes).main(["--out", str(tmp_path)])
    found = numbers(tmp_path)
    for task in ("reverse", "sort"):
        assert found[task]["letters"] > 0.8 > 2 * found[task]["blind"] * 0.8
    check_files(tmp_path, "attention.png")


def test_attention_is_the_librarys_own(example):
    script = example("attention")
    layer, x = script.Attention(8), np.random.default_rng(0).normal(size=(2, 5, 8))
    layer = layer.astype(np.float64)
    query, key, value = (part(x).data for part in (layer.query, layer.key, layer.value))
    expected = mg.scaled_dot_product_attention(query, key, value)
    assert np.allclose(layer(x).data, expected)
    assert np.allclose(layer.weights(mg.Tensor(x)).data.sum(axis=-1), 1)


def test_gradients_of_the_transformers_block(example):
    block = example("attention").Block(4)
    assert mg.gradcheck(block, np.random.default_rng(0).normal(size=(2, 3, 4)))


def test_without_its_places_the_transformer_cannot_tell_the_order(example):
    model = example("attention").Transformer(6, 4, 8, 2)
    model.place.weight.data[...] = 0
    codes = np.array([[0, 1, 2, 3]])
    scores = mg.predict(model, codes)
    assert np.allclose(scores[:, ::-1], mg.predict(model, codes[:, ::-1]), atol=1e-5)


# ---- curve_fitting.py ----------------------------------------------------------------------------


def test_each_optimizer_ends_lower_than_it_started(example, tmp_path):
    example("curve_fitting", STEPS=300, FIT_STEPS=200).main(["--out", str(tmp_path)])
    races = {name: race for name, race in numbers(tmp_path).items() if isinstance(race, dict)}
    assert len(races) == 9
    for name, race in races.items():
        assert race["end"] < race["start"] / 1.5, name
    assert races["rosenbrock_Newton"]["end"] < 1e-20
    assert races["rosenbrock_SGD"]["start"] == 162.5
    check_files(tmp_path, "fit.png", "rosenbrock.png")


def test_the_goal_of_rosenbrocks_valley(example):
    script = example("curve_fitting")
    goal = np.array([1.0, 1.0])
    assert script.rosenbrock(goal) == 0
    assert not mg.grad(script.rosenbrock)(goal).any()
    assert mg.hessian(script.rosenbrock)(goal).tolist() == [[802, -400], [-400, 200]]


# ---- transfer.py ---------------------------------------------------------------------------------


def test_what_was_learnt_from_drawn_digits_helps_with_few(example, tmp_path, capsys):
    sizes = {"DRAWN": 2000, "DRAWN_EPOCHS": 4, "FEW": (20,), "SEEDS": 2, "STEPS": 30, "TEST": 300}
    example("transfer", **sizes).main(["--data", "auto", "--out", str(tmp_path)])
    found = numbers(tmp_path)
    mean = {way: np.mean(values[0]) for way, values in found["accuracy"].items()}
    assert mean["fine-tuned"] > mean["from scratch"] + 0.1
    assert mean["frozen"] > mean["from scratch"] + 0.1
    assert found["data"] == "synthetic"
    assert "NO REAL DIGITS" in capsys.readouterr().out
    check_files(tmp_path, "transfer.png")


def test_frozen_layers_stay_as_they_are(example):
    script = example("transfer", STEPS=5)
    weights = importlib.import_module("models").lenet().state_dict()
    images, labels = data.synthetic_digits(20)
    few = data.normalize(images), labels
    for way, still in {"frozen": {"0", "3"}, "fine-tuned": set()}.items():
        taught = script.teach(way, weights, few, seed=0).state_dict()
        same = {name.split(".")[0] for name in weights if (taught[name] == weights[name]).all()}
        assert same == still


def test_the_few_are_balanced_and_drawn_by_lot(example):
    script = example("transfer")
    x = np.arange(100)
    first, second = (script.balanced(x, x % 10, 20, np.random.default_rng(s)) for s in (0, 1))
    for chosen, labels in (first, second):
        assert len(set(chosen)) == 20
        assert np.array_equal(chosen % 10, labels)
        assert np.bincount(labels).tolist() == [2] * 10
    assert not np.array_equal(first[0], second[0])


def test_slanted_digits_lean_to_the_left(example):
    upright = np.zeros((3, 28, 28), np.uint8)
    upright[:, :, 14] = 255
    columns = example("transfer").slanted(upright).argmax(axis=2)  # where each row has its ink
    assert columns.shape == (3, 28)
    assert (np.diff(columns) >= 0).all()
    assert columns[0, 0] < 14 < columns[0, -1]


# ---- kaggle.py -----------------------------------------------------------------------------------


def write_csv(path, n, labeled, seed=0):
    images, labels = data.synthetic_digits(n, seed)
    rows = np.column_stack([labels, images.reshape(n, -1)])[:, 0 if labeled else 1 :]
    header = ",".join(["label"] * labeled + [f"pixel{i}" for i in range(784)])
    np.savetxt(path, rows, fmt="%d", delimiter=",", header=header, comments="")
    return str(path)


def test_a_submission_holds_the_answers_counted_from_1(example, tmp_path):
    pytest.importorskip("matplotlib")
    train = write_csv(tmp_path / "train.csv", 600, labeled=True)
    test = write_csv(tmp_path / "test.csv", 50, labeled=False, seed=1)
    out = tmp_path / "out"
    options = "--train", train, "--test", test, "--model", "mlp", "--epochs", "3"
    example("kaggle").main([*options, "--out", str(out)])

    text = (out / "submission.csv").read_text("ascii")
    assert text.endswith("\n")
    header, *rows = text.splitlines()
    assert header == "ImageId,Label"
    ids, answers = np.array([row.split(",") for row in rows], int).T
    assert ids.tolist() == list(range(1, 51))
    model = importlib.import_module("models").mlp()
    mg.load(out / "model.npz", model)
    images, truth = data.synthetic_digits(50, seed=1)
    assert answers.tolist() == mg.predict(model, data.normalize(images)).argmax(axis=1).tolist()
    assert (answers == truth).mean() > 0.6
    found = numbers(out)
    assert found["data"] == "kaggle"
    assert 0.5 < found["val_accuracy"] <= 1
    check_files(out, "submission.csv", "model.npz", "curves.png", "mistakes.png")


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ("no.csv", "test.csv", "there is no file .*no.csv. Fetch train.csv and test.csv from http"),
        ("train.csv", "no.csv", "there is no file .*no.csv"),
        ("test.csv", "test.csv", "has no column label to learn from: is it test.csv"),
        ("train.csv", "train.csv", "has a column label, and test.csv has none: is it train.csv"),
        ("odd.csv", "test.csv", "odd.csv.*pixel"),
        ("bad.csv", "test.csv", "bad.csv.*256"),
    ],
)
def test_a_wrong_file_gets_a_sentence(example, tmp_path, train, test, message):
    good = Path(write_csv(tmp_path / "train.csv", 20, labeled=True)).read_text()
    write_csv(tmp_path / "test.csv", 20, labeled=False)
    (tmp_path / "odd.csv").write_text(good.replace("pixel0,", "", 1))
    header, row, *_ = good.splitlines()
    cells = row.split(",")
    cells[2] = "256"
    (tmp_path / "bad.csv").write_text(f"{header}\n{','.join(cells)}\n")
    options = "--train", str(tmp_path / train), "--test", str(tmp_path / test)
    with pytest.raises(ValueError, match=message):
        example("kaggle").main([*options, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_in_a_shell_a_mistake_shows_no_traceback(tmp_path):
    command = [sys.executable, str(EXAMPLES / "kaggle.py"), "--train", str(tmp_path / "no.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("kaggle.py: there is no file")
    assert "Traceback" not in done.stderr


# ---- without matplotlib --------------------------------------------------------------------------


def test_without_matplotlib_the_pictures_alone_are_missing(example, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    few = {"DIGITS": 200, "EPOCHS": 1}
    tiny = {
        "autoencoder": few,
        "adversarial": {**few, "ATTACKED": 20, "SIZES": (0.0, 0.2)},
        "char_rnn": {"STEPS": 10, "LENGTH": 8, "HIDDEN": 8},
        "attention": {"STEPS": 5, "WIDTH": 8},
        "curve_fitting": {"STEPS": 5, "FIT_STEPS": 5},
        "transfer": {"DRAWN": 100, "DRAWN_EPOCHS": 1, "FEW": (10,), "SEEDS": 2, "STEPS": 2},
    }
    for name, sizes in tiny.items():
        out = tmp_path / name
        example(name, **sizes).main(["--out", str(out)])
        assert [path.name for path in out.iterdir()] == ["metrics.json"]
        assert "pip install 'minigrad-numpy[examples]'" in capsys.readouterr().out
