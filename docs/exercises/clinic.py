"""What `check.py zoo` prints: a patient's complaint, and the verdict on a guess or a mend."""

from functools import cache

from . import zoo
from .diagnosis import NAMES, contradiction, named

WIDTH = 40  # characters that stand for a loss of 4

HOW = """\
to examine it:   Python in the folder docs: from exercises import zoo; p = zoo.patient({number})
  p.model, p.loader, p.loss(x, y), p.backward(x, y), p.step(x, y), p.predict(x), p.validation
to name it:      python docs/check.py zoo {number} --name "NAME", one of
{names}
to mend it:      python docs/check.py zoo {number} --mend SETTING=VALUE, one of
{settings}"""


def visit(number, name=None, mend=None):
    """What is printed, as lines, and whether a guess or a mend was right (None: there was none)."""
    if mend is not None:
        return judge_mend(number, mend)
    if name is not None:
        return judge_name(number, name)
    return complaint(number), None


@cache
def course(number, change=(), source=None):
    """How a patient trains, with settings changed as `change`, ((name, value),), says."""
    return zoo.patient(number, **dict(change)).train()


def trained(number, change=()):
    return course(number, change, zoo.digits().source)


# ---- the complaint -------------------------------------------------------------------------------


def complaint(number):
    """The curve of a patient as text, and how to examine it."""
    return [
        f"patient {number}   {zoo.digits().source}   batches of {zoo.digits().batch}",
        *curve(trained(number)),
        HOW.format(number=number, names="\n".join(_names()), settings="\n".join(_settings())),
    ]


def curve(found):
    """The losses of a training, a line for each epoch; `#` is 0.1, and `>` goes on."""
    lines = [f"  first loss {found.first:.3f}", f"  epoch {'training':>10} {'validation':>11}"]
    for epoch, loss in enumerate(found.losses):
        bar = "#" * round(10 * loss) if loss < 4 else "#" * WIDTH + ">"
        validation = found.validation_losses[epoch]
        lines.append(f"  {epoch + 1:5} {short(loss):>10} {short(validation):>11}  {bar}")
    return [*lines, f"  reads {found.accuracies[-1]:.1%} of the validation digits"]


def short(loss):
    return f"{loss:.3f}" if loss < 1000 else f"{loss:.3g}"


def _names():
    return [f"  {', '.join(NAMES[i : i + 4])}" for i in range(0, len(NAMES), 4)]


def _settings():
    """What a mend may change, four to a line."""
    values = {name: "|".join(choices) for name, choices in zoo.CHOICES.items()} | {
        "clear": "yes|no"
    }
    menu = [f"{name}={values.get(name, 'NUMBER')}" for name in zoo.HEALTHY]
    return [f"  {'   '.join(menu[i : i + 2])}" for i in range(0, len(menu), 2)]


# ---- the verdicts --------------------------------------------------------------------------------


def judge_name(number, words):
    try:
        guess = named(words)
    except ValueError as error:
        return [f"patient {number}: {error}", *_names()], False
    if guess == zoo.chart(number):
        return [f"patient {number}: {guess}, yes. Mend it with --mend SETTING=VALUE"], True
    against = contradiction(number, guess)
    return [f"patient {number}: not {guess}", f"  hint: {against}"], False


def judge_mend(number, changes):
    """Train with one setting changed, beside the patient as it was and the healthy network."""
    try:
        change = read(changes)
        mended = trained(number, change)
    except ValueError as error:
        return [f"patient {number}: {error}"], False
    rows = ("as it was", trained(number)), ("mended", mended), ("healthy", trained(0))
    right = learns(mended)
    lines = [
        f"patient {number} with {' '.join(changes)}   {zoo.digits().source}",
        f"  {'':10} {'training':>10} {'validation':>11}   reads",
    ]
    for title, found in rows:
        losses = f"{short(found.losses[-1]):>10} {short(found.validation_losses[-1]):>11}"
        lines.append(f"  {title:10} {losses}   {found.accuracies[-1]:.1%}")
    return [
        *lines,
        "  it learns" if right else "  hint: it is still sick; is that its disease?",
    ], right


def learns(found):
    """Whether a training came near to the healthy one: its loss to a half, its reading to 10 %."""
    healthy = trained(0)
    near = found.validation_losses[-1] < 1.5 * healthy.validation_losses[-1]
    return near and found.accuracies[-1] > healthy.accuracies[-1] - 0.1


def read(changes):
    """(("lr", 0.1),) of ["lr=0.1"]: one setting, its value in the type of the healthy one."""
    name, equals, text = " ".join(changes).partition("=")
    name, text = name.strip(), text.strip().strip("\"'")
    if name not in zoo.HEALTHY or not equals or "=" in text:
        raise ValueError("a mend is one SETTING=VALUE; zoo and a number prints the settings")
    kind = type(zoo.HEALTHY[name])
    if kind is bool:
        if text.lower() not in ("yes", "true", "no", "false"):
            raise ValueError(f"{name} is yes or no, got {text}")
        return ((name, text.lower() in ("yes", "true")),)
    try:
        return ((name, kind(text)),)
    except ValueError:
        raise ValueError(f"{name} is a number, got {text}") from None
