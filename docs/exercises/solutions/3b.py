"""3b  A step of training.

`parameters` is a list of Values, which may hold slopes of an earlier walk. `compute_loss()` computes
the loss from them anew, a Value. Make one step downhill: each parameter's data moves by `rate` times
its slope. Return the loss before the step, as a number.
"""

from my_engine import backward


def train_step(parameters, compute_loss, rate):
    loss = compute_loss()
    for p in parameters:  # hole: clear the slopes, walk backward, move the parameters
        p.grad = 0.0  # hole
    backward(loss)  # hole
    for p in parameters:  # hole
        p.data -= rate * p.grad  # hole
    return loss.data
