"""8b  Adam.

`slope(p)` is the gradient at p, an array. Write the steps of Adam: the running mean m of the slope,
with beta1, and v of its square, with beta2; both corrected for their start at 0; then the step.
Return the p after `steps` steps. Look at the chapter only after you have tried.
"""

import numpy as np


def adam(slope, p, steps, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    p = np.array(p, float)
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t in range(1, steps + 1):  # hole: a loop over the steps
        g = slope(p)  # hole
        m = beta1 * m + (1 - beta1) * g  # hole
        v = beta2 * v + (1 - beta2) * g * g  # hole
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)  # hole
        p = p - lr * m_hat / (np.sqrt(v_hat) + eps)  # hole
    return p
