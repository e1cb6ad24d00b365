"""load_mnist: right files are read, wrong ones are named, wherever they come from."""

import builtins
import contextlib
import gzip
import hashlib
import http.server
import itertools
import os
import struct
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest

from minigrad.data import DataUnavailable, load_mnist, mnist

NAMES = tuple(mnist.FILES)


def as_idx(array):
    """The bytes of an IDX file of uint8, written from the format's description."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def digits():
    """Four small arrays in place of MNIST's."""
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (n, 28, 28) if "images" in name else n, dtype=np.uint8)
        for name, n in zip(NAMES, (7, 7, 3, 3), strict=True)
    ]


@pytest.fixture
def files(digits, monkeypatch, tmp_path):
    """The small arrays as files {name: bytes of the .gz}, whose checksums stand in for MNIST's.

    No test finds the files of this machine: the cache is an empty folder, and there is no mirror.
    """
    idx = {name: as_idx(array) for name, array in zip(NAMES, digits, strict=True)}
    packed = {name: gzip.compress(content, mtime=0) for name, content in idx.items()}
    sums = {name: (sha256(packed[name]), sha256(idx[name])) for name in NAMES}
    monkeypatch.setattr(mnist, "FILES", sums)
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.setattr(mnist, "_cache", lambda: tmp_path / "cache")
    monkeypatch.delenv("MINIGRAD_DATA_DIR", raising=False)
    return packed


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def put(folder, files, rename="{}.gz".format, unpack=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, packed in files.items():
        (folder / rename(name)).write_bytes(gzip.decompress(packed) if unpack else packed)
    return folder


def assert_loaded(loaded, digits):
    (x_train, y_train), (x_test, y_test) = loaded
    for got, truth in zip((x_train, y_train, x_test, y_test), digits, strict=True):
        assert got.dtype == np.uint8
        assert got.flags.writeable
        np.testing.assert_array_equal(got, truth)


# ---- where the files are -------------------------------------------------------------------------


@pytest.mark.parametrize("unpack", [False, True])
@pytest.mark.parametrize("rename", ["{}", "{}.gz", "dot", "dot.gz"])
def test_all_spellings_are_read_packed_or_not(files, digits, tmp_path, unpack, rename):
    def spelled(name):
        return rename.replace("dot", name.replace("-idx", ".idx")).format(name)

    root = put(tmp_path / "here", files, spelled, unpack)
    assert_loaded(load_mnist(root, download=False), digits)
    assert_loaded(load_mnist(str(root), download=False), digits)


def test_repacking_is_no_damage_as_the_content_is_what_counts(files, digits, tmp_path):
    again = {
        n: gzip.compress(gzip.decompress(p), compresslevel=1, mtime=9) for n, p in files.items()
    }
    assert again[NAMES[0]] != files[NAMES[0]]
    assert_loaded(load_mnist(put(tmp_path, again), download=False), digits)


def test_places_are_searched_in_turn_and_add_up(files, digits, tmp_path, monkeypatch):
    bad = dict.fromkeys(files, b"damaged")
    env, cache = tmp_path / "env", tmp_path / "cache"
    put(cache, files)
    assert_loaded(load_mnist(download=False), digits)

    put(cache, bad)
    put(env, files)
    monkeypatch.setenv("MINIGRAD_DATA_DIR", str(env))
    assert_loaded(load_mnist(download=False), digits)
    assert_loaded(load_mnist(tmp_path / "nowhere", download=False), digits)

    put(env, {NAMES[0]: b"damaged"})
    root = put(tmp_path / "root", {NAMES[0]: files[NAMES[0]]})
    assert_loaded(load_mnist(root, download=False), digits)


def test_an_empty_environment_variable_is_no_place(files, tmp_path, monkeypatch):
    monkeypatch.chdir(put(tmp_path / "here", files))
    monkeypatch.setenv("MINIGRAD_DATA_DIR", "")
    with pytest.raises(DataUnavailable):
        load_mnist(download=False)


def test_a_file_as_root_is_refused_and_names_load_kaggle(files, tmp_path):
    (tmp_path / "train.csv").write_text("label")
    with pytest.raises(ValueError, match="load_kaggle"):
        load_mnist(tmp_path / "train.csv")


@pytest.mark.parametrize(
    ("platform", "variable", "ending"),
    [
        ("linux", "XDG_CACHE_HOME", ".cache/minigrad"),
        ("win32", "LOCALAPPDATA", "AppData/Local/minigrad"),
        ("darwin", None, "Library/Caches/minigrad"),
    ],
)
def test_the_cache_is_where_the_system_wants_it(monkeypatch, platform, variable, ending, tmp_path):
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert mnist._cache().as_posix().endswith(ending)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
        assert mnist._cache() == tmp_path / "minigrad"


# ---- damage --------------------------------------------------------------------------------------


def truncated(files, name):
    return files[name][:-10]


def corrupted(files, name):
    content = bytearray(gzip.decompress(files[name]))
    content[-1] ^= 1
    return gzip.compress(bytes(content))


def swapped(files, name):
    return files[
        name.replace("train", "t10k") if "train" in name else name.replace("t10k", "train")
    ]


@pytest.mark.parametrize("place", ["root", "env", "cache"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", [truncated, corrupted, swapped])
def test_a_damaged_file_is_named_with_the_remedy(files, tmp_path, monkeypatch, damage, name, place):
    folder = put(tmp_path / place, files | {name: damage(files, name)})
    monkeypatch.setenv("MINIGRAD_DATA_DIR", str(tmp_path / "env"))
    with pytest.raises(ValueError, match="Delete it and fetch it again") as caught:
        load_mnist(folder if place == "root" else None)
    assert str(folder / f"{name}.gz") in str(caught.value)


def test_a_swapped_file_is_recognized(files, tmp_path):
    folder = put(tmp_path, files | {NAMES[0]: files[NAMES[2]]})
    with pytest.raises(ValueError, match=r"does not hold MNIST's train-images.* but t10k-images"):
        load_mnist(folder)


# ---- downloads, from a server on this machine ----------------------------------------------------


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves {path: bytes}; a path in `cut` breaks off half-way."""

    def __init__(self, content, cut, asked, *args):
        self.content, self.cut, self.asked = content, cut, asked
        super().__init__(*args)

    def do_GET(self):
        self.asked.append(self.path)
        body = self.content.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may go away
            self.wfile.write((body or b"")[: len(body) // 2 if self.path in self.cut else None])

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(handler):
    """Inside `with`, a server of such requests."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def mirrors(files, monkeypatch):
    """Two mirrors, /a/ and /b/, that both serve the files. Tests break them."""
    content = {f"/{m}/{name}.gz": packed for m in "ab" for name, packed in files.items()}
    cut, asked = set(), []
    with serving(partial(Mirror, content, cut, asked)) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(mnist, "MIRRORS", (f"{url}/a/", f"{url}/b/"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        server.content, server.cut, server.asked = content, cut, asked
        yield server


@pytest.fixture
def downloads():
    return pytest.importorskip("pooch", reason="downloading needs pooch: pip install pooch")


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


COMPLETE = sorted(f"{name}.gz" for name in NAMES)


def test_what_is_found_nowhere_is_downloaded_once(downloads, mirrors, digits, tmp_path):
    assert_loaded(load_mnist(), digits)
    assert names_in(tmp_path / "cache") == COMPLETE
    assert mirrors.asked == [f"/a/{name}.gz" for name in NAMES]
    assert_loaded(load_mnist(), digits)
    assert len(mirrors.asked) == 4


def test_root_is_downloaded_to(downloads, mirrors, digits, tmp_path):
    assert_loaded(load_mnist(tmp_path / "new" / "root"), digits)
    assert names_in(tmp_path / "new" / "root") == COMPLETE
    assert not (tmp_path / "cache").exists()


def test_the_environments_folder_is_not_written_to(
    downloads, mirrors, digits, tmp_path, monkeypatch
):
    monkeypatch.setenv("MINIGRAD_DATA_DIR", str(tmp_path / "env"))
    assert_loaded(load_mnist(), digits)
    assert not (tmp_path / "env").exists()
    assert names_in(tmp_path / "cache") == COMPLETE


def test_only_what_is_missing_is_downloaded(downloads, mirrors, files, digits, tmp_path):
    put(tmp_path / "cache", {name: files[name] for name in NAMES[:3]})
    assert_loaded(load_mnist(), digits)
    assert mirrors.asked == [f"/a/{NAMES[3]}.gz"]


def gone(mirrors, path):
    del mirrors.content[path]


def wrong(mirrors, path):
    mirrors.content[path] = gzip.compress(b"something else")


def cut_off(mirrors, path):
    mirrors.cut.add(path)


@pytest.mark.parametrize("name", [NAMES[0], NAMES[3]])
@pytest.mark.parametrize("breaks", [gone, wrong, cut_off])
def test_where_the_first_mirror_fails_the_second_helps(
    downloads, mirrors, digits, tmp_path, breaks, name
):
    breaks(mirrors, f"/a/{name}.gz")
    assert_loaded(load_mnist(), digits)
    assert names_in(tmp_path / "cache") == COMPLETE
    assert f"/b/{name}.gz" in mirrors.asked


def test_a_dead_mirror_is_asked_once(downloads, mirrors, digits, monkeypatch):
    dead = "http://127.0.0.1:9/"  # nothing listens at the discard port
    monkeypatch.setattr(mnist, "MIRRORS", (dead, mnist.MIRRORS[1]))
    assert_loaded(load_mnist(), digits)
    assert mirrors.asked == [f"/b/{name}.gz" for name in NAMES]


class Clock:
    """Stands in for time.monotonic: its time passes as the slow mirror says, however busy we are."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


def dripping(clock, head, tail):
    """A mirror that sends `head` at once and `tail` byte by byte, half a second each, by the clock.

    As its `tail` never ends, nor does what it sends, but for the client's going away.
    """

    class Dripping(http.server.BaseHTTPRequestHandler):
        def handle(self):
            self.rfile.readline()
            try:
                self.wfile.write(head)
                for number, byte in enumerate(itertools.cycle(tail)):
                    self.wfile.write(bytes([byte]))
                    # Enough to be given up, and too little for the next mirror to be, whose
                    # download may begin while bytes of this one are still under way.
                    if number < 70:
                        clock.now += 0.5
                    time.sleep(0.0001)
            except OSError:
                pass

    return Dripping


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9912422\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ],
    ids=["body", "headers"],
)
def test_a_mirror_of_a_byte_each_half_second_is_given_up(
    downloads, mirrors, digits, tmp_path, monkeypatch, head, tail
):
    clock = Clock()
    monkeypatch.setattr(mnist, "time", clock)
    with serving(dripping(clock, head, tail)) as slow:
        url = f"http://127.0.0.1:{slow.server_port}/"
        monkeypatch.setattr(mnist, "MIRRORS", (url, mnist.MIRRORS[1]))
        assert_loaded(load_mnist(), digits)
    assert names_in(tmp_path / "cache") == COMPLETE
    assert mirrors.asked == [f"/b/{name}.gz" for name in NAMES]


def test_a_mirror_that_sends_without_end_is_given_up(downloads, mirrors, tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "MOST_BYTES", 100_000)
    for mirror in "ab":
        mirrors.content[f"/{mirror}/{NAMES[0]}.gz"] = bytes(10**7)
    with pytest.raises(DataUnavailable, match="too large: it has sent"):
        load_mnist()
    assert names_in(tmp_path / "cache") == []


@pytest.mark.parametrize("breaks", [gone, wrong, cut_off])
def test_where_all_mirrors_fail_nothing_half_written_stays(downloads, mirrors, tmp_path, breaks):
    for mirror in "ab":
        breaks(mirrors, f"/{mirror}/{NAMES[1]}.gz")
    with pytest.raises(DataUnavailable) as caught:
        load_mnist()
    message = str(caught.value)
    assert all(mirror in message for mirror in mnist.MIRRORS)
    assert all(
        way in message for way in ("pip install pooch", "MINIGRAD_DATA_DIR", "synthetic_digits")
    )
    assert names_in(tmp_path / "cache") == [f"{NAMES[0]}.gz"]


def test_the_next_run_goes_on_where_a_broken_one_stopped(downloads, mirrors, digits):
    for mirror in "ab":
        mirrors.cut.add(f"/{mirror}/{NAMES[1]}.gz")
    with pytest.raises(DataUnavailable):
        load_mnist()
    mirrors.cut.clear()
    mirrors.asked.clear()
    assert_loaded(load_mnist(), digits)
    assert mirrors.asked == [f"/a/{name}.gz" for name in NAMES[1:]]


def test_download_false_asks_no_mirror(mirrors, tmp_path):
    with pytest.raises(DataUnavailable, match="download=False") as caught:
        load_mnist(tmp_path / "root", download=False)
    assert str(tmp_path / "root") in str(caught.value)
    assert str(tmp_path / "cache") in str(caught.value)
    assert mirrors.asked == []


def test_without_pooch_the_error_says_how_to_get_it(files, monkeypatch):
    def no_pooch(name, *args, **kwargs):
        if name == "pooch":
            raise ImportError(name)
        return importing(name, *args, **kwargs)

    importing = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", no_pooch)
    with pytest.raises(DataUnavailable, match=r"without pooch(.|\n)*pip install pooch"):
        load_mnist()


def test_missing_data_can_be_told_from_damaged_data():
    assert issubclass(DataUnavailable, OSError)
    assert not issubclass(DataUnavailable, ValueError)


@pytest.mark.parametrize(
    ("terminal", "tqdm", "shown"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_progress_is_shown_on_a_terminal_with_tqdm(monkeypatch, terminal, tqdm, shown):
    class Output:
        def isatty(self):
            return terminal

    monkeypatch.setattr(sys, "stderr", Output())
    monkeypatch.setattr(mnist.importlib.util, "find_spec", lambda name: object() if tqdm else None)
    assert mnist._shows_progress() is shown
    monkeypatch.setattr(sys, "stderr", None)
    assert mnist._shows_progress() is False


# ---- the real files ------------------------------------------------------------------------------


@pytest.mark.skipif(
    "MINIGRAD_DATA_DIR" not in os.environ, reason="MINIGRAD_DATA_DIR names no MNIST"
)
def test_the_real_files():
    (x_train, y_train), (x_test, y_test) = load_mnist(download=False)
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert x_train.dtype == y_train.dtype == x_test.dtype == y_test.dtype == np.uint8
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(y_train).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    pixels = x_train / np.float32(255)
    assert abs(pixels.mean(dtype=np.float64) - 0.1307) < 5e-5  # what normalize subtracts
    assert abs(pixels.std(dtype=np.float64) - 0.3081) < 5e-5
