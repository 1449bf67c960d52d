"""The strategy stage of a replay: the Decider, given the facts of each event where they matter to it."""

from __future__ import annotations

import asyncio
import contextlib

from quantmind.events import Done, Ended, Fact, FactsWanted, Numbered, Upto, codec
from quantmind.pipeline import build
from quantmind.pipeline.deciding import Deciding
from quantmind.pipeline.folder import RunFolder
from quantmind.pipeline.lockstep.inbox import MOST_IN_FRAME, Inbox
from quantmind.pipeline.lockstep.link import Link
from quantmind.pipeline.record import Recorder
from quantmind.pipeline.run import Running
from quantmind.recipe.wiring import wire


class StrategyStage:
    """The Decider of a recipe as a process of its own."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._inbox = Inbox()
        self._done: dict[int, tuple[Fact, ...]] = {}
        self._number = 1
        self._wanted = 0
        self._told = asyncio.Event()
        self._link: Link | None = None

    def stop(self) -> None:
        """Ask the feed to end; every stage then finishes what it has."""
        if self._link is not None:
            self._link.stop()

    async def run(self) -> None:
        """Decide on every market event until the feed ends."""
        recipe = self._running.recipe
        wiring = wire(recipe)
        decider = build.decider(recipe, wiring)
        async with contextlib.AsyncExitStack() as stack:
            transport = build.transport(recipe, "strategy")
            link = self._link = await stack.enter_async_context(
                Link(transport, build.identity(recipe), build.peers(recipe, "strategy"), self._hear)
            )
            if not await link.join():
                return
            recorder = None
            if self._running.record:
                folder = RunFolder.shared(self._running.project.state, link.run, recipe.resolved, str(recipe.file))
                recorder = stack.enter_context(Recorder(folder.decider_record))
            await self._decide(link, Deciding(decider, recorder))
            await link.drained()

    async def _decide(self, link: Link, deciding: Deciding) -> None:
        listens = deciding.decider.listens
        answers: list[Upto] = []
        while (item := await self._inbox.next(link)) is not None:
            seq, event = item
            facts = await self._facts(link, seq) if listens and seq > 0 else ()
            upto = deciding.market(seq, event, facts)
            if upto is not None:
                answers.append(upto)
            # With facts in the loop execution waits for each answer; else the last one of a frame says that
            # everything before it is decided.
            if seq > 0 and (listens or not self._inbox.events or len(answers) >= MOST_IN_FRAME):
                if not answers or answers[-1].seq < seq:
                    answers.append(Upto(seq))
                link.send("decisions", *answers)
                answers.clear()

    async def _facts(self, link: Link, seq: int) -> tuple[Fact, ...]:
        while seq not in self._done:
            self._told.clear()
            await link.wait(self._told)
        return self._done.pop(seq)

    def _hear(self, stage: str, message: codec.Message) -> None:
        if isinstance(message, Numbered):
            self._inbox.take(message)
        elif isinstance(message, Done):
            self._take(message)
        elif isinstance(message, Ended) and stage == "feed":
            self._inbox.end()

    def _take(self, done: Done) -> None:
        """Take the facts of one report, if none is missing before them."""
        facts = tuple(fact for fact in done.facts if fact.number >= self._number)
        if facts and facts[0].number > self._number:
            if self._link is not None and self._wanted != self._number:
                self._wanted = self._number
                self._link.send("operations", FactsWanted("strategy", self._number))
            return
        if facts:
            self._number = facts[-1].number + 1
        self._done[done.seq] = self._done.get(done.seq, ()) + facts
        self._told.set()
