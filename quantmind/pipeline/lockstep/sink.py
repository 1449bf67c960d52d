"""The sink stage of a replay: puts what the other stages say back into the order of steps, and waits for its sinks."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

from quantmind.events import Done, Ended, Fact, Numbered, Upto, codec
from quantmind.kinds import Run
from quantmind.pipeline import build
from quantmind.pipeline.folder import RunFolder
from quantmind.pipeline.lockstep.inbox import MOST_IN_FRAME, Inbox
from quantmind.pipeline.lockstep.link import Link
from quantmind.pipeline.run import Running
from quantmind.pipeline.sinking import Sinking


class SinkStage:
    """The sinks of a recipe as a process of their own: they see what they would see in one process."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._inbox = Inbox()
        self._facts: deque[tuple[int, tuple[Fact, ...]]] = deque()
        self._decided: dict[int, Upto] = {}
        self._known = {"strategy": 0, "execution": 0}
        self._number = 0
        self._ended = False
        self._link: Link | None = None
        self.failures: dict[str, str] = {}
        """What each sink that lost events has to say, by name."""

    def stop(self) -> None:
        """Ask the feed to end; every stage then finishes what it has."""
        if self._link is not None:
            self._link.stop()

    async def run(self) -> None:
        """Write what happens until execution has told its last fact."""
        recipe, running = self._running.recipe, self._running
        async with contextlib.AsyncExitStack() as stack:
            link = self._link = await stack.enter_async_context(
                Link(build.transport(recipe, "sink"), build.identity(recipe), build.peers(recipe, "sink"), self._hear)
            )
            if not await link.join():
                return
            folder = RunFolder.shared(running.project.state, link.run, recipe.resolved, str(recipe.file))
            sinking = Sinking(build.sinks(recipe, Run(folder.name, folder.path, running.output)))
            await stack.enter_async_context(sinking)
            link.send("operations", Upto(0))
            await self._write(link, sinking)
            await link.drained()
            self.failures = sinking.failures

    async def _write(self, link: Link, sinking: Sinking) -> None:
        told: list[Any] = []
        while (item := await self._inbox.next(link)) is not None:
            seq, event = item
            if seq <= 0:
                continue
            while min(self._known.values()) < seq:
                self._inbox.more.clear()
                await link.wait(self._inbox.more)
            sinking.gather(told, self._told(seq), event, self._decided.pop(seq, None))
            if not self._inbox.events or seq % MOST_IN_FRAME == 0:
                await sinking.write(told)
                told.clear()
                link.send("operations", Upto(seq))
        while not self._ended:
            self._inbox.more.clear()
            await link.wait(self._inbox.more)
        await sinking.write([*told, *(fact for _, facts in self._facts for fact in facts)])

    def _told(self, seq: int) -> list[Fact]:
        facts: list[Fact] = []
        while self._facts and self._facts[0][0] <= seq:
            facts.extend(self._facts.popleft()[1])
        return facts

    def _hear(self, stage: str, message: codec.Message) -> None:
        if isinstance(message, Numbered):
            self._inbox.take(message)
        elif isinstance(message, Done) and stage == "execution":
            # What another stage asked for again is known here.
            facts = tuple(fact for fact in message.facts if fact.number > self._number)
            if facts:
                self._number = facts[-1].number
                self._facts.append((message.seq, facts))
            self._known[stage] = max(self._known[stage], message.seq)
            self._inbox.more.set()
        elif isinstance(message, Upto) and stage == "strategy":
            if message.signals or message.targets:
                self._decided[message.seq] = message
            self._known[stage] = max(self._known[stage], message.seq)
            self._inbox.more.set()
        elif isinstance(message, Ended) and stage == "feed":
            self._inbox.end()
        elif isinstance(message, Ended) and stage == "execution":
            self._ended = True
            self._inbox.more.set()
