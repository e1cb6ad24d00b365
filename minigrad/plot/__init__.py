"""Pictures of what a network learns, what it answers, and where it errs.

Each function draws into the `ax` or `figure` it is given, or else into a new one, and returns it;
`save` writes it to a file, and a notebook shows it where it ends a cell. No window is opened and no
global setting of matplotlib is touched, so all of it works where there is no screen. For pictures
of your own, `new_figure` and `new_axes` give empty ones that behave alike.

Where answers are drawn beside the truth, they come in the order of `metrics`: predicted, targets.

matplotlib is optional: it is imported when the first picture is drawn. Colors are those of Okabe
and Ito, which people with any form of color blindness can tell apart (Color Universal Design, 2008,
https://jfly.uni-koeln.de/color/); wrong answers are red, and marked by a cross and a frame as well.
"""

from .canvas import COLORS, MARKERS, RED, new_axes, new_figure, save
from .curves import history, lr_range
from .inside import feature_maps, filters, graph
from .results import confusion, decision_boundary, images, mistakes, predictions, reliability
