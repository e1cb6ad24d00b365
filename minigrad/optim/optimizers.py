"""Read 8 of 8: optimizers. Formulas and defaults are PyTorch's; each cites its paper.

Read SGD and Adam first: a `rule` is the formula of the paper, for one parameter. `Optimizer`, above
them, brings the numbers there, in place and block by block: in blocks that fit into the cache,
Adam's dozen passes take about as long as a single one through main memory.
"""

from typing import ClassVar

import numpy as np

from ..nn.checks import check_parameters, groups_of
from ..ops.blocks import blocks
from ..ops.expect import real
from ..state import fill_state, state_of
from ..system import keep_freed_pages

BLOCK_BYTES = 2**18  # of each of the arrays that a rule gets


class Optimizer:
    """What all optimizers share: parameter groups, state, and the walk over blocks.

    `params` is a list of Parameters, or of groups: dicts with `params` and options of their own,
    such as {"params": biases, "weight_decay": 0}.

    An optimizer of one's own needs a `rule`, or a `step` that does everything by itself.

    Attributes
    ----------
    param_groups : list of dict
        `params`, and the options that hold for them; schedules change `lr` here.
    params : list of Parameter
        Those of all groups.
    steps : list of int
        How often each of `params` has been updated.
    state : list of dict
        The arrays that an optimizer keeps for each of `params`, by name.
    """

    names: tuple[str, ...] = ()  # of the arrays in each parameter's state, zeros at first
    decoupled = False  # whether weight decay acts on the parameters, not through the gradients
    limits: ClassVar = {  # of options; a schedule adds initial_lr
        "lr": {"least": 0, "below": np.inf},
        "initial_lr": {"least": 0, "below": np.inf},
        "weight_decay": {"least": 0, "below": np.inf},
    }

    def __init__(self, params, **options):
        keep_freed_pages()  # for loops written by hand: lenet in 3.0 ms a step instead of 4.5
        self.param_groups = [{**options, **g} for g in groups_of(type(self).__name__, params)]
        self.params = []
        self._group_of = []  # each parameter's group
        for group in self.param_groups:
            for p in group["params"]:
                self.params.append(p)
                self._group_of.append(group)
        check_parameters(type(self).__name__, self.params)
        self._check(options)
        self.steps = [0] * len(self.params)
        self.state = [self._initial_state(p) for p in self.params]

    def __repr__(self):
        groups = []
        for group in self.param_groups:
            size = sum(p.size for p in group["params"])
            parts = [f"{len(group['params'])} parameters ({size:,} numbers)"]
            parts += [f"{name}={value}" for name, value in group.items() if name != "params"]
            groups.append(", ".join(parts))
        return f"<{type(self).__name__} at step {max(self.steps)}: {'; '.join(groups)}>"

    def _initial_state(self, p):
        return {name: np.zeros(p.shape, p.dtype) for name in self.names}

    def _check(self, options):
        for group in self.param_groups:
            for option in group:
                if option != "params" and option not in options:
                    raise ValueError(
                        f"{type(self).__name__} has no option {option}. "
                        f"A group may set params, {', '.join(options)}."
                    )
            self.check_limits(group)

    def check_limits(self, group):
        """Raise an error for an option that is no number, or outside its limits."""
        for option, limits in self.limits.items():
            if option in group:
                real(option, group[option], **limits)

    def zero_grad(self):
        """Forget the gradients."""
        for p in self.params:
            p.grad = None

    def step(self):
        """Update each parameter that has a gradient and requires one, in place.

        A graph from before the step then holds the new weights: a backward() that goes through it
        after all, kept by retain_graph=True, gives wrong gradients. Only mg.debug() raises there.
        """
        for p in self.params:
            fits = isinstance(p.grad, np.ndarray) and p.grad.shape == p.shape
            if p.grad is not None and not fits:
                raise ValueError(
                    f"a parameter of shape {p.shape} expects p.grad to be an array of that shape, "
                    f"got {type(p.grad).__name__} of shape {np.shape(p.grad)}: give p.grad the "
                    "shape of p."
                )
        self.begin([p.grad for p in self.params])
        self.update(part=0, parts=1)

    def begin(self, *shards):
        """Count a step, and cut what it updates into blocks.

        Each of `shards` is a list of gradients, an array or None for each parameter, from one shard
        of the batch where threads share it; the gradient of the step is their sum.
        """
        self._blocks = []
        for i, (p, *grads) in enumerate(zip(self.params, *shards)):
            grads = [g for g in grads if g is not None]
            if p.requires_grad and grads:
                self.steps[i] += 1
                p.data = np.asarray(p.data, order="C")  # so that reshape(-1) is a view of it
                for block in blocks(p.size, p.dtype.itemsize, BLOCK_BYTES):
                    self._blocks.append((i, grads, block))

    def update(self, part, parts):
        """Update one of `parts` shares of what `begin` got.

        The shares have nothing in common, so that each can run on a thread of its own.
        """
        for i, grads, block in self._blocks[part::parts]:
            group = self._group_of[i]
            p = self.params[i].data.reshape(-1)[block]
            state = [array.reshape(-1)[block] for array in self.state[i].values()]
            first, *others = [g.reshape(-1)[block] for g in grads]
            g = sum(others, first).astype(p.dtype, copy=False)  # for a single shard no copy
            decay = group.get("weight_decay")
            if decay and self.decoupled:
                p *= 1 - group["lr"] * decay
            elif decay:
                g = g + decay * p
            constants = self.constants(self.steps[i], **group)
            self.rule(p, g, *state, **constants)

    def constants(self, step, *, params, weight_decay=0, initial_lr=None, **options):
        """The numbers that are the same for all blocks, as keywords of `rule`.

        By default the options of the group, but for those that the signature takes out.
        """
        return options

    def rule(self, p, g, *state, **constants):
        """Update `p` and the state in place; `g` is not to be written to."""
        raise NotImplementedError(
            f"{type(self).__name__} has neither a rule(self, p, g, *state, **constants) nor a "
            "step(self) of its own: write one of them."
        )

    def state_dict(self):
        """All that `step` depends on besides the parameters, as arrays by name."""
        return state_of(self)

    def load_state_dict(self, state):
        """Take over what `state_dict` gave, of the same parameters and groups; all or nothing.

        Raises
        ------
        ValueError
            If names, shapes or options do not fit.
        """
        fill_state(self, state)


class SGD(Optimizer):
    """Stochastic gradient descent (Robbins and Monro 1951), with momentum (Polyak 1964).

        g = g + weight_decay * p
        v = momentum * v + g
        p = p - lr * v

    With nesterov (Sutskever et al. 2013) the last line is p = p - lr * (g + momentum * v).

    Examples
    --------
    >>> import minigrad as mg
    >>> p = mg.nn.Parameter([1.0])
    >>> (p * p).sum().backward()
    >>> SGD([p], lr=0.1).step()
    >>> p.data
    array([0.8], dtype=float32)
    """

    names = ("momentum_buffer",)
    limits = Optimizer.limits | {"momentum": {"least": 0}}

    def __init__(self, params, lr, momentum=0, nesterov=False, weight_decay=0):
        if nesterov and not momentum:
            raise ValueError(
                f"SGD with nesterov=True expects a momentum above 0, got {momentum}: 0.9 is usual."
            )
        super().__init__(
            params, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )

    def rule(self, p, g, v, *, lr, momentum, nesterov):
        if momentum:
            v *= momentum
            v += g
            g = (g + momentum * v) if nesterov else v
        p -= lr * g


class RMSProp(Optimizer):
    """The gradient divided by its running size (Tieleman and Hinton 2012).

    v = alpha * v + (1 - alpha) * g ** 2
    p = p - lr * g / (sqrt(v) + eps)
    """

    names = ("square_avg",)
    limits = Optimizer.limits | {"alpha": {"least": 0, "most": 1}, "eps": {"least": 0}}

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0):
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def rule(self, p, g, v, *, lr, alpha, eps):
        _decay_towards_square(v, g, alpha)
        p -= _ratio(g, v, eps, lr)


class Adagrad(Optimizer):
    """The gradient divided by the root of all its squares (Duchi et al. 2011).

        v = v + g ** 2
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(v) + eps)

    where t counts the steps.
    """

    names = ("sum",)
    limits = Optimizer.limits | {"lr_decay": {"least": 0}, "eps": {"least": 0}}

    def __init__(self, params, lr=1e-2, lr_decay=0, weight_decay=0, eps=1e-10):
        super().__init__(params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps)

    def constants(self, step, *, lr, lr_decay, eps, **_):
        decayed = lr / (1 + (step - 1) * lr_decay)
        return {"lr": decayed, "eps": eps}

    def rule(self, p, g, v, *, lr, eps):
        v += g * g
        p -= _ratio(g, v, eps, lr)


class Adam(Optimizer):
    """Momentum, divided by the gradient's running size (Kingma and Ba 2015).

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g ** 2
        m_hat = m / (1 - beta1 ** t)
        v_hat = v / (1 - beta2 ** t)
        p = p - lr * m_hat / (sqrt(v_hat) + eps)

    where t counts the steps. `weight_decay` is added to the gradient, as weight_decay * p; AdamW
    does it better.

    Examples
    --------
    >>> import minigrad as mg
    >>> p = mg.nn.Parameter([1.0])
    >>> (p * p).sum().backward()
    >>> Adam([p], lr=0.1).step()  # the first step has the length lr
    >>> p.data.round(4)
    array([0.9], dtype=float32)
    """

    names = ("exp_avg", "exp_avg_sq")
    limits = Optimizer.limits | {"eps": {"least": 0}}

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def check_limits(self, group):
        super().check_limits(group)
        betas = group["betas"]
        if np.shape(betas) != (2,):
            raise ValueError(f"betas expects two numbers, 0 <= beta < 1, got {betas!r:.80}.")
        for beta in betas:
            real("each of betas", beta, least=0, below=1)

    def constants(self, step, *, lr, betas, eps, **_):
        # m_hat and v_hat differ from m and v by numbers, which are moved out of the arrays:
        # lr * m_hat / (sqrt(v_hat) + eps) is rate * m / (sqrt(v) + eps * root).
        beta1, beta2 = betas
        root = (1 - beta2**step) ** 0.5
        rate = lr * root / (1 - beta1**step)
        return {"rate": rate, "eps": eps * root, "betas": betas}

    def rule(self, p, g, m, v, *, rate, eps, betas):
        beta1, beta2 = betas
        change = g - m
        change *= 1 - beta1
        m += change  # beta1 * m + (1 - beta1) * g, rearranged
        _decay_towards_square(v, g, beta2)
        p -= _ratio(m, v, eps, rate)


class AdamW(Adam):
    """Adam, with a weight decay that is apart from the gradient (Loshchilov and Hutter 2019).

        p = p - lr * weight_decay * p

    and then the lines of Adam.
    """

    decoupled = True

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr, betas, eps, weight_decay)


def _decay_towards_square(v, g, beta):
    """v = beta * v + (1 - beta) * g ** 2"""
    v *= beta
    squares = g * g
    squares *= 1 - beta
    v += squares


def _ratio(top, v, eps, rate):
    """rate * top / (sqrt(v) + eps)"""
    ratio = np.sqrt(v)
    ratio += eps
    np.divide(top, ratio, out=ratio)
    ratio *= rate
    return ratio
