"""Wrong answers to 12b, written without a look at its check."""

import numpy as np


def no_root(runs):
    return np.var(runs, ddof=1) / len(runs)


def over_n_squared(runs):
    return np.sqrt(np.var(runs, ddof=1) / len(runs) ** 2)


def percent(runs):
    return 100 * np.std(runs, ddof=1) / np.sqrt(len(runs))


def divides_by_n(runs):
    return np.std(runs) / np.sqrt(len(runs))


def of_one_run(runs):
    return np.std(runs, ddof=1)


def of_answers(runs):
    p = np.mean(runs)
    return np.sqrt(np.abs(p * (1 - p)) / len(runs))
