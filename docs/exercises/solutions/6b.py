"""6b  Initial weights for a layer before relu, after He and others (2015).

Draw the weights of a layer from `n_in` inputs to `n_out` units from the generator `rng`: an array
(n_in, n_out) of mean 0, whose size is such that relu's outputs have the mean square of the inputs.
"""


def he_weights(rng, n_in, n_out):
    return rng.normal(size=(n_in, n_out)) * (2 / n_in) ** 0.5  # hole: return the scaled weights
