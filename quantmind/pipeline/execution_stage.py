"""The execution stage: the Trader, the executor and the journal; for now the sinks as well."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import Any

from quantmind.events import Done, Ended, Fact, FactsWanted, Numbered, Upto, codec
from quantmind.kinds import Run
from quantmind.pipeline import build
from quantmind.pipeline.executing import Executing
from quantmind.pipeline.inbox import MOST_IN_FRAME, Inbox
from quantmind.pipeline.link import Link
from quantmind.pipeline.run import Running, enter, opened_executing
from quantmind.pipeline.sinking import Sinking
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
            run = Run(folder.name, folder.path, running.output)
            sinking = Sinking(build.sinks(recipe, run), feeding.live)
            await enter(stack, sinking, "sinks")
            link = self._link = await stack.enter_async_context(
                Link(
                    build.transport(recipe, "execution"),
                    build.identity(recipe),
                    "execution",
                    ("feed", "strategy"),
                    self._hear,
                    folder.name,
                )
            )
            executing.start()
            if await link.join():
                await self._execute(link, executing, sinking, wiring.fills or wiring.positions)
                await link.drained()
            return Summary.of(folder.name, self._seq, executing, self._latencies, sinking.failures)

    async def _execute(self, link: Link, executing: Executing, sinking: Sinking, listened: bool) -> None:
        told: list[Any] = []
        facts_to_tell: list[Fact] = []
        while (item := await self._inbox.next(link)) is not None:
            seq, event = item
            if seq <= 0:
                executing.warm_up((event,))
                continue
            began = time.perf_counter_ns()
            facts = executing.market(seq, event)
            self._seq = seq
            facts_to_tell.extend(facts)
            if listened:
                link.send(Done(seq, tuple(facts_to_tell)))
                facts_to_tell.clear()
            while self._upto < seq:
                self._answer.clear()
                await link.wait(self._answer)
                self._tell_again(link, executing)
            upto = self._decided.pop(seq, None)
            if upto is not None and executing.decided(upto):
                self._latencies.append(executing.commanded_at - began)
            sinking.gather(told, facts, event, upto)
            if not self._inbox.events or len(told) >= MOST_IN_FRAME or seq % MOST_IN_FRAME == 0:
                executing.commit()
                await sinking.write(told)
                told.clear()
                if not listened:
                    link.send(Done(seq, tuple(facts_to_tell)))
                    facts_to_tell.clear()
        executing.end()
        last = executing.take_facts()
        await sinking.write([*told, *last])

    def _tell_again(self, link: Link, executing: Executing) -> None:
        """Answer whoever missed facts, from the journal."""
        while self._wanted:
            link.send(Done(self._seq, tuple(executing.facts_since(self._wanted.popleft(), self._seq))))

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
