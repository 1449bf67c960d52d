"""The closed trades of an instrument, made of the account's own fills."""

from __future__ import annotations

from decimal import Decimal

from quantmind.events import Fact, Fill, Funding
from quantmind.risk.results import Results

_ZERO = Decimal(0)


class Trades:
    """Results of round trips of the net position, each after fees and funding as a part of the notional it opened.

    A trade begins when the position leaves 0 and ends when it is back there or on the other side. One whose
    beginning was not seen is not counted.
    """

    def __init__(self, symbol: str) -> None:
        self.results = Results()
        self._symbol = symbol
        self._notional = self._result = _ZERO

    def note(self, fact: Fact) -> None:
        """Take a fill or a funding of the symbol; any other fact is left aside."""
        if isinstance(fact, Fill):
            if fact.symbol == self._symbol:
                self._fill(fact)
        elif isinstance(fact, Funding) and fact.symbol == self._symbol and self._notional:
            self._result += fact.amount

    def _fill(self, fill: Fill) -> None:
        after = fill.position
        before = after - fill.quantity if fill.side == "buy" else after + fill.quantity
        closed = min(fill.quantity, abs(before)) if (before > 0) != (fill.side == "buy") else _ZERO
        opened = fill.quantity - closed
        closing_fee = fill.fee * closed / fill.quantity
        if before and self._notional:
            self._result += fill.realised - closing_fee
        if closed and closed == abs(before):
            self._end()
        if opened and (self._notional or not before or closed):
            self._notional += opened * fill.price
            self._result -= fill.fee - closing_fee

    def _end(self) -> None:
        if self._notional:
            self.results = self.results.and_one(self._result / self._notional)
        self._notional = self._result = _ZERO
