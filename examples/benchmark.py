"""How long a training step takes on this machine, beside PyTorch where it is installed.

    python examples/benchmark.py                  all workloads, five rounds: some minutes
    python examples/benchmark.py --quick          two short rounds
    python examples/benchmark.py --only W3 W4 --json bench.json --plot

A step is: forget the gradients, forward, mean cross-entropy, backward, Adam; in float32. Each
measurement is a process of its own; the programs take turns, round by round, so that a machine that
slows down slows all of them. Each round gives a median; the table shows the median of the rounds,
the least and the largest. The ratio of minigrad's better row to PyTorch's fused Adam is the median
of the rounds' ratios.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

WORKLOADS = {
    "W1": ("784-128-10", 64),
    "W2": ("784-512-512-10, dropout .2 twice", 128),
    "W3": ("conv5x5 8, pool, conv5x5 16, pool, dense 64, 10", 64),
    "W4": ("conv3x3 32, conv3x3 64, pool, dropout .25, dense 128, dropout .5, 10", 96),
    "W4-forward": ("W4 without training, batch 1000", 1000),
    **{f"W4-{n}": (f"W4, batch {n}", n) for n in (16, 32, 64, 128, 256, 512)},
}
PROGRAMS = {
    "minigrad, 1 worker": {"library": "minigrad", "workers": 1},
    "minigrad, 2 workers": {"library": "minigrad", "workers": 2},
    "PyTorch, fused Adam": {"library": "torch", "fused": True},
    "PyTorch, plain Adam": {"library": "torch", "fused": False},
}
REFERENCE = "PyTorch, fused Adam"


# ---- one measurement, in a process of its own ----------------------------------------------------


def layers(workload, Dense, Conv, Pool, ReLU, Dropout, Flatten):
    """The layers of a workload, by the names that a library gives them."""
    if workload == "W1":
        return [Dense(784, 128), ReLU(), Dense(128, 10)]
    if workload == "W2":
        first = [Dense(784, 512), ReLU(), Dropout(0.2)]
        return [*first, Dense(512, 512), ReLU(), Dropout(0.2), Dense(512, 10)]
    if workload == "W3":
        first = [Conv(1, 8, 5), ReLU(), Pool(2), Conv(8, 16, 5), ReLU(), Pool(2)]
        return [*first, Flatten(), Dense(256, 64), ReLU(), Dense(64, 10)]
    first = [Conv(1, 32, 3), ReLU(), Conv(32, 64, 3), ReLU(), Pool(2), Dropout(0.25)]
    return [*first, Flatten(), Dense(9216, 128), ReLU(), Dropout(0.5), Dense(128, 10)]


def random_batch(workload):
    """Noise of the right shape: speed does not depend on what is in the images."""
    import numpy as np

    n = WORKLOADS[workload][1]
    shape = (n, 784) if workload in ("W1", "W2") else (n, 1, 28, 28)
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape, np.float32), rng.integers(0, 10, n)


def minigrad_step(workload, workers):
    """A function that does one step."""
    import minigrad as mg
    from minigrad import nn

    names = nn.Dense, nn.Conv2D, nn.MaxPool, nn.ReLU, nn.Dropout, nn.Flatten
    model = nn.Sequential(*layers(workload, *names))
    x, y = random_batch(workload)
    if workload == "W4-forward":
        return lambda: mg.predict(model, x, batch_size=1000 // workers, workers=workers)
    optimizer = mg.optim.Adam(model.parameters())
    step = mg.TrainStep(model, mg.cross_entropy, optimizer, workers=workers)
    return lambda: step(x, y)


def torch_step(workload, fused):
    """A function that does one step."""
    import torch
    from torch import nn

    names = nn.Linear, nn.Conv2d, nn.MaxPool2d, nn.ReLU, nn.Dropout, nn.Flatten
    model = nn.Sequential(*layers(workload, *names))
    x, y = map(torch.from_numpy, random_batch(workload))
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), fused=fused)
    if workload == "W4-forward":
        model.eval()
        return torch.no_grad()(lambda: model(x))

    def step():
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value.item()

    return step


def measure(library, workload, seconds, workers=1, fused=True):
    """Time the steps that fit into so many seconds, after a warm-up.

    Returns
    -------
    dict
        `median` and `min` of a step in milliseconds, `import` in seconds, `memory` in MB.
    """
    start = time.perf_counter()
    __import__(library)
    imported = time.perf_counter() - start
    if library == "minigrad":
        step = minigrad_step(workload, workers)
    else:
        step = torch_step(workload, fused)
    end = time.perf_counter() + seconds / 4
    while time.perf_counter() < end:
        step()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return {
        "median": statistics.median(times),
        "min": min(times),
        "import": imported,
        "memory": peak_memory(),
    }


def peak_memory():
    """The most memory that this process had, in MB; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists() and "VmHWM:" in status.read_text():
        # Linux, where getrusage counts the parent's memory too
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


# ---- all measurements, in turns ------------------------------------------------------------------


def in_a_process(program, workload, seconds):
    """`measure` in a new Python."""
    # It may keep the bytecode of the modules it imports: the next one then imports faster.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    job = {**PROGRAMS[program], "workload": workload, "seconds": seconds}
    command = [sys.executable, __file__, "--measure", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{program} failed on {workload}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_rounds(workload, programs, rounds, seconds):
    """For each program, a list of its measurements."""
    found = {program: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            found[program].append(in_a_process(program, workload, seconds))
    return found


def summary(workload, found):
    """What the table shows of a workload, as numbers."""
    rows = {}
    for program, runs in found.items():
        medians = [run["median"] for run in runs]
        memories = [run["memory"] for run in runs]
        rows[program] = {
            "ms": statistics.median(medians),
            "ms_least": min(medians),
            "ms_most": max(medians),
            "ms_best_step": min(run["min"] for run in runs),
            "images_per_second": 1e3 * WORKLOADS[workload][1] / statistics.median(medians),
            "memory_mb": None if None in memories else max(memories),
            "import_s": statistics.median(run["import"] for run in runs),
        }
    if REFERENCE in found:
        ours = min((p for p in rows if p.startswith("minigrad")), key=lambda p: rows[p]["ms"])
        pairs = zip(found[ours], found[REFERENCE], strict=True)
        rows["ratio"] = statistics.median(a["median"] / b["median"] for a, b in pairs)
    return rows


def show(workload, rows):
    """Print a workload's rows."""
    print(f"\n{workload}: {WORKLOADS[workload][0]}; batch {WORKLOADS[workload][1]}")
    print(f"  {'':20} {'ms':>8} {'least':>8} {'most':>8} {'images/s':>9} {'MB':>6} {'import s':>8}")
    for program, row in rows.items():
        if program == "ratio":
            continue
        memory = "" if row["memory_mb"] is None else f"{row['memory_mb']:.0f}"
        print(
            f"  {program:20} {row['ms']:8.2f} {row['ms_least']:8.2f} {row['ms_most']:8.2f} "
            f"{row['images_per_second']:9,.0f} {memory:>6} {row['import_s']:8.2f}"
        )
    if "ratio" in rows:
        print(f"  minigrad / PyTorch   {rows['ratio']:8.2f}", flush=True)


def picture(results, path):
    """Bars of milliseconds per workload and program."""
    from minigrad import plot

    figure = plot.new_figure(2 + 2.2 * len(results), 4)
    axes = figure.subplots(1, len(results), squeeze=False)[0]
    for ax, (workload, rows) in zip(axes, results.items(), strict=True):
        programs = [program for program in rows if program != "ratio"]
        for i, program in enumerate(programs):
            row = rows[program]
            spread = [[row["ms"] - row["ms_least"]], [row["ms_most"] - row["ms"]]]
            color = plot.COLORS[i % len(plot.COLORS)]
            ax.bar(i, row["ms"], yerr=spread, color=color, label=program, capsize=3)
        ax.set(title=workload, xticks=[], ylabel="ms per step" if ax is axes[0] else "")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return plot.save(path, figure)


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, metavar="W", help="these workloads")
    parser.add_argument("--quick", action="store_true", help="two short rounds instead of five")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    parser.add_argument("--plot", action="store_true", help="draw benchmark.png")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    if options.measure:
        print(json.dumps(measure(**json.loads(options.measure))))
        return
    have_torch = importlib.util.find_spec("torch") is not None
    programs = [p for p in PROGRAMS if have_torch or PROGRAMS[p]["library"] != "torch"]
    if not have_torch:
        print("PyTorch is not installed: minigrad is measured alone.")
    for name in sorted(set(os.environ) & {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"}):
        print(f"{name} is set, which changes how fast NumPy's matrix products are.")
    rounds, seconds = (2, 0.5) if options.quick else (5, 2.0)
    results = {}
    for workload in options.only or [w for w in WORKLOADS if not w[3:].isdigit()]:
        results[workload] = summary(workload, run_rounds(workload, programs, rounds, seconds))
        show(workload, results[workload])
    if options.json:
        from minigrad.files import replacing  # not above: each measurement times its first import

        with replacing(options.json) as file:
            file.write(json.dumps(results, indent=2).encode())
    if options.plot:
        print(f"\nwrote {picture(results, 'benchmark.png')}")


if __name__ == "__main__":
    main()
