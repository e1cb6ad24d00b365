"""Schedules: the learning rate as a function of time; names, arguments and curves are PyTorch's.

A schedule changes `lr` of the optimizer's groups at once when it is made, and after each `step()`.
`interval` says what a step is to `fit`: an "epoch", or an optimizer "step".
"""

import math


class Schedule:
    """What all schedules share; `rates(t)` is the curve: a learning rate for each group.

    `interval` : "epoch" or "step"
    """

    interval = "epoch"

    def __init__(self, optimizer, interval=None):
        if interval not in (None, "epoch", "step"):
            raise ValueError(f'interval expects "epoch" or "step", got {interval!r}.')
        self.optimizer, self.interval, self.t = optimizer, interval or self.interval, 0
        self.base = [g.setdefault("initial_lr", g["lr"]) for g in optimizer.param_groups]
        self._apply()

    def _apply(self):
        for group, lr in zip(self.optimizer.param_groups, self.rates(self.t)):
            group["lr"] = lr

    def rates(self, t):
        return [lr * self.factor(t) for lr in self.base]

    def factor(self, t):
        raise NotImplementedError

    def step(self):
        """Go on by one epoch, or one step."""
        self.t += 1
        self._apply()

    def state_dict(self):
        return {"t": self.t}

    def load_state_dict(self, state):
        self.t = int(state["t"])
        self._apply()


class StepLR(Schedule):
    """Times `gamma` every `step_size`."""

    def __init__(self, optimizer, step_size, gamma=0.1, **options):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, **options)

    def factor(self, t):
        return self.gamma ** (t // self.step_size)


class ExponentialLR(StepLR):
    """Times `gamma` each time."""

    def __init__(self, optimizer, gamma, **options):
        super().__init__(optimizer, 1, gamma, **options)


class LinearLR(Schedule):
    """From `start_factor` to `end_factor` in `total_iters`, in a straight line: a warm-up."""

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, **options):
        self.start, self.end, self.total = start_factor, end_factor, total_iters
        super().__init__(optimizer, **options)

    def factor(self, t):
        return self.start + (self.end - self.start) * min(t / self.total, 1)


class CosineAnnealingLR(Schedule):
    """Down to `eta_min` in `T_max`, along half a cosine (Loshchilov and Hutter 2017)."""

    def __init__(self, optimizer, T_max, eta_min=0.0, **options):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, **options)

    def rates(self, t):
        return [_cosine(lr, self.eta_min, t / self.T_max) for lr in self.base]


class OneCycleLR(Schedule):
    """Up from max_lr / div_factor to `max_lr`, then down to almost nothing, each along half a
    cosine, while the momentum goes down and up (Smith and Topin 2018).

    Parameters
    ----------
    max_lr : float
    total_steps : int
    pct_start : float
        Share of the steps that go up.
    cycle_momentum : bool
        Whether `momentum`, or the first of `betas`, goes from max_momentum to base_momentum
        and back.
    div_factor, final_div_factor : float
        The first lr is max_lr / div_factor, the last is the first / final_div_factor.
    """

    interval = "step"

    # fmt: off
    # One line of what must be given, one of options.
    def __init__(self, optimizer, max_lr, total_steps, pct_start=0.3, cycle_momentum=True,
                 base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=1e4,
                 **options):
        # fmt: on
        self.max_lr, self.total_steps, self.cycle_momentum = max_lr, total_steps, cycle_momentum
        self.first, self.last = max_lr / div_factor, max_lr / div_factor / final_div_factor
        self.momenta, self.peak = (max_momentum, base_momentum), pct_start * total_steps - 1
        super().__init__(optimizer, **options)

    def _between(self, low, high, end, t):
        """From low to high at the peak, and on to end."""
        if t > self.total_steps or self.total_steps < 1:
            raise ValueError(f"OneCycleLR was made for {self.total_steps} steps, got more.")
        if t <= self.peak:
            return _cosine(low, high, t / self.peak)
        return _cosine(high, end, (t - self.peak) / (self.total_steps - 1 - self.peak))

    def rates(self, t):
        return [self._between(self.first, self.max_lr, self.last, t)] * len(self.base)

    def _apply(self):
        super()._apply()
        momentum = self._between(*self.momenta, self.momenta[0], self.t)
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            if "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
            elif "momentum" in group:
                group["momentum"] = momentum


class SequentialLR(Schedule):
    """One schedule after the other, each from its own start; the next begins at a milestone."""

    def __init__(self, optimizer, schedules, milestones, interval=None):
        if len(milestones) != len(schedules) - 1 or sorted(milestones) != list(milestones):
            wish = f"SequentialLR expects {len(schedules) - 1} milestones in ascending order"
            raise ValueError(f"{wish} for {len(schedules)} schedules, got {milestones}.")
        self.schedules, self.milestones = schedules, [0, *milestones]
        super().__init__(optimizer, interval or schedules[0].interval)

    def rates(self, t):
        turn = max(i for i, start in enumerate(self.milestones) if t >= start)
        return self.schedules[turn].rates(t - self.milestones[turn])


def _cosine(start, end, share):
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
