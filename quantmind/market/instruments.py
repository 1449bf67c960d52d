"""Instruments: what may be traded, in which steps."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec

_ONE = Decimal(1)


class Tier(msgspec.Struct, frozen=True):
    """A maintenance tier: from a notional of `floor` on, the maintenance margin is notional * rate - amount.

    `floor` and `amount` are in the settlement currency, `rate` is the part of the notional (Binance FAQ "Leverage and
    Margin of USD-M Futures").
    """

    floor: Decimal
    rate: Decimal
    amount: Decimal


def tiers(*steps: tuple[Decimal, Decimal]) -> tuple[Tier, ...]:
    """Make tiers of (floor, rate), in order from the lowest floor on.

    The amount makes the margin continuous: amount_n = floor_n * (rate_n - rate_(n-1)) + amount_(n-1), Binance FAQ
    "Leverage and Margin of USD-M Futures".
    """
    made: list[Tier] = []
    amount = rate = Decimal(0)
    for floor, higher in steps:
        if made:
            amount += floor * (higher - rate)
        rate = higher
        made.append(Tier(floor, rate, amount))
    return tuple(made)


class Instrument(msgspec.Struct, frozen=True):
    """A linear perpetual: what it is quoted in is what it is settled in."""

    symbol: str
    """The unified symbol, such as `BTC/USDT:USDT`."""
    tick: Decimal
    """What every price is a multiple of, in quote currency."""
    step: Decimal
    """What every quantity is a multiple of, in base currency."""
    min_notional: Decimal = Decimal(0)
    """The smallest notional of an order that opens or adds, in the settlement currency."""
    max_quantity: Decimal | None = None
    """The largest quantity of one market order, in base currency; None where there is none."""
    tiers: tuple[Tier, ...] = tiers((Decimal(0), Decimal("0.02")))
    """The maintenance tiers in order, from the lowest floor on, which is 0."""

    def __repr__(self) -> str:
        """Name it: it stands in the messages of faults, which must fit on a line."""
        return f"Instrument({self.symbol!r}, tick={self.tick}, step={self.step})"

    def tier(self, notional: Decimal) -> Tier:
        """Return the maintenance tier of a notional (settlement currency)."""
        found = self.tiers[0]
        for tier in self.tiers:
            if tier.floor > notional:
                break
            found = tier
        return found

    def maintenance(self, notional: Decimal) -> Decimal:
        """Return the maintenance margin of a position of this notional, both in the settlement currency."""
        tier = self.tier(notional)
        return notional * tier.rate - tier.amount

    def quantity(self, value: Decimal) -> Decimal:
        """Round a signed quantity (base currency) towards zero to the step."""
        return value // self.step * self.step

    def buy_price(self, price: float) -> Decimal:
        """Return a market price as what a buyer pays (quote currency): exact on the tick, else the next above."""
        return (Decimal(repr(price)) / self.tick).quantize(_ONE, ROUND_CEILING) * self.tick

    def sell_price(self, price: float) -> Decimal:
        """Return a market price as what a seller gets (quote currency): exact on the tick, else the next below."""
        return (Decimal(repr(price)) / self.tick).quantize(_ONE, ROUND_FLOOR) * self.tick


_MAJOR = tiers(
    *(
        (Decimal(floor), Decimal(rate))
        for floor, rate in (
            ("0", "0.004"),
            ("50000", "0.005"),
            ("600000", "0.0065"),
            ("3000000", "0.01"),
            ("12000000", "0.02"),
            ("70000000", "0.025"),
            ("100000000", "0.05"),
            ("230000000", "0.1"),
            ("480000000", "0.125"),
        )
    )
)
"""Binance's tiers of its two largest contracts, as of 2025; a venue's own are read from it."""

KNOWN = {
    instrument.symbol: instrument
    for instrument in (
        Instrument("BTC/USDT:USDT", Decimal("0.1"), Decimal("0.001"), Decimal(100), Decimal(120), _MAJOR),
        Instrument("ETH/USDT:USDT", Decimal("0.01"), Decimal("0.001"), Decimal(20), Decimal(2000), _MAJOR),
    )
}
"""Instruments a recipe may name without saying their steps, by symbol; any other one says its own."""
