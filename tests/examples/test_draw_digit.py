"""draw_digit.py: the drawing as an image, the server without a browser, the page in Chromium."""

import http.client
import importlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import data

sys.path.insert(0, str(Path(__file__).parents[1]))
from chromium import STROKES, along, start

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPT = EXAMPLES / "draw_digit.py"
BYTES = {"Content-Type": "application/octet-stream"}


def drawn(strokes, side=280, pen=0.08):
    """The strokes inked by a round pen, uint8 (side, side)."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    distance = np.full((side, side), np.inf)
    for stroke in strokes:
        for x, y in along(stroke, 100) * side:
            distance = np.minimum(distance, np.hypot(columns - x, rows - y))
    return (255 * (pen * side / 2 + 0.5 - distance).clip(0, 1)).astype(np.uint8)


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


@pytest.fixture(scope="module")
def server(home):
    script, _, model, about = home
    with script.Server(model, about) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def request_(server):
    """Send a request as it is; returns the status, the headers and the content."""

    def send(method, path, body=None, **headers):
        connection = http.client.HTTPConnection(*server.server_address, timeout=20)
        try:
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read().decode()
            is_json = answer.headers.get_content_type() == "application/json"
            return (
                answer.status,
                answer.headers,
                json.loads(content) if is_json and content else content,
            )
        finally:
            connection.close()

    return send


@pytest.fixture(scope="module")
def predict(request_):
    def send(body, **headers):
        return request_(
            "POST", "/predict", body, **{"Content_Type": BYTES["Content-Type"]} | headers
        )

    return send


# ---- the drawing as an image like MNIST's --------------------------------------------------------

blots = st.lists(st.tuples(*[st.integers(0, 39)] * 4), min_size=1, max_size=4)


def blotted(boxes, side=40):
    """A drawing of filled rectangles."""
    drawing = np.zeros((side, side), np.uint8)
    for a, b, c, d in boxes:
        drawing[min(a, b) : max(a, b) + 1, min(c, d) : max(c, d) + 1] = 255
    return drawing


def center(image):
    return [(image.sum(axis=axis) @ (np.arange(28) + 0.5)) / image.sum() for axis in (1, 0)]


@settings(max_examples=50, deadline=None)
@given(blots)
def test_a_drawing_fills_a_box_of_20_pixels_and_loses_no_ink(script, boxes):
    drawing = blotted(boxes)
    image = script.as_mnist(drawing)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    height, width = (np.ptp(np.flatnonzero(drawing.any(axis=axis))) + 1 for axis in (1, 0))
    scale = 20 / max(height, width)
    assert int(image.sum()) == pytest.approx(drawing.sum() * scale**2, rel=0.01, abs=200)
    for size, axis in ((height, 1), (width, 0)):
        inked = np.flatnonzero((image > 0).any(axis=axis))
        assert size * scale - 2 <= np.ptp(inked) + 1 <= size * scale + 2


@settings(max_examples=50, deadline=None)
@given(blots)
@example([(0, 0, 0, 0), (1, 1, 20, 25)])  # thin: 0.1 of a pixel beside it
def test_the_center_of_mass_is_mnists_where_the_frame_leaves_room(script, boxes):
    drawing = blotted(boxes)
    image = script.as_mnist(drawing).astype(float)
    sizes = [np.ptp(np.flatnonzero(drawing.any(axis=axis))) + 1 for axis in (1, 0)]
    for middle, axis in zip(center(image), (1, 0), strict=True):
        inked = np.flatnonzero((image > 0).any(axis=axis))
        at_the_edge = inked[0] == 0 or inked[-1] == 27
        # A pixel tells how much ink it has, not where: an edge inside it may hide 1/8 of its step.
        profile = drawing.sum(axis=axis, dtype=float)
        steps = np.abs(np.diff(profile, prepend=0, append=0)).sum()
        hidden = steps / 8 / (profile.sum() * 20 / max(sizes))
        # Pixels are rounded to bytes, some to 0.
        touched = sum(np.roll(image, (i, j), (0, 1)) for i, j in np.ndindex(3, 3)) > 0
        touched = np.roll(touched, (-1, -1), (0, 1)).sum(axis=axis)
        rounded = touched @ np.abs(np.arange(28) + 0.5 - middle) / 2 / image.sum()
        assert abs(middle - 14.5) <= hidden + rounded or at_the_edge


@settings(max_examples=50, deadline=None)
@given(blots, st.integers(0, 60), st.integers(0, 60), st.integers(1, 4))
def test_neither_the_place_nor_the_size_of_a_drawing_matters(script, boxes, down, right, times):
    drawing = blotted(boxes)
    elsewhere = np.zeros((100, 100), np.uint8)
    elsewhere[down : down + 40, right : right + 40] = drawing
    larger = np.kron(elsewhere, np.ones((times, times), np.uint8))
    image = script.as_mnist(drawing).astype(int)
    assert np.abs(script.as_mnist(larger) - image).max() <= 1  # rounding
    assert np.abs(script.as_mnist(drawing.T) - image.T).max() <= 1


def test_a_slanted_edge_becomes_soft_and_a_flat_one_in_the_middle_stays_full(script):
    image = script.as_mnist(drawn(STROKES[7]))
    assert image.max() == 255
    assert ((image > 20) & (image < 235)).sum() > 20


def test_a_digit_of_mnists_form_comes_back_as_it_was(script):
    digits, _ = data.synthetic_digits(50)
    again = [script.as_mnist(np.kron(digit, np.ones((10, 10), np.uint8))) for digit in digits]
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(digits, again, strict=True)]
    assert np.mean(alike) > 0.95  # by less than a pixel in another place


def test_a_single_dot_is_a_drawing_and_an_empty_sheet_is_none(script):
    dot = np.zeros((280, 280), np.uint8)
    with pytest.raises(ValueError, match="no ink"):
        script.as_mnist(dot)
    dot[0, 279] = 255
    assert int(script.as_mnist(dot).sum()) == pytest.approx(255 * 20**2, rel=0.01)


# ---- the network ---------------------------------------------------------------------------------


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


# ---- the server ----------------------------------------------------------------------------------


@pytest.mark.parametrize("digit", [0, 1, 7])
def test_a_drawn_digit_is_read(predict, digit):
    status, headers, found = predict(drawn(STROKES[digit]).tobytes())
    assert status == 200
    assert "Access-Control-Allow-Origin" not in headers
    assert np.argmax(found["probabilities"]) == digit
    assert sum(found["probabilities"]) == pytest.approx(1, abs=0.001)
    assert np.shape(found["image"]) == (28, 28)
    assert np.shape(found["maps"]) == (8, 24, 24)
    assert np.abs(found["maps"]).max() == 100


def test_most_of_ten_handwritten_digits_are_read(predict):
    answers = [
        predict(drawn(strokes).tobytes())[2]["probabilities"] for strokes in STROKES.values()
    ]
    assert sum(np.argmax(answer) == digit for digit, answer in zip(STROKES, answers)) >= 7


def test_the_maps_are_the_first_convolution_of_the_image(home, predict):
    found = predict(drawn(STROKES[0]).tobytes())[2]
    maps = home[2][0](data.normalize(np.array([found["image"]], np.uint8))).data[0]
    expected = 100 * maps / np.abs(maps).max()
    np.testing.assert_allclose(found["maps"], expected, atol=0.51)


def test_synthetic_digits_as_drawings_are_read_as_often_as_in_the_test(home, predict):
    images, labels = data.synthetic_digits(60, seed=5)
    drawings = [np.kron(image, np.ones((10, 10), np.uint8)).tobytes() for image in images]
    answers = [np.argmax(predict(drawing)[2]["probabilities"]) for drawing in drawings]
    assert np.mean(answers == labels) > 0.7


def test_the_page_loads_nothing_and_forbids_the_rest(server, request_):
    status, headers, page = request_("GET", "/?again")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"(?:src|href)=.(?!data:)", page)
    assert "SYNTHETIC" in page
    assert not re.findall(r"\$(?:style|script|about|look)\b", page)
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"),
    [
        (404, "GET", "/digits.py", None, {}),
        (404, "GET", "/../README.md", None, {}),
        (405, "GET", "/predict", None, {}),
        (405, "POST", "/", b"x", {}),
        (405, "PUT", "/predict", b"x", {}),
        (405, "OPTIONS", "/predict", None, {}),
        (405, "HEAD", "/", None, {}),
        (501, "BREW", "/", None, {}),
        (403, "GET", "/", None, {"Host": "digits.example:80"}),
        (403, "GET", "/", None, {"Host": "127.0.0.1"}),
        (403, "GET", "/", None, {"Host": ""}),
        (403, "POST", "/predict", b"x", {"Host": "digits.example"}),
        (403, "POST", "/predict", b"x", {"Origin": "https://digits.example"}),
        (403, "POST", "/predict", b"x", {"Origin": "null"}),
        (415, "POST", "/predict", b"x", {"Content_Type": "text/plain"}),
        (400, "POST", "/predict", b"", BYTES),
        (400, "POST", "/predict", b"x", BYTES),
        (400, "POST", "/predict", bytes(280 * 280), BYTES),  # no ink
        (400, "POST", "/predict", b"x", BYTES | {"Content-Length": "-1"}),
        (400, "POST", "/predict", b"x", BYTES | {"Content-Length": "many"}),
        (411, "POST", "/predict", iter([b"x"]), BYTES),  # chunked
        (413, "POST", "/predict", bytes(280 * 280 + 1), BYTES),
        (413, "POST", "/predict", bytes(900_000), BYTES),
        (413, "POST", "/predict", b"x", BYTES | {"Content-Length": "9" * 5000}),
    ],
)
def test_other_requests_are_refused_as_json(request_, status, method, path, body, headers):
    found, sent, content = request_(method, path, body, **headers)
    assert found == status
    assert sent["Content-Type"] == "application/json"
    if method != "HEAD":
        assert content["status"] == status
        assert content["error"]
    if status == 405:
        assert sent["Allow"] == ("GET" if path == "/" else "POST")
    assert "Access-Control-Allow-Origin" not in sent


def test_half_a_request_is_given_up(server, script, monkeypatch):
    monkeypatch.setattr(script.Handler, "timeout", 0.2)
    head = f"POST /predict HTTP/1.1\r\nHost: {server.url[7:-1]}\r\nContent-Length: 9\r\n"
    with socket.create_connection(server.server_address, timeout=10) as half:
        half.sendall(f"{head}Content-Type: application/octet-stream\r\n\r\nx".encode())
        assert half.recv(1000).startswith(b"HTTP/1.0 408 ")


def test_a_mistake_of_ours_is_a_500_and_told_in_the_terminal(predict, script, monkeypatch, capsys):
    monkeypatch.setattr(script, "read", lambda model, image: 1 / 0)
    status, _, content = predict(drawn(STROKES[1]).tobytes())
    assert (status, content["status"]) == (500, 500)
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert "ZeroDivision" not in content["error"]


# ---- the command ---------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to another process")
def test_the_command_serves_until_ctrl_c(home):
    command = [sys.executable, "-u", SCRIPT, "--port", "0", "--no-browser", "--out", home[1]]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            url = next(found[0] for line in run.stdout if (found := re.findall(r"http:\S+/", line)))
            with opener.open(url, timeout=10) as page:
                assert b"Draw a digit" in page.read()
            port = url.split(":")[2].strip("/")
            second = [sys.executable, SCRIPT, "--port", port, "--no-browser", "--out", home[1]]
            done = subprocess.run(second, capture_output=True, text=True, check=False)
            assert done.returncode == 1
            assert f"port {port}: " in done.stderr
            assert "Traceback" not in done.stderr
            run.send_signal(signal.SIGINT)
            rest, errors = run.communicate(timeout=10)
        finally:
            run.kill()
    assert (run.returncode, rest.strip(), errors) == (0, "ended", "")


def test_help_tells_files_and_examples(script, capsys):
    with pytest.raises(SystemExit, match="0"):
        script.main(["--help"])
    printed = capsys.readouterr().out
    for word in ("--model FILE.npz", "--no-browser", "metrics.json", "Examples:"):
        assert word in printed
    for wrong in (["--port", "70000"], ["--port", "x"]):
        with pytest.raises(SystemExit, match="2"):
            script.main(wrong)


# ---- the page in a browser -----------------------------------------------------------------------

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback takes no proxy


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with start(tmp_path_factory.mktemp("profile")) as session:
        yield session


def ready(browser, server, width=900, height=900):
    browser("POST", "/window/rect", {"width": width, "height": height})
    browser("POST", "/url", {"url": server.url})


ANSWER = "return !busy && shown === version && /[0-9]/.test($('answer').textContent)"


@pytest.mark.parametrize(
    ("digit", "kind"), [(0, "mouse"), (1, "touch"), (7, "mouse"), (7, "touch")]
)
def test_the_page_reads_what_a_pointer_draws(browser, server, tmp_path, digit, kind):
    ready(browser, server, *((900, 900) if kind == "mouse" else (500, 900)))
    browser.draw(STROKES[digit], kind)
    browser.wait(ANSWER)
    answer = browser.run("return document.querySelector('[aria-live]').textContent")
    assert re.findall(r"\d", answer)[0] == str(digit)
    rows = browser.run("return [...document.querySelectorAll('li')].map(r => r.innerText)")
    percents = [float(re.search(r"([\d.]+) %", row).group(1)) for row in rows]
    assert np.argmax(percents) == digit
    assert sum(percents) == pytest.approx(100, abs=1)
    inked = "return [...document.querySelectorAll('.map, #seen')].map(c => c.getContext('2d')"
    inked += ".getImageData(0, 0, c.width, c.height).data.some(v => v > 0))"
    assert browser.run(inked) == [True] * 9
    assert browser.screenshot(tmp_path / "page.png").startswith(b"\x89PNG")
    complaints = browser("POST", "/se/log", {"type": "browser"})
    assert complaints == []  # such as a style that the policy forbids


def test_the_keyboard_clears_the_page(browser, server):
    ready(browser, server)
    before = browser.run("return $('answer').textContent")
    keys = {"Escape": "\ue00c", "Space": " "}
    for key, code in keys.items():
        browser.draw(STROKES[1], "mouse")
        browser.wait(ANSWER)
        if key == "Space":
            browser.run("$('clear').focus()")
        press = [{"type": "keyDown", "value": code}, {"type": "keyUp", "value": code}]
        browser("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": press}]})
        assert browser.run("return $('answer').textContent") == before
        assert not browser.run("return pixels().some((v) => v > 0)")
    # What is still asked when the page is cleared is not shown any more.
    browser.run("changed(); clear()")
    browser.wait("return !busy")
    assert browser.run("return $('answer').textContent") == before


def test_a_phone_shows_pad_and_answer_without_scrolling(browser, server):
    screen = {"width": 360, "height": 660, "deviceScaleFactor": 2, "mobile": True}
    emulate = {"cmd": "Emulation.setDeviceMetricsOverride", "params": screen}
    browser("POST", "/goog/cdp/execute", emulate)
    try:
        ready(browser, server)
        assert browser.run("return innerWidth") == 360
        assert browser.run("return document.documentElement.scrollWidth") <= 360
        assert (
            browser.run("return document.querySelector('ul').getBoundingClientRect().bottom") < 660
        )
        assert browser.run("return getComputedStyle(pad).touchAction") == "none"
    finally:
        clear = {"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}}
        browser("POST", "/goog/cdp/execute", clear)


def test_a_server_that_is_gone_is_told(browser, home):
    script, _, model, about = home
    with script.Server(model, about) as gone:
        thread = threading.Thread(target=gone.serve_forever, args=[0.05])
        thread.start()
        ready(browser, gone)
        gone.shutdown()
        thread.join()
    browser.draw(STROKES[1], "mouse")
    browser.wait("return $('answer').textContent.includes('still running')")
