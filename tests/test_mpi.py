"""Training by processes that MPI connects, as a reader starts it, on a few digits drawn by NumPy.

Skipped where mpi4py or mpiexec is missing. tests/test_ranks.py has what needs no process.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import data, nn

pytest.importorskip("mpi4py", reason="ranks are not tested: pip install -e '.[mpi]' brings mpi4py")
EXAMPLES = Path(__file__).parents[1] / "examples"
BESIDE = Path(sys.executable).parent  # where pip puts mpiexec
MPIEXEC = shutil.which("mpiexec", path=f"{BESIDE}{os.pathsep}{os.environ['PATH']}")
if MPIEXEC is None:
    pytest.skip("ranks are not tested: mpiexec is missing", allow_module_level=True)

SYNTHETIC = 430, 60  # digits to learn from, and to be tested on
EPOCHS = 3

# Both begin with End, with which one of the ranks may end badly.
NETWORKS = """
def lenet():
    return nn.Sequential(
        End(), nn.Conv2D(1, 4, 5, stride=3, bias=False), nn.BatchNorm(4), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.2), nn.Dense(256, 10))

def mlp():
    return nn.Sequential(End(), nn.Flatten(), nn.Dense(784, 16), nn.ReLU(), nn.Dense(16, 10))
"""
OWN = {"nn": nn, "End": nn.Identity}
exec(NETWORKS, OWN)

# The example on these digits, with these networks. Each rank keeps its weights. Step 20 is in the
# second epoch, as an epoch has 13, the last of 3 digits.
PROGRAM = f"""
import os
import runpy
import signal
import sys
import numpy as np
from mpi4py import MPI
import minigrad as mg
from minigrad import nn

sys.path.append({str(EXAMPLES)!r})
import digits, models

end, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = "train_mnist_mpi.py"
out = sys.argv[sys.argv.index("--out") + 1]
rank = MPI.COMM_WORLD.rank
digits.SYNTHETIC = {SYNTHETIC}
with open(f"{{__file__}}.{{os.getpid()}}", "w"):
    pass  # tells the number of this process

class End(nn.Module):
    steps = 0

    def forward(self, x):
        self.steps += self.training
        if rank != 1 or self.steps != 20:
            return x
        if end == "nan":
            return x * np.float32(np.nan)
        if end == "error":
            fail()
        if end == "exit":
            sys.exit("no such digit")
        if end == "interrupt":
            raise KeyboardInterrupt
        if end == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return x

def fail(*parts):
    raise ValueError("no such digit")

if end == "update" and rank == 1:
    mg.optim.AdamW.update = fail

{NETWORKS}
made = []

def keeping(make):
    def network():
        made.append(make())
        return made[0]
    return network

models.MODELS.update(lenet=keeping(lenet), mlp=keeping(mlp))
runpy.run_path({str(EXAMPLES / "train_mnist_mpi.py")!r}, run_name="__main__")
if os.path.isdir(out):  # MPI's Abort may return before it ends this process
    mg.save(f"{{out}}/rank-{{rank}}.npz", made[0])
"""


@pytest.fixture
def start(tmp_path):
    """Run the program on so many ranks; returns its process when it has ended, and its folder."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def run(ranks, *options, end="well", out=tmp_path / "out"):
        own = "--data", "synthetic", "--epochs", str(EPOCHS), "--batch-size", "32", "--out", out
        command = [MPIEXEC, "-n", str(ranks), sys.executable, program, end, *own, *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
        return done, out

    return run


def one_process(example, name, workers):
    """The history and the weights that `fit` gives, in this process."""
    recipe = example("train_mnist").RECIPES[name]

    def shifted(x, rng):
        return np.roll(x, rng.integers(-recipe.shift, recipe.shift + 1, size=2), axis=(2, 3))

    images, labels = data.synthetic_digits(SYNTHETIC[0])
    pair, held = data.split(data.normalize(images), labels)
    mg.manual_seed(0)
    model = OWN[name]()
    loader = data.DataLoader(*pair, 32, transform=shifted)
    optimizer = mg.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=recipe.decay)
    schedule = mg.optim.OneCycleLR(optimizer, recipe.lr, EPOCHS * len(loader))
    history = mg.fit(model, loader, held, optimizer=optimizer, schedule=schedule, epochs=EPOCHS,
                     workers=workers, progress=False)  # fmt: skip
    return history, model.state_dict()


def weights(path):
    with np.load(path) as file:
        return dict(file)


def check_same_curve(out, history, state):
    found = json.loads((out / "metrics.json").read_text())
    for key, values in history.items():
        assert found[key] == pytest.approx(values, rel=1e-5), key
    for name, value in weights(out / "model.npz").items():
        assert np.allclose(value, state[name], rtol=1e-4, atol=1e-6), name


def check_same_bits(out, ranks):
    expected = (out / "model.npz").read_bytes()
    for rank in range(ranks):
        assert (out / f"rank-{rank}.npz").read_bytes() == expected


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_so_many_ranks_train_as_one_process_with_so_many_workers(start, example, ranks):
    done, out = start(ranks)
    assert done.returncode == 0, done.stderr
    check_same_curve(out, *one_process(example, "lenet", ranks))
    check_same_bits(out, ranks)
    names = {path.name for path in out.iterdir()} - {f"rank-{rank}.npz" for rank in range(ranks)}
    assert names == {"metrics.json", "model.npz", "run.npz"}
    told = ["data", "model", *(f"epoch {i + 1}/{EPOCHS}" for i in range(EPOCHS)), "lenet"]
    lines = done.stdout.splitlines()
    assert all(line.startswith(word) for line, word in zip(lines, told, strict=True)), lines
    assert "SYNTHETIC digits: no result on MNIST" in lines[-1]


def test_a_loss_that_is_not_finite_on_one_rank_ends_all_with_that_error(start):
    done, out = start(3, end="nan")
    assert done.returncode != 0
    for rank in (0, 2):
        assert f"rank {rank}: the loss became NaN or infinite on another rank" in done.stderr
    assert "rank 1: the loss became nan at step 6: lower the learning rate" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(weights(out / "run.npz")["history.loss"]) == 1


def test_an_error_in_the_update_of_one_rank_ends_all(start):
    done, _ = start(3, end="update")
    assert done.returncode != 0
    assert "rank 1: no such digit" in done.stderr


@pytest.mark.parametrize("end", ["error", "exit"])
def test_another_error_on_one_rank_ends_all_and_that_rank_names_it(start, end):
    done, _ = start(2, end=end)
    assert done.returncode != 0
    assert "no such digit" in done.stderr
    assert "rank 0: this step failed on another rank" in done.stderr


def test_a_killed_rank_ends_all_and_any_number_of_ranks_resumes(start, example, tmp_path):
    options = "--model", "mlp"
    done, out = start(2, *options, end="kill")
    assert done.returncode != 0
    assert "BAD TERMINATION" in done.stdout + done.stderr
    assert [path.name for path in out.iterdir()] == ["run.npz"]
    assert len(weights(out / "run.npz")["history.loss"]) == 1
    numbers = [int(path.suffix[1:]) for path in tmp_path.glob("program.py.*")]
    assert len(numbers) == 2
    assert not any(map(alive, numbers))
    other = tmp_path / "other"
    shutil.copytree(out, other)

    refused, _ = start(2, *options, out=out)
    assert "run.npz exists: resume=True (--resume) continues it" in refused.stderr
    more, _ = start(4, *options, "--resume", out=out)
    assert more.returncode == 0, more.stderr
    assert json.loads((out / "metrics.json").read_text())["ranks"] == [2, 4, 4]
    check_same_curve(out, *one_process(example, "mlp", 1))
    check_same_bits(out, 4)

    same, _ = start(2, *options, "--resume", out=other)
    never, whole = start(2, *options, out=tmp_path / "whole")
    assert same.returncode == never.returncode == 0, same.stderr + never.stderr
    assert (other / "model.npz").read_bytes() == (whole / "model.npz").read_bytes()


def test_ctrl_c_ends_all_even_if_only_one_rank_has_noticed(start):
    done, out = start(2, end="interrupt")
    assert done.returncode != 0
    assert "KeyboardInterrupt" in done.stderr
    assert len(weights(out / "run.npz")["history.loss"]) == 1


def test_an_error_of_one_rank_beside_the_steps_ends_all(start, tmp_path):
    (tmp_path / "file").touch()
    done, _ = start(2, out=tmp_path / "file")
    assert done.returncode != 0
    assert "where a file is in the way" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_and_mistakes_in_options_are_told_once(start):
    done, _ = start(2, "--help")
    assert done.returncode == 0
    for words in ("run.npz  ", "--resume", "mpiexec -n 4 python examples/train_mnist_mpi.py"):
        assert words in done.stdout
    assert done.stdout.count("usage: ") == 1
    done, _ = start(2, "--model", "transformer")
    assert done.returncode != 0
    assert done.stderr.count("invalid choice: 'transformer'") == 1
