"""Schedules: their curves, by formulas and by figures worked out by hand."""

import math

import numpy as np
import pytest

from minigrad import optim
from minigrad.nn import Parameter


def make(lr=1.0, kind=optim.SGD, **options):
    return kind([Parameter(np.zeros(1))], lr=lr, **options)


def curve(optimizer, schedule, n):
    """The learning rate of the first n epochs or steps."""
    rates = []
    for _ in range(n):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step()
    return rates


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (lambda o: optim.StepLR(o, 2, gamma=0.5), [8, 8, 4, 4, 2, 2]),
        (lambda o: optim.ExponentialLR(o, 0.5), [8, 4, 2, 1, 0.5, 0.25]),
        (lambda o: optim.LinearLR(o, 0.5, 1, total_iters=4), [4, 5, 6, 7, 8, 8]),
        (lambda o: optim.LinearLR(o), [8 / 3 + 16 / 15 * t for t in range(5)] + [8]),
        (lambda o: optim.CosineAnnealingLR(o, 4), [8, 4 + 8**0.5, 4, 4 - 8**0.5, 0, 4 - 8**0.5]),
        (lambda o: optim.CosineAnnealingLR(o, 2, eta_min=2), [8, 5, 2, 5, 8, 5]),
    ],
)
def test_curves(schedule, expected):
    optimizer = make(lr=8)
    assert np.allclose(curve(optimizer, schedule(optimizer), 6), expected)


def test_one_cycle_goes_up_and_down_while_momentum_goes_down_and_up():
    optimizer = make(momentum=0.9)
    schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, pct_start=0.4)
    rates, momenta = [], []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        if len(rates) < 10:
            schedule.step()
    peak = 0.4 * 10 - 1
    for t, (lr, momentum) in enumerate(zip(rates, momenta, strict=True)):
        up = t <= peak
        share = t / peak if up else (t - peak) / (9 - peak)
        low, high = (1 / 25, 1.0) if up else (1.0, 1 / 25 / 1e4)
        assert lr == pytest.approx(high + (low - high) * (1 + math.cos(math.pi * share)) / 2)
        low, high = (0.95, 0.85) if up else (0.85, 0.95)
        assert momentum == pytest.approx(high + (low - high) * (1 + math.cos(math.pi * share)) / 2)
    assert (rates[0], rates[3], momenta[3]) == pytest.approx((0.04, 1.0, 0.85))


@pytest.mark.parametrize("steps", [2, 4, 5, 10, 20])
def test_one_cycle_with_a_single_step_up_begins_at_the_peak(steps):
    optimizer = make(momentum=0.9)
    schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=steps, pct_start=1 / steps)
    assert optimizer.param_groups[0]["momentum"] == 0.85
    down = [(1 + math.cos(math.pi * t / (steps - 1))) / 2 for t in range(steps)]
    expected = [4e-6 + (1 - 4e-6) * share for share in down]
    assert curve(optimizer, schedule, steps) == pytest.approx(expected)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_one_cycle_that_only_goes_up_ends_at_the_peak(steps):
    optimizer = make()
    schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=steps, pct_start=1)
    up = [(1 - math.cos(math.pi * t / (steps - 1))) / 2 for t in range(steps - 1)] + [1]
    expected = [0.04 + 0.96 * share for share in up]
    assert curve(optimizer, schedule, steps) == pytest.approx(expected)


def test_one_cycle_turns_the_momentum_also_inside_a_sequence():
    def momenta(sequence):
        optimizer = make(kind=optim.Adam)
        cycle = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=6)
        schedule = cycle
        if sequence:
            schedule = optim.SequentialLR(optimizer, [cycle, optim.LinearLR(optimizer)], [6])
        found = []
        for _ in range(6):
            found.append((optimizer.param_groups[0]["lr"], *optimizer.param_groups[0]["betas"]))
            schedule.step()
        return found

    assert momenta(True) == momenta(False)
    assert len(set(momenta(True))) > 3


def test_one_cycle_turns_adams_first_beta():
    optimizer = make(kind=optim.Adam)
    optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    assert optimizer.param_groups[0]["betas"] == (0.95, 0.999)
    optimizer = make(kind=optim.Adam)
    optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, cycle_momentum=False)
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def test_one_cycle_refuses_steps_beyond_its_end():
    optimizer = make()
    with pytest.raises(ValueError, match="made for 0 steps"):
        optim.OneCycleLR(make(), max_lr=1.0, total_steps=0)
    schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=3)
    with pytest.raises(ValueError, match="made for 3 steps"):
        curve(optimizer, schedule, 5)


def test_one_cycle_gives_no_momentum_to_an_optimizer_without():
    optimizer = make(kind=optim.Adagrad)
    options = set(optimizer.param_groups[0])
    optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=3).step()
    assert set(optimizer.param_groups[0]) == options | {"initial_lr"}


def test_schedules_in_sequence_each_start_anew():
    optimizer = make(lr=1.0)
    warm_up = optim.LinearLR(optimizer, 0.5, total_iters=2)
    rest = optim.CosineAnnealingLR(optimizer, 2)
    schedule = optim.SequentialLR(optimizer, [warm_up, rest], milestones=[2])
    assert np.allclose(curve(optimizer, schedule, 5), [0.5, 0.75, 1, 0.5, 0])
    with pytest.raises(ValueError, match="expects 1 milestones"):
        optim.SequentialLR(optimizer, [warm_up, rest], milestones=[])


def test_the_rates_of_a_schedule_are_those_that_its_steps_set():
    optimizer = make(lr=1.0)
    parts = [optim.LinearLR(optimizer, 0.5, total_iters=2), optim.CosineAnnealingLR(optimizer, 2)]
    for schedule in (*parts, optim.SequentialLR(optimizer, parts, milestones=[2])):
        schedule.load_state_dict({"t": 0})
        rates = [schedule.rates(t)[0] for t in range(4)]
        assert curve(optimizer, schedule, 4) == rates


def test_a_schedule_without_a_curve_says_what_to_write():
    class Flat(optim.Schedule):
        pass

    with pytest.raises(NotImplementedError, match=r"Flat has neither factor.* write one"):
        Flat(make())


@pytest.mark.parametrize("milestones", [2, [2], np.array([2]), (2,)])
def test_milestones_may_be_a_list_or_a_single_one(milestones):
    optimizer = make(lr=1.0)
    parts = [optim.StepLR(optimizer, 9), optim.StepLR(optimizer, 1, gamma=0.5)]
    schedule = optim.SequentialLR(optimizer, parts, milestones)
    assert curve(optimizer, schedule, 5) == [1, 1, 1, 0.5, 0.25]


def test_groups_keep_their_own_rates():
    a, b = Parameter(np.zeros(1)), Parameter(np.zeros(1))
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "lr": 10}], lr=1)
    optim.StepLR(optimizer, 1, gamma=0.5).step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 5]


def test_a_restored_schedule_goes_on():
    optimizer = make()
    schedule = optim.CosineAnnealingLR(optimizer, 7)
    curve(optimizer, schedule, 3)
    other = make()
    restored = optim.CosineAnnealingLR(other, 7)
    restored.load_state_dict(schedule.state_dict())
    assert curve(other, restored, 3) == curve(optimizer, schedule, 3)


def test_interval_is_an_epoch_or_a_step():
    assert optim.OneCycleLR(make(), 1.0, 5).interval == "step"
    assert optim.StepLR(make(), 5).interval == "epoch"
    assert optim.LinearLR(make(), interval="step").interval == "step"
    with pytest.raises(ValueError, match="interval expects"):
        optim.StepLR(make(), 5, interval="batch")
