"""12a  The confusion matrix, and recall.

`actual` and `predicted` are labels from 0 to classes - 1, one for each example. Return two arrays:
the matrix (classes, classes) of counts, in which the row is the actual class and the column the
predicted one; and the recall (classes,), for each class the share of its examples that were found.
A class without any example has the recall 0.
"""

import numpy as np


def confusion_and_recall(actual, predicted, classes):
    matrix = np.zeros((classes, classes), int)
    for a, p in zip(actual, predicted):
        matrix[a, p] += 1  # hole: count the pair (a, p)
    found = np.diag(matrix)  # hole: recall = ..., without a division by 0
    recall = found / np.maximum(matrix.sum(axis=1), 1)  # hole
    return matrix, recall
