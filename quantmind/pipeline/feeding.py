"""The feed half of a pipeline: merges the feeds, builds bars once, numbers nothing twice, keeps the pace."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Any

from quantmind.data.precedence import Precedence
from quantmind.errors import ComponentError, RecipeError
from quantmind.events import Bar, Market
from quantmind.kinds.channel import TRADES, bars
from quantmind.kinds.feed import Feed
from quantmind.market.bars import NEVER, BarBuilder
from quantmind.pipeline.delivery import batches_of, speed_of, told_of
from quantmind.pipeline.soundness import Soundness
from quantmind.recipe.wiring import Wiring

MOST_AT_ONCE = 10_000
"""Events in one batch at the most: a stop or a sink waits no longer than these take."""

MOST_WAITING = 2
"""Batches of live feeds that wait for a slow reader at the most."""

_log = logging.getLogger(__name__)


class Feeding:
    """One ordered stream of market events out of all feeds of a recipe.

    Several feeds are merged by their `Precedence`: of one moment marks, quotes and trades, then bars, then funding
    rates. A built bar comes after every event of its closing time, funding too, and before the first one after it.
    Live feeds come as they arrive. What cannot be true is left out, and told.

    Raises:
        RecipeError: replayed and live feeds, or two speeds, are mixed.
    """

    def __init__(self, feeds: Sequence[Feed[Any]], wiring: Wiring, symbols: Sequence[str]) -> None:
        self._feeds = tuple(feeds)
        self._wiring = wiring
        self._key = Precedence(symbols).key
        self._builder = BarBuilder(wiring.built)
        self._stretch = MOST_AT_ONCE * min((built.interval for built in wiring.built), default=0)
        self._stopping = asyncio.Event()
        self._left_out = self._told = 0
        self._fault = ""
        self.live = any(feed.runs_live(feed.options) for feed in feeds)
        speeds = {speed_of(feed) for feed in feeds}
        if self.live and not all(feed.runs_live(feed.options) for feed in feeds):
            raise RecipeError("feeds: a live feed and a replayed one cannot be mixed: their times differ")
        if len(speeds) > 1:
            raise RecipeError(f"feeds: all feeds of a recipe run at one speed, not at {_listed(speeds)}")
        (self.speed,) = speeds
        # A venue may have a clock of its own, also one that runs faster; stages look at times, as theirs must agree.
        self._soundness = Soundness(symbols)
        self._ends: dict[tuple[str, int], int] = {}
        """When the last bar of the history of each built one closed, live."""
        self.handled = 0
        """The events that were handled before an interruption; they come again as fast as possible."""

    def stop(self) -> None:
        """Give out no more than the batch at hand."""
        self._stopping.set()

    def take_faults(self) -> tuple[int, str]:
        """Return how many events were left out since this was last asked, and what was wrong with the last one."""
        count, self._told = self._left_out - self._told, self._left_out
        return count, self._fault

    async def history(self) -> list[Market]:
        """Return what the strategies warm up with, in order; those events are numbered up to 0.

        Bars that are built live have a past, too: whoever gives what they are built from is asked for it.
        """
        events: list[Market] = []
        sources = {(built.symbol, bars(built.interval)): built.source for built in self._wiring.built if self.live}
        for (symbol, channel), count in self._wiring.history.items():
            for feed, wanted in zip(self._feeds, self._wiring.wanted, strict=True):
                if count and sources.get((symbol, channel), channel) in wanted.get(symbol, ()):
                    past = self._sound(feed, await told_of(feed, "history", feed.history(symbol, channel, count)))
                    events.extend(past)
                    if past and (symbol, channel) in sources:
                        self._ends[symbol, channel.interval] = past[-1].ts
        return sorted(events, key=self._key)

    async def batches(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the events from the first one on, in batches; a live one is empty when all of it was left out."""
        async with contextlib.AsyncExitStack() as stack:
            merged = self._arrivals() if self.live else self._merged()
            stack.push_async_callback(merged.aclose)
            if self._wiring.built:
                merged = self._with_bars(merged)
                stack.push_async_callback(merged.aclose)
            if self.speed is not None and not self.live:
                merged = self._paced(merged, self.speed)
                stack.push_async_callback(merged.aclose)
            async for batch in merged:
                if batch or (self.live and self._left_out > self._told):
                    yield batch
                if self._stopping.is_set():
                    return

    async def _batches_of(self, feed: Feed[Any]) -> AsyncIterator[Sequence[Market]]:
        async for batch in batches_of(feed):
            yield self._sound(feed, batch)

    def _sound(self, feed: Feed[Any], events: Sequence[Market]) -> Sequence[Market]:
        """Return those of a feed's events that can be true."""
        if self._soundness.holds(events):
            return events
        sound = []
        for event in events:
            fault = self._soundness.fault(event)
            if not fault:
                sound.append(event)
                continue
            self._left_out += 1
            self._fault = f"feed {feed.name}: {fault}"
            # Of very many a few are told: the 1st, 2nd, 4th, 8th ...
            if self._left_out & (self._left_out - 1) == 0:
                _log.warning("%s; left out, %d so far", self._fault, self._left_out)
        return sound

    async def _merged(self) -> AsyncGenerator[Sequence[Market], None]:
        if len(self._feeds) == 1:
            async for batch in self._batches_of(self._feeds[0]):
                for part in _parts(batch):
                    yield part
            return
        sources = [self._batches_of(feed) for feed in self._feeds]
        waiting: list[list[Market]] = [[] for _ in sources]
        ended = [False] * len(sources)
        while True:
            horizon = await self._horizon(sources, waiting, ended)
            ready: list[Market] = []
            for events in waiting:
                count = len(events)
                if horizon is not None:
                    count = next((i for i, event in enumerate(events) if event.ts >= horizon), count)
                ready.extend(events[:count])
                del events[:count]
            ready.sort(key=self._key)
            for part in _parts(ready):
                yield part
            if horizon is None:
                return

    async def _horizon(
        self, sources: list[AsyncIterator[Sequence[Market]]], waiting: list[list[Market]], ended: list[bool]
    ) -> int | None:
        """Read on until something lies before the time up to which every feed is known; None at the end."""
        while True:
            for index, source in enumerate(sources):
                while not waiting[index] and not ended[index]:
                    await self._read(index, source, waiting, ended)
            known = [(waiting[index][-1].ts, index) for index in range(len(sources)) if not ended[index]]
            if not known:
                return None
            horizon, behind = min(known)
            if any(events and events[0].ts < horizon for events in waiting):
                return horizon
            await self._read(behind, sources[behind], waiting, ended)

    async def _read(
        self,
        index: int,
        source: AsyncIterator[Sequence[Market]],
        waiting: list[list[Market]],
        ended: list[bool],
    ) -> None:
        try:
            waiting[index].extend(await anext(source))
        except StopAsyncIteration:
            ended[index] = True

    async def _arrivals(self) -> AsyncGenerator[Sequence[Market], None]:
        """Yield the batches of live feeds as they come, until all of them end or the run stops.

        A feed is not read from while the last ones wait: what it leaves out then, it knows best.
        """
        arrived: asyncio.Queue[Sequence[Market] | ComponentError | None] = asyncio.Queue(MOST_WAITING)

        async def listen(feed: Feed[Any]) -> None:
            try:
                async for batch in self._batches_of(feed):
                    await arrived.put(batch)
            except ComponentError as error:
                await arrived.put(error)
            else:
                await arrived.put(None)

        async def stopped() -> None:
            await self._stopping.wait()
            await arrived.put(None)

        tasks = [asyncio.create_task(listen(feed)) for feed in self._feeds]
        tasks.append(asyncio.create_task(stopped()))
        listening = len(self._feeds)
        try:
            while listening and not self._stopping.is_set():
                item = await arrived.get()
                if item is None:
                    listening -= 1
                elif isinstance(item, ComponentError):
                    raise item
                else:
                    yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _with_bars(self, merged: AsyncIterator[Sequence[Market]]) -> AsyncGenerator[Sequence[Market], None]:
        builder = self._builder
        last = 0
        if opening := await self._open_bars():
            yield opening
        async for batch in merged:
            events: list[Market] = []
            for event in batch:
                while event.ts > builder.due:
                    # After a long silence many bars are empty: they must not fill the memory, nor hold up a stop.
                    events.extend(builder.close(min(event.ts, builder.due + self._stretch)))
                    if len(events) > MOST_AT_ONCE:
                        yield events
                        events = []
                builder.add(event)
                events.append(event)
            if batch:
                last = batch[-1].ts
            yield events
        if not self._stopping.is_set():
            yield builder.flush(last)

    async def _open_bars(self) -> list[Market]:
        """Let the bars that are open now begin where their history ends; returns those that have closed since."""
        builder, closed = self._builder, list[Bar]()
        for symbol in dict.fromkeys(symbol for symbol, _ in self._ends):
            since = min(end for (of, _), end in self._ends.items() if of == symbol)
            for feed, wanted in zip(self._feeds, self._wiring.wanted, strict=True):
                if TRADES not in wanted.get(symbol, ()):
                    continue
                if trades := self._sound(feed, await told_of(feed, "since", feed.since(symbol, since))):
                    builder.begin(symbol, since)
                    for trade in trades:
                        builder.add(trade)
                    closed += builder.close(trades[-1].ts)
                    break
        # What history has told is not told again.
        return [bar for bar in closed if bar.ts > self._ends.get((bar.symbol, bar.interval), NEVER)]

    async def _paced(
        self, merged: AsyncIterator[Sequence[Market]], speed: float
    ) -> AsyncGenerator[Sequence[Market], None]:
        """Let event time pass `speed` times as fast as the clock on the wall."""
        began: float | None = None
        first = seq = 0
        async for batch in merged:
            given = 0
            for index, event in enumerate(batch):
                seq += 1
                if seq <= self.handled:
                    continue
                if began is None:
                    began, first = time.monotonic(), event.ts
                due = began + (event.ts - first) / 1e9 / speed
                if due > time.monotonic():
                    if index > given:
                        yield batch[given:index]
                        given = index
                    if await self._stopped_before(due):
                        return
            yield batch[given:]

    async def _stopped_before(self, due: float) -> bool:
        delay = due - time.monotonic()
        if delay > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
        return self._stopping.is_set()


def _parts(events: Sequence[Market]) -> Iterator[Sequence[Market]]:
    for start in range(0, len(events), MOST_AT_ONCE):
        yield events[start : start + MOST_AT_ONCE]


def _listed(speeds: set[float | None]) -> str:
    return " and ".join(sorted("max" if speed is None else f"{speed:g}" for speed in speeds))
