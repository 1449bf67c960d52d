"""Runs the feeds of a recipe, and puts every market event that they give out into a store."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec

from quantmind.data.store import Store, Stream, Writer
from quantmind.errors import QuantMindError
from quantmind.events import Market
from quantmind.kinds import Channel, Feed
from quantmind.metrics import RECONNECTS, STREAM_DUPLICATES, STREAM_GAPS, STREAM_MISSING
from quantmind.pipeline import build
from quantmind.pipeline.feeding import Feeding
from quantmind.pipeline.notify import attended
from quantmind.pipeline.run import enter
from quantmind.recipe.model import Recipe
from quantmind.recipe.wiring import Wiring, wire

_LOOK = 0.25
"""Seconds between two looks at what is due."""

_MOST_AHEAD = 200_000
"""A replay waits while so many events are not on the disk."""

_TOLD = (STREAM_GAPS, STREAM_MISSING, STREAM_DUPLICATES, RECONNECTS)


class Outcome(msgspec.Struct, frozen=True):
    """What was recorded."""

    folder: Path
    seconds: float
    counts: Mapping[Stream, int]
    notes: Sequence[str]

    @property
    def events(self) -> int:
        """How many events are in the store."""
        return Counter(self.counts).total()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "store": str(self.folder),
            "seconds": round(self.seconds, 3),
            "events": self.events,
            "streams": [
                {"venue": s.venue, "channel": s.path.parts[1].partition("=")[2], "symbol": s.symbol, "events": count}
                for s, count in self.counts.items()
            ],
            "notes": list(self.notes),
        }


class Storing:
    """One recording: until the feeds end, its time is over, or it is stopped."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        *,
        channels: Sequence[Channel] | None = None,
        seconds: float | None = None,
        flush: float = 60.0,
        progress: TextIO | None = None,
    ) -> None:
        self._folder = folder.expanduser()
        self._flush = flush
        self._seconds = seconds
        self._progress = progress
        self._counts: Counter[tuple[str, str, Channel]] = Counter()
        self._events = 0
        wiring = wire(recipe)
        _, feeds = build.feeding(recipe, wiring)
        symbols = [instrument.symbol for instrument in recipe.instruments]
        if channels is not None:
            _offer_all(recipe, feeds, symbols, channels)
        self._feeds = [feed for feed in feeds if any(feed.wanted.values())]
        if not self._feeds:
            raise QuantMindError(f"{recipe.file}: no feed offers any of these channels")
        self._feedings = [Feeding([feed], _alone(wiring, feed), symbols) for feed in self._feeds]

    def stop(self) -> None:
        """End after the events at hand."""
        for feeding in self._feedings:
            feeding.stop()

    async def run(self) -> Outcome:
        """Record, and return what is in the store now.

        Raises:
            QuantMindError: a feed failed, or the store cannot be written; what was written stays.
        """
        began = time.monotonic()
        async with contextlib.AsyncExitStack() as stack:
            writer = await asyncio.to_thread(Writer, self._folder, seconds=self._flush)
            try:
                for feed in self._feeds:
                    await enter(stack, feed, f"feed {feed.name}")
                await stack.enter_async_context(attended(lambda: (self._events, 0)))
                await self._record(writer)
                notes = [note for feed in self._feeds for note in _notes(feed)]
            finally:
                await asyncio.to_thread(writer.close)
        counts = {
            Stream(venue, channel, symbol): count for (venue, symbol, channel), count in sorted(self._counts.items())
        }
        return Outcome(self._folder, time.monotonic() - began, counts, [*notes, *self._flaws(counts)])

    async def _record(self, writer: Writer) -> None:
        """Take events until all feeds end; the first failure ends all."""
        taking = [
            asyncio.create_task(self._take(writer, feed, feeding))
            for feed, feeding in zip(self._feeds, self._feedings, strict=True)
        ]
        attending = [asyncio.create_task(self._attend(writer)), asyncio.create_task(self._end_in_time())]
        if self._progress is not None:
            attending.append(asyncio.create_task(self._show(writer, self._progress)))
        try:
            left: set[asyncio.Task[None]] = set(taking)
            while left:
                done, _ = await asyncio.wait({*left, *attending}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                    left.discard(task)
                attending = [task for task in attending if task not in done]
        finally:
            self.stop()
            # A write that has begun goes on in its thread: the writer waits for it when it closes.
            for task in (*taking, *attending):
                task.cancel()
            await asyncio.gather(*taking, *attending, return_exceptions=True)

    async def _take(self, writer: Writer, feed: Feed[Any], feeding: Feeding) -> None:
        venue = type(feed).venue(feed.options)
        async for batch in feeding.batches():
            writer.take(venue, batch)
            self._events += len(batch)
            self._count(venue, batch)
            while not feeding.live and writer.waiting > _MOST_AHEAD:
                await asyncio.to_thread(writer.flush)
            # A replay as fast as possible never waits for anything: others must have their turn.
            await asyncio.sleep(0)

    def _count(self, venue: str, batch: Sequence[Market]) -> None:
        kinds = Counter([(event.symbol, event.__class__, getattr(event, "interval", 0)) for event in batch])
        if len(kinds) == 1:
            self._counts[venue, batch[0].symbol, Channel.of(batch[0])] += len(batch)
            return
        first = {(event.symbol, event.__class__, getattr(event, "interval", 0)): event for event in reversed(batch)}
        for key, count in kinds.items():
            self._counts[venue, key[0], Channel.of(first[key])] += count

    async def _attend(self, writer: Writer) -> None:
        """Write what is due, and make one file of each day that is over."""
        while True:
            await asyncio.sleep(_LOOK)
            await asyncio.to_thread(writer.settle)
            if ended := writer.over():
                await asyncio.to_thread(writer.compact, ended)

    async def _end_in_time(self) -> None:
        if self._seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(self._seconds)
            self.stop()

    async def _show(self, writer: Writer, output: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        began, before, at = time.monotonic(), 0, time.monotonic()
        with Live(console=Console(file=output), auto_refresh=False, transient=True) as live:
            while True:
                await asyncio.sleep(_LOOK * 2)
                now, events = time.monotonic(), self._events
                rate = (events - before) / (now - at)
                before, at = events, now
                text = f"{now - began:,.0f} s  {events:,} events  {rate:,.0f}/s  {writer.written:,} on the disk"
                live.update(Text(text), refresh=True)

    def _flaws(self, counts: Mapping[Stream, int]) -> Iterator[str]:
        """Say what the store knows to lack of what was recorded, and to have twice."""
        store = Store(self._folder)
        for stream in counts:
            for day in store.days(stream)[-1:]:
                manifest = store.manifest(stream, day)
                if manifest.missing:
                    yield f"{stream}: {manifest.missing:,} lack in {manifest.gap_count:,} gaps of its last day"
                if manifest.duplicates:
                    yield (
                        f"{stream}: {manifest.duplicates:,} came twice on its last day: was it recorded before? "
                        "`quantmind data check` tells more"
                    )


def _offer_all(recipe: Recipe, feeds: Sequence[Feed[Any]], symbols: Sequence[str], channels: Sequence[Channel]) -> None:
    """Want all that is offered of some channels, each of the first feed that has it; bars without an interval are any.

    Raises:
        QuantMindError: no feed offers one of them.
    """
    kinds = {channel.kind for channel in channels if channel.kind != "bar" or not channel.interval}
    taken: set[tuple[str, Channel]] = set()
    for feed in feeds:
        offer = type(feed).offers(feed.options, symbols)
        wanted = {
            symbol: frozenset(
                channel
                for channel in offer.get(symbol, ())
                if (channel in channels or channel.kind in kinds) and (symbol, channel) not in taken
            )
            for symbol in symbols
        }
        taken |= {(symbol, channel) for symbol, some in wanted.items() for channel in some}
        feed.wanted = {symbol: some for symbol, some in wanted.items() if some}
    for channel in channels:
        if not any(of == channel or (of.kind == channel.kind and not channel.interval) for _, of in taken):
            offers = sorted(
                {str(c) for f in feeds for some in type(f).offers(f.options, symbols).values() for c in some}
            )
            what = "bars" if channel == Channel("bar") else str(channel)
            built = "; bars are built of recorded trades when the store is played" if channel.kind == "bar" else ""
            raise QuantMindError(
                f"{recipe.file}: no feed offers {what}; they offer {', '.join(offers) or 'nothing'}: "
                f"leave it out of --channels{built}"
            )


def _alone(wiring: Wiring, feed: Feed[Any]) -> Wiring:
    """Return the wiring of one feed of which nothing is built."""
    return msgspec.structs.replace(wiring, wanted=(feed.wanted,), built=(), history={}, rule_history={})


def _notes(feed: Feed[Any]) -> Iterator[str]:
    """Say what the feed knows to have gone wrong."""
    told = {metric.name: metric for metric in _TOLD}
    for figure in feed.figures():
        if figure.name in told and figure.value:
            yield f"{feed.name}: {figure.name} {' '.join(figure.labels)} {figure.value:g}"
