"""Wrong answers to 8c, written without a look at its check."""

import math

import numpy as np


def off_by_one(t, total, warmup, top, floor):
    if t < warmup:
        return top * t / warmup
    return floor + (top - floor) * (1 + math.cos(math.pi * (t - warmup) / (total - warmup))) / 2


def degrees(t, total, warmup, top, floor):
    if t < warmup:
        return top * (t + 1) / warmup
    share = (t - (warmup - 1)) / (total - warmup)
    return floor + (top - floor) * 0.5 * (1 + np.cos(180 * share))


def no_floor(t, total, warmup, top, floor):
    if t < warmup:
        return top * (t + 1) / warmup
    share = (t - (warmup - 1)) / (total - warmup)
    return top * 0.5 * (1 + np.cos(np.pi * share))


def one_step_short(t, total, warmup, top, floor):
    if t < warmup:
        return top * (t + 1) / warmup
    share = (t - warmup) / (total - warmup - 1)
    return floor + (top - floor) * 0.5 * (1 + np.cos(np.pi * share))
