"""Strategies: market events in, signals out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from quantmind.events import Bar, Book, Clock, Fill, FundingRate, Mark, Quote, Signal, Ticker, Trade, WakeAt
from quantmind.kinds.channel import Needs
from quantmind.kinds.component import Component, O

Signals = Signal | WakeAt | Iterable[Signal | WakeAt] | None
"""What a handler may return: nothing, a signal, a wish to be woken, or several of these."""


class Strategy(Component[O]):
    """Turns market events into signals; does no I/O, reads no clock and draws no unseeded random number.

    With `scope = "symbol"` there is one instance for each symbol of the recipe, with `"universe"` one for all.
    A handler that a subclass does not override is never called.
    """

    kind = "strategy"
    scope: ClassVar[Literal["symbol", "universe"]] = "symbol"
    """Whether each symbol has an instance of its own, or all have one."""

    def __init__(self, options: O, id: str, symbols: Sequence[str]) -> None:
        super().__init__(options)
        self.id = id
        """Its `id:` in the recipe, else its name: what its signals carry."""
        self.symbols = tuple(symbols)
        """The symbols it may signal, in the order of the recipe."""
        self.symbol = self.symbols[0]
        """The first of them: with `scope = "symbol"` the only one."""
        self.start()

    @classmethod
    def needs(cls, options: O) -> Needs:
        """Return the channels, history and facts that the strategy must be given; pure."""
        raise NotImplementedError

    def start(self) -> None:
        """Make the state the strategy begins with; called once, before any event."""

    def signal(self, direction: float, confidence: float = 1.0, symbol: str | None = None) -> Signal:
        """Make a signal for `symbol` or the first one: direction in [-1, 1] (0 is flat), confidence in [0, 1]."""
        return Signal(symbol or self.symbol, self.id, direction, confidence)

    def on_quote(self, quote: Quote) -> Signals:
        """Handle a change of the best bid or ask."""

    def on_trade(self, trade: Trade) -> Signals:
        """Handle a public trade."""

    def on_bar(self, bar: Bar) -> Signals:
        """Handle a closed bar."""

    def on_mark(self, mark: Mark) -> Signals:
        """Handle a mark price."""

    def on_funding(self, rate: FundingRate) -> Signals:
        """Handle the rate of a settlement of funding."""

    def on_book(self, book: Book) -> Signals:
        """Handle a change of the best levels of the order book."""

    def on_ticker(self, ticker: Ticker) -> Signals:
        """Handle the figures of the last 24 hours."""

    def on_fill(self, fill: Fill) -> Signals:
        """Handle a fill of the net position of one of its symbols; only called if `needs` says so."""

    def on_clock(self, clock: Clock) -> Signals:
        """Handle the time that was asked for with `WakeAt`."""
