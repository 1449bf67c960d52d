"""Channels: what a feed offers of an instrument, and what a component needs of it."""

from __future__ import annotations

import msgspec

from quantmind.events.market import ChannelKind
from quantmind.kinds.options import format_duration


class Channel(msgspec.Struct, frozen=True, order=True):
    """A kind of market event; a bar's has an interval (ns)."""

    kind: ChannelKind
    interval: int = 0

    def __str__(self) -> str:
        """Write it as a recipe's reader would: `bars of 1m`, `quotes`."""
        if self.kind == "bar":
            return f"bars of {format_duration(self.interval)}"
        return "funding rates" if self.kind == "funding" else f"{self.kind}s"


QUOTES = Channel("quote")
TRADES = Channel("trade")
MARKS = Channel("mark")
FUNDING = Channel("funding")
BOOKS = Channel("book")
TICKERS = Channel("ticker")


def bars(interval: int) -> Channel:
    """Return the channel of bars of `interval` ns."""
    return Channel("bar", interval)


class Needs(msgspec.Struct, frozen=True):
    """What a component must be given: channels of each of its symbols, history to warm up, facts.

    `history` counts the events of each channel wanted before the first live one: a recursive indicator wants
    10 times its period. `fills` and `positions` ask for the facts of execution: the Decider then waits for them.
    """

    channels: tuple[Channel, ...] = ()
    history: int = 0
    fills: bool = False
    positions: bool = False
