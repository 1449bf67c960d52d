"""A stream: one channel of one symbol, what came of it, and how much of it is known to be there."""

from __future__ import annotations

import time
from collections.abc import Iterator

from quantmind.events import Figure
from quantmind.events.market import ChannelKind
from quantmind.metrics import (
    STREAM_AGE,
    STREAM_BACKFILLED,
    STREAM_COMPLETENESS,
    STREAM_DUPLICATES,
    STREAM_EVENTS,
    STREAM_GAPS,
    STREAM_LAG,
    STREAM_MISSING,
    STREAM_PROVEN,
)

STEADY = frozenset({"quote", "book", "mark", "funding"})
"""Channels that are never silent for long while all is well; trades may be."""

UNKNOWN = -1
"""The venue gives nothing to tell it by."""


class Stream:
    """Counts of one channel of one symbol; whoever handles its messages keeps them."""

    __slots__ = (
        "backfilled",
        "channel",
        "duplicates",
        "events",
        "gaps",
        "heard",
        "lag",
        "lost_span",
        "missing",
        "proven",
        "span",
        "symbol",
    )

    def __init__(self, channel: ChannelKind, symbol: str, proven: int = UNKNOWN) -> None:
        self.channel: ChannelKind = channel
        self.symbol = symbol
        self.events = self.gaps = self.missing = self.backfilled = self.duplicates = 0
        self.proven = proven
        self.heard = time.time_ns()
        """When the last message came (ns), by our clock; the start before the first one."""
        self.lag = 0
        """How long (ns) the last event was on its way, by both clocks as they are."""
        self.span = self.lost_span = 0
        """Where one message has many numbers: how many went by, and how many of them were lost."""

    @property
    def age(self) -> float:
        """Seconds since anything came."""
        return max(0.0, (time.time_ns() - self.heard) / 1e9)

    @property
    def completeness(self) -> float | None:
        """What came of what there was by the venue's numbers; None where they do not tell."""
        if self.span:
            return 1 - self.lost_span / self.span
        if self.channel == "trade" and self.proven != UNKNOWN and self.events + self.missing:
            return self.events / (self.events + self.missing)
        return None

    def figures(self, offset: int) -> Iterator[Figure]:
        """Yield the metrics as they are now; `offset` (ns) is how far the venue's clock is ahead."""
        labels = self.channel, self.symbol
        yield STREAM_EVENTS.figure(self.events, *labels)
        yield STREAM_AGE.figure(self.age, *labels)
        yield STREAM_GAPS.figure(self.gaps, *labels)
        yield STREAM_MISSING.figure(self.missing, *labels)
        yield STREAM_BACKFILLED.figure(self.backfilled, *labels)
        yield STREAM_DUPLICATES.figure(self.duplicates, *labels)
        yield STREAM_PROVEN.figure(self.proven, *labels)
        if self.events:
            yield STREAM_LAG.figure((self.lag + offset) / 1e9, *labels)
        completeness = self.completeness
        if completeness is not None:
            yield STREAM_COMPLETENESS.figure(completeness, *labels)
