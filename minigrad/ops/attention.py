"""Attention: each query reads a mean of the values, weighted by how well the keys match it.

... batch, heads    L queries    S keys and values    E size of query and key    V size of value
"""

import numpy as np

from .activation import softmax
from .dropout import dropout
from .elementwise import where
from .linalg import matmul
from .shaping import like, plain, swapaxes


def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None
):
    """softmax(query @ key.T * scale) @ value (Vaswani et al. 2017).

    Parameters
    ----------
    query : (..., L, E)
    key : (..., S, E)
    value : (..., S, V)
    attn_mask : (..., L, S), optional
        Booleans, True where a query may see a key, or numbers to add to the scores.
    dropout_p : float
        Probability of dropping a weight, outside training too.
    is_causal : bool
        Let query i see only the keys 0 to i.
    scale : float, optional
        1 / sqrt(E) if left out.

    Returns
    -------
    (..., L, V); zeros for a query that may not see any key.

    Raises
    ------
    ValueError
        For a mask together with `is_causal`, or of a shape that does not fit.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True).round(2).tolist()
    [[1.0, 0.0], [0.33, 0.67]]
    """
    if is_causal and attn_mask is not None:
        raise ValueError("attention takes attn_mask or is_causal, not both: combine masks with &.")
    scores = matmul(query, swapaxes(key, -1, -2))  # (..., L, S)
    scores = scores * (query.shape[-1] ** -0.5 if scale is None else scale)
    mask = np.tri(query.shape[-2], key.shape[-2], dtype=bool) if is_causal else attn_mask
    if mask is None:
        weights = softmax(scores)
    else:
        seen = np.asarray(plain(mask))
        if np.broadcast_shapes(seen.shape, scores.shape) != scores.shape:
            raise ValueError(
                f"attention expects attn_mask (..., L, S) to fit scores of {scores.shape}, "
                f"got {seen.shape}."
            )
        if seen.dtype != bool:
            scores = scores + like(mask, scores)
            seen = seen != -np.inf
        # In place of -inf: its exp is 0 too, but its distance to itself is not nan.
        far = np.finfo(np.result_type(scores.dtype, 0.0)).min / 2
        weights = softmax(where(seen, scores, far)) * seen.any(-1, keepdims=True)
    return matmul(dropout(weights, dropout_p), value)
