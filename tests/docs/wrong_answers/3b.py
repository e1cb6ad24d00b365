"""Wrong answers to 3b, written without a look at its check."""

from my_engine import backward


def uphill(parameters, compute_loss, rate):
    loss = compute_loss()
    for p in parameters:
        p.grad = 0.0
    backward(loss)
    for p in parameters:
        p.data += rate * p.grad
    return loss.data


def no_zeroing(parameters, compute_loss, rate):
    loss = compute_loss()
    backward(loss)
    for p in parameters:
        p.data -= rate * p.grad
    return loss.data


def zeroed_too_early(parameters, compute_loss, rate):
    loss = compute_loss()
    backward(loss)
    for p in parameters:
        p.grad = 0.0
    for p in parameters:
        p.data -= rate * p.grad
    return loss.data


def no_rate(parameters, compute_loss, rate):
    loss = compute_loss()
    for p in parameters:
        p.grad = 0.0
    backward(loss)
    for p in parameters:
        p.data -= p.grad
    return loss.data


def a_value_comes_back(parameters, compute_loss, rate):
    loss = compute_loss()
    for p in parameters:
        p.grad = 0.0
    backward(loss)
    for p in parameters:
        p.data -= rate * p.grad
    return loss


def loss_after(parameters, compute_loss, rate):
    loss = compute_loss()
    for p in parameters:
        p.grad = 0.0
    backward(loss)
    for p in parameters:
        p.data -= rate * p.grad
    return compute_loss().data
