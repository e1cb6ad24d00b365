"""6a  The rule of relu.

y = np.maximum(x, 0). `g`, in the shape of x and y, holds the slope of the loss for every element of
y. Return the slope for every element of x. Where x is 0, take 0 as the slope of relu.
"""


def relu_slope(g, x):
    return g * (x > 0)  # hole: return an array of x.shape
