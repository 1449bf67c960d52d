"""The tick: market prices as the Decimals that are paid."""

from __future__ import annotations

from decimal import Decimal

from quantmind.market.instruments import Instrument

_DIGITS = 10**15
"""Whole numbers below it are exact as floats, and two decimals of so few digits are never the same float."""


class Tick:
    """The prices of one instrument, rounded against whoever trades."""

    __slots__ = ("_decimal", "_instrument", "_numerator", "_scale", "size")

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._decimal: Decimal = instrument.tick
        self.size = float(instrument.tick)
        places = max(-int(instrument.tick.as_tuple().exponent), 0)
        self._scale: int = 10**places
        self._numerator = int(instrument.tick * self._scale)

    def price(self, price: float, buys: bool) -> Decimal:
        """Return a market price as what is paid: exact on the tick, else the next tick to the trader's harm."""
        # Most prices are on the tick. To find that by whole numbers takes half the time of dividing Decimals.
        number = round(price * self._scale / self._numerator)
        whole = number * self._numerator
        if 0 < whole < _DIGITS and whole / self._scale == price:
            return number * self._decimal
        return self._instrument.buy_price(price) if buys else self._instrument.sell_price(price)
