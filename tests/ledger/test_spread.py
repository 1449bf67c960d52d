"""Spreading: parts on the step that sum to exactly their total."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.ledger.sub_positions import spread

STEP = D("0.001")


def dealt(total, *parts):
    named = {str(place): D(part) for place, part in enumerate(parts)}
    return [str(part) for part in spread(D(total), named, STEP).values()]


class TestRoundingExample9:
    def test_three_equal_parts(self):
        third = D("0.400") / 3
        assert dealt("0.400", third, third, third) == ["0.134", "0.133", "0.133"]
        assert dealt("-0.400", -third, -third, -third) == ["-0.134", "-0.133", "-0.133"]

    def test_three_with_confidence_0_45(self):
        # Each share is 0.45 / 3, the Target 0.45, the budget 0.400.
        share = D("0.15") * D("0.400")
        assert dealt("0.180", share, share, share) == ["0.060", "0.060", "0.060"]


def test_opposed_parts_of_example_4():
    assert dealt("0", "0.160", "-0.160") == ["0.160", "-0.160"]


def test_the_largest_remainder_is_first():
    assert dealt("0.003", "0.0009", "0.0012", "0.0009") == ["0.001", "0.001", "0.001"]
    assert dealt("0.002", "0.0009", "0.0012", "0.0008") == ["0.001", "0.001", "0.000"]


def test_a_step_may_go_against_an_opposed_part():
    assert dealt("0.199", "0.4005", "-0.2007") == ["0.400", "-0.201"]


def test_none_becomes_a_negative_zero():
    assert dealt("0", "-0.0004", "0.0004") == ["0.000", "0.000"]


def test_one_has_all():
    assert dealt("0.4", "0.7") == ["0.4"]


def test_none_has_nothing():
    assert spread(D(0), {}, STEP) == {}
    with pytest.raises(ValueError, match=r"parts: must be at least one to sum to 0\.4, were none"):
        spread(D("0.4"), {}, STEP)


parts = st.lists(st.decimals("-1", "1", places=6), min_size=1, max_size=6)


@given(parts)
def test_each_stays_within_a_step_and_on_its_side(values):
    named = {str(place): value for place, value in enumerate(values)}
    total = sum(values) // STEP * STEP
    rounded = spread(total, named, STEP)
    assert list(rounded) == list(named)
    assert sum(rounded.values()) == total
    for name, value in named.items():
        assert rounded[name] % STEP == 0
        if len(named) > 1:
            assert abs(Fraction(rounded[name]) - Fraction(value)) < Fraction(STEP)
        assert value or not rounded[name]


@given(parts, st.integers(-5000, 5000))
def test_any_total_is_met(values, steps):
    rounded = spread(steps * STEP, {str(place): value for place, value in enumerate(values)}, STEP)
    assert sum(rounded.values()) == steps * STEP
    assert all(part % STEP == 0 for part in rounded.values())
