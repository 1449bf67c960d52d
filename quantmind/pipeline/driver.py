"""The driver of one process: calls feed, execution and strategy half in the one order of steps."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, cast

from quantmind.events import Fact, Health, Incident, Market, OrderEvent, Vitals
from quantmind.metrics import EVENTS
from quantmind.pipeline.deciding import Deciding
from quantmind.pipeline.executing import Executing
from quantmind.pipeline.feeding import Feeding
from quantmind.pipeline.sinking import Sinking
from quantmind.pipeline.vigil import Vigil

SILENCE = 0.25
"""Seconds without a market event after which a live pipeline looks at the clock."""

HEARTBEAT = 1.0
"""Seconds between two looks at how the feeds are."""

_SHORTEST = 0.01


class Driver:
    """Runs a whole pipeline by direct calls."""

    def __init__(
        self,
        feeding: Feeding,
        deciding: Deciding,
        executing: Executing,
        sinking: Sinking,
        vigil: Vigil | None = None,
    ) -> None:
        self._feeding = feeding
        self._deciding = deciding
        self._executing = executing
        self._sinking = sinking
        self._vigil = vigil
        self._looked_at = 0.0
        self._health = Health(0, ())
        self.seq = 0
        """The number of market events handled."""
        self.latencies: deque[int] = deque(maxlen=100_000)
        """Market event in to its last command out, in ns, for the last events that led to commands."""

    async def run(self) -> None:
        """Handle every event of the feeds."""
        history = await self._feeding.history()
        self._deciding.warm_up(history)
        self._executing.warm_up(history)
        self._executing.trader.chronicle.silent = not (self._sinking.wants or self._deciding.decider.listens)
        self._executing.start()
        self._feeding.handled = self._executing.resumed_at
        source = self._arrivals() if self._feeding.live else self._feeding.batches()
        async with contextlib.aclosing(cast("AsyncGenerator[Sequence[Market]]", source)) as batches:
            async for batch in batches:
                if self._vigil is not None:
                    await self._look(self._vigil, bool(batch))
                events = self._handle(batch) if batch else self._pass_time(time.time_ns())
                self._executing.commit()
                count, fault = self._feeding.take_faults()
                if count and Incident in self._sinking.wants:
                    events.append(Incident("feed", time.time_ns(), "invalid", "feed", "market", count, fault[:200]))
                if events:
                    await self._sinking.write(events)
                await asyncio.sleep(0)
        self._executing.end()
        await self._sinking.write(self._executing.take_facts())

    async def _arrivals(self) -> AsyncIterator[Sequence[Market]]:
        """Yield batches as they come, and an empty one when it is time to look at the clock."""
        source = cast("AsyncGenerator[Sequence[Market]]", self._feeding.batches())
        async with contextlib.aclosing(source) as batches:
            coming = asyncio.create_task(_next(batches))
            try:
                while True:
                    due = (self._executing.next_alarm - time.time_ns()) / 1e9
                    done, _ = await asyncio.wait((coming,), timeout=min(max(due, _SHORTEST), SILENCE))
                    if not done:
                        yield ()
                        continue
                    batch = coming.result()
                    if batch is None:
                        return
                    yield batch
                    coming = asyncio.create_task(_next(batches))
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    async def _look(self, vigil: Vigil, heard: bool) -> None:
        """Stop entries while the feeds ail, and tell the sinks how they are; once a second."""
        if heard:
            vigil.heard()
        now = time.monotonic()
        if now - self._looked_at < HEARTBEAT:
            return
        self._looked_at = now
        ts, reasons, symbols = time.time_ns(), vigil.reasons(), vigil.symbols()
        told: list[Any] = []
        known = self._health
        # What changes is told once; the figures in it grow older.
        if (len(reasons), dict(symbols).keys()) != (len(known.reasons), dict(known.symbols).keys()):
            self._health = Health(ts, reasons, symbols)
            self._executing.health(self._health)
            told.append(self._health)
        if Vitals in self._sinking.wants:
            figures = (EVENTS.figure(self.seq, "all"), *vigil.figures())
            told.append(Vitals("feed", ts, os.getpid(), "ready", reasons, figures, symbols))
        if told:
            await self._sinking.write(told)

    def _pass_time(self, now: int) -> list[Any]:
        """Have done what is due while the market is silent; returns what the sinks want of it."""
        executing = self._executing
        executing.clock(now)
        told: list[Any] = list(executing.take_facts())
        upto = self._deciding.clock(self.seq, now, told)
        if upto is not None:
            executing.targeted(upto)
            # What comes of it is told with what comes next, to the strategies as well.
            told += [*upto.signals, *upto.targets]
        return told

    def _handle(self, batch: Sequence[Market]) -> list[Any]:
        """Take the four steps for each event of a batch; returns what the sinks want of it."""
        executing, decider = self._executing, self._deciding.decider
        handle, decide, decided = executing.market, self._deciding.market, executing.decided
        # Most events change a price and nothing else: for these the reducers are asked without a detour.
        note, ask, match = executing.trader.on_market, decider.on_market, executing.executor.on_market
        waiting, pending, busy_to = executing.waiting, executing.trader.chronicle.facts, executing.busy_to
        unpriced = executing.trader.unpriced
        plain, listens = not self._deciding.recorded, decider.listens
        wants, gather = self._sinking.wants, self._sinking.gather
        clock = time.perf_counter_ns
        told: list[Any] = []
        seq = self.seq
        for event in batch:
            seq += 1
            began = clock()
            facts: Sequence[Fact] = ()
            if pending or unpriced or seq <= busy_to:
                facts = handle(seq, event)
            else:
                traded: Sequence[OrderEvent] = ()
                if waiting:
                    try:
                        traded = match(seq, event)
                    except Exception as error:
                        raise executing.failure(event, error) from error
                if traded:
                    executing.traded(seq, event, traded)
                    facts = executing.priced(seq, event)
                elif commands := note(seq, event):
                    executing.perform(commands)
            if plain and not facts and event.ts <= decider.wake_at:
                upto = ask(seq, event)
            else:
                upto = decide(seq, event, facts if listens else ())
            if upto is not None and decided(upto):
                self.latencies.append(executing.commanded_at - began)
            if wants:
                gather(told, facts, event, upto)
        self.seq = seq
        return told


async def _next(batches: AsyncIterator[Sequence[Market]]) -> Sequence[Market] | None:
    """Return the next batch; None when there are no more."""
    return await anext(batches, None)
