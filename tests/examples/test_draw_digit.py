"""draw_digit.py: its network, and the page that it writes."""

import importlib
import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

sys.path.insert(0, str(Path(__file__).parents[1]))
from chromium import STROKES, start

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The script, and a folder in which it has trained on few synthetic digits."""
    out = tmp_path_factory.mktemp("draw")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        script = importlib.import_module("draw_digit")
        patch.setattr(importlib.import_module("digits"), "SYNTHETIC", (4000, 200))
        patch.setitem(script.EPOCHS, "synthetic", 2)
        args = script.arguments(["--data", "synthetic", "--out", str(out)])
        model, about = script.get_model(args)
        yield script, out, model, about


@pytest.fixture(scope="module")
def script(home):
    return home[0]


def test_training_leaves_numbers_and_weights_for_the_next_start(home, capsys):
    script, out, model, about = home
    assert {path.name for path in out.iterdir()} == {"metrics.json", "model.npz"}
    numbers = json.loads((out / "metrics.json").read_text())
    assert (numbers["data"], numbers["parameters"], numbers["epochs"]) == ("synthetic", 20522, 2)
    assert numbers["test_accuracy"] > 0.75
    assert numbers["seconds"] > 0
    assert "SYNTHETIC" in about
    again, said = script.get_model(script.arguments(["--out", str(out)]))
    assert said == about
    assert not again.training
    for (name, old), (_, new) in zip(model.named_arrays(), again.named_arrays(), strict=True):
        np.testing.assert_array_equal(old, new, name)
    assert "SYNTHETIC" in capsys.readouterr().out


def test_weights_without_a_word_on_their_origin_are_taken_too(script, tmp_path):
    models = importlib.import_module("models")
    mg.save(tmp_path / "some.npz", models.lenet())
    args = script.arguments(["--model", str(tmp_path / "some.npz")])
    assert script.get_model(args)[1] == "Nothing tells which digits it learned from."
    mg.save(tmp_path / "some.npz", models.mlp())
    with pytest.raises(ValueError, match=r"some\.npz.*Is it of another model"):
        script.get_model(args)


def test_ctrl_c_while_training_keeps_nothing(script, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.import_module("digits"), "SYNTHETIC", (400, 100))

    def interrupted(x, rng):
        signal.raise_signal(signal.SIGINT)
        return x

    monkeypatch.setattr(script, "HAND", interrupted)
    with pytest.raises(SystemExit, match="interrupted; nothing of it is kept"):
        script.main(["--data", "synthetic", "--out", str(tmp_path), "--no-browser"])
    assert list(tmp_path.iterdir()) == []


# ---- the command ---------------------------------------------------------------------------------


def test_the_page_that_opens_has_these_weights(home, tmp_path, monkeypatch, capsys):
    script, out, model, _ = home
    opened = []
    monkeypatch.setattr(script.webbrowser, "open", opened.append)
    command = ["--model", str(out / "model.npz"), "--out", str(tmp_path / "a b")]
    script.main(command)
    page = tmp_path / "a b" / "page" / "index.html"
    assert opened == [page.as_uri()]
    assert str(page) in capsys.readouterr().out
    script.main([*command, "--no-browser"])  # over the page that is there
    assert len(opened) == 1
    assert {p.name for p in page.parent.iterdir()} == {p.name for p in script.PAGE.iterdir()}
    found = importlib.import_module("make_weights").read(page.parent / "weights.js")
    for name, array in model.state_dict().items():
        np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-7)


def test_the_page_reads_what_is_drawn_and_tells_what_it_learned_from(home, tmp_path):
    script, _, model, about = home
    page = script.write_page(model, about, tmp_path / "page")
    with start(tmp_path / "profile") as browser:
        browser("POST", "/url", {"url": page.as_uri()})
        browser.draw(STROKES[0], "mouse")
        answer = "look(); return document.getElementById('answer').textContent"
        assert "0" in browser.run(answer)
        assert about in browser.run("return document.getElementById('told').textContent")
        assert browser("POST", "/se/log", {"type": "browser"}) == []


def test_help_tells_files_and_examples(script, capsys):
    with pytest.raises(SystemExit, match="0"):
        script.main(["--help"])
    printed = capsys.readouterr().out
    for word in ("--model FILE.npz", "--no-browser", "metrics.json", "Examples:"):
        assert word in printed
