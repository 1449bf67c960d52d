"""Feeds: where market events come from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import ClassVar

from quantmind.events import Figure, Market, Trade
from quantmind.kinds.channel import Channel
from quantmind.kinds.component import Component, O
from quantmind.market.instruments import Instrument


class Feed(Component[O]):
    """A source of market events, in batches ordered by (ts, shorter interval, order in the recipe).

    `live` feeds are never waited for; the others are replayed, and nothing of them is dropped.
    """

    kind = "feed"
    live: ClassVar[bool] = False
    """Whether it is of now: then nobody makes it wait."""

    @classmethod
    def runs_live(cls, options: O) -> bool:  # noqa: ARG003 - most feeds are one or the other
        """Say whether the feed is live with these options; pure."""
        return cls.live

    def __init__(self, options: O, instruments: Sequence[Instrument]) -> None:
        super().__init__(options)
        self.instruments = tuple(instruments)
        """What it gives events of, in the order of the recipe."""
        self.wanted: Mapping[str, frozenset[Channel]] = {}
        """The channels per symbol that somebody needs; set before `open`."""

    @classmethod
    def offers(cls, options: O, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Return the channels per symbol that this feed can give; pure, so that lint may ask."""
        raise NotImplementedError

    @classmethod
    def venue(cls, options: O) -> str:  # noqa: ARG003 - most feeds know one venue or none
        """Return the name of the venue that the events are of, by which they are stored; pure."""
        return cls.name

    @property
    def speed(self) -> float | None:
        """How many times real time a replay runs; None is as fast as possible (and for a live feed)."""
        return None

    def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield batches of market events until there are no more."""
        raise NotImplementedError

    def figures(self) -> Iterable[Figure]:
        """Return the metrics of its streams as they are now, in any order; asked about once a second while live."""
        return ()

    def ailments(self) -> Mapping[str, str]:
        """Return why nothing must be entered now, by symbol, and under "" what concerns all of them.

        Asked about once a second while it is live: it costs next to nothing.
        """
        return {}

    async def since(self, symbol: str, ts: int) -> Sequence[Trade]:  # noqa: ARG002 - most feeds begin with themselves
        """Return, in order, what was traded from `ts` (ns UTC) until `events` begins; none where nobody can say.

        Asked of a live feed after `history` and before `events`, for the bars that are open now: trades may stand for
        several, with the same prices and sizes.
        """
        return ()

    async def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:  # noqa: ARG002
        """Return up to `count` events from before the first one of `events`, in order; none where there are none."""
        return ()
