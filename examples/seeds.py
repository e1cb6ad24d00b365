"""What the speedrun and the record share: options, digits, a score, and several seeds of it."""

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
    """The options of a script, with these defaults."""
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
    """Normalized digits (train, test), and their kind; with --validation, both of the training."""
    (images, labels), test, kind = load_digits(args.data)
    train = data.normalize(images), labels
    if args.validation:
        train, test = data.split(*train, validation=1 / 6, seed=args.seed)
        return train, test, kind
    return train, (data.normalize(test[0]), test[1]), kind


def score(args, model, test, kind, history):
    """Score a model that is trained to the end; write its weights and metrics.json."""
    if history.interrupted:
        sys.exit("interrupted: an unfinished training is not scored, and nothing is written")
    found = mg.evaluate(model, test, workers="auto")
    args.out.mkdir(parents=True, exist_ok=True)
    metrics = {"test_accuracy": found["accuracy"], "test_loss": found["loss"], "data": kind,
               "seconds": round(seconds(), 2),
               "parameters": sum(p.size for p in model.parameters())}  # fmt: skip
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
    """`run(args)` for the one seed, or for each of --seeds a process that does; `goal` is the
    accuracy that they are to reach."""
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
    """Options as they are written on the command line, but for those that differ by seed."""
    words = []
    for name, value in vars(args).items():
        if name in ("seeds", "seed", "out") or value is False or value == []:
            continue
        values = [] if value is True else value if isinstance(value, list) else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return words


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
    """One line on all seeds."""
    reached = sum(accuracy >= goal for accuracy in result["test_accuracy"])
    spread = (
        f" +- {result['sd_test_accuracy']:.3%}" if result["sd_test_accuracy"] is not None else ""
    )
    kind = "" if result["data"] == "mnist" else f"; {result['data'].upper()} digits, not MNIST"
    return (
        f"{result['seeds']} seeds: test accuracy {result['mean_test_accuracy']:.3%}{spread}, "
        f"{reached} reached {goal:.2%}; {result['mean_seconds']:.1f} s each{kind}"
    )
