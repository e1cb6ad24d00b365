"""The built site, MINIGRAD_SITE, and Chromium to look at it, as the tests of the pages have it."""

import os
import sys
import time
from base64 import b64decode
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from chromium import FLAGS, Browser, start


@pytest.fixture(scope="session")
def site():
    return Path(os.environ["MINIGRAD_SITE"]).resolve()


@pytest.fixture(scope="session")
def shots():
    """The folder that screenshots are written to."""
    folder = Path(os.environ["MINIGRAD_SHOTS"]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Reader(Browser):
    """A browser that looks at pages from files, in a size and in light or dark."""

    flags = (*FLAGS, "--allow-file-access-from-files")

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
    with start(tmp_path_factory.mktemp("profile"), Reader) as session:
        yield session
