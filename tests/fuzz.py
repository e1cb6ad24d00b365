"""Damaged files by the thousand: each must be refused by its name, or be harmless.

    python tests/fuzz.py --count 100000
    python tests/fuzz.py csv --first 1234 --count 1     # one file again

Whole files of each kind get a few random changes, in their bytes or in what they unpack to, so that
checksums hold. Whatever comes of it must be

- refused by a ValueError or OSError that names the file, with everything as it was, or
- read as another, simpler reader reads it, into arrays of the shapes that were expected;

and no file may take more than 2 s of the processor, or 300 MB beyond what the process had before.
Numbers that a file of the right form holds are not looked at: a checkpoint with NaN in it goes on,
and training says so.
"""

import argparse
import gzip
import io
import random
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad import data, nn, optim
from minigrad.training import LossNotFinite

MOST_SECONDS = 2.0
MOST_MEMORY = 300 * 2**20
TELLING = (0, 1, 2, 3, 8, 9, 10, 32, 44, 45, 48, 57, 127, 128, 254, 255)  # bytes, and in numbers


# ---- changes -------------------------------------------------------------------------------------


def damaged(content, rng):
    """The bytes with one to four changes; more of them near the beginning and the end."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = int(len(content) * rng.random() ** rng.choice([1, 4]))
        if rng.random() < 0.3:
            place = len(content) - place
        length = rng.choice([1, 2, 4, 8, 50])
        rng.choice(CHANGES)(content, place, length, rng)
    return bytes(content)


def flip_a_bit(content, place, length, rng):
    if place < len(content):
        content[place] ^= 1 << rng.randrange(8)


def overwrite(content, place, length, rng):
    content[place : place + length] = rng.randbytes(length)


def overwrite_tellingly(content, place, length, rng):
    content[place : place + length] = bytes([rng.choice(TELLING)]) * length


def insert(content, place, length, rng):
    content[place:place] = bytes([rng.choice(TELLING)]) * length


def remove(content, place, length, rng):
    del content[place : place + length]


def double(content, place, length, rng):
    content[place:place] = content[place : place + length]


def cut_off(content, place, length, rng):
    del content[place:]


def append(content, place, length, rng):
    content += content[place:]


CHANGES = (flip_a_bit, overwrite, overwrite_tellingly, insert, remove, double, cut_off, append)


def damaged_npz(content, rng):
    """An .npz that is damaged in its bytes, or in one of its arrays, with the right checksums."""
    if rng.random() < 0.4:
        return damaged(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    victim = rng.choice(list(members))
    if rng.random() < 0.2:
        members[rng.choice([*members, "new.npy", "run.new.npy"])] = members.pop(victim)
    else:
        whole = members[victim]
        end = 128 if rng.random() < 0.7 else len(whole)  # of NumPy's header, for small arrays
        members[victim] = damaged(whole[:end], rng) + whole[end:]
    return zipped(members, rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))


def zipped(members, compression=zipfile.ZIP_STORED):
    """The bytes of an archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def damaged_gz(content, rng):
    """A .gz that is damaged in its bytes, or in what it unpacks to, with the right checksum."""
    if rng.random() < 0.5:
        return damaged(content, rng)
    return gzip.compress(damaged(gzip.decompress(content), rng), compresslevel=1, mtime=0)


# ---- what must be true of a file -----------------------------------------------------------------


class Broken(Exception):
    """A promise that a file broke."""


def expect(promise, what):
    if not promise:
        raise Broken(what)


def expect_named(error, path):
    expect(str(path) in str(error), f"an error that does not name the file: {error!r}")
    while error is not None:
        expect(not isinstance(error, MemoryError), "out of memory")
        error = error.__cause__ or error.__context__


def same(one, two):
    """Whether two dicts hold the same arrays, to the bit."""
    return one.keys() == two.keys() and all(
        np.asarray(one[name]).tobytes() == np.asarray(two[name]).tobytes() for name in one
    )


def shapes(state):
    return {name: (np.shape(value), np.asarray(value).dtype) for name, value in state.items()}


def network():
    """A small network, always the same."""
    rng = np.random.default_rng(0)
    return nn.Sequential(nn.Dense(2, 3, rng=rng), nn.BatchNorm(3), nn.Dense(3, 2, rng=rng))


def read_weights(path):
    """Whether the file was read into a model."""
    model = network()
    before = model.state_dict()
    try:
        mg.load(path, model)
    except (ValueError, OSError) as error:
        expect_named(error, path)
        expect(same(model.state_dict(), before), "refused, but the model is changed")
        return False
    after = model.state_dict()
    expect(shapes(after) == shapes(before), "the model has other shapes")
    with zipfile.ZipFile(path) as archive:
        for name, value in after.items():
            member = name if name in archive.namelist() else f"{name}.npy"
            with archive.open(member) as opened:
                truth = np.lib.format.read_array(opened).astype(value.dtype)
            expect(truth.tobytes() == value.tobytes(), f"{name} is not what the file holds")
    return True


X = np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32)
Y = np.array([0, 1, 0, 1, 1, 0])


class Training:
    """A small training with all that a checkpoint may hold; `start` takes what `fit` takes."""

    def __init__(self):
        self.model = network()
        self.optimizer = optim.AdamW(self.model.parameters(), lr=0.01)
        self.schedule = optim.StepLR(self.optimizer, 2)
        self.callbacks = [mg.AverageWeights(0.9), mg.EarlyStopping()]

    def start(self, **options):
        return mg.fit(
            self.model,
            (X, Y),
            (X, Y),
            optimizer=self.optimizer,
            schedule=self.schedule,
            callbacks=self.callbacks,
            batch_size=3,
            progress=False,
            **options,
        )

    def state(self):
        """All that must be as it was where a checkpoint is refused."""
        parts = [self.model, self.optimizer, self.schedule, *self.callbacks]
        return {
            f"{i}.{name}": value
            for i, part in enumerate(parts)
            for name, value in part.state_dict().items()
        }


def resume(path):
    """Whether a training goes on from the file, and ends."""
    training = Training()
    before = training.state()
    kinds = shapes(training.model.state_dict())
    try:
        history = training.start(epochs=2, checkpoint=path, resume=True)
    except LossNotFinite:
        return True
    except (ValueError, OSError) as error:
        expect_named(error, path)
        expect(same(training.state(), before), "refused, but something is changed")
        return False
    expect(shapes(training.model.state_dict()) == kinds, "the model has other shapes")
    expect(len(history["loss"]) >= 1, "the history is empty")
    return True


def read_idx(path):
    """Whether the file was read as an array."""
    try:
        array = data.read_idx(path)
    except (ValueError, OSError) as error:
        expect_named(error, path)
        return False
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    start = 4 + 4 * content[3]
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expect(array.shape == shape, "an array of another shape")
    big = array.astype(array.dtype.newbyteorder(">"))
    expect(big.tobytes() == content[start:], "an array of other values")
    return True


def read_csv(path):
    """Whether the file was read as digits."""
    try:
        images, labels = data.load_kaggle(path)
    except (ValueError, OSError) as error:
        expect_named(error, path)
        return False
    expect(images.dtype == np.uint8 and images.shape[1:] == (28, 28), "no images")
    lines = path.read_text("utf-8-sig").split("\n")[1:]
    rows = [[int(cell.strip()) for cell in line.split(",")] for line in lines if line.strip()]
    if labels is not None:
        expect([row.pop(0) for row in rows] == labels.tolist(), "other labels")
    expect(rows == images.reshape(len(images), -1).tolist(), "other pixels")
    return True


# ---- kinds of files ------------------------------------------------------------------------------


def whole_weights(folder):
    path = folder / "whole.npz"
    mg.save(path, network())
    with np.load(path) as file:
        members = dict(file)
    packed = io.BytesIO()
    np.savez_compressed(packed, **members)
    return [path.read_bytes(), packed.getvalue()]


def whole_checkpoints(folder):
    path = folder / "whole.npz"
    path.unlink(missing_ok=True)
    Training().start(epochs=1, checkpoint=path)
    return [path.read_bytes()]


def whole_idx(folder):
    images = np.arange(2 * 4 * 4, dtype=np.uint8)
    floats = np.linspace(-1, 1, 6, dtype=">f4")
    return [
        bytes([0, 0, 0x08, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4]) + images.tobytes(),
        bytes([0, 0, 0x08, 1, 0, 0, 0, 32]) + images.tobytes(),
        bytes([0, 0, 0x0D, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + floats.tobytes(),
    ]


def whole_gz(folder):
    return [gzip.compress(content, mtime=0) for content in whole_idx(folder)]


def whole_csv(folder):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 784))
    header = ",".join(f"pixel{i}" for i in range(784))
    rows = [",".join(map(str, row)) for row in pixels]
    labeled = [f"{label},{row}" for label, row in enumerate(rows)]
    texts = ["\n".join([header, *rows, ""]), "\r\n".join([f"label,{header}", *labeled])]
    return [text.encode() for text in texts]


KINDS = {
    "weights": (whole_weights, damaged_npz, read_weights, "w.npz"),
    "checkpoint": (whole_checkpoints, damaged_npz, resume, "c.npz"),
    "idx": (whole_idx, damaged, read_idx, "images-idx3"),
    "gz": (whole_gz, damaged_gz, read_idx, "images-idx3.gz"),
    "csv": (whole_csv, damaged, read_csv, "train.csv"),
}


def limit_memory():
    """Let this process have 300 MB more than it has; where the system can do that."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def try_files(kind, first, count, folder):
    """Damage and read `count` files of a kind. Returns how many were refused, the most seconds, what broke."""
    whole, damage, read, name = KINDS[kind]
    contents = whole(folder)
    path = folder / name
    refused = 0
    slowest = 0.0
    broken = []
    for number in range(first, first + count):
        rng = random.Random(number)
        path.write_bytes(damage(rng.choice(contents), rng))
        start = time.process_time()
        try:
            refused += not read(path)
        except Exception:  # a promise broken, or an error of another kind
            broken.append(f"{kind} {number}: {traceback.format_exc()}")
        seconds = time.process_time() - start
        slowest = max(slowest, seconds)
        if seconds > MOST_SECONDS:
            broken.append(f"{kind} {number}: took {seconds:.1f} s")
    return refused, slowest, broken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=list(KINDS), metavar="kind", help=str([*KINDS]))
    parser.add_argument("--count", type=int, default=2000, help="files of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of numbers that overflow, or names twice in an archive
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            try_files(kind, 0, 10, Path(folder))  # whatever is imported late is there now
        limit_memory()
        for kind in options.kinds:
            start = time.perf_counter()
            refused, slowest, broken = try_files(kind, options.first, options.count, Path(folder))
            rate = options.count / (time.perf_counter() - start)
            print("\n".join(broken[:5]))
            print(
                f"{kind}: {options.count:,} files, {refused:,} refused, {len(broken)} broke a "
                f"promise; the slowest took {slowest:.2f} s; {rate:,.0f} in a second"
            )
            failed |= bool(broken)
    sys.exit(failed)


if __name__ == "__main__":
    main()
