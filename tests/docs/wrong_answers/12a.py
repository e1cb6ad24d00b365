"""Wrong answers to 12a, written without a look at its check."""

import numpy as np


def transposed(actual, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    for a, p in zip(actual, predicted):
        matrix[p, a] += 1
    totals = np.bincount(actual, minlength=classes)
    return matrix, np.diag(matrix) / np.where(totals == 0, 1, totals)


def precision(actual, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    np.add.at(matrix, (actual, predicted), 1)
    columns = matrix.sum(axis=0)
    return matrix, np.diagonal(matrix) / np.where(columns == 0, 1, columns)


def zero_by_zero(actual, predicted, classes):
    matrix = np.zeros((classes, classes))
    np.add.at(matrix, (actual, predicted), 1)
    with np.errstate(invalid="ignore"):
        return matrix, np.diag(matrix) / matrix.sum(axis=1)


def counts_once(actual, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    matrix[actual, predicted] += 1
    return matrix, np.diag(matrix) / np.maximum(matrix.sum(axis=1), 1)


def of_all(actual, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    np.add.at(matrix, (actual, predicted), 1)
    return matrix, np.diag(matrix) / len(actual)


def one_number(actual, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    np.add.at(matrix, (actual, predicted), 1)
    return matrix, np.mean(np.diag(matrix) / np.maximum(matrix.sum(axis=1), 1))
