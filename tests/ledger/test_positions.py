"""Positions against an independent few-line accountant."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from quantmind.ledger.positions import Position

quantities = st.integers(-2000, 2000).filter(bool).map(lambda n: D(n) / 1000)
prices = st.integers(1, 10_000_000).map(lambda n: D(n) / 10)


@given(st.lists(st.tuples(quantities, prices), min_size=1, max_size=40), prices)
def test_no_money_appears_or_is_lost(fills, last):
    position = Position()
    paid = D(0)
    for quantity, price in fills:
        position.fill(quantity, price, D(0))
        paid += quantity * price
    assert position.quantity == sum(quantity for quantity, _ in fills)
    # Whatever was realised on the way: value now less all that was paid is all there is.
    assert position.realised + position.quantity * last - position.cost == position.quantity * last - paid
    if not position.quantity:
        assert position.cost == 0


@given(st.lists(st.tuples(quantities, prices), min_size=1, max_size=40))
def test_the_average_is_that_of_the_open_lots(fills):
    position = Position()
    held, average = Fraction(0), Fraction(0)
    for quantity, price in fills:
        position.fill(quantity, price, D(0))
        bought, at = Fraction(quantity), Fraction(price)
        if held * bought >= 0:
            average = (held * average + bought * at) / (held + bought)
        elif abs(bought) > abs(held):
            average = at
        held += bought
    if held:
        assert abs(Fraction(position.average_price) - average) < Fraction(1, 10**6)


def test_a_round_trip():
    position = Position()
    assert position.fill(D("0.400"), D(50_000), D(10)) == 0
    assert position.average_price == 50_000
    assert position.fill(D("-0.400"), D(50_600), D("10.12")) == D("240.000")
    assert position.fees == D("20.12")
    assert position.quantity == 0
