"""Optimizers, clipping and schedules, step by step from the same weights and gradients."""

import numpy as np
import pytest
import torch
from compare import in_step, same, sampling
from hypothesis import given
from hypothesis import strategies as st

from minigrad import nn, optim

STEPS = 20
SHAPES = (3, 4), (5,), ()
rates = st.floats(1e-4, 0.5)
decays = st.sampled_from([0.0, 0.01, 0.3])
small = st.sampled_from([1e-10, 1e-8, 1e-3])
betas = st.tuples(st.sampled_from([0.0, 0.5, 0.9]), st.sampled_from([0.0, 0.9, 0.999]))

OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {
        "momentum": st.sampled_from([0.0, 0.5, 0.9]), "nesterov": st.booleans()}),
    "RMSProp": (torch.optim.RMSprop, {"alpha": st.sampled_from([0.5, 0.99]), "eps": small}),
    "Adagrad": (torch.optim.Adagrad, {"lr_decay": st.sampled_from([0.0, 0.1]), "eps": small}),
    "Adam": (torch.optim.Adam, {"betas": betas, "eps": small}),
    "AdamW": (torch.optim.AdamW, {"betas": betas, "eps": small}),
}  # fmt: skip


@st.composite
def arguments(draw, options):
    """Options of the optimizer, and those of its second group of parameters."""
    drawn = {name: draw(values) for name, values in options.items()}
    if not drawn.get("momentum", 1):
        drawn["nesterov"] = False  # which needs a momentum, in both libraries
    return {"lr": draw(rates), "weight_decay": draw(decays), **drawn}, {"lr": draw(rates)}


def parameters(rng):
    """The same parameters in both libraries."""
    arrays = [np.asarray(rng.normal(size=shape)) for shape in SHAPES]
    ours = [nn.Parameter(array, dtype=np.float64) for array in arrays]
    return ours, [torch.nn.Parameter(torch.tensor(array)) for array in arrays]


def give_gradients(ours, theirs, rng, without=()):
    for i, (p, q) in enumerate(zip(ours, theirs)):
        g = np.asarray(rng.normal(size=p.shape) * 10 ** rng.uniform(-3, 2))
        p.grad, q.grad = (None, None) if i in without else (g.copy(), torch.tensor(g))


@pytest.mark.parametrize("name", OPTIMIZERS)
@sampling
@given(data=st.data())
def test_optimizer(name, data):
    their_class, options = OPTIMIZERS[name]
    common, own = data.draw(arguments(options))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    ours, theirs = parameters(rng)
    our_groups, their_groups = (
        [{"params": params[:2]}, {"params": params[2:], **own}] for params in (ours, theirs)
    )
    our_optimizer = getattr(optim, name)(our_groups, **common)
    their_optimizer = their_class(their_groups, **common)
    for step in range(STEPS):
        # A parameter without a gradient is passed over, and its count of steps waits.
        give_gradients(ours, theirs, rng, without={1} if step in (0, 7) else ())
        our_optimizer.step()
        their_optimizer.step()
        same(f"optim.{name}, step {step}", ours, theirs)
    in_step[f"optim.{name}"] += 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_of_an_optimizer(name):
    """All but the learning rate of SGD, which minigrad wants to be told."""
    their_class, _ = OPTIMIZERS[name]
    ours, theirs = parameters(np.random.default_rng(0))
    lr = {"lr": 0.1} if name == "SGD" else {}
    our_group = getattr(optim, name)(ours, **lr).param_groups[0]
    their_group = their_class(theirs, **lr).param_groups[0]
    for option in our_group.keys() - {"params"}:
        assert our_group[option] == their_group[option], option


@sampling
@given(data=st.data())
def test_clip_grad_norm(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    ours, theirs = parameters(rng)
    give_gradients(ours, theirs, rng, without=data.draw(st.sampled_from([(), {0}, {1, 2}])))
    max_norm = data.draw(st.floats(1e-3, 1e3))
    ours = [p for p in ours if p.grad is not None]
    theirs = [p for p in theirs if p.grad is not None]
    found = optim.clip_grad_norm(ours, max_norm)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    same("clip_grad_norm, norm", [np.float64(found)], [expected])
    same("clip_grad_norm", [p.grad for p in ours], [p.grad for p in theirs])
    in_step["optim.clip_grad_norm"] += 1


def test_clip_grad_norm_at_its_bound_leaves_what_pytorch_scales_by_a_millionth():
    """PyTorch divides by norm + 1e-6 always, minigrad only where the norm is too large."""
    ours, theirs = nn.Parameter([1.0]), torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    ours.grad, theirs.grad = np.ones(1), torch.ones(1, dtype=torch.float64)
    optim.clip_grad_norm([ours], 1.0)
    torch.nn.utils.clip_grad_norm_([theirs], 1.0)
    assert ours.grad.tolist() == [1.0]
    assert theirs.grad.tolist() == [1 / (1 + 1e-6)]


# ---- schedules -----------------------------------------------------------------------------------

factors = st.floats(0.01, 1.0)
many = st.integers(1, 12)

SCHEDULES = {
    "StepLR": {"step_size": many, "gamma": factors},
    "ExponentialLR": {"gamma": factors},
    "LinearLR": {"start_factor": factors, "end_factor": factors, "total_iters": many},
    "CosineAnnealingLR": {"T_max": st.integers(1, 40), "eta_min": st.sampled_from([0.0, 1e-3])},
    "OneCycleLR": {
        "max_lr": rates,
        "total_steps": st.just(STEPS),
        "pct_start": st.floats(0.1, 0.9),
        "cycle_momentum": st.booleans(),
        "base_momentum": st.sampled_from([0.7, 0.85]),
        "max_momentum": st.sampled_from([0.9, 0.95]),
        "div_factor": st.floats(2, 50),
        "final_div_factor": st.sampled_from([1.0, 1e4]),
    },
}


def two_optimizers(data):
    """SGD with momentum, or Adam, with two groups of learning rates of their own."""
    name = data.draw(st.sampled_from(["SGD", "Adam"]))
    options = {"momentum": 0.9} if name == "SGD" else {}
    first, second = data.draw(rates), data.draw(rates)
    ours, theirs = parameters(np.random.default_rng(0))
    return [
        getattr(library, name)(
            [{"params": params[:1]}, {"params": params[1:], "lr": second}], lr=first, **options
        )
        for library, params in ((optim, ours), (torch.optim, theirs))
    ]


def agree_step_by_step(name, ours, theirs, our_schedule, their_schedule, steps):
    for t in range(steps):
        same(f"{name}, step {t}", _set(ours), _set(theirs))
        theirs.step()  # PyTorch warns where a schedule goes on and the optimizer does not
        our_schedule.step()
        their_schedule.step()
    in_step[f"optim.{name}"] += 1


def _set(optimizer):
    """What schedules change in the groups: learning rates and momenta."""
    names = "lr", "momentum", "betas"
    return [np.array(g[name], float) for g in optimizer.param_groups for name in names if name in g]


@pytest.mark.parametrize("name", SCHEDULES)
@sampling
@given(data=st.data())
def test_schedule(name, data):
    ours, theirs = two_optimizers(data)
    options = {option: data.draw(values) for option, values in SCHEDULES[name].items()}
    agree_step_by_step(
        name,
        ours,
        theirs,
        getattr(optim, name)(ours, **options),
        getattr(torch.optim.lr_scheduler, name)(theirs, **options),
        # beyond their ends; OneCycleLR refuses
        STEPS if name == "OneCycleLR" else 3 * STEPS,
    )


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step:UserWarning")
@sampling
@given(data=st.data())
def test_sequence_of_schedules(data):
    """A warm-up, then down; each by its own clock, from its own milestone on."""
    ours, theirs = two_optimizers(data)
    warm = {"start_factor": data.draw(factors), "total_iters": data.draw(many)}
    gamma = data.draw(factors)
    milestones = sorted(data.draw(st.sets(st.integers(1, STEPS), min_size=2, max_size=2)))
    schedules = []
    for library, optimizer in (optim, ours), (torch.optim.lr_scheduler, theirs):
        parts = [
            library.LinearLR(optimizer, **warm),
            library.ExponentialLR(optimizer, gamma=gamma),
            library.CosineAnnealingLR(optimizer, T_max=2 * STEPS),
        ]
        schedules.append(library.SequentialLR(optimizer, parts, milestones))
    agree_step_by_step("SequentialLR", ours, theirs, *schedules, STEPS)


def test_every_optimizer_and_schedule_is_compared():
    classes = {name for name, value in vars(optim).items() if isinstance(value, type)}
    bases = {"Optimizer", "Schedule"}
    missing = classes - bases - {*OPTIMIZERS} - {*SCHEDULES} - {"SequentialLR"}
    assert not missing, (
        f"PyTorch is not compared with optim.{', optim.'.join(sorted(missing))}: add to "
        "OPTIMIZERS or SCHEDULES in .ci/peers/test_optimizers.py its class and options."
    )
