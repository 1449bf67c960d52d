from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.market.instruments import KNOWN, Instrument
from quantmind.risk.size import at_leverage, at_risk, size

BTC = KNOWN["BTC/USDT:USDT"]

parts = st.decimals("0.0001", 1, places=4)
equities = st.decimals(-1000, 10**8, places=2)
prices = st.decimals("0.01", 200_000, places=2)


def of(balance="10000", risk="0.01", distance="500", price="50000", instrument=BTC, cap=None):
    return size(D(balance), D(risk), D(distance), D(price), instrument, D(cap) if cap else None)


def test_the_example_of_money():
    assert at_risk(D("0.125"), D(10000), D(50000), D(500)) == D("2.5")
    assert at_risk(D("0.125"), D(10000), D(50000), D(500), D(2)) == D("0.4")
    assert at_risk(D("0.125"), D(10000), D(50000)) == D("0.025")


def test_a_quantity_at_the_risk():
    found = of()
    assert (found.quantity, found.bound, found.notional, found.loss) == (D("0.2"), "risk", 10_000, 100)


@pytest.mark.parametrize(
    ("values", "quantity", "bound"),
    [
        ({"cap": "0.5"}, "0.1", "cap"),
        ({"cap": "5"}, "0.2", "risk"),
        ({"balance": "100000000"}, "120", "max_quantity"),
        ({"distance": "333"}, "0.3", "risk"),  # 0.3003...
    ],
)
def test_bounds(values, quantity, bound):
    found = of(**values)
    assert (found.quantity, found.bound, found.reason) == (D(quantity), bound, "")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"balance": "0"}, "0 is less than one step of 0.001"),
        ({"balance": "10"}, "0.0002 is less than one step of 0.001"),
        ({"balance": "50"}, "notional 50.000 is below the venue's minimum of 100"),
    ],
)
def test_where_there_is_none_it_says_why(values, reason):
    found = of(**values)
    assert (found.quantity, found.notional, found.loss, found.reason) == (0, 0, 0, reason)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"balance": "-1"}, "balance"),
        ({"risk": "0"}, "risk"),
        ({"risk": "1.1"}, "risk"),
        ({"distance": "0"}, "distance"),
    ],
)
def test_figures_out_of_range_are_refused(values, named):
    with pytest.raises(ValueError, match=f"{named}: must be"):
        of(**values)


@given(equity=equities, risk=parts, price=prices, distance=prices, cap=st.decimals("0.01", 20, places=2))
def test_it_never_loses_more_than_the_risk_nor_holds_more_than_the_cap(equity, risk, price, distance, cap):
    quantity = at_risk(risk, equity, price, distance, cap)
    assert 0 <= quantity * distance <= max(risk * equity, D(0))
    assert quantity * price <= max(cap * equity, D(0))
    assert quantity <= at_leverage(cap, equity, price)
    assert at_risk(risk / 2, equity, price, distance, cap) <= quantity


@given(
    balance=st.decimals(0, 10**8, places=2),
    risk=parts,
    price=prices,
    distance=prices,
    step=st.sampled_from(["0.001", "0.01", "1", "7"]),
    least=st.decimals(0, 1000, places=0),
    most=st.none() | st.decimals(1, 1000, places=3),
)
def test_the_venue_accepts_it(balance, risk, price, distance, step, least, most):
    found = size(balance, risk, distance, price, Instrument("X", D("0.1"), D(step), least, most))
    assert found.quantity % D(step) == 0
    assert found.loss <= balance * risk
    if found.quantity:
        assert found.quantity * price >= least
        assert most is None or found.quantity <= most
    else:
        assert found.reason
