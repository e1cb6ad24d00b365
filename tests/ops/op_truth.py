"""Convolution, pooling and other truths, as loops a child could follow; slow, and right."""

import math

import numpy as np


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def size(n, kernel, stride, padding, dilation=1):
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def windows(shape, kernel_size, stride, padding=0, dilation=1):
    """For each output pixel (i, j), each place (a, b) of the kernel and its pixel (h, w) inside."""
    (KH, KW), (SH, SW), (PH, PW) = pair(kernel_size), pair(stride), pair(padding)
    DH, DW = pair(dilation)
    H, W = shape[-2:]
    for i in range(size(H, KH, SH, PH, DH)):
        for j in range(size(W, KW, SW, PW, DW)):
            for a in range(KH):
                for b in range(KW):
                    h, w = i * SH + a * DH - PH, j * SW + b * DW - PW
                    if 0 <= h < H and 0 <= w < W:
                        yield i, j, a, b, h, w


def out_shape(shape, kernel_size, stride, padding=0, dilation=1):
    rows = zip(shape[-2:], *map(pair, (kernel_size, stride, padding, dilation)))
    return tuple(size(*row) for row in rows)


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    N, F, C = len(x), len(w), w.shape[1]
    y = np.zeros((N, F, *out_shape(x.shape, w.shape[2:], stride, padding, dilation)), x.dtype)
    for i, j, a, c, row, column in windows(x.shape, w.shape[2:], stride, padding, dilation):
        for f in range(F):
            first = f // (F // groups) * C  # the first channel of the group of this filter
            for k in range(C):
                y[:, f, i, j] += x[:, first + k, row, column] * w[f, k, a, c]
    return y if b is None else y + np.reshape(b, (1, F, 1, 1))


def conv2d_input_gradient(g, w, shape, stride, padding, dilation):
    x = np.zeros(shape, g.dtype)
    for i, j, a, c, row, column in windows(shape, w.shape[2:], stride, padding, dilation):
        for f in range(len(w)):
            for k in range(shape[1]):
                x[:, k, row, column] += g[:, f, i, j] * w[f, k, a, c]
    return x


def conv_transpose2d(x, w, b, stride, padding, output_padding, groups, dilation):
    """Each pixel times its kernel is laid onto a large image, of which the padding is cut off."""
    N, C, H, W = x.shape
    F, KH, KW = w.shape[1] * groups, *w.shape[2:]
    (SH, SW), (PH, PW), (DH, DW) = pair(stride), pair(padding), pair(dilation)
    more_h, more_w = pair(output_padding)
    large = (H - 1) * SH + DH * (KH - 1) + 1 + more_h, (W - 1) * SW + DW * (KW - 1) + 1 + more_w
    y = np.zeros((N, F, *large), x.dtype)
    for c, f, i, j, a, k in np.ndindex(C, F // groups, H, W, KH, KW):
        first = c // (C // groups) * (F // groups)  # the first filter of this channel's group
        y[:, first + f, i * SH + a * DH, j * SW + k * DW] += x[:, c, i, j] * w[c, f, a, k]
    return y[:, :, PH : large[0] - PH, PW : large[1] - PW] + np.reshape(b, (1, F, 1, 1))


def conv2d_weight_gradient(g, x, shape, stride, padding, dilation):
    w = np.zeros(shape, g.dtype)
    for i, j, a, c, row, column in windows(x.shape, shape[2:], stride, padding, dilation):
        for f in range(shape[0]):
            for k in range(shape[1]):
                w[f, k, a, c] += np.sum(g[:, f, i, j] * x[:, k, row, column])
    return w


def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    (KH, KW), C = pair(kernel_size), x.shape[1]
    OH, OW = out_shape(x.shape, kernel_size, stride, padding, dilation)
    columns = np.zeros((len(x), OH, OW, KH, KW, C), x.dtype)
    for i, j, a, b, row, column in windows(x.shape, kernel_size, stride, padding, dilation):
        columns[:, i, j, a, b] = x[:, :, row, column]
    return columns.reshape(len(x) * OH * OW, KH * KW * C)


def col2im(columns, shape, kernel_size, stride=1, padding=0, dilation=1):
    (KH, KW), (N, C, _, _) = pair(kernel_size), shape
    OH, OW = out_shape(shape, kernel_size, stride, padding, dilation)
    columns = columns.reshape(N, OH, OW, KH, KW, C)
    x = np.zeros(shape, columns.dtype)
    for i, j, a, b, row, column in windows(shape, kernel_size, stride, padding, dilation):
        x[:, :, row, column] += columns[:, i, j, a, b]
    return x


def max_places(x, kernel_size, stride, padding=0):
    """The first pixel (h, w) of the largest of each window, by (n, c, i, j)."""
    best = {}
    for i, j, _, _, row, column in windows(x.shape, kernel_size, stride, padding):
        for n, c in np.ndindex(x.shape[:2]):
            old = best.get((n, c, i, j))
            if old is None or x[n, c, row, column] > x[n, c, *old]:
                best[n, c, i, j] = row, column
    return best


def max_pool2d(x, kernel_size, stride=None, padding=0):
    stride = kernel_size if stride is None else stride
    y = np.zeros((*x.shape[:2], *out_shape(x.shape, kernel_size, stride, padding)), x.dtype)
    for (n, c, i, j), place in max_places(x, kernel_size, stride, padding).items():
        y[n, c, i, j] = x[n, c, *place]
    return y


def max_scatter(g, x, kernel_size, stride):
    out = np.zeros(x.shape, g.dtype)
    for (n, c, i, j), place in max_places(x, kernel_size, stride).items():
        out[n, c, *place] += g[n, c, i, j]
    return out


def max_gather(h, x, kernel_size, stride):
    out = np.zeros((*x.shape[:2], *out_shape(x.shape, kernel_size, stride)), h.dtype)
    for (n, c, i, j), place in max_places(x, kernel_size, stride).items():
        out[n, c, i, j] = h[n, c, *place]
    return out


def window_sum(x, kernel_size, stride, padding=0):
    y = np.zeros((*x.shape[:2], *out_shape(x.shape, kernel_size, stride, padding)), x.dtype)
    for i, j, _, _, row, column in windows(x.shape, kernel_size, stride, padding):
        y[:, :, i, j] += x[:, :, row, column]
    return y


def window_share(g, shape, kernel_size, stride):
    out = np.zeros(shape, g.dtype)
    for i, j, _, _, row, column in windows(shape, kernel_size, stride):
        out[:, :, row, column] += g[:, :, i, j]
    return out


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    stride = kernel_size if stride is None else stride
    return window_sum(x, kernel_size, stride, padding) / math.prod(pair(kernel_size))


def adaptive_avg_pool2d(x, output_size):
    OH, OW = pair(output_size)
    H, W = x.shape[2:]
    y = np.zeros((*x.shape[:2], OH, OW), x.dtype)
    for i, j in np.ndindex(OH, OW):
        rows = slice(i * H // OH, math.ceil((i + 1) * H / OH))
        columns = slice(j * W // OW, math.ceil((j + 1) * W / OW))
        y[:, :, i, j] = x[:, :, rows, columns].mean((2, 3))
    return y


# ---- networks ------------------------------------------------------------------------------------


def softmax(x, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis, keepdims=True)


def normalize(x, mean, var, weight, bias, eps=1e-5):
    return weight * (x - mean) / np.sqrt(var + eps) + bias


def batch_norm(x, weight, bias, eps=1e-5):
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        y[:, c] = normalize(x[:, c], x[:, c].mean(), x[:, c].var(), weight[c], bias[c], eps)
    return y


def batch_norm_input_gradient(g, x, weight, eps):
    """The chain rule in the steps of the paper: by x_hat, by the variance, by the mean, by x."""
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        center, var = x[:, c] - x[:, c].mean(), x[:, c].var()
        by_hat = g[:, c] * weight[c]
        by_var = np.sum(by_hat * center) * -0.5 * (var + eps) ** -1.5
        by_mean = -np.sum(by_hat) / np.sqrt(var + eps) - 2 * by_var * center.mean()
        out[:, c] = by_hat / np.sqrt(var + eps) + (2 * by_var * center + by_mean) / center.size
    return out


def batch_norm_weight_gradient(g, x, eps):
    ones, zeros = np.ones(x.shape[1]), np.zeros(x.shape[1])
    return (g * batch_norm(x, ones, zeros, eps)).sum((0, *range(2, x.ndim)))


def attention(query, key, value, attn_mask=None, is_causal=False, scale=None):
    batch = np.broadcast_shapes(*(x.shape[:-2] for x in (query, key, value)))
    query, key, value = (np.broadcast_to(x, batch + x.shape[-2:]) for x in (query, key, value))
    L, E = query.shape[-2:]
    if attn_mask is not None:
        attn_mask = np.broadcast_to(attn_mask, (L, key.shape[-2]))
    y = np.zeros((*batch, L, value.shape[-1]), query.dtype)
    for place in np.ndindex(*batch, L):
        i, scores = place[-1], {}
        for j in range(key.shape[-2]):
            score = query[place] @ key[*place[:-1], j] * (E**-0.5 if scale is None else scale)
            if attn_mask is not None and attn_mask.dtype != bool:
                score = score + attn_mask[i, j]
            hidden = attn_mask is not None and attn_mask.dtype == bool and not attn_mask[i, j]
            if not hidden and not (is_causal and j > i):
                scores[j] = np.exp(score)
        for j, score in scores.items():
            y[place] += score / sum(scores.values()) * value[*place[:-1], j]
    return y


def reduced(losses, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[reduction](losses)


def cross_entropy(logits, targets, reduction="mean", label_smoothing=0.0):
    if targets.shape != logits.shape:
        targets = np.eye(logits.shape[1], dtype=logits.dtype)[targets]
    targets = targets * (1 - label_smoothing) + label_smoothing / logits.shape[1]
    return reduced(-(targets * np.log(softmax(logits))).sum(1), reduction)


def huber(prediction, target, reduction="mean", delta=1.0):
    d = np.abs(prediction - target)
    return reduced(np.where(d < delta, d * d / 2, delta * (d - delta / 2)), reduction)


def binary_cross_entropy(logits, targets, reduction="mean"):
    p = 1 / (1 + np.exp(-logits))
    return reduced(-targets * np.log(p) - (1 - targets) * np.log(1 - p), reduction)


def kl_div(logs, targets, reduction="mean", log_target=False):
    p = np.exp(targets) if log_target else targets
    losses = p * (np.log(p) - logs)
    return losses.sum() / len(losses) if reduction == "batchmean" else reduced(losses, reduction)


def later(g, x):
    """Of all later elements the products with what lies between, by their definition."""
    if g.shape != x.shape:
        raise ValueError("of one shape")
    n = x.shape[-1]
    s = np.zeros(g.shape)
    for i in range(n):
        for j in range(i, n):
            s[..., i] += g[..., j] * np.prod(x[..., i + 1 : j + 1], axis=-1)
    return s
