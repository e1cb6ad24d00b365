"""The built site, MINIGRAD_SITE, and Chromium to open it in: chromedriver speaks JSON over HTTP."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from base64 import b64decode
from pathlib import Path

import pytest

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback takes no proxy
CHROMIUM = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--force-device-scale-factor=1", "--allow-file-access-from-files",
)  # fmt: skip


@pytest.fixture(scope="session")
def site():
    return Path(os.environ["MINIGRAD_SITE"]).resolve()


@pytest.fixture(scope="session")
def shots():
    """The folder that screenshots are written to."""
    folder = Path(os.environ["MINIGRAD_SHOTS"]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Browser:
    """A session of chromedriver."""

    def __init__(self, port, binary, profile):
        self.url = f"http://127.0.0.1:{port}/session"
        options = {"binary": binary, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        found = self("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self.url += f"/{found['sessionId']}"

    def __call__(self, method, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with opener.open(request, timeout=60) as response:
            return json.loads(response.read())["value"]

    def run(self, code, *args):
        return self("POST", "/execute/sync", {"script": code, "args": args})

    def command(self, cmd, **params):
        return self("POST", "/goog/cdp/execute", {"cmd": cmd, "params": params})

    def screen(self, width, height, scheme):
        """The size of the window, and whether its reader wants "light" or "dark"."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.command("Emulation.setEmulatedMedia", features=[feature])

    def open(self, page):
        self("POST", "/url", {"url": page})
        self.run("return document.fonts.ready.then(() => true)")

    def errors(self):
        log = self("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def shoot(self, path, most=4000):
        """A picture of the page, of its first 4,000 pixels."""
        time.sleep(0.3)  # colors fade in
        width, height = self.run("const e = document.documentElement;"
                                 "return [innerWidth, e.scrollHeight]")  # fmt: skip
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, most), "scale": 1}
        shot = self.command("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(b64decode(shot["data"]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    binary = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("the site is not looked at: no Chromium or no chromedriver is installed here")
    command = [driver, "--port=0"]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **pipe) as process:
        try:
            ports = (re.search(r"successfully on port (\d+)", line) for line in process.stdout)
            found = Browser(
                next(filter(None, ports)).group(1), binary, tmp_path_factory.mktemp("profile")
            )
            yield found
            found("DELETE", "")
        finally:
            process.terminate()
