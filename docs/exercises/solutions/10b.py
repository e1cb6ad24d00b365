"""10b  The ward round.

Return a dict that gives each patient from 1 to 10 its disease, under one of the names that
`python docs/check.py zoo 1` prints, such as {1: "rate too small", 2: ...}.
"""

from exercises import zoo


def diagnoses():
    names = {n: zoo.chart(n) for n in range(1, 11)}  # hole: names = {1: ..., 2: ..., up to 10}
    return names
