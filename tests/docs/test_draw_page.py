"""docs/_static/draw: the page of chapter 0 in Chromium, against NumPy and against minigrad."""

import re

import numpy as np
import pytest
from chromium import STROKES, along
from draw_page import PAGE, answer, as_mnist, seen

import minigrad as mg
from minigrad import data


@pytest.fixture(scope="module")
def lenet(examples):
    """The network of the page, from the rounded weights in its weights.js."""
    model = examples["models"].lenet()
    model.load_state_dict(examples["make_weights"].read())
    return model.eval()


def ink(page):
    """What is on the paper, uint8 (280, 280)."""
    pixels = page.run(
        "return [...pen.getImageData(0, 0, 280, 280).data].filter((_, i) => i % 4 > 2)"
    )
    return np.array(pixels, np.uint8).reshape(280, 280)


def press(page, *keys):
    """Press keys where the focus is; "Space", "Escape" and the like by their names."""
    names = {"Space": " ", "Escape": "\ue00c", "Tab": "\ue004", "Left": "\ue012", "Up": "\ue013",
             "Right": "\ue014", "Down": "\ue015"}  # fmt: skip
    actions = [
        {"type": kind, "value": names.get(key, key)}
        for key in keys
        for kind in ("keyDown", "keyUp")
    ]
    page("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})


def hands(seed, times):
    """Each digit as `times` hands draw it: turned, stretched, slanted, moved; (digit, strokes)."""
    rng = np.random.default_rng(seed)
    for _ in range(times):
        for digit, strokes in STROKES.items():
            turn = np.eye(2) * rng.uniform(0.5, 0.9, 2) + rng.normal(0, 0.08, (2, 2))
            place = rng.uniform(0.42, 0.58, 2)
            moved = [(along(stroke, 14) - 0.5) @ turn + place for stroke in strokes]
            yield digit, [stroke.clip(0.05, 0.95) for stroke in moved]


# As `Browser.draw`, a hundred times faster: the events are made in the page.
DRAW = """
const [strokes] = arguments, box = pad.getBoundingClientRect();
pad.setPointerCapture = () => {};  // there is no pointer that could be captured
clear();
for (const stroke of strokes) {
  stroke.forEach(([x, y], i) => {
    const at = {clientX: box.x + x * box.width, clientY: box.y + y * box.width, pointerId: 7};
    pad.dispatchEvent(new PointerEvent(i ? "pointermove" : "pointerdown", at));
  });
  pad.dispatchEvent(new PointerEvent("pointerup", {pointerId: 7}));
}
"""


# ---- the network ---------------------------------------------------------------------------------


def test_the_scores_of_100_drawn_digits_are_those_of_predict(page, lenet):
    images, scores, right = [], [], []
    for digit, strokes in hands(seed=0, times=10):
        page.run(DRAW, [stroke.tolist() for stroke in strokes])
        image, found = seen(page)
        images.append(image)
        scores.append(found)
        right.append(found.argmax() == digit)
    expected = mg.predict(lenet, data.normalize(np.stack(images)))
    assert len({image.tobytes() for image in images}) == 100
    np.testing.assert_allclose(scores, expected, atol=1e-3, rtol=0)
    assert np.mean(right) >= 0.9


@pytest.mark.parametrize("kind", ["mouse", "touch", "pen"])
@pytest.mark.parametrize("digit", [4, 7])
def test_a_pointer_draws_and_the_answer_is_told(page, lenet, digit, kind):
    page.draw(STROKES[digit], kind)
    image, scores = seen(page)
    expected = mg.predict(lenet, data.normalize(image[None]))[0]
    np.testing.assert_allclose(scores, expected, atol=1e-3, rtol=0)
    assert answer(page) == f"I read {digit}."
    rows = page.run("return [...document.querySelectorAll('#bars li')].map(r => r.innerText)")
    percents = [float(re.search(r"([\d.]+) %", row)[1]) for row in rows]
    np.testing.assert_allclose(percents, 100 * mg.softmax(expected), atol=0.06)


def test_both_convolutions_show_their_maps(page, lenet):
    page.draw(STROKES[2], "mouse")
    image, _ = seen(page)
    x = data.normalize(image[None])
    for room, layers in enumerate((lenet[:1], lenet[:4])):
        expected = layers(x).data[0]
        code = f"return state.found.maps[{room}].map((map) => [...map])"
        maps = np.array(page.run(code)).reshape(expected.shape)
        np.testing.assert_allclose(maps, expected, atol=1e-3, rtol=0)
        code = f"""return [...document.querySelectorAll('.tiles')[{room}].children].map((c) =>
          [...c.getContext('2d').getImageData(0, 0, c.width, c.width).data]
            .filter((_, i) => i % 4 === 3))"""
        shown = np.array(page.run(code)).reshape(expected.shape)
        largest = np.abs(expected).max()
        np.testing.assert_allclose(shown, 255 * np.abs(expected) / largest, atol=0.51)


def test_the_weights_are_rounded_and_tell_their_command_and_seed(examples, tmp_path):
    weights = examples["make_weights"]
    path = PAGE.parent / "weights.js"
    text = path.read_text("utf-8")
    command = re.search(r"`python (examples/train_mnist\.py .*)`", text)[1]
    assert "--seed 0" in command
    assert "of seed 0" in text
    arrays = weights.read()
    assert sum(array.size for array in arrays.values()) == 20_522
    weights.write(tmp_path / "weights.js", arrays, "about", "two\nlines")
    again = weights.read(tmp_path / "weights.js")
    assert all((again[name] == array).all() for name, array in arrays.items())
    base64 = re.compile(r"`\n(.*)\n`", re.S)
    written = (tmp_path / "weights.js").read_text("utf-8")
    assert base64.search(written)[1] == base64.search(text)[1]


def test_the_page_asks_no_other_host_and_needs_no_build():
    for path in PAGE.parent.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path.name
        assert not re.search(r"^\s*(?:import|export)\b|\b(?:fetch|require)\(", text, re.M), (
            path.name
        )
    sources = re.findall(
        r"<(?:script src|link rel=\"stylesheet\" href)=\"([^\"]+)", PAGE.read_text("utf-8")
    )
    assert sorted(sources) == sorted(p.name for p in PAGE.parent.iterdir() if p != PAGE)


def test_filters_find_the_edges_that_chapter_0_names(page):
    page.run("clear(); pen.fillRect(60, 60, 160, 160)")
    seen(page)
    maps = [np.array(page.run(f"return [...state.found.maps[0][{k}]]")) for k in (0, 2, 6)]
    upper, left, right = (values.reshape(24, 24) for values in maps)
    assert upper[:8].max() > 2 > upper[8:].max()
    inside = slice(8, 16)
    assert left[inside, :8].max() > 2 > left[inside, 8:].max()
    assert right[inside, 12:].max() > 2 > right[inside, :12].max()


# ---- a drawing becomes an image like MNIST's -------------------------------------------------------


def test_strokes_are_centered_and_scaled_as_mnists_were(page):
    for _, strokes in list(hands(seed=1, times=1)):
        page.run(DRAW, [stroke.tolist() for stroke in strokes])
        image, _ = seen(page)
        expected = as_mnist(ink(page))
        assert np.abs(image.astype(int) - expected).max() <= 1  # rounding
        inked = [np.flatnonzero(image.any(axis=axis)) for axis in (0, 1)]
        assert 20 <= max(np.ptp(places) + 1 for places in inked) <= 21
        middle = [image.sum(axis=axis) @ (np.arange(28) + 0.5) / image.sum() for axis in (0, 1)]
        assert middle == pytest.approx([14.5, 14.5], abs=0.05)


def test_neither_place_nor_size_of_a_drawing_matters(page):
    code = """clear(); pen.fillRect(...arguments[0]); pen.fillRect(...arguments[1]); look();
      return [...state.image]"""
    first = page.run(code, [100, 100, 20, 40], [120, 120, 10, 10])
    for x, y, times in (0, 0, 1), (250, 240, 1), (10, 120, 2), (0, 0, 6):
        boxes = [[x, y, 20 * times, 40 * times]]
        boxes += [[x + 20 * times, y + 20 * times, 10 * times, 10 * times]]
        again = page.run(code, *boxes)
        assert np.abs(np.subtract(first, again)).max() <= 1


def test_a_drawing_at_the_edge_and_a_single_dot_are_read(page):
    for boxes in [(0, 0, 280, 280)], [(0, 0, 1, 1)], [(0, 0, 280, 2), (0, 200, 3, 80)]:
        page.run("clear(); for (const box of arguments) pen.fillRect(...box)", *boxes)
        image, _ = seen(page)
        expected = as_mnist(ink(page))
        assert np.abs(image.astype(int) - expected).max() <= 1


# ---- keys, phones, dark ----------------------------------------------------------------------------


def test_the_keyboard_draws_samples_and_clears(page):
    empty = answer(page)
    press(page, "Tab")
    assert page.run("return document.activeElement === pad")
    assert page.run("return getComputedStyle(pad).outlineStyle") == "solid"
    for digit in range(10):
        press(page, str(digit))
        assert answer(page) == f"I read {digit}."
    press(page, "Escape")
    assert answer(page) == empty
    press(page, "Tab", "Space")
    assert re.fullmatch(r"I read \d\.", answer(page))
    press(page, "Tab", "Space")
    assert answer(page) == empty


def test_the_keyboard_moves_a_pen(page):
    press(page, "Tab", *["Up"] * 9, "Space", *["Down"] * 18, "Space", *["Right"] * 5)
    assert answer(page) == "I read 1."
    drawn = ink(page)
    columns, rows = (np.flatnonzero(drawn.any(axis=axis)) for axis in (0, 1))
    assert np.ptp(rows) > 180  # the pen was down for 18 steps of 10
    assert np.ptp(columns) < 30  # and up for the last 5
    press(page, "Space")
    assert np.ptp(np.flatnonzero(ink(page).any(axis=0))) > 60  # down: a dot


def test_the_samples_are_read_however_they_are_tilted(page):
    for digit in range(10):
        for tilt in -0.5, 0, 0.5:
            page.run("sample(...arguments)", digit, tilt)
            assert answer(page) == f"I read {digit}."


def test_what_is_seen_has_a_name_for_those_who_hear(page):
    page.run("sample(3); look()")
    code = "return [...document.querySelectorAll('canvas, section, ul, [role]')].map("
    names = page.run(code + "(e) => e.getAttribute('aria-label'))")
    assert all(names)
    assert page.run("return document.documentElement.lang") == "en"
    assert page.run("return document.querySelectorAll('[aria-live]').length") == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 900])
def test_it_fits_a_phone_in_light_and_dark(page, tmp_path, width, scheme):
    screen = {"width": width, "height": 760, "deviceScaleFactor": 1, "mobile": width < 500}
    look = [{"name": "prefers-color-scheme", "value": scheme}]
    commands = {
        "Emulation.setDeviceMetricsOverride": screen,
        "Emulation.setEmulatedMedia": {"features": look},
    }
    try:
        for name, params in commands.items():
            page("POST", "/goog/cdp/execute", {"cmd": name, "params": params})
        page.draw(STROKES[3], "touch")
        assert answer(page) == "I read 3."
        assert page.run("return document.documentElement.scrollWidth") <= width
        bottom = page.run("return document.getElementById('bars').getBoundingClientRect().bottom")
        assert bottom < 660  # the answer is seen while one draws
        assert page.run("return getComputedStyle(pad).touchAction") == "none"
        dark = (
            page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(22, 23, 25)"
        )
        assert dark == (scheme == "dark")
        assert page.screenshot(tmp_path / "page.png").startswith(b"\x89PNG")
    finally:
        clear = "Emulation.clearDeviceMetricsOverride"
        page("POST", "/goog/cdp/execute", {"cmd": clear, "params": {}})
        media = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": []}}
        page("POST", "/goog/cdp/execute", media)
