"""Instruments: what may be traded, in which steps."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec

_ONE = Decimal(1)


class Instrument(msgspec.Struct, frozen=True):
    """A linear perpetual: price `tick`, quantity `step`, and the smallest notional the venue takes."""

    symbol: str
    tick: Decimal
    step: Decimal
    min_notional: Decimal = Decimal(0)

    def quantity(self, value: Decimal) -> Decimal:
        """Round a signed quantity towards zero to the step."""
        return value // self.step * self.step

    def buy_price(self, price: float) -> Decimal:
        """Return a market price as what a buyer pays: exact on the tick, else the next tick above."""
        return (Decimal(repr(price)) / self.tick).quantize(_ONE, ROUND_CEILING) * self.tick

    def sell_price(self, price: float) -> Decimal:
        """Return a market price as what a seller gets: exact on the tick, else the next tick below."""
        return (Decimal(repr(price)) / self.tick).quantize(_ONE, ROUND_FLOOR) * self.tick


KNOWN = {
    instrument.symbol: instrument
    for instrument in (
        Instrument("BTC/USDT:USDT", Decimal("0.1"), Decimal("0.001"), Decimal(100)),
        Instrument("ETH/USDT:USDT", Decimal("0.01"), Decimal("0.001"), Decimal(20)),
    )
}
"""Instruments a recipe may name without saying their steps; any other one says its own."""
