"""What the speedrun and the record share: options, digits, scoring, and runs of several seeds."""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from digits import load_digits
from report import seconds, write_json
from train_mnist import positive, whole

import minigrad as mg
from minigrad import data


def parser(description, out, epochs, batch_size, lr):
    """The command line that the scripts share, with the defaults of one of them."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=as_written)
    option = parser.add_argument
    option("--seeds", type=whole, metavar="N", help="run so many seeds, and report their mean")
    option("--seed", type=int, default=0, help="default: 0")
    option("--epochs", type=whole, default=epochs, help=f"default: {epochs}")
    option("--batch-size", type=whole, default=batch_size, help=f"default: {batch_size}")
    option("--lr", type=positive, default=lr, help=f"highest learning rate (default: {lr})")
    option("--data", default="auto", help="as of train_mnist.py (default: auto)")
    option("--validation", action="store_true", help="score held-back training images instead")
    option("--out", type=Path, default=Path(out), help=f"default: {out}")
    return parser


def digits(args):
    """Normalized digits (train, test), and their kind.

    With --validation both are parts of the training images, and the test set stays unseen.
    """
    (images, labels), test, kind = load_digits(args.data)
    train = data.normalize(images), labels
    if args.validation:
        train, test = data.split(*train, validation=1 / 6, seed=args.seed)
        return train, test, kind
    return train, (data.normalize(test[0]), test[1]), kind


def score(args, model, test, kind, history):
    """Score a model once it is trained; write its weights and metrics.json."""
    if history.interrupted:
        sys.exit("interrupted: an unfinished training is not scored, and nothing is written")
    found = mg.evaluate(model, test, workers="auto")
    args.out.mkdir(parents=True, exist_ok=True)
    metrics = {
        "test_accuracy": found["accuracy"],
        "test_loss": found["loss"],
        "data": kind,
        "seconds": round(seconds(), 2),
        "parameters": sum(p.size for p in model.parameters()),
    }
    chosen = {k: v for k, v in vars(args).items() if k not in ("data", "out", "seeds")}
    mg.save(args.out / "model.npz", model)
    write_json(args.out / "metrics.json", metrics | chosen)
    which = "validation" if args.validation else "test"
    note = "" if kind == "mnist" else f", on {kind.upper()} digits: no result on MNIST"
    print(
        f"{found['accuracy']:.2%} of the {which} set after {metrics['seconds']:.2f} s, "
        f"{metrics['parameters']:,} parameters{note}"
    )


def main(script, run, args, goal):
    """Call `run(args)` for one seed; with --seeds, start the script anew for each of them.

    `goal` is the accuracy that each seed is to reach.
    """
    try:
        if args.seeds is None:
            run(args)
        else:
            result = run_seeds(script, args.seeds, args.out, _spelled(args))
            print(tell(result, goal))
    except (OSError, ValueError) as error:
        sys.exit(f"{Path(script).name}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{Path(script).name}: interrupted; finished seeds are in {args.out}")


def _spelled(args):
    """The options as written on the command line, without those that differ from seed to seed."""
    words = []
    for name, value in vars(args).items():
        if name in ("seeds", "seed", "out") or value is False or value == []:
            continue
        words.append(f"--{name.replace('_', '-')}")
        if isinstance(value, list):
            words += map(str, value)
        elif value is not True:  # True is a flag, which takes no value
            words.append(str(value))
    return words


def run_seeds(script, seeds, out, options):
    """Run `script --seed s --out out/seed-s ...` for each seed; write all results to metrics.json.

    Parameters
    ----------
    script : str
    seeds : int
        How many; they are 0, 1, 2, ...
    out : Path
    options : list of str
        Passed on to each run.

    Returns
    -------
    dict
        What metrics.json holds: the lists `test_accuracy` and `seconds` (from the start of a
        process to its score) with an entry for each seed, their means, the standard deviation of
        the accuracies, and everything else as in the first seed's metrics.json.
    """
    found = []
    for seed in range(seeds):
        folder = out / f"seed-{seed}"
        command = [sys.executable, script, "--seed", str(seed), "--out", str(folder), *options]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"seed {seed} failed: {' '.join(command)}")
        found.append(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))
    accuracies = [run["test_accuracy"] for run in found]
    times = [run["seconds"] for run in found]
    result = {**found[0], "test_accuracy": accuracies, "seconds": times, "seeds": seeds}
    result["mean_test_accuracy"] = statistics.mean(accuracies)
    result["sd_test_accuracy"] = statistics.stdev(accuracies) if seeds > 1 else None
    result["mean_seconds"] = statistics.mean(times)
    write_json(out / "metrics.json", result)
    return result


def tell(result, goal):
    """Sum up all seeds in one line."""
    accuracy = f"{result['mean_test_accuracy']:.3%}"
    if result["sd_test_accuracy"] is not None:
        accuracy += f" +- {result['sd_test_accuracy']:.3%}"
    reached = sum(found >= goal for found in result["test_accuracy"])
    note = "" if result["data"] == "mnist" else f"; {result['data'].upper()} digits, not MNIST"
    return (
        f"{result['seeds']} seeds: test accuracy {accuracy}, "
        f"{reached} reached {goal:.2%}; {result['mean_seconds']:.1f} s each{note}"
    )
