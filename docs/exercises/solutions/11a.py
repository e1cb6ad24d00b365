"""11a  im2col: the windows of an image as rows.

`image` is an array (H, W); a kernel of `height` x `width` fits on it at several places. Return an
array with a row for each place, `height * width` pixels long. The places go along the first line of
the image, then along the second, and so on, as one reads; and so do the pixels in a row.
"""

import numpy as np


def windows_as_rows(image, height, width):
    H, W = image.shape
    rows = []
    for i in range(H - height + 1):  # hole: for each place, append its window to rows
        for j in range(W - width + 1):  # hole
            rows.append(image[i : i + height, j : j + width].ravel())  # hole
    return np.array(rows)
