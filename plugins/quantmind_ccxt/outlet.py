"""The outlet: events on their way to the reader, in one order, and never more than fit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from quantmind.events import Book, FundingRate, Mark, Market, Quote, Ticker
from quantmind.events.market import CHANNELS
from quantmind_ccxt.stream import Stream

_REPLACED = (Quote, Book, Mark, Ticker)
"""Events of which only the newest counts."""

_log = logging.getLogger(__name__)


class Outlet:
    """Takes events as they come and gives them out in batches; their `ts` never goes back.

    The venue's streams overtake each other by some ms, and what was fetched after a gap is older still: an event that
    comes after a later one has that one's `ts`. A reader that does not keep up loses quotes, books and marks that
    newer ones have replaced, then the oldest trades; what it loses counts as missing. Funding rates stay.
    """

    def __init__(self, most: int, streams: Mapping[tuple[str, str], Stream]) -> None:
        self._most = most
        self._streams = streams
        self._events: list[Market] = []
        self._ready = asyncio.Event()
        self._failure: BaseException | None = None
        self._ts = 0

    def give(self, event: Market) -> None:
        """Take an event."""
        if event.ts < self._ts:
            event = msgspec.structs.replace(event, ts=self._ts)
        else:
            self._ts = event.ts
        self._events.append(event)
        if len(self._events) > self._most:
            self._shed()
        self._ready.set()

    def fail(self, error: BaseException) -> None:
        """End the batches with this error."""
        self._failure = self._failure or error
        self._ready.set()

    async def batches(self) -> AsyncIterator[Sequence[Market]]:
        """Yield what has come since the last batch, as soon as something has."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            if self._events:
                batch, self._events = self._events, []
                yield batch
            if self._failure is not None:
                raise self._failure

    def _shed(self) -> None:
        before, latest = self._events, dict[tuple[type, str], Market]()
        for event in before:
            if isinstance(event, _REPLACED):
                latest[type(event), event.symbol] = event
        kept = [event for event in before if latest.get((type(event), event.symbol), event) is event]
        excess = len(kept) - self._most // 2
        if excess > 0:
            kept = [event for event in kept[:excess] if isinstance(event, FundingRate)] + kept[excess:]
        held = set(map(id, kept))
        for event in before:
            if id(event) not in held:
                self._streams[CHANNELS[type(event)], event.symbol].missing += 1
        self._events = kept
        _log.warning("ccxt: the reader does not keep up: %d events are left out", len(before) - len(kept))
