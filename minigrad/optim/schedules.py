"""Schedules: the learning rate as a function of time. Names, arguments and curves are PyTorch's.

A schedule sets `lr` of the optimizer's groups when it is made, and anew by each `step()`. Its
`interval` tells `fit` when to call that: after each "epoch", or after each "step" of the optimizer.
"""

import math

from ..ops.expect import real, whole, wholes
from ..state import check_state, counter


class Schedule:
    """What all schedules share. Each is a curve over t, which counts the calls of `step`.

    A schedule writes its curve as `factor(t)`, by which the initial learning rates are multiplied,
    or as `rates(t)`, the learning rates themselves.

    Attributes
    ----------
    interval : "epoch" or "step"
    t : int
    base : list of float
        The learning rate of each group, as it was before any schedule changed it.
    """

    interval = "epoch"

    def __init__(self, optimizer, interval=None):
        if interval not in (None, "epoch", "step"):
            raise ValueError(f'interval expects "epoch" or "step", got {interval!r}.')
        if not hasattr(optimizer, "param_groups"):
            raise TypeError(
                f"{type(self).__name__} expects an optimizer, got {optimizer!r:.80}: give it the "
                "one that trains, such as optim.SGD(model.parameters(), lr=0.1)."
            )
        self.optimizer = optimizer
        self.interval = interval or self.interval
        self.t = 0
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base = [group["initial_lr"] for group in optimizer.param_groups]
        self._apply(self.t)

    def _apply(self, t):
        """Set the optimizer to time `t`."""
        for group, lr in zip(self.optimizer.param_groups, self.rates(t)):
            group["lr"] = lr

    def rates(self, t):
        """The learning rate of each group at time `t`."""
        return [lr * self.factor(t) for lr in self.base]

    def factor(self, t):
        """By what the initial learning rates are multiplied at time `t`."""
        raise NotImplementedError(
            f"{type(self).__name__} has neither factor(self, t) nor rates(self, t): write one."
        )

    def step(self):
        """Go on by one epoch, or one step."""
        self.t += 1
        self._apply(self.t)

    def state_dict(self):
        """What `load_state_dict` needs to go on from here."""
        return {"t": self.t}

    def load_state_dict(self, state):
        """Take over what `state_dict` gave, and set the learning rates to it."""
        check_state(state)
        t = counter("t", state)
        self._apply(t)
        self.t = t


class StepLR(Schedule):
    """Multiply by `gamma` every `step_size` epochs, or steps."""

    def __init__(self, optimizer, step_size, gamma=0.1, **options):
        self.step_size = whole("step_size", step_size, least=1)
        self.gamma = real("gamma", gamma, least=0)
        super().__init__(optimizer, **options)

    def factor(self, t):
        return self.gamma ** (t // self.step_size)


class ExponentialLR(StepLR):
    """Multiply by `gamma` after each epoch, or step."""

    def __init__(self, optimizer, gamma, **options):
        super().__init__(optimizer, step_size=1, gamma=gamma, **options)


class LinearLR(Schedule):
    """From `start_factor` to `end_factor` in a straight line of `total_iters`: a warm-up."""

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, **options):
        self.start = real("start_factor", start_factor, least=0)
        self.end = real("end_factor", end_factor, least=0)
        self.total = whole("total_iters", total_iters, least=1)
        super().__init__(optimizer, **options)

    def factor(self, t):
        share = min(t / self.total, 1)
        return self.start + (self.end - self.start) * share


class CosineAnnealingLR(Schedule):
    """Down to `eta_min` in `T_max` steps, along half a cosine (Loshchilov and Hutter 2017)."""

    def __init__(self, optimizer, T_max, eta_min=0.0, **options):
        self.T_max = whole("T_max", T_max, least=1)
        self.eta_min = real("eta_min", eta_min, least=0)
        super().__init__(optimizer, **options)

    def rates(self, t):
        return [_cosine(lr, self.eta_min, t / self.T_max) for lr in self.base]


class OneCycleLR(Schedule):
    """Up to `max_lr`, then down to almost nothing (Smith and Topin 2018).

    Both ways run along half a cosine. While the learning rate goes up and down, the momentum goes
    down and up.

    Parameters
    ----------
    max_lr : float
    total_steps : int
    pct_start : float
        Share of the steps that go up.
    cycle_momentum : bool
        Whether `momentum`, or the first of `betas`, goes from `max_momentum` to `base_momentum`
        and back.
    base_momentum, max_momentum : float
    div_factor, final_div_factor : float
        The first lr is max_lr / div_factor, the last is the first / final_div_factor.
    """

    interval = "step"

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps,
        pct_start=0.3,
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        **options,
    ):
        self.total_steps = whole("total_steps", total_steps)
        real("pct_start", pct_start, least=0, most=1)
        real("max_lr", max_lr, least=0)
        real("div_factor", div_factor, above=0)
        real("final_div_factor", final_div_factor, above=0)
        real("base_momentum", base_momentum, least=0, below=1)
        real("max_momentum", max_momentum, least=0, below=1)
        self.peak = pct_start * total_steps - 1  # the t of the highest rate
        self.first = max_lr / div_factor
        self.max_lr = max_lr
        self.last = self.first / final_div_factor
        self.cycle_momentum = cycle_momentum
        self.base_momentum = base_momentum
        self.max_momentum = max_momentum
        super().__init__(optimizer, **options)

    def _cycle(self, start, peak, end, t):
        """The value at `t` of what goes from `start` to `peak`, and on to `end`."""
        if t > self.total_steps or self.total_steps < 1:  # t == total_steps: after the last step
            raise ValueError(
                f"OneCycleLR was made for {self.total_steps} steps, got more: "
                "give it all steps of the training as total_steps, epochs times batches."
            )
        if t <= self.peak:
            return _cosine(start, peak, _share(t, self.peak))
        return _cosine(peak, end, _share(t - self.peak, self.total_steps - 1 - self.peak))

    def rates(self, t):
        lr = self._cycle(self.first, self.max_lr, self.last, t)
        return [lr] * len(self.base)

    def _apply(self, t):
        super()._apply(t)
        if not self.cycle_momentum:
            return
        momentum = self._cycle(self.max_momentum, self.base_momentum, self.max_momentum, t)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
            elif "momentum" in group:
                group["momentum"] = momentum


class SequentialLR(Schedule):
    """One schedule after the other, each from its own start; the next begins at a milestone."""

    def __init__(self, optimizer, schedules, milestones, interval=None):
        listed = schedules if isinstance(schedules, list | tuple) else []
        if not listed or any(getattr(s, "optimizer", None) is not optimizer for s in listed):
            raise TypeError(
                "SequentialLR expects a list of schedules, made for the same optimizer, got "
                f"{schedules!r:.80}."
            )
        milestones = wholes("each of milestones", milestones)
        if len(milestones) != len(schedules) - 1 or sorted(milestones) != milestones:
            raise ValueError(
                f"SequentialLR expects {len(schedules) - 1} milestones in ascending order "
                f"for {len(schedules)} schedules, got {milestones}."
            )
        self.schedules = schedules
        self.milestones = [0, *milestones]  # where each schedule begins
        super().__init__(optimizer, interval or schedules[0].interval)

    def _current(self, t):
        """The schedule that holds at time `t`, and the time by its own clock."""
        i = max(i for i, start in enumerate(self.milestones) if t >= start)
        return self.schedules[i], t - self.milestones[i]

    def rates(self, t):
        schedule, own_t = self._current(t)
        return schedule.rates(own_t)

    def _apply(self, t):
        schedule, own_t = self._current(t)
        schedule._apply(own_t)  # it may set more than learning rates, as OneCycleLR does


def _share(steps, total):
    """Which share of the way `steps` are; all of it where the way has no length."""
    return steps / total if total else 1.0


def _cosine(start, end, share):
    """From `start`, where share is 0, to `end`, where it is 1, along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
