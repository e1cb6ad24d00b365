"""12b  The standard error of a mean over seeds.

`runs` holds one number for each seed, such as its accuracy, as a list or an array; at least two.
Their sample variance is the sum of the squared distances from their mean, divided by n - 1. The
variance of the mean of n runs is an n-th of that, and the standard error is its root. Return it.
"""

import numpy as np


def standard_error(runs):
    n = len(runs)
    variance = np.var(runs, ddof=1)  # hole: return the standard error of the mean
    return np.sqrt(variance / n)  # hole
