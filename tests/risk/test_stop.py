from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.risk.stop import AtrStop, atr_stop

figures = st.decimals("0.01", 10_000, places=4)


@pytest.mark.parametrize(
    ("side", "tick", "price"),
    [("buy", None, "49499.93"), ("buy", "0.1", "49500.0"), ("sell", None, "50500.07"), ("sell", "0.1", "50500.0")],
)
def test_it_is_rounded_to_where_it_loses_less(side, tick, price):
    stop = atr_stop(D(50000), D("250.035"), D(2), side, D(tick) if tick else None)
    assert stop == AtrStop(D("500.07"), D(price))


@given(atr=figures, multiplier=st.decimals("0.1", 10, places=2), tick=st.sampled_from(["0.01", "0.1", "0.5", "1"]))
def test_the_loss_is_never_more_than_the_distance(atr, multiplier, tick):
    price = D(200_000)
    for side, sign in (("buy", 1), ("sell", -1)):
        stop = atr_stop(price, atr, multiplier, side, D(tick))
        assert stop.distance - D(tick) < (price - stop.price) * sign <= stop.distance
        assert stop.price % D(tick) == 0


@pytest.mark.parametrize(
    ("price", "atr", "multiplier", "named"),
    [("0", "1", "1", "price"), ("1", "0", "1", "atr"), ("1", "1", "-1", "multiplier"), ("10", "5", "2", "distance")],
)
def test_figures_out_of_range_are_refused(price, atr, multiplier, named):
    with pytest.raises(ValueError, match=f"{named}: must be"):
        atr_stop(D(price), D(atr), D(multiplier), "buy")
