"""Tallies: what the facts of one strategy's or one symbol's position sum to, without any division."""

from __future__ import annotations

from decimal import Decimal

_ZERO = Decimal(0)


class Tally:
    """The running sums of one line of a statement.

    Its profit at a price is quantity * price - paid, exact: how cost was divided when a part was closed does not
    enter it. What of it is unrealised is what is not realised.
    """

    __slots__ = (
        "_at",
        "_peak",
        "drawdown",
        "fees",
        "fills",
        "funding",
        "gross",
        "paid",
        "quantity",
        "realised",
        "trades",
    )

    def __init__(self) -> None:
        self.quantity = _ZERO
        self.paid = _ZERO
        """What was paid for all quantities so far, less what was received for them."""
        self.realised = _ZERO
        self.fees = _ZERO
        self.funding = _ZERO
        self.fills = 0
        self.trades = 0
        """How often the position was closed or turned around."""
        self.gross = _ZERO
        """Realised and unrealised profit when it was valued last."""
        self._peak = _ZERO
        self.drawdown = _ZERO
        self._at: Decimal | None = None
        """The price it was valued at last, and None when something was booked since."""

    @property
    def pnl(self) -> Decimal:
        """The profit when it was valued last, net of fees and funding."""
        return self.gross + self.funding - self.fees

    def add(self, quantity: Decimal, price: Decimal, realised: Decimal, fee: Decimal) -> None:
        """Add a signed quantity that was bought or passed on at a price."""
        held = self.quantity
        self.quantity = now = held + quantity
        if held and (not now or (now > 0) != (held > 0)):
            self.trades += 1
        self.paid += quantity * price
        self.realised += realised
        self.fees += fee
        self._at = None

    def fund(self, amount: Decimal) -> None:
        """Add what was received in funding."""
        self.funding += amount
        self._at = None

    def value(self, price: Decimal) -> Decimal:
        """Value it at a price; returns the profit, net of fees and funding."""
        self.gross = self.quantity * price - self.paid
        return self.pnl

    def sample(self, price: Decimal) -> None:
        """Value it, and take note of how far its profit fell from its peak."""
        # Most valuations change nothing for most lines.
        if self._at is not None and (self._at == price or not self.quantity):
            return
        self._at = price
        pnl = self.value(price)
        if pnl > self._peak:
            self._peak = pnl
        elif self._peak - pnl > self.drawdown:
            self.drawdown = self._peak - pnl
