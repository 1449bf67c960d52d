"""Soundness: whether a market event can be true, wherever it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

from quantmind.events import Bar, Book, FundingRate, Mark, Market, Quote, Ticker, Trade

AHEAD = 60_000_000_000
"""How far, in ns, a time may be ahead of the clock on the wall: clocks of machines differ, but not by a minute."""

_END = (1 << 63) - 1
_INFINITE = math.inf
_isfinite = math.isfinite


class Soundness:
    """Looks for figures that are none, times to come, and symbols that the recipe does not have.

    `now` is the clock (ns); None is for data of the past, whose times are their own.
    """

    def __init__(self, symbols: Collection[str], now: Callable[[], int] | None = None) -> None:
        self._symbols = frozenset(symbols)
        self._now = now
        # Made-up data may begin at 0; no clock does.
        self._first = 0 if now is None else 1

    def holds(self, events: Sequence[Market]) -> bool:
        """Say whether all of them are sound."""
        symbols, first, latest = self._symbols, self._first, self._latest()
        for event in events:
            if event.symbol not in symbols or not first <= event.ts <= latest:
                return False
            # Most events are quotes: these are looked at without a call, which would take as long again.
            if event.__class__ is not Quote:
                if not _SOUND[event.__class__](event):
                    return False
            elif not (
                0.0 < event.bid <= event.ask < _INFINITE
                and 0.0 <= event.bid_size < _INFINITE
                and 0.0 <= event.ask_size < _INFINITE
            ):
                return False
        return True

    def fault(self, event: Market) -> str:
        """Return what is wrong with an event, in a sentence; nothing where all is well."""
        if event.symbol not in self._symbols:
            return f"{event.symbol:.40} is not an instrument of the recipe"
        if event.ts < self._first:
            return f"the time of a {event.symbol} event is {event.ts} ns, before all markets"
        if event.ts > self._latest():
            return f"the time of a {event.symbol} event is {event.ts}, more than a minute ahead"
        return "" if _SOUND[event.__class__](event) else f"a figure is out of range: {event!r:.120}"

    def _latest(self) -> int:
        return _END if self._now is None else self._now() + AHEAD


def _quote(quote: Quote) -> bool:
    sizes = 0.0 <= quote.bid_size < _INFINITE and 0.0 <= quote.ask_size < _INFINITE
    return 0.0 < quote.bid <= quote.ask < _INFINITE and sizes


def _trade(trade: Trade) -> bool:
    return trade.price > 0.0 and trade.size >= 0.0 and _isfinite(trade.price + trade.size) and trade.side in {1, -1}


def _bar(bar: Bar) -> bool:
    inside = 0.0 < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high
    return inside and bar.volume >= 0.0 and _isfinite(bar.high + bar.volume) and bar.interval > 0


def _mark(mark: Mark) -> bool:
    return mark.price > 0.0 and _isfinite(mark.price)


def _funding(rate: FundingRate) -> bool:
    return abs(rate.rate) < 1.0 and rate.mark >= 0.0 and _isfinite(rate.mark)


def _book(book: Book) -> bool:
    levels = all(price > 0.0 and size >= 0.0 and _isfinite(price + size) for price, size in (*book.bids, *book.asks))
    return levels and (not book.bids or not book.asks or book.bids[0][0] <= book.asks[0][0])


def _ticker(ticker: Ticker) -> bool:
    inside = 0.0 < ticker.low <= min(ticker.open, ticker.last) and max(ticker.open, ticker.last) <= ticker.high
    sizes = ticker.volume >= 0.0 and ticker.turnover >= 0.0
    return inside and sizes and _isfinite(ticker.high + ticker.volume + ticker.turnover)


_SOUND: Mapping[type, Callable[..., bool]] = {
    Quote: _quote,
    Trade: _trade,
    Bar: _bar,
    Mark: _mark,
    FundingRate: _funding,
    Book: _book,
    Ticker: _ticker,
}
