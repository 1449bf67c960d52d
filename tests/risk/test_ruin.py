from __future__ import annotations

import math
import random
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.risk.ruin import ruin


@pytest.mark.parametrize(
    ("fraction", "drawdown", "probability"),
    [
        ("1", "0.5", "0.5"),
        ("1", "0.2", "0.8"),
        ("0.5", "0.5", "0.125"),
        ("0.25", "0.5", "0.0078125"),
        ("2", "0.9", "1"),
    ],
)
def test_the_formula(fraction, drawdown, probability):
    assert ruin(D(fraction), D(drawdown)) == D(probability)


def ever(fraction, drawdown, chance):
    """Follow the logarithm of wealth (Sharpe ratio 1) until it is lost, or 25 up: the bridge between two steps too."""
    drift, variance = fraction - fraction**2 / 2, fraction**2
    bottom, at = math.log(1 - drawdown), 0.0
    while at < 25 * variance / (2 * drift):
        after = at + chance.gauss(drift, math.sqrt(variance))
        if after <= bottom or chance.random() < math.exp(-2 * (at - bottom) * (after - bottom) / variance):
            return True
        at = after
    return False


@pytest.mark.parametrize(("fraction", "drawdown"), [(0.5, 0.3), (1.0, 0.5), (1.3, 0.5)])
def test_a_simulation_agrees(fraction, drawdown):
    chance = random.Random(7)
    lost = sum(1 for _ in range(4_000) if ever(fraction, drawdown, chance)) / 4_000
    assert abs(lost - float(ruin(D(repr(fraction)), D(repr(drawdown))))) < 0.025


@given(f=st.decimals("0.05", "2.5", places=3), d=st.decimals("0.01", "0.98", places=2))
def test_more_of_kelly_is_riskier_and_a_deeper_loss_rarer(f, d):
    assert 0 < ruin(f, d) <= 1
    assert ruin(f + D("0.1"), d) >= ruin(f, d)
    assert ruin(f, d + D("0.01")) <= ruin(f, d)


@pytest.mark.parametrize(("f", "d"), [("0", "0.5"), ("-1", "0.5"), ("1", "0"), ("1", "1")])
def test_figures_out_of_range_are_refused(f, d):
    with pytest.raises(ValueError, match="must be above 0"):
        ruin(D(f), D(d))
