"""Pictures of what a network learns, what it answers, and where it errs.

Each function draws into the `ax` or `figure` it is given, or else into a new one, and returns it;
`save` writes it to a file. No window is opened and no global setting of matplotlib is touched, so
all of it works where there is no screen. In a notebook, after `%matplotlib inline`, end the cell
with the figure: `plot.confusion(matrix).figure`.

matplotlib is optional: it is imported when the first picture is drawn. Colors are those of Okabe
and Ito, which people with any form of color blindness can tell apart (Color Universal Design, 2008,
https://jfly.uni-koeln.de/color/); wrong answers are red, and marked by a cross and a frame as well.
"""

from .canvas import COLORS, MARKERS, RED, save
from .inside import feature_maps, filters, graph
from .results import confusion, decision_boundary, history, lr_range, mistakes, predictions
from .results import reliability
