"""Channels: what a feed offers of an instrument, and what a component needs of it."""

from __future__ import annotations

from typing import Self

import msgspec

from quantmind.events.market import CHANNELS, Bar, ChannelKind, Market
from quantmind.kinds.options import format_duration


class Channel(msgspec.Struct, frozen=True, order=True):
    """A `kind` of market event; for bars their `interval` in ns, for the others 0."""

    kind: ChannelKind
    interval: int = 0

    @classmethod
    def of(cls, event: Market) -> Self:
        """Return the channel that an event comes by."""
        return cls(CHANNELS[event.__class__], event.interval if isinstance(event, Bar) else 0)

    def __str__(self) -> str:
        """Write it as a recipe's reader would: `bars of 1m`, `quotes`."""
        if self.kind == "bar":
            return f"bars of {format_duration(self.interval)}"
        return "funding rates" if self.kind == "funding" else f"{self.kind}s"


QUOTES = Channel("quote")
"""The best bid and ask, each change of them."""
TRADES = Channel("trade")
"""What is traded, each trade of anybody."""
MARKS = Channel("mark")
"""The venue's mark price, each time it is told."""
FUNDING = Channel("funding")
"""The rates that funding is settled at."""
BOOKS = Channel("book")
"""The best levels of the order book."""
TICKERS = Channel("ticker")
"""The figures of the last 24 hours."""


def bars(interval: int) -> Channel:
    """Return the channel of bars of `interval` ns."""
    return Channel("bar", interval)


class Needs(msgspec.Struct, frozen=True):
    """What a component must be given: `channels` of each of its symbols (in any order), history to warm up, facts.

    `history` counts the events of each channel wanted before the first live one: a recursive indicator wants
    10 times its period. `fills` and `positions` ask for the facts of execution: the Decider then waits for them.
    """

    channels: tuple[Channel, ...] = ()
    history: int = 0
    fills: bool = False
    positions: bool = False
