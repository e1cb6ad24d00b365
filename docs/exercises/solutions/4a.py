"""4a  The slope of an array that was stretched.

An array of this `shape` was stretched by NumPy to the shape of `g`, which holds the slope of the
loss for every element of the stretched array. Return the slope for the array as it was before: in
its shape, the slopes of all copies of an element added up. The shape is a tuple, such as (3,),
(2, 1) or ().
"""


def unbroadcast(g, shape):
    missing = g.ndim - len(shape)  # so many axes on the left were not there
    g = g.sum(axis=tuple(range(missing)))  # hole: sum g over those axes
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)  # hole: the copies lie along this axis
    return g
