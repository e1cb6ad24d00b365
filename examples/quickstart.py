"""Fit a line to points by gradient descent: the whole idea of learning, with two parameters."""

import numpy as np

import minigrad as mg

# Points around the line y = 3 x - 1; the noise is what no line can explain.
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, 100)
y = 3 * x - 1 + 0.1 * rng.standard_normal(100)

# Start from a line that knows nothing.
slope = mg.Tensor(0.0, requires_grad=True)
offset = mg.Tensor(0.0, requires_grad=True)

for step in range(61):
    loss = ((slope * x + offset - y) ** 2).mean()  # how wrong the line is
    loss.backward()  # how the loss changes with either parameter
    if step % 10 == 0:
        line = f"y = {slope.item():.3f} x {offset.item():+.3f}"
        print(f"step {step:2}: {line}, loss {loss.item():.4f}")
    for parameter in (slope, offset):
        parameter.data -= 0.3 * parameter.grad  # a small step downhill
        parameter.grad = None  # or the next gradient would be added to this one

print(
    "Noise of deviation 0.1 has the mean square 0.01: the line has learned all there is to learn."
)
