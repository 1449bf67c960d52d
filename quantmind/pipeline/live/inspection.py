"""The inspection: what comes from another process is looked at before a reducer sees it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from quantmind.events import Bar, Book, Fact, FundingRate, Mark, Market, Quote, Signal, Target, Ticker, Trade, Upto
from quantmind.recipe.model import Recipe

AHEAD = 60_000_000_000
"""How far, in ns, a time may be ahead of the clock on the wall: clocks of machines differ, but not by a minute."""

_isfinite = math.isfinite


class Inspection:
    """Says what is wrong with an event: a figure that is none, a time to come, a name that the recipe does not know.

    Each method returns a sentence, or nothing where all is well.
    """

    def __init__(self, recipe: Recipe, now: Callable[[], int] = time.time_ns) -> None:
        self._symbols = {instrument.symbol for instrument in recipe.instruments}
        self._strategies = {spec.id for spec in recipe.strategies}
        self._now = now

    def market(self, event: Market) -> str:
        """Look at a market event."""
        if event.symbol not in self._symbols:
            return f"{event.symbol:.40} is not an instrument of the recipe"
        if event.ts <= 0 or event.ts > self._now() + AHEAD:
            return f"the time of a {event.symbol} event is {event.ts}, more than a minute ahead"
        return "" if _SOUND[event.__class__](event) else f"a figure is out of range: {event!r:.120}"

    def upto(self, upto: Upto) -> str:
        """Look at signals and Targets."""
        for signal in upto.signals:
            if fault := self._signal(signal):
                return fault
        for target in upto.targets:
            if fault := self._target(target):
                return fault
        return ""

    def fact(self, fact: Fact) -> str:
        """Look at a fact; whatever it says is on record, so that only its number can be wrong."""
        return "" if fact.number > 0 else f"a fact has the number {fact.number}"

    def _signal(self, signal: Signal) -> str:
        if signal.symbol not in self._symbols or signal.strategy not in self._strategies:
            return f"a signal of {signal.strategy:.40} for {signal.symbol:.40}: the recipe has no such"
        if not (-1.0 <= signal.direction <= 1.0 and 0.0 <= signal.confidence <= 1.0):
            return f"a signal of {signal.strategy} is out of range: {signal.direction}, {signal.confidence}"
        return self._late(signal.ts)

    def _target(self, target: Target) -> str:
        if target.symbol not in self._symbols:
            return f"{target.symbol:.40} is not an instrument of the recipe"
        unknown = [share.strategy for share in target.shares if share.strategy not in self._strategies]
        if unknown:
            return f"a Target for {target.symbol} has shares of {unknown[0]:.40}, which the recipe does not have"
        if not all(-1 <= value <= 1 for value in (target.value, *(share.value for share in target.shares))):
            return f"a Target for {target.symbol} is {target.value}; it must be in [-1, 1]"
        return self._late(target.ts)

    def _late(self, ts: int) -> str:
        return f"its time {ts} is more than a minute ahead" if ts > self._now() + AHEAD else ""


def _quote(quote: Quote) -> bool:
    sizes = quote.bid_size >= 0.0 and quote.ask_size >= 0.0 and _isfinite(quote.bid_size + quote.ask_size)
    return 0.0 < quote.bid <= quote.ask and _isfinite(quote.ask) and sizes


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
