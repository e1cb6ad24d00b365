"""5c  The share of right answers.

`scores` (N, C) holds the scores of N images, `labels` (N,) the right class of each. The answer to
an image is the class with the largest score. Return the share of right answers, from 0 to 1.
"""


def accuracy(scores, labels):
    answers = scores.argmax(axis=1)  # hole
    return (answers == labels).mean()  # hole
