"""7c  A vector times a Jacobian.

y = x / x.sum() makes shares of numbers: y[i] depends on every x[j]. Write its rule: from the slope
`g` of the loss with respect to y, of shape (n,), the slope with respect to x, of shape (n,). The
table of all n * n slopes dy[i]/dx[j] need not be built.
"""


def shares_rule(g, y, x):
    return (g - (g * y).sum()) / x.sum()  # hole: return the slope of every x[j]
