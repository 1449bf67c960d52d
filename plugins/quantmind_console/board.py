"""The board: what a trader wants to see of a run, kept up to date by its events."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.events import (
    Bar,
    Fill,
    Funding,
    Holdings,
    Mark,
    OrderState,
    OrderUpdate,
    Quote,
    Refusal,
    Signal,
    Trade,
    Valuation,
)

MOST_LINES = 10
"""How many of the last lines are shown."""


class Row(msgspec.Struct):
    """One symbol: its prices, what is held of it, and the last signal of each strategy."""

    bid: float | None = None
    ask: float | None = None
    last: float | None = None
    mark: float | None = None
    quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    signals: dict[str, Signal] = {}

    @property
    def unrealised(self) -> float | None:
        """What the position gains at the mark, else at the side that would close it, else at the last price."""
        if not self.quantity or self.average_price is None:
            return None
        closing = self.bid if self.quantity > 0 else self.ask
        price = next((price for price in (self.mark, closing, self.last) if price is not None), None)
        return None if price is None else float(self.quantity) * (price - float(self.average_price))


class Board:
    """Takes events, and holds the figures they lead to."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.counts: Counter[str] = Counter()
        self.equity: Decimal | None = None
        self.realised = self.fees = self.funding = Decimal(0)
        self.lines: deque[str] = deque(maxlen=MOST_LINES)
        self._takers: dict[type[Any], Callable[[Any], None]] = {
            Quote: self._quote,
            Trade: self._trade,
            Bar: self._bar,
            Mark: self._mark,
            Signal: self._signal,
            OrderUpdate: self._order,
            Fill: self._fill,
            Funding: self._funding,
            Refusal: self._refusal,
            Valuation: self._valuation,
            Holdings: self._holdings,
        }

    @property
    def events(self) -> frozenset[type[Any]]:
        """The types of event it is kept up to date by."""
        return frozenset(self._takers)

    def take(self, event: Any) -> None:
        """Take an event of any type."""
        taker = self._takers.get(type(event))
        if taker is not None:
            taker(event)

    def _row(self, symbol: str) -> Row:
        return self.rows.setdefault(symbol, Row())

    def _quote(self, quote: Quote) -> None:
        row = self._row(quote.symbol)
        row.bid, row.ask = quote.bid, quote.ask

    def _trade(self, trade: Trade) -> None:
        self._row(trade.symbol).last = trade.price

    def _bar(self, bar: Bar) -> None:
        self._row(bar.symbol).last = bar.close

    def _mark(self, mark: Mark) -> None:
        self._row(mark.symbol).mark = mark.price

    def _signal(self, signal: Signal) -> None:
        self.counts["signals"] += 1
        self._row(signal.symbol).signals[signal.strategy] = signal

    def _order(self, order: OrderUpdate) -> None:
        if order.state is OrderState.INTENT:
            self.counts["orders"] += 1

    def _fill(self, fill: Fill) -> None:
        self.counts["fills"] += 1
        self.realised += fill.realised
        self.fees += fill.fee
        row = self._row(fill.symbol)
        row.quantity, row.average_price = fill.position, fill.average_price

    def _funding(self, funding: Funding) -> None:
        self.funding += funding.amount

    def _refusal(self, _: Refusal) -> None:
        self.counts["refusals"] += 1

    def _valuation(self, valuation: Valuation) -> None:
        self.equity = valuation.equity

    def _holdings(self, holdings: Holdings) -> None:
        for held in holdings.positions:
            row = self._row(held.symbol)
            if row.quantity != held.quantity:
                # Its fill is still on its way, or was before this run.
                row.quantity, row.average_price = held.quantity, None
