"""The clinic's judge: what can be measured on a patient, and what each disease shows.

A disease has signs, each with the measurement that looks for it and a sentence of what was found. A
wrong guess is answered with the first of its signs that the patient does not show.
"""

import re
from functools import cache
from types import SimpleNamespace

import numpy as np

import minigrad as mg

from . import zoo

NAMES = sorted(zoo.DISEASES)
WORDS = {  # what is accepted for each name, lower case and without punctuation
    "data sorted": r"sorted|not shuffled|unshuffled|no shuffl|order",
    "dropout in evaluation": r"dropout",
    "gradients not cleared": r"zero grad|grad\w* .*(clear|zeroed|accumul|reset|add)"
    r"|(clear|accumul|reset|zeroing|adding)\w* .*grad",
    "labels shuffled": r"(labels?|targets?) .*(shuffl|apart|wrong|random|permut)"
    r"|(shuffled|wrong|random|permuted) (labels|targets)",
    "pixels not normalized": r"pixels?|normali[sz]|0 255|inputs? .*(large|scale)",
    "rate too large": r"(rate|lr|steps?) .*(large|big|high|great|long)"
    r"|(large|big|high) .*(rate|lr|step)",
    "rate too small": r"(rate|lr|steps?) .*(small|low|tiny|little|short)"
    r"|(small|low|tiny) .*(rate|lr|step)",
    "softmax over the batch": r"softmax.*(batch|axis)|(batch|axis).*softmax",
    "softmax twice": r"softmax.*(twice|two|double|2|again)|(twice|two|double|2).*softmax",
    "too many sigmoids": r"sigmoid|vanish|too deep|too many layers",
    "zero weights": r"(weight|initial|parameter)\w*( \w+)* (zeros?|0)|(zeros?|0) (initial\w* )?"
    r"(weight|init|param)",
}


def named(words):
    """The disease that a reader's words name; ValueError, with the list, where they name none."""
    if not isinstance(words, str):
        raise ValueError(f"a name is text, got {words!r:.40}")
    plain = " ".join(re.findall(r"[a-z0-9]+", words.lower()))
    found = [name for name in NAMES if plain == name or re.search(rf"\b(?:{WORDS[name]})", plain)]
    if plain in NAMES:
        found = [plain]
    if "gradients not cleared" in found:  # zero_grad is not about weights of zero
        found = ["gradients not cleared"]
    if len(found) != 1:
        raise ValueError(f"{words!r:.40} names no disease, or more than one; the names are")
    return found[0]


# ---- measuring -----------------------------------------------------------------------------------


def norm(x):
    return float(np.linalg.norm(x))


def share(part, whole):
    """part / whole, where nothing of nothing is 0."""
    return part / whole if whole else 0.0


def update_ratio(weight, step):
    """How far one step moves a weight, as a share of its length."""
    before = weight.data.copy()
    step()
    return share(norm(weight.data - before), norm(before))


def gradient_norms(patient, x, y):
    """The lengths of the gradients of all weight matrices, first to last layer."""
    patient.backward(x, y)
    return [norm(p.grad) for p in patient.model.parameters() if p.ndim == 2]


def learn_twenty(patient, x, y, steps=50):
    """The loss of 20 examples after 50 steps of Adam on nothing else."""
    x, y = x[:20], y[:20]
    optimizer = mg.optim.Adam(patient.model.parameters(), lr=0.001)
    for _ in range(steps):
        optimizer.zero_grad()
        patient.loss(x, y).backward()
        optimizer.step()
    return patient.loss(x, y).item()


def sure_loss(patient, x, y):
    """The loss of images of one class, on a network that is quite sure of it."""
    of_class = y == y[0]
    patient.model[-1].bias.data[y[0]] += 1e4
    return patient.loss(x[of_class], y[of_class]).item()


def alike(x, y):
    """The share of images that are nearer to the mean image of their label than to any other's."""
    means = np.stack([x[y == label].mean(axis=0) for label in range(10)])  # (10, 784)
    distances = (means**2).sum(axis=1) - 2 * x @ means.T
    return float((distances.argmin(axis=1) == y).mean())


@cache
def _measured(number, source):
    """All that is measured on a patient before it has trained, each on a fresh one."""
    one, two, three, four, five = (zoo.patient(number) for _ in range(5))
    x, y = next(iter(one.loader))
    norms = gradient_norms(one, x, y)
    again = gradient_norms(one, x, y)
    answers = three.predict(x)
    return SimpleNamespace(
        first=two.loss(x, y).item(),
        quarter=two.loss(x[: len(x) // 4], y[: len(x) // 4]).item(),
        size=len(x),
        low=float(x.min()),
        high=float(x.max()),
        weight=float(np.abs(one.model[0].weight.data).max()),
        norms=norms,
        steepness=share(norms[-1], norms[0]),
        again=share(again[-1], norms[-1]),
        ratio=update_ratio(two.model[-1].weight, lambda: two.step(x, y)),
        twenty=learn_twenty(four, x, y),
        sure=sure_loss(five, x, y),
        classes=len(set(y.tolist())),
        alike=alike(one.loader.x, one.loader.y),
        same=float(np.mean([(three.predict(x) == answers).mean() for _ in range(5)])),
    )


def measured(number):
    """What is measured on a patient, kept for the next guess."""
    return _measured(number, zoo.digits().source)


# ---- the signs of each disease -------------------------------------------------------------------

SIGNS = {
    "data sorted": [
        (
            lambda m: m.classes <= 2,
            "count the labels of a batch: the first of {m.size} holds {m.classes} classes",
        ),
    ],
    "dropout in evaluation": [
        (
            lambda m: m.same < 1,
            "let it read the same images twice: {m.same:.0%} of its answers stay the same",
        ),
    ],
    "gradients not cleared": [
        (
            lambda m: abs(m.again - 2) < 0.01,
            "ask twice for the gradient of one batch: the second is {m.again:.2f} times the first",
        ),
    ],
    "labels shuffled": [
        (
            lambda m: m.alike < 0.4,
            "average the images of each label: {m.alike:.0%} of the images are nearest "
            "to their own mean",
        ),
    ],
    "pixels not normalized": [
        (
            lambda m: m.high > 10,
            "look at the pixels of a batch: they go from {m.low:.1f} to {m.high:.1f}",
        ),
    ],
    "rate too large": [
        (
            lambda m: m.first < 5,
            "the first loss is {m.first:.1f} before any step, when no rate has acted yet",
        ),
        (
            lambda m: m.ratio > 0.5,
            "measure the update ratio of the last layer: its first step is {m.ratio:.1g} "
            "of its weights",
        ),
    ],
    "rate too small": [
        (
            lambda m: m.norms[-1] > 0,
            "look at the gradients of the weights: they are exactly 0, whatever the rate",
        ),
        (
            lambda m: m.ratio < 3e-4,
            "measure the update ratio of the last layer: its first step is {m.ratio:.1g} "
            "of its weights",
        ),
    ],
    "softmax over the batch": [
        (
            lambda m: (
                abs(m.first - m.quarter - np.log(4)) < 0.3 and abs(m.first - np.log(m.size)) < 0.3
            ),
            "change the size of the batch: the first loss of {m.size} is {m.first:.2f}, "
            "of a quarter of them {m.quarter:.2f}",
        ),
    ],
    "softmax twice": [
        (
            lambda m: abs(m.sure - 1.4612) < 0.01,
            "add 10,000 to the bias of a class: the loss of its images becomes {m.sure:.2f}",
        ),
    ],
    "too many sigmoids": [
        (
            lambda m: m.steepness > 50,
            "compare the gradients: the last layer's is {m.steepness:.1f} times "
            "as long as the first layer's",
        ),
    ],
    "zero weights": [
        (
            lambda m: m.weight == 0,
            "look at the weights of the first layer: the largest is {m.weight:.3f}",
        ),
    ],
}


def contradiction(number, guess):
    """What was measured that the guessed disease does not explain; None if it explains all."""
    m = measured(number)
    for holds, sentence in SIGNS[guess]:
        if not holds(m):
            return sentence.format(m=m)
    return None
