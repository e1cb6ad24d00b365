"""Chromium, driven by chromedriver, which speaks W3C WebDriver: JSON over HTTP.

`start` gives a session, and skips the test where no Chromium or chromedriver is installed. STROKES
are ten digits as one writes them.
"""

import contextlib
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64decode

import numpy as np
import pytest

# As one writes them: strokes of points, from 0 to 1 of the pad to the right and down.
ROUND = [(0.5 - 0.2 * np.sin(t), 0.5 - 0.33 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 20)]
# fmt: off
STROKES = {
    0: [ROUND],
    1: [[(.55, .15), (.47, .85)]],
    2: [[(.3, .32), (.36, .2), (.5, .15), (.63, .2), (.68, .32), (.62, .46), (.48, .62), (.3, .8),
         (.72, .8)]],
    3: [[(.32, .22), (.45, .15), (.6, .18), (.66, .3), (.58, .43), (.46, .47), (.6, .52),
         (.68, .66), (.6, .8), (.45, .85), (.3, .78)]],
    4: [[(.36, .15), (.28, .52), (.7, .52)], [(.62, .2), (.58, .86)]],
    5: [[(.68, .16), (.38, .16), (.35, .44), (.5, .41), (.64, .5), (.66, .68), (.55, .82),
         (.4, .84), (.3, .78)]],
    6: [[(.62, .14), (.45, .3), (.34, .5), (.32, .7), (.42, .84), (.57, .82), (.64, .68),
         (.56, .55), (.42, .57), (.33, .68)]],
    7: [[(.28, .2), (.72, .2), (.62, .42), (.45, .84)]],
    8: [[(.62, .24), (.5, .15), (.38, .24), (.42, .4), (.58, .55), (.64, .7), (.52, .85),
         (.38, .76), (.4, .6), (.56, .44), (.64, .3), (.6, .2)]],
    9: [[(.64, .28), (.54, .17), (.4, .2), (.35, .34), (.42, .46), (.56, .44), (.64, .3), (.63, .5),
         (.58, .86)]],
}
# fmt: on


def along(stroke, steps=24):
    """Points at even distances along a stroke, as a slow hand leaves them."""
    points = np.array(stroke)
    lengths = np.hypot(*np.diff(points, axis=0).T)
    at = np.concatenate([[0], lengths.cumsum()])
    even = np.linspace(0, at[-1], steps)
    return np.stack([np.interp(even, at, points[:, axis]) for axis in (0, 1)], axis=1)


opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback takes no proxy
CHROMIUM = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--force-device-scale-factor=1",
)  # fmt: skip


class Browser:
    """A session of chromedriver."""

    flags: tuple[str, ...] = FLAGS

    def __init__(self, port, binary, profile):
        self.url = f"http://127.0.0.1:{port}/session"
        options = {"binary": binary, "args": [*self.flags, f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        found = self("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self.url += f"/{found['sessionId']}"

    def __call__(self, method, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                reason = f"chromedriver, {method} {path}: {error.read().decode()[:500]}"
                pytest.fail(reason) if path else pytest.skip(reason)  # where none can be started

    def run(self, code, *args):
        return self("POST", "/execute/sync", {"script": code, "args": args})

    def draw(self, strokes, kind):
        """Draw with a pointer, "mouse", "touch" or "pen"."""
        box = self.run("const b = pad.getBoundingClientRect(); return [b.x, b.y, b.width]")
        actions = []
        for stroke in strokes:
            for x, y in along(stroke):
                at = {"x": round(box[0] + x * box[2]), "y": round(box[1] + y * box[2])}
                actions.append({"type": "pointerMove", "duration": 0, "origin": "viewport"} | at)
                if actions[-2:-1] == [] or actions[-2]["type"] == "pointerUp":
                    actions.append({"type": "pointerDown", "button": 0})
            actions.append({"type": "pointerUp", "button": 0})
        parameters = {"pointerType": kind}
        source = {"type": "pointer", "id": kind, "parameters": parameters, "actions": actions}
        self("POST", "/actions", {"actions": [source]})

    def wait(self, code, seconds=60):
        """What the code returns, as soon as it is true."""
        end = time.monotonic() + seconds
        while not (found := self.run(code)):
            assert time.monotonic() < end, f"waited in vain for {code}"
            time.sleep(0.03)
        return found

    def command(self, cmd, **params):
        """A command of the Chrome DevTools Protocol."""
        return self("POST", "/goog/cdp/execute", {"cmd": cmd, "params": params})

    def screenshot(self, path):
        path.write_bytes(b64decode(self("GET", "/screenshot")))
        return path.read_bytes()


@contextlib.contextmanager
def start(profile, browser=Browser):
    """A session of Chromium, a `browser`, that keeps its files in the folder `profile`."""
    binary = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("the page is not tested: no Chromium or no chromedriver is installed here")
    log = subprocess.DEVNULL
    command = [driver, "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            ports = (re.search(r"successfully on port (\d+)", line) for line in process.stdout)
            port = next(filter(None, ports)).group(1)
            found = browser(port, binary, profile)
            yield found
            found("DELETE", "")
        finally:
            process.terminate()
