"""The execution stage of a replay: the Trader, the executor and the journal."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

from quantmind.events import Done, Ended, FactsWanted, Numbered, Upto, codec
from quantmind.pipeline import build
from quantmind.pipeline.executing import Executing
from quantmind.pipeline.lockstep.inbox import MOST_IN_FRAME, Inbox
from quantmind.pipeline.lockstep.link import Link
from quantmind.pipeline.run import Running, opened_executing
from quantmind.pipeline.summary import Summary
from quantmind.recipe.wiring import wire


class ExecutionStage:
    """The execution of a recipe as a process of its own."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._inbox = Inbox()
        self._decided: dict[int, Upto] = {}
        self._upto = 0
        self._answer = asyncio.Event()
        self._wanted: deque[int] = deque()
        self._link: Link | None = None
        self._seq = 0
        self._latencies: deque[int] = deque(maxlen=100_000)

    def stop(self) -> None:
        """Ask the feed to end; every stage then finishes what it has."""
        if self._link is not None:
            self._link.stop()

    async def run(self) -> Summary:
        """Execute what is decided on every market event until the feed ends, and sum up."""
        running = self._running
        recipe = running.recipe
        wiring = wire(recipe)
        folder = running.folder()
        feeding, _ = build.feeding(recipe, wiring)
        async with contextlib.AsyncExitStack() as stack:
            executing = await opened_executing(stack, running, wiring, folder, feeding.live, feeding.speed, self.stop)
            link = self._link = await stack.enter_async_context(
                Link(
                    build.transport(recipe, "execution"),
                    build.identity(recipe),
                    build.peers(recipe, "execution"),
                    self._hear,
                    folder.name,
                )
            )
            executing.start()
            if await link.join():
                await self._execute(link, executing, wiring.fills or wiring.positions)
                await link.drained()
            return Summary.of(folder.name, self._seq, executing, self._latencies, {})

    async def _execute(self, link: Link, executing: Executing, listened: bool) -> None:
        told: list[Done] = []
        while (item := await self._inbox.next(link)) is not None:
            seq, event = item
            if seq <= 0:
                executing.warm_up((event,))
                continue
            began = time.perf_counter_ns()
            facts = executing.market(seq, event)
            self._seq = seq
            if listened:
                link.send("facts", Done(seq, tuple(facts)))
            elif facts:
                told.append(Done(seq, tuple(facts)))
            while self._upto < seq:
                self._answer.clear()
                await link.wait(self._answer)
                self._tell_again(link, executing)
            upto = self._decided.pop(seq, None)
            if upto is not None and executing.decided(upto):
                self._latencies.append(executing.commanded_at - began)
            if not self._inbox.events or len(told) >= MOST_IN_FRAME or seq % MOST_IN_FRAME == 0:
                executing.commit()
                if not listened:
                    # Of facts that come with no event of their own the last one says how far execution is.
                    link.send("facts", *told, *(() if told and told[-1].seq == seq else (Done(seq, ()),)))
                    told.clear()
        executing.end()
        link.send("facts", Done(self._seq + 1, tuple(executing.take_facts())), Ended(self._seq))

    def _tell_again(self, link: Link, executing: Executing) -> None:
        """Answer whoever missed facts, from the journal."""
        while self._wanted:
            link.send("facts", Done(self._seq, tuple(executing.facts_since(self._wanted.popleft(), self._seq))))

    def _hear(self, stage: str, message: codec.Message) -> None:
        if isinstance(message, Numbered):
            self._inbox.take(message)
        elif isinstance(message, Upto):
            if message.signals or message.targets or message.refused:
                self._decided[message.seq] = message
            self._upto = max(self._upto, message.seq)
            self._answer.set()
        elif isinstance(message, FactsWanted):
            self._wanted.append(message.number)
            self._answer.set()
        elif isinstance(message, Ended) and stage == "feed":
            self._inbox.end()
