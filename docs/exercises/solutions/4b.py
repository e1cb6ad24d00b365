"""4b  The slopes of a matrix product.

y = x @ w with x (n, k) and w (k, m). `g` (n, m) holds the slope of the loss with respect to every
element of y. Return the slopes with respect to x and to w, each in the shape of what it belongs to.
"""


def matmul_slopes(g, x, w):
    slope_x = g @ w.T  # hole: compute slope_x, of shape (n, k)
    slope_w = x.T @ g  # hole: compute slope_w, of shape (k, m)
    return slope_x, slope_w
