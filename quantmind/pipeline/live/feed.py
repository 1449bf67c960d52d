"""The feed stage of a live pipeline: publishes what the feeds say, and remembers what others warm up with."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from quantmind.events import Ended, Figure, History, HistoryWanted, Incident, Market, Numbered, codec
from quantmind.events.market import CHANNELS
from quantmind.kinds.transport import Topic
from quantmind.metrics import EVENTS, LAG
from quantmind.pipeline import build
from quantmind.pipeline.live.member import Member
from quantmind.pipeline.live.memory import Memory
from quantmind.pipeline.run import Running, enter
from quantmind.pipeline.vigil import Vigil
from quantmind.recipe.wiring import wire

MOST_IN_FRAME = 200
"""Market events in one frame at the most."""


class FeedStage:
    """The feeds of a recipe as a process of their own; each start numbers its events from 1 on, in a new epoch."""

    topics: Collection[Topic] = frozenset[Topic]({"operations"})

    def __init__(self, running: Running) -> None:
        self._running = running
        self._wiring = wire(running.recipe)
        self._feeding, self._feeds = build.feeding(running.recipe, self._wiring)
        self._memory = Memory(self._wiring.history)
        self._epoch = time.time_ns() // 1_000_000
        self._seq = 0
        self._counts: Counter[str] = Counter()
        self._lag = 0.0
        self._vigil = Vigil(self._feeds, self._wiring, running.recipe.max_age)
        self._member: Member | None = None
        self._stopped = False

    def stop(self) -> None:
        """End after the events at hand."""
        self._stopped = True
        self._feeding.stop()
        if self._member is not None:
            self._member.finish()

    async def run(self) -> None:
        """Publish every event of the feeds until they end, or this stage is stopped."""
        async with contextlib.AsyncExitStack() as stack:
            for feed in self._feeds:
                await enter(stack, feed, f"feed {feed.name}")
            for event in await self._feeding.history():
                self._memory.note(event)
            member = self._member = Member(self._running.recipe, "feed", self, symbols=self._vigil.symbols)
            await stack.enter_async_context(member)
            member.ready()
            publishing = asyncio.create_task(self._publish(member))
            try:
                if not self._stopped:
                    await member.finished()
            finally:
                publishing.cancel()
                await asyncio.gather(publishing, return_exceptions=True)

    async def _publish(self, member: Member) -> None:
        try:
            async for batch in self._feeding.batches():
                self._send(member, batch)
                count, fault = self._feeding.take_faults()
                if count:
                    member.tell("invalid", "feed", "market", count, fault)
            if not self._stopped:
                member.send("market", Ended(self._seq))
            await member.bus.transport.drained()
        except Exception as error:  # noqa: BLE001 - it ends the stage
            member.finish(error)
        else:
            member.finish()

    def _send(self, member: Member, events: Sequence[Market]) -> None:
        note, counts = self._memory.note, self._counts
        for start in range(0, len(events), MOST_IN_FRAME):
            part = tuple(events[start : start + MOST_IN_FRAME])
            member.send("market", Numbered(self._epoch, self._seq + 1, part))
            self._seq += len(part)
            for event in part:
                note(event)
                counts[CHANNELS[event.__class__]] += 1
        if events:
            self._vigil.heard()
            self._lag = (time.time_ns() - events[-1].ts) / 1e9

    def hear(self, stage: str, message: codec.Message) -> None:
        """Answer a stage that warms up."""
        if isinstance(message, HistoryWanted) and self._member is not None:
            events = self._memory.events()
            left = len(events)
            for start in range(0, max(left, 1), MOST_IN_FRAME):
                part = tuple(events[start : start + MOST_IN_FRAME])
                left -= len(part)
                self._member.send("market", History(stage, self._epoch, self._seq, left, part))

    def noticed(self, incident: Incident) -> None:
        """Need nothing of the others that they would not say again."""

    def beat(self) -> None:
        """Have nothing to say again: market events are of their moment."""

    def figures(self) -> Iterable[Figure]:
        """Return what was published, how old the last of it was, and what the feeds say of their streams."""
        yield from (EVENTS.figure(count, channel) for channel, count in self._counts.items())
        yield LAG.figure(self._lag)
        yield from self._vigil.figures()

    def ailments(self) -> tuple[str, ...]:
        """Return whether the market has fallen silent, and what the feeds lack; one that fails ends the stage."""
        return self._vigil.reasons()

    def progress(self) -> tuple[int, int]:
        """Return how many events were published; none ever waits."""
        return self._seq, 0
