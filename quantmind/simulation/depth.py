"""Depth: what one market event offers to trade against."""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan

from quantmind.events import Book, Quote, Trade
from quantmind.market.instruments import Instrument


class Depth:
    """Levels of [price, size to be had, size shown] on both sides.

    What one order takes is gone for the next order of the same event.
    """

    __slots__ = ("asks", "bids")

    def __init__(self, bids: list[list[float]], asks: list[list[float]]) -> None:
        self.bids = bids
        self.asks = asks

    @classmethod
    def of(cls, event: Quote | Book | Trade, partial: bool) -> Depth:
        """Read an event; a size of 0 is not known and counts as any size, like all sizes without `partial`."""
        if isinstance(event, Quote):
            return cls(_levels([(event.bid, event.bid_size)], partial), _levels([(event.ask, event.ask_size)], partial))
        if isinstance(event, Trade):
            return cls.at(event.price, event.size if partial and event.size > 0 else inf, event.size)
        return cls(_levels(event.bids, partial), _levels(event.asks, partial))

    @classmethod
    def at(cls, price: float, size: float = inf, shown: float = inf) -> Depth:
        """Offer one size at one price to both sides together."""
        both = [[price, size, shown]] if price > 0 else []
        return cls(both, both)

    def move(self, price: float) -> None:
        """Offer what is left at another price."""
        if self.bids:
            self.bids[0][0] = price

    def best(self, buys: bool) -> float:
        """Return the price that a buyer or a seller would get; not a number where there is none."""
        levels = self.asks if buys else self.bids
        return levels[0][0] if levels else nan

    def size(self, buys: bool) -> float:
        """Return the size to be had at the best price."""
        levels = self.asks if buys else self.bids
        return levels[0][1] if levels else 0.0

    def take(
        self, instrument: Instrument, buys: bool, wanted: Decimal, limit: float = nan, whole: bool = False
    ) -> list[tuple[float, Decimal, float]]:
        """Take up to a quantity, level by level up to a limit; with `whole` all of it or nothing.

        Returns price, quantity and the size shown of each part.
        """
        taken: list[tuple[float, Decimal, float]] = []
        levels = self.asks if buys else self.bids
        for price, size, shown in levels:
            if not wanted or (price > limit if buys else price < limit):
                break
            part = wanted if float(wanted) <= size else instrument.quantity(Decimal(repr(size)))
            if part:
                taken.append((price, part, shown))
                wanted -= part
        if whole and wanted:
            return []
        for price, part, _ in taken:
            for level in levels:
                if level[0] == price and level[1] < inf:
                    level[1] = float(Decimal(repr(level[1])) - part)
        return taken


def _levels(shown: tuple[tuple[float, float], ...] | list[tuple[float, float]], partial: bool) -> list[list[float]]:
    levels = [[price, size if partial and size > 0 else inf, size] for price, size in shown if price > 0]
    return levels if partial else levels[:1]
