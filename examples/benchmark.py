"""How long a training step takes on this machine, beside PyTorch, TensorFlow and JAX if installed.

    python examples/benchmark.py                  all workloads, five rounds: 3 to 15 minutes
    python examples/benchmark.py --quick          two short rounds
    python examples/benchmark.py --only W3 W4 --json bench.json --plot

A step is: forget the gradients, forward, mean cross-entropy, backward, Adam; in float32. How each
library does it stands in benchmark_steps.py; each keeps to two threads. Each measurement is a
process of its own; the programs take turns, round by round, so that a machine that slows down slows
all of them. Each round gives a median; the table shows the median of the rounds, the least and the
largest. The ratio of minigrad's better row to another program is the median of the rounds' ratios.

The floor of a workload is the time that its arithmetic would take at the rate at which the machine
multiplies matrices with two threads; beside each time stands its share. Arithmetic is counted by
direct convolution: an algorithm that needs fewer products, such as Winograd's, can be above 100 %.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import benchmark_steps
from benchmark_steps import THREADS

WORKLOADS = {
    "W1": ("784-128-10", 64),
    "W2": ("784-512-512-10, dropout .2 twice", 128),
    "W3": ("conv5x5 8, pool, conv5x5 16, pool, dense 64, 10", 64),
    "W4": ("conv3x3 32, conv3x3 64, pool, dropout .25, dense 128, dropout .5, 10", 96),
    "W4-forward": ("W4 without training", 1000),
    **{f"W4-{n}": ("W4", n) for n in (16, 32, 64, 128, 256, 512)},
}
PROGRAMS = {
    "minigrad, 1 worker": {"library": "minigrad", "workers": 1},
    "minigrad, 2 workers": {"library": "minigrad", "workers": 2},
    "PyTorch, fused Adam": {"library": "torch", "fused": True},
    "PyTorch, plain Adam": {"library": "torch", "fused": False},
    "TensorFlow": {"library": "tensorflow"},
    "JAX": {"library": "jax"},
}
# The programs that minigrad is compared with, and what the file of --json calls the ratio.
RATIOS = {
    "PyTorch, fused Adam": "ratio",
    "TensorFlow": "ratio_tensorflow",
    "JAX": "ratio_jax",
}
NAMES = {"torch": "PyTorch", "tensorflow": "TensorFlow", "jax": "JAX"}
SPREAD = 1.3  # the slowest round by the quickest: above it, something disturbs
LEGEND = f"""\
floor %: the time of the arithmetic at the rate of {THREADS} threads, by the time measured. It is
counted by direct convolution: with fewer products, such as Winograd's, it can be above 100 %."""


# ---- the workloads -------------------------------------------------------------------------------


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


def training(workload):
    """Whether a workload is a step of training, or a forward pass alone."""
    return workload != "W4-forward"


def arithmetic(workload):
    """The multiplications and additions of a step in GFLOP, by direct convolution.

    Each weight is multiplied and added once for each output of its filter or unit. The gradient of
    the weights takes as many again, and so does that of the inputs, which the first layer has not.
    """
    import minigrad as mg

    x, _ = random_batch(workload)
    outputs = x[:1]  # of one image
    products = []
    with mg.no_grad():
        for layer in benchmark_steps.minigrad_model(partial(layers, workload)).eval():
            outputs = layer(outputs)
            if layer.parameters():
                filters = len(layer.weight)
                products.append(layer.weight.size * outputs.size // filters)
    passes = 3 * sum(products) - products[0] if training(workload) else sum(products)
    return 2 * len(x) * passes / 1e9


# ---- one measurement, in a process of its own ----------------------------------------------------


def step_times(library, workload, seconds, **options):
    """Time the steps that fit into so many seconds, after a warm-up.

    Returns
    -------
    dict
        `median` and `min` of a step in milliseconds, `import` in seconds, `memory` in MB.
    """
    start = time.perf_counter()
    __import__(library)
    imported = time.perf_counter() - start
    make_step = benchmark_steps.STEPS[library]
    build = partial(layers, workload)
    step = make_step(build, *random_batch(workload), training(workload), **options)
    step()  # may compile
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


def product_rate(threads, seconds):
    """The GFLOP/s of bare products in float32, with the shapes of W4's second convolution.

    Each of so many threads of Python has one thread of BLAS, as minigrad's workers have. The
    quickest of the runs counts, because other programs can only slow them down.
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    rows, inner, columns, repeats = 4608, 288, 64, 20
    rng = np.random.default_rng(0)
    left = rng.standard_normal((threads, rows, inner), np.float32)
    right = rng.standard_normal((inner, columns), np.float32)
    result = np.empty((threads, rows, columns), np.float32)

    def multiply(thread):
        for _ in range(repeats):
            np.matmul(left[thread], right, out=result[thread])

    times = []
    end = time.perf_counter() + seconds
    with ThreadPoolExecutor(threads) as pool:
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            list(pool.map(multiply, range(threads)))
            times.append(time.perf_counter() - start)
    return threads * repeats * 2 * rows * inner * columns / min(times) / 1e9


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


# ---- the machine ---------------------------------------------------------------------------------


def processor():
    """What the processor is called."""
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    elif sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        names = [done.stdout.strip()]
    else:
        names = [platform.processor()]
    return next(filter(None, names), platform.machine())  # Linux on ARM tells no name


def look_at_machine(rounds, seconds):
    """The processor, how many cores this process may use, and the rates of bare products."""
    from minigrad.system import cores

    rates = {1: 0, THREADS: 0}
    for _ in range(rounds):
        for threads, rate in rates.items():
            found = in_a_process("product_rate", 1, threads=threads, seconds=seconds)
            rates[threads] = max(rate, found)
    return {"processor": processor(), "cores": cores(), "gflop_per_second": rates}


def show_machine(machine):
    """Print what `look_at_machine` found, and what the table says of it."""
    rates = machine["gflop_per_second"]
    print(f"processor: {machine['processor']}; cores that may be used: {machine['cores']}")
    print(
        f"products of float32 (4608, 288) x (288, 64): {rates[1]:.0f} GFLOP/s with 1 thread, "
        f"{rates[THREADS]:.0f} with {THREADS}"
    )
    print(LEGEND)


# ---- all measurements, in turns ------------------------------------------------------------------


def in_a_process(function, blas_threads, **arguments):
    """Call one of MEASUREMENTS in a new Python; returns what it returns."""
    # It may keep the bytecode of the modules it imports: the next one then imports faster.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for library in ("OPENBLAS", "MKL", "OMP"):
        environment[f"{library}_NUM_THREADS"] = str(blas_threads)
    environment["VECLIB_MAXIMUM_THREADS"] = str(blas_threads)  # macOS
    environment["NPROC"] = str(THREADS)  # JAX
    environment["KERAS_BACKEND"] = "tensorflow"
    job = json.dumps({"function": function, **arguments})
    command = [sys.executable, __file__, "--measure", job]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"this measurement failed: {job}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_rounds(workload, programs, rounds, seconds):
    """For each program, a list of its measurements."""
    found = {program: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            job = {**PROGRAMS[program], "workload": workload, "seconds": seconds}
            found[program].append(in_a_process("step_times", THREADS, **job))
    return found


def summary(workload, found, rate):
    """What the table shows of a workload, as numbers; the floor is that at a rate in GFLOP/s."""
    gflop = arithmetic(workload)
    rows = {"gflop": gflop}
    for program, runs in found.items():
        medians = [run["median"] for run in runs]
        memories = [run["memory"] for run in runs]
        rows[program] = {
            "ms": statistics.median(medians),
            "ms_least": min(medians),
            "ms_most": max(medians),
            "ms_best_step": min(run["min"] for run in runs),
            "images_per_second": 1e3 * WORKLOADS[workload][1] / statistics.median(medians),
            "floor_share": gflop / rate / (statistics.median(medians) / 1e3),
            "memory_mb": None if None in memories else max(memories),
            "import_s": statistics.median(run["import"] for run in runs),
        }
    ours = min((p for p in found if p.startswith("minigrad")), key=lambda p: rows[p]["ms"])
    for other in [p for p in RATIOS if p in found]:
        pairs = zip(found[ours], found[other], strict=True)
        rows[RATIOS[other]] = statistics.median(a["median"] / b["median"] for a, b in pairs)
    return rows


def disturbed(rows):
    """The programs whose rounds differ by more than SPREAD, and by how much."""
    spreads = {p: rows[p]["ms_most"] / rows[p]["ms_least"] for p in PROGRAMS if p in rows}
    return {program: spread for program, spread in spreads.items() if spread > SPREAD}


def show(workload, rows):
    """Print a workload's rows, its ratios, and whether the figures are to be trusted."""
    name, batch = WORKLOADS[workload]
    print(f"\n{workload}: {name}; batch {batch}; {rows['gflop']:.2g} GFLOP")
    print(
        f"  {'':20} {'ms':>8} {'least':>8} {'most':>8} {'images/s':>9} {'floor %':>7} {'MB':>6} "
        f"{'import s':>8}"
    )
    for program in [p for p in PROGRAMS if p in rows]:
        row = rows[program]
        memory = "" if row["memory_mb"] is None else f"{row['memory_mb']:.0f}"
        print(
            f"  {program:20} {row['ms']:8.2f} {row['ms_least']:8.2f} {row['ms_most']:8.2f} "
            f"{row['images_per_second']:9,.0f} {100 * row['floor_share']:7.0f} {memory:>6} "
            f"{row['import_s']:8.2f}"
        )
    for other, ratio in RATIOS.items():
        if ratio in rows:
            print(f"  {'minigrad / ' + other:31} {rows[ratio]:.2f}")
    spreads = disturbed(rows)
    if spreads:
        named = "; ".join(f"{program} {spread:.1f}" for program, spread in spreads.items())
        print(f"  Other programs disturb, take the figures with care; most / least: {named}")
    sys.stdout.flush()


def picture(results, path):
    """Bars of milliseconds per workload and program."""
    from minigrad import plot

    figure = plot.new_figure(2 + 2.2 * len(results), 4)
    axes = figure.subplots(1, len(results), squeeze=False)[0]
    for ax, (workload, rows) in zip(axes, results.items(), strict=True):
        programs = [program for program in PROGRAMS if program in rows]
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


MEASUREMENTS = {"step_times": step_times, "product_rate": product_rate}


def measure(job):
    """Do what `in_a_process` asks for, in the new process."""
    arguments = json.loads(job)
    measurement = MEASUREMENTS[arguments.pop("function")]
    print(json.dumps(measurement(**arguments)))


def programs_here():
    """The programs whose libraries are installed; says which are not."""
    missing = [library for library in NAMES if importlib.util.find_spec(library) is None]
    if missing:
        print(f"not installed, and left out: {', '.join(NAMES[library] for library in missing)}")
    return [program for program in PROGRAMS if PROGRAMS[program]["library"] not in missing]


def main(arguments=None):
    options = parse(arguments)
    if options.measure:
        measure(options.measure)
        return
    rounds, seconds = (2, 0.5) if options.quick else (5, 2.0)
    machine = look_at_machine(rounds, seconds)
    show_machine(machine)
    programs = programs_here()
    if "OPENBLAS_CORETYPE" in os.environ:
        print("OPENBLAS_CORETYPE is set, which changes how fast NumPy's matrix products are.")
    results = {}
    for workload in options.only or [w for w in WORKLOADS if not w[3:].isdigit()]:
        found = run_rounds(workload, programs, rounds, seconds)
        results[workload] = summary(workload, found, machine["gflop_per_second"][THREADS])
        show(workload, results[workload])
    if options.json:
        from minigrad.files import replacing  # not above: each measurement times its first import

        with replacing(options.json) as file:
            file.write(json.dumps({"machine": machine, **results}, indent=2).encode())
    if options.plot:
        print(f"\nwrote {picture(results, 'benchmark.png')}")


if __name__ == "__main__":
    main()
