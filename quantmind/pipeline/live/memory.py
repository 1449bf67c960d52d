"""The memory of a live feed stage: what other stages warm up with when they start again."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

from quantmind.events import Bar, Market, MarketEvent
from quantmind.events.market import CHANNELS
from quantmind.kinds import Channel

Key = tuple[str, str, int]
"""The symbol, the kind of channel, and a bar's interval."""


def key(event: Market) -> Key:
    """Return the channel of an event."""
    return (event.symbol, CHANNELS[event.__class__], event.interval if event.__class__ is Bar else 0)


def keys(history: Mapping[tuple[str, Channel], int]) -> dict[Key, int]:
    """Return how many events of each channel are asked for, as far as any are."""
    return {(symbol, channel.kind, channel.interval): count for (symbol, channel), count in history.items() if count}


def kinds(asked: Collection[Key]) -> set[type[MarketEvent]]:
    """Return the types of event that belong to channels: most others are told by it alone."""
    return {kind for kind, channel in CHANNELS.items() if any(k[1] == channel for k in asked)}


class Memory:
    """The last events of each channel that somebody warms up with."""

    def __init__(self, history: Mapping[tuple[str, Channel], int]) -> None:
        self._kept: dict[Key, deque[tuple[int, Market]]] = {k: deque(maxlen=n) for k, n in keys(history).items()}
        self._kinds = kinds(self._kept)
        self._count = 0

    def note(self, event: Market) -> None:
        """Remember an event, if it is asked for."""
        if event.__class__ in self._kinds and (kept := self._kept.get(key(event))) is not None:
            self._count += 1
            kept.append((self._count, event))

    def events(self) -> list[Market]:
        """Return what is remembered, in the order in which it came."""
        return [event for _, event in sorted((item for kept in self._kept.values() for item in kept), key=_place)]


def _place(item: tuple[int, Market]) -> int:
    return item[0]
