"""The feed stage of a replay: reads the feeds, numbers every market event, and waits for the others."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from quantmind.errors import QuantMindError
from quantmind.events import Done, Ended, Market, Numbered, Upto, codec
from quantmind.pipeline import build
from quantmind.pipeline.lockstep.inbox import MOST_IN_FRAME
from quantmind.pipeline.lockstep.link import SILENCE, Link
from quantmind.pipeline.run import Running, enter
from quantmind.recipe.wiring import wire

AHEAD = 1_000
"""Events that the feed of a replay is ahead of the slowest stage at the most."""

_NOT_OPEN = -(10**12)


class FeedStage:
    """The feeds of a recipe as a process of their own."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._wiring = wire(running.recipe)
        self._feeding, self._feeds = build.feeding(running.recipe, self._wiring)
        self._peers = build.peers(running.recipe, "feed")
        # The sinks are open when their stage says so; the others are when they join.
        self._reported = {stage: _NOT_OPEN if stage == "sink" else 0 for stage in self._peers}
        self._report = asyncio.Event()
        self._link: Link | None = None

    def stop(self) -> None:
        """End the feeds; every stage then finishes what it has."""
        self._feeding.stop()
        if self._link is not None:
            self._link.stop()

    async def run(self) -> None:
        """Publish every event of the feeds, and wait until it is handled."""
        recipe = self._running.recipe
        transport = build.transport(recipe, "feed")
        async with contextlib.AsyncExitStack() as stack:
            for feed in self._feeds:
                await enter(stack, feed, f"feed {feed.name}")
            link = self._link = await stack.enter_async_context(
                Link(transport, build.identity(recipe), self._peers, self._hear)
            )
            if not await link.join():
                return
            history = await self._feeding.history()
            await self._send(link, 1 - len(history), history)
            seq = 0
            async for batch in self._feeding.batches():
                await self._send(link, seq + 1, batch)
                seq += len(batch)
            link.send("market", Ended(seq))
            await link.drained()
            await self._caught_up(link, seq)

    async def _send(self, link: Link, seq: int, events: Sequence[Market]) -> None:
        for start in range(0, len(events), MOST_IN_FRAME):
            part = tuple(events[start : start + MOST_IN_FRAME])
            await self._caught_up(link, seq + start + len(part) - 1 - AHEAD)
            link.send("market", Numbered(1, seq + start, part))
            await link.drained()

    async def _caught_up(self, link: Link, seq: int) -> None:
        """Wait until every stage has handled event `seq`."""
        since = time.monotonic()
        while (slowest := min(self._reported.values())) < seq:
            self._report.clear()
            with contextlib.suppress(TimeoutError):
                await link.wait(self._report, SILENCE)
            if min(self._reported.values()) > slowest:
                since = time.monotonic()
            elif time.monotonic() - since > SILENCE:
                stage = min(self._reported, key=lambda name: self._reported[name])
                raise QuantMindError(f"stage {stage} has been at market event {slowest} for {SILENCE:g} s")

    def _hear(self, stage: str, message: codec.Message) -> None:
        if isinstance(message, Upto | Done):
            self._reported[stage] = max(self._reported[stage], message.seq)
            self._report.set()
        elif isinstance(message, Ended):
            self._feeding.stop()
