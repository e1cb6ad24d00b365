"""The page docs/_static/draw reads with a network out of an .npz, or says why it does not."""

import re
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from chromium import STROKES
from draw_page import answer, seen

import minigrad as mg
from minigrad import data, nn


def choose(page, path):
    """Choose a file, as its dialog does; returns what the page tells."""
    found = page("POST", "/element", {"using": "css selector", "value": "#file"})
    page.run("document.getElementById('told').textContent = ''")
    page("POST", f"/element/{next(iter(found.values()))}/value", {"text": str(path)})
    return page.wait("return document.getElementById('told').textContent")


def own(seed=0, hidden=(20,), dtype=np.float32):
    """The weights of a network as an engine of one's own has them: w1 (784, hidden), b1, w2, b2."""
    rng = np.random.default_rng(seed)
    sizes = (784, *hidden, 10)
    arrays = {}
    for k, (inputs, outputs) in enumerate(pairwise(sizes), 1):
        arrays[f"w{k}"] = (rng.standard_normal((inputs, outputs)) / inputs**0.5).astype(dtype)
        arrays[f"b{k}"] = rng.standard_normal(outputs).astype(dtype)
    return arrays


def scores_of(arrays, image):
    """The scores of such a network, by NumPy."""
    x = data.normalize(image[None]).reshape(784).astype(float)
    for k in range(1, len(arrays) // 2 + 1):
        x = (np.maximum(x, 0) if k > 1 else x) @ arrays[f"w{k}"].astype(float) + arrays[f"b{k}"]
    return x


def test_weights_of_ones_own_engine_read(page, tmp_path):
    page.draw(STROKES[5], "mouse")
    saves = [(np.savez, "C", dtype) for dtype in (np.float16, np.float32, np.float64, ">f4")]
    saves += [(np.savez_compressed, order, np.float32) for order in "CF"]
    for save, order, dtype in saves:
        arrays = own(hidden=(20, 784), dtype=dtype)  # a layer of (784, 784) would be ambiguous
        save(tmp_path / "mine.npz", **{k: np.asarray(v, order=order) for k, v in arrays.items()})
        told = choose(page, tmp_path / "mine.npz")
        assert told == "Reading now: your network, 784-20-784-10, from mine.npz."
        image, scores = seen(page)
        np.testing.assert_allclose(scores, scores_of(arrays, image), atol=1e-3)
    page.run("document.getElementById('back').click()")
    assert answer(page) == "I read 5."
    assert page.run("return state.network === lenet")


def test_a_square_layer_is_turned_as_its_name_says(page, tmp_path):
    page.draw(STROKES[5], "mouse")
    arrays = own(hidden=(784,))
    np.savez(tmp_path / "mine.npz", **arrays)
    choose(page, tmp_path / "mine.npz")
    image, scores = seen(page)
    np.testing.assert_allclose(scores, scores_of(arrays, image), atol=1e-3)
    torch = {f"{2 * k - 2}.weight": arrays[f"w{k}"].T for k in (1, 2)}  # in Fortran's order
    torch |= {f"{2 * k - 2}.bias": arrays[f"b{k}"] for k in (1, 2)}
    np.savez(tmp_path / "torch.npz", **torch)
    choose(page, tmp_path / "torch.npz")
    np.testing.assert_allclose(seen(page)[1], scores, atol=1e-6)


@pytest.mark.parametrize("hidden", [(), (32,), (16, 12, 8)])
def test_a_state_dict_of_minigrad_reads(page, tmp_path, hidden):
    mg.manual_seed(0)
    sizes = (784, *hidden, 10)
    layers = [nn.Flatten()]
    for k, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += ([nn.ReLU()] if k else []) + [nn.Dense(inputs, outputs)]
    model = nn.Sequential(*layers)
    mg.save(tmp_path / "mine.npz", model)
    page.draw(STROKES[6], "mouse")
    assert "-".join(map(str, sizes)) in choose(page, tmp_path / "mine.npz")
    image, scores = seen(page)
    np.testing.assert_allclose(scores, mg.predict(model, data.normalize(image[None]))[0], atol=1e-3)
    tiles = "return document.querySelectorAll('.tiles canvas').length"
    assert page.run(tiles) == min(sizes[1], 16)


def test_ten_layers_stand_in_the_order_of_their_numbers_and_a_bias_may_be_missing(page, tmp_path):
    arrays = own(hidden=[9] * 11)
    del arrays["b3"]
    np.savez(tmp_path / "mine.npz", **dict(reversed(arrays.items())))
    page.draw(STROKES[1], "mouse")
    assert "Reading now" in choose(page, tmp_path / "mine.npz")
    image, scores = seen(page)
    np.testing.assert_allclose(scores, scores_of({**arrays, "b3": 0}, image), atol=1e-3)


def test_a_lenet_is_read_and_its_maps_are_shown(page, examples, tmp_path):
    mg.manual_seed(1)
    model = examples["models"].lenet().eval()
    mg.save(tmp_path / "model.npz", model)
    page.draw(STROKES[8], "mouse")
    assert "your network, a lenet" in choose(page, tmp_path / "model.npz")
    image, scores = seen(page)
    np.testing.assert_allclose(scores, mg.predict(model, data.normalize(image[None]))[0], atol=1e-3)
    assert page.run("return document.querySelectorAll('.tiles canvas').length") == 24


def test_a_file_is_dropped(page, tmp_path):
    np.savez(tmp_path / "mine.npz", **own())
    content = list((tmp_path / "mine.npz").read_bytes())
    code = """const files = new DataTransfer();
      files.items.add(new File([new Uint8Array(arguments[0])], "dropped.npz"));
      const event = (name) => new DragEvent(name, {dataTransfer: files, bubbles: true, cancelable: true});
      const over = event("dragover");
      document.body.dispatchEvent(over);
      const shown = document.body.classList.contains("over");
      document.body.dispatchEvent(event("drop"));
      return [shown, over.defaultPrevented, document.body.classList.contains("over")]"""
    assert page.run(code, content) == [True, True, False]
    page.wait("return document.getElementById('told').textContent.includes('dropped.npz')")
    assert page.run("return state.network.dense.length") == 2


def archive(path, files):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)


BROKEN = {
    "a model of pickle": (lambda path: path.write_bytes(b"\x80\x04 no zip"), "zip archive"),
    "nothing": (lambda path: path.write_bytes(b""), "zip archive"),
    "a single array": (lambda path: path.write_bytes(b"\x93NUMPY\x01\0"), "zip archive"),
    "no arrays": (lambda path: np.savez(path), "holds no array"),
    "a document": (lambda path: archive(path, {"a/data.pkl": "x"}), '"a/data.pkl"'),
    "text as npy": (lambda path: archive(path, {"w1.npy": "x" * 99}), '"w1" to be a NumPy array'),
    "other names": (lambda path: np.savez(path, weights=np.ones(3)), 'one is called "weights"'),
    "objects": (lambda path: np.savez(path, w1=np.array([{}])), '"w1" holds Python objects'),
    "whole numbers": (lambda path: np.savez(path, w1=np.ones(3, int)), 'astype("float32")'),
    "a structure": (lambda path: np.savez(path, w1=np.ones(3, "f4,f4")), "something else"),
    "nan": (lambda path: np.savez(path, w1=np.full((784, 10), np.nan)), '"w1" holds nan'),
    "other inputs": (lambda path: np.savez(path, w1=np.ones((783, 10))), '"w1" has (783, 10)'),
    "one axis": (lambda path: np.savez(path, w1=np.ones(784)), '"w1" has (784,)'),
    "eleven scores": (lambda path: np.savez(path, w1=np.ones((784, 11))), "there are 11"),
    "a bias alone": (lambda path: np.savez(path, b1=np.ones(10)), '"b1" has none'),
    "another bias": (
        lambda path: np.savez(path, w1=np.ones((784, 10)), b1=np.ones(9)),
        'a bias of shape (10,), one number for each unit, but "b1" has (9,)',
    ),
    "layers that do not fit": (
        lambda path: np.savez(path, w1=np.ones((784, 20)), w2=np.ones((30, 10))),
        '(20, units) or (units, 20), 20 being the units of the layer before, but "w2" has (30, 10)',
    ),
    "a convolution": (
        lambda path: np.savez(path, **{"0.weight": np.ones((32, 1, 3, 3))}),
        '"0.weight" of shape (32, 1, 3, 3) is a convolution',
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_foreign_file_gets_a_sentence_and_changes_nothing(page, tmp_path, kind):
    write, expected = BROKEN[kind]
    write(tmp_path / "odd.npz")
    told = choose(page, tmp_path / "odd.npz")
    assert told.startswith("odd.npz is not read. Expected ")
    assert expected in told
    assert re.fullmatch(r".* but .*\. \S.*\. The network stays as it was\.", told)
    assert page.run("return state.network === lenet")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_file_gets_a_sentence_wherever_it_is_damaged(page, tmp_path, save):
    save(tmp_path / "mine.npz", **own(hidden=(3,)))
    whole = (tmp_path / "mine.npz").read_bytes()
    rng = np.random.default_rng(0)
    cut = [whole[: int(n)] for n in rng.integers(4, len(whole), 15)]
    bent = [bytearray(whole) for _ in range(40)]
    for content, at in zip(bent, rng.integers(4, len(whole), 40)):
        content[at] ^= 1 + rng.integers(255)
    code = """const [files] = arguments, told = [];
      return (async () => {
        for (const content of files) {
          await take(new File([new Uint8Array(content)], "mine.npz"));
          told.push(document.getElementById("told").textContent);
        }
        return told;
      })()"""
    for n, told in enumerate(page.run(code, [list(content) for content in cut + bent])):
        # What no reader looks at, such as a file's date, may change.
        read = "Reading now: your network, 784-3-10, from mine.npz."
        assert told.startswith("mine.npz is not read. Expected ") or (n >= 15 and told == read)
