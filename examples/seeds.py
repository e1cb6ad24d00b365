"""Several seeds of one script, each in a process of its own, and what they came to."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from report import write_json


def run_seeds(script, seeds, out, options):
    """Run `script --seed s --out out/seed-s ...` for each seed; write their lists to metrics.json.

    Parameters
    ----------
    script : str
    seeds : int
        How many: 0, 1, 2, ...
    out : Path
    options : list of str
        Handed on to each.

    Returns
    -------
    dict
        What metrics.json holds: the lists `test_accuracy` and `seconds` with an entry for each
        seed, counted from the start of its process, their means, and the rest of the first seed's.
    """
    found = []
    for seed in range(seeds):
        folder = out / f"seed-{seed}"
        command = [sys.executable, script, "--seed", str(seed), "--out", str(folder), *options]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"seed {seed} failed: {' '.join(command)}")
        found.append(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))
    lists = {key: [run[key] for run in found] for key in ("test_accuracy", "seconds")}
    result = {**found[0], **lists, "seeds": seeds}
    result["mean_test_accuracy"] = statistics.mean(lists["test_accuracy"])
    result["sd_test_accuracy"] = statistics.stdev(lists["test_accuracy"]) if seeds > 1 else None
    result["mean_seconds"] = statistics.mean(lists["seconds"])
    out.mkdir(parents=True, exist_ok=True)
    write_json(Path(out) / "metrics.json", result)
    return result


def tell(result, goal):
    """One line on all seeds; `goal` is the accuracy that they were to reach."""
    reached = sum(accuracy >= goal for accuracy in result["test_accuracy"])
    spread = (
        f" +- {result['sd_test_accuracy']:.3%}" if result["sd_test_accuracy"] is not None else ""
    )
    kind = "" if result["data"] == "mnist" else f"; {result['data'].upper()} digits, not MNIST"
    return (
        f"{result['seeds']} seeds: test accuracy {result['mean_test_accuracy']:.3%}{spread}, "
        f"{reached} reached {goal:.2%}; {result['mean_seconds']:.1f} s each{kind}"
    )
