"""Positions: what is held of an instrument, what it cost, and what closing it earned. Exact, in Decimal."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

_ZERO = Decimal(0)
_COST_STEP = Decimal("1E-12")


class Position:
    """A one-way position in a linear perpetual.

    `quantity` is in base currency, short is negative. `cost` is what it was bought for (negative when short), so that
    `quantity * price - cost` is the unrealised profit, with no rounding of an average price in between. `realised` is
    what closing earned so far, `fees` is what was paid. All money is in the settlement currency, prices are in quote
    currency.
    """

    __slots__ = ("cost", "fees", "quantity", "realised")

    def __init__(self) -> None:
        self.quantity = _ZERO
        self.cost = _ZERO
        self.realised = _ZERO
        self.fees = _ZERO

    @property
    def average_price(self) -> Decimal:
        """The average entry price of the open quantity; 0 when flat."""
        return self.cost / self.quantity if self.quantity else _ZERO

    def fill(self, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Book a fill of a signed quantity (base currency); returns what it realised, fees apart."""
        self.fees += fee
        held = self.quantity
        if not held or (held > 0) == (quantity > 0):
            self.quantity = held + quantity
            self.cost += quantity * price
            return _ZERO
        closed = quantity if abs(quantity) <= abs(held) else -held
        released = self.cost
        if closed != -held:
            # The rounding rest stays in the cost of what is left: no money appears or is lost.
            released = (self.cost * -closed / held).quantize(_COST_STEP, ROUND_HALF_EVEN)
        realised = -closed * price - released
        self.realised += realised
        opened = quantity - closed
        self.quantity = held + quantity
        self.cost = self.cost - released + opened * price
        return realised
