"""Every row of the table, and everything derived from it, against its truth (cases.py)."""

import pytest
from cases import CASES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from op_checks import check

import minigrad as mg
from minigrad.autograd import registry

ROWS = [name for name, row in registry.items() if row.__module__.startswith("minigrad.ops.")]
quickly = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_a_case(name):
    assert any(case.row == name for case in CASES), f"tests/ops/cases.py has no case for {name}"


def test_every_public_function_has_a_case():
    named = {case.name.split(",")[0].split(" ")[0] for case in CASES}
    named |= {"scaled_dot_product_attention"} if "attention" in named else set()
    assert set(mg.ops.__all__) - named == set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@quickly
@given(data=st.data())
def test_value_and_gradients(case, data):
    check(case, data)
