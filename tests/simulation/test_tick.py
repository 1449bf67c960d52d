"""Prices on the tick and beside it."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import example, given
from hypothesis import strategies as st

from quantmind.market.instruments import Instrument
from quantmind.simulation.tick import Tick

ticks = st.sampled_from(["0.1", "0.01", "0.10", "0.25", "0.5", "2.5", "1", "5", "10", "1E+1", "0.00001", "1E-8"])


@given(ticks, st.integers(1, 10**9), st.floats(0, 1e12) | st.none(), st.booleans())
@example("0.1", 3, 0.30000000000000004, True)
@example("0.1", 1, 0.0, False)
def test_it_is_the_price_that_the_instrument_says(tick, number, beside, buys):
    instrument = Instrument("X/USDT:USDT", D(tick), D(1))
    price = float(number * D(tick)) if beside is None else beside
    exact = instrument.buy_price(price) if buys else instrument.sell_price(price)
    assert repr(Tick(instrument).price(price, buys)) == repr(exact)
