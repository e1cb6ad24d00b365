"""Read 8 of 8: optimizers. Formulas and defaults are PyTorch's; each cites its paper.

All update in place, piece by piece: a `rule` gets a parameter, its gradient and its state as pieces
that fit into the cache, where the dozen passes of Adam cost what one costs in memory.
"""

import numpy as np

from ..nn.module import Parameter
from ..system import keep_freed_pages

PIECE = 2**17  # elements; 512 kB of each array of float32


class Optimizer:
    """What all optimizers share: parameter groups, state, and the walk over pieces.

    `params` is a list of Parameters, or of groups: dicts with `params` and options of their own,
    such as {"params": biases, "weight_decay": 0}.

    Attributes
    ----------
    param_groups : list of dict
        `params`, and the options that hold for them; schedules change `lr` here.
    """

    names: tuple[str, ...] = ()  # the arrays of state of each parameter, zeros at first
    decoupled = False  # does weight decay shrink the parameters, apart from their gradients?

    def __init__(self, params, **options):
        keep_freed_pages()
        groups = list(params)
        if not groups:
            raise ValueError("the optimizer got no parameters: pass model.parameters().")
        groups = groups if isinstance(groups[0], dict) else [{"params": groups}]
        self.param_groups = [{**options, **g, "params": list(g["params"])} for g in groups]
        pairs = [(p, group) for group in self.param_groups for p in group["params"]]
        self.params, self._group_of = [p for p, _ in pairs], [group for _, group in pairs]
        self._check({"params", *options})
        self.steps = [0] * len(pairs)
        self.state = [
            {name: np.zeros(p.shape, p.dtype) for name in self.names} for p in self.params
        ]

    def _check(self, options):
        if wrong := [type(p).__name__ for p in self.params if not isinstance(p, Parameter)]:
            raise TypeError(f"an optimizer updates Parameters, got {wrong[0]}.")
        if len({id(p) for p in self.params}) < len(self.params):
            raise ValueError("a parameter stands twice in the optimizer's parameters.")
        for group in self.param_groups:
            if unknown := ", ".join(set(group) - options):
                raise ValueError(f"{type(self).__name__} has no option {unknown}.")
            if not group["lr"] >= 0:
                raise ValueError(f"lr expects a number that is not negative, got {group['lr']}.")

    def zero_grad(self):
        """Forget the gradients."""
        for p in self.params:
            p.grad = None

    def step(self):
        """Update each parameter that has a gradient and requires one."""
        for p in self.params:
            if p.grad is not None and p.grad.shape != p.shape:
                came = f"{p.shape} has a gradient {p.grad.shape}"
                raise ValueError(f"a parameter {came}: they should have one shape.")
        self.begin([p.grad for p in self.params])
        self.update(0, 1)

    def begin(self, *shards):
        """Count a step; its gradient is the sum of the shards, lists of an array or None each."""
        self._pieces = []
        for i, (p, *grads) in enumerate(zip(self.params, *shards)):
            grads = [g for g in grads if g is not None]
            if p.requires_grad and grads:
                self.steps[i] += 1
                p.data = np.asarray(p.data, order="C")  # so that it can be cut in place
                self._pieces += [(i, grads, slice(a, a + PIECE)) for a in range(0, p.size, PIECE)]

    def update(self, part, parts):
        """Update one of `parts` shares of what `begin` got.

        The shares have nothing in common, so that each can run on a thread of its own.
        """
        for i, grads, piece in self._pieces[part::parts]:
            group, arrays = self._group_of[i], (self.params[i].data, *self.state[i].values())
            p, *state = [a.reshape(-1)[piece] for a in arrays]
            first, *others = [g.reshape(-1)[piece] for g in grads]
            g = sum(others, first).astype(p.dtype, copy=False)
            decay = group.get("weight_decay")
            if decay and self.decoupled:
                p *= 1 - group["lr"] * decay
            elif decay:
                g = g + decay * p
            self.rule(p, g, *state, **self.constants(self.steps[i], **group))

    def constants(self, step, *, params, weight_decay=0, initial_lr=None, **options):
        """The numbers that are the same for all pieces, as keywords of `rule`."""
        return options

    def rule(self, p, g, *state, **constants):
        """Update `p` and the state in place; `g` is not to be written to."""
        raise NotImplementedError

    def state_dict(self):
        """All that `step` depends on beside the parameters, as arrays by name."""
        state = {f"{i}.step": np.array(n) for i, n in enumerate(self.steps)}
        for i, arrays in enumerate(self.state):
            state |= {f"{i}.{name}": array.copy() for name, array in arrays.items()}
        for i, group in enumerate(self.param_groups):
            state |= {f"group.{i}.{k}": np.array(v) for k, v in group.items() if k != "params"}
        return state

    def load_state_dict(self, state):
        """Take over what `state_dict` gave, of the same parameters and groups; all or nothing.

        Raises
        ------
        ValueError
            For other names or shapes.
        """
        own = {name: array.shape for name, array in self.state_dict().items()}
        new = {name: np.shape(array) for name, array in state.items()}
        odd = [name for name, _ in own.items() ^ new.items() if not name.endswith(".initial_lr")]
        if odd:
            raise ValueError(f"the state is of another optimizer: {', '.join(sorted(odd)[:5])}.")
        self.steps = [int(state[f"{i}.step"]) for i in range(len(self.steps))]
        for i, arrays in enumerate(self.state):
            for name, array in arrays.items():
                array[...] = state[f"{i}.{name}"]
        for name in new:
            if name.startswith("group."):
                _, i, option = name.split(".")
                value = np.asarray(state[name]).tolist()
                self.param_groups[int(i)][option] = tuple(value) if option == "betas" else value


class SGD(Optimizer):
    """Stochastic gradient descent (Robbins and Monro 1951), with momentum (Polyak 1964).

        g = g + weight_decay * p
        v = momentum * v + g
        p = p - lr * v                        nesterov (Sutskever et al. 2013): g + momentum * v

    Examples
    --------
    >>> p = Parameter([1.0])
    >>> (p * p).sum().backward()
    >>> SGD([p], lr=0.1).step()
    >>> p.data
    array([0.8], dtype=float32)
    """

    names = ("momentum_buffer",)

    def __init__(self, params, lr, momentum=0, nesterov=False, weight_decay=0):
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum above 0.")
        options = {"momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
        super().__init__(params, lr=lr, **options)

    def rule(self, p, g, v, *, lr, momentum, nesterov):
        if momentum:
            v *= momentum
            v += g
            g = g + momentum * v if nesterov else v
        p -= lr * g


class RMSProp(Optimizer):
    """The gradient divided by its running size (Tieleman and Hinton 2012).

    v = alpha * v + (1 - alpha) * g ** 2
    p = p - lr * g / (sqrt(v) + eps)
    """

    names = ("square_avg",)

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0):
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def rule(self, p, g, v, *, lr, alpha, eps):
        _decay_towards_square(v, g, alpha)
        p -= _ratio(g, v, eps, lr)


class Adagrad(Optimizer):
    """The gradient divided by the root of all its squares (Duchi et al. 2011).

    v = v + g ** 2
    p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(v) + eps)
    """

    names = ("sum",)

    def __init__(self, params, lr=1e-2, lr_decay=0, weight_decay=0, eps=1e-10):
        super().__init__(params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps)

    def constants(self, step, *, lr, lr_decay, eps, **_):
        return {"lr": lr / (1 + (step - 1) * lr_decay), "eps": eps}

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

    `weight_decay` is added to the gradient, as weight_decay * p; AdamW does it better.

    Examples
    --------
    >>> p = Parameter([1.0])
    >>> (p * p).sum().backward()
    >>> Adam([p], lr=0.1).step()  # the first step has the length lr
    >>> p.data.round(4)
    array([0.9], dtype=float32)
    """

    names = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        if not all(0 <= beta < 1 for group in self.param_groups for beta in group["betas"]):
            raise ValueError(f"betas expects two numbers, 0 <= beta < 1, got {betas}.")

    def constants(self, step, *, lr, betas, eps, **_):
        # The corrections of the paper's m_hat and v_hat, moved out of the loop over elements.
        root = (1 - betas[1] ** step) ** 0.5
        rate = lr * root / (1 - betas[0] ** step)
        return {"rate": rate, "eps": eps * root, "betas": betas}

    def rule(self, p, g, m, v, *, rate, eps, betas):
        change = g - m
        change *= 1 - betas[0]
        m += change
        _decay_towards_square(v, g, betas[1])
        p -= _ratio(m, v, eps, rate)


class AdamW(Adam):
    """Adam whose weight decay is apart from the gradient: p = p - lr * weight_decay * p, first
    (Loshchilov and Hutter 2019).
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


def _ratio(g, v, eps, lr):
    """lr * g / (sqrt(v) + eps)"""
    ratio = np.sqrt(v)
    ratio += eps
    np.divide(g, ratio, out=ratio)
    ratio *= lr
    return ratio


def clip_grad_norm(params, max_norm):
    """Scale all gradients, in place, so that their length together is at most `max_norm`.

    Pascanu et al. (2013).

    Returns
    -------
    float
        The length before.

    Examples
    --------
    >>> p = Parameter([3.0, 4.0])
    >>> (p * p).sum().backward()
    >>> clip_grad_norm([p], 1.0), p.grad.round(4)
    (10.0, array([0.6, 0.8], dtype=float32))
    """
    return limit_norm([p.grad for p in params if p.grad is not None], max_norm)


def limit_norm(gradients, max_norm):
    """`clip_grad_norm` of a list of arrays."""
    norm = sum(float(np.vdot(g, g)) for g in gradients) ** 0.5
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / (norm + 1e-6)
    return norm
