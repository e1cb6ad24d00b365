"""What errors say beside the words of NumPy and Python: the operation, and what came."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor


def notes(raised):
    return "\n".join(raised.value.__notes__)


def test_shapes_that_do_not_go_together_are_told_with_the_operation():
    x = Tensor(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="operands could not be broadcast") as raised:
        x + np.ones((4, 5), np.float32)
    assert "add expects arrays, Tensors or numbers that go together" in notes(raised)
    assert "got float32 (2, 3), float32 (4, 5)" in notes(raised)


def test_an_argument_too_many_is_told_by_the_name_of_the_operation():
    with pytest.raises(TypeError) as raised:
        mg.relu(np.ones(2), np.ones(2), np.ones(2))
    assert str(raised.value).startswith("relu() takes")
    assert "got float64 (2,), float64 (2,), float64 (2,)" in notes(raised)


def test_a_long_value_is_shortened():
    with pytest.raises(TypeError) as raised:
        mg.relu("a " * 500)
    assert len(notes(raised)) < 400
    assert "[...]" in notes(raised)


def test_errors_of_a_row_stay_what_they_are():
    def broken(x):
        raise ZeroDivisionError("by nothing")

    row = mg.primitive(broken, lambda g, y, x: g, name="broken")
    with pytest.raises(ZeroDivisionError, match="by nothing") as raised:
        row(np.ones(2))
    assert "broken expects arrays" in notes(raised)
