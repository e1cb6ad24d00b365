"""10b  The ward round.

Return a dict that gives each patient from 1 to 10 its disease, under one of the names that
`python docs/check.py zoo 1` prints, such as {1: "rate too small", 2: ...}.
"""


def diagnoses():
    names = {}
    from exercises import zoo  # hole: examine each: python docs/check.py zoo 1, and so on

    names.update((n, zoo.chart(n)) for n in range(1, 11))  # hole: names[1] = "rate too small", ...
    return names
