"""The sink stage of a live pipeline: gives the sinks what the others say, every fact among it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from quantmind.events import (
    Done,
    Ended,
    FactsWanted,
    Figure,
    Health,
    Holdings,
    Incident,
    Numbered,
    Upto,
    Vitals,
    codec,
)
from quantmind.kinds import Run
from quantmind.kinds.transport import TOPICS, Topic
from quantmind.metrics import BACKLOG, EVENTS, FACTS, SINK_LOST
from quantmind.pipeline import build
from quantmind.pipeline.live.facts import FactLine
from quantmind.pipeline.live.inspection import Inspection
from quantmind.pipeline.live.member import Member
from quantmind.pipeline.live.progress import Progress
from quantmind.pipeline.run import Running
from quantmind.pipeline.sinking import Sinking

_log = logging.getLogger(__name__)
_BETWEEN = 0.2
"""Seconds between two times that the same facts are asked for."""


class SinkStage:
    """The sinks of a recipe as a process of their own.

    They have a folder of their own below the state, which lasts from run to run, and in it how far the facts of the
    account were written: whatever happened while this stage was away, it asks execution for the rest.
    """

    topics: Collection[Topic] = TOPICS

    def __init__(self, running: Running) -> None:
        self._running = running
        self._inspection = Inspection(running.recipe)
        self._facts = FactLine()
        self._member: Member | None = None
        self._sinking: Sinking | None = None
        self._waiting: list[Any] = []
        self._wake = asyncio.Event()
        self._stopped = False
        self._asked_at = 0.0
        self._account = ""
        self._progress: Progress | None = None
        self._given: int | None = None
        """The last fact that the sinks were given."""
        self._handled = 0
        self.failures: dict[str, str] = {}
        """What each sink that lost events has to say, by name."""

    def stop(self) -> None:
        """End when what was heard is written."""
        self._stopped = True
        if self._member is not None:
            self._member.finish()

    async def run(self) -> None:
        """Write what happens until execution ends, or this stage is stopped."""
        recipe, running = self._running.recipe, self._running
        folder = running.project.state / "sinks" / recipe.name
        progress = self._progress = Progress(folder)
        if progress.number is not None:
            self._facts.begin(progress.number)
        async with contextlib.AsyncExitStack() as stack:
            run = Run(recipe.name, folder, running.output, progress.number)
            sinking = self._sinking = Sinking(build.sinks(recipe, run), live=True)
            await stack.enter_async_context(sinking)
            member = self._member = await stack.enter_async_context(Member(recipe, "sink", self))
            member.ready()
            writing = asyncio.create_task(self._write(sinking))
            try:
                if not self._stopped:
                    await member.finished()
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
                await self._flush(sinking)
                await sinking.drained()
                self._note()
                self.failures = sinking.failures

    async def _write(self, sinking: Sinking) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush(sinking)
            except Exception as error:  # noqa: BLE001 - it ends the stage
                if self._member is not None:
                    self._member.finish(error)
                return

    async def _flush(self, sinking: Sinking) -> None:
        """Hand on what was heard, and note how far it goes as soon as the sinks have taken all of it."""
        waiting, self._waiting = self._waiting, []
        self._given = self._facts.number
        if waiting:
            await sinking.write(waiting)
        if sinking.empty:
            self._note()
        else:
            # A sink that hangs has a bounded queue of its own; here nothing may wait for it.
            asyncio.get_running_loop().call_later(_BETWEEN, self._wake.set)

    def _note(self) -> None:
        progress, account, number = self._progress, self._account, self._given
        if progress is None or number is None or not account:
            return
        if (account, number) != (progress.account, progress.number):
            progress.note(account, number)

    def hear(self, stage: str, message: codec.Message) -> None:
        """Take what sinks may want."""
        wants = self._sinking.wants if self._sinking is not None else frozenset()
        if isinstance(message, Numbered):
            self._handled += len(message.events)
            self._offer([event for event in message.events if event.__class__ in wants])
        elif isinstance(message, Done):
            sound = [fact for fact in message.facts if not self._inspection.fact(fact)]
            self._offer(self._facts.take(sound))
            self._ask()
        elif isinstance(message, Upto) and stage == "strategy":
            # Targets that are said again come without signals.
            self._offer([*message.signals, *message.targets] if message.signals or message.refused else ())
        elif isinstance(message, Holdings):
            self._begin(message)
            self._offer([message])
        elif isinstance(message, Vitals | Incident | Health):
            self._offer([message])
        elif isinstance(message, Ended) and stage == "execution" and self._member is not None:
            asyncio.get_running_loop().call_later(0.1, self._member.finish)

    def _begin(self, holdings: Holdings) -> None:
        """Go on where the facts of this account were written to; of one that is new here, where its run began."""
        if holdings.account != self._account:
            if self._account or (self._progress is not None and self._progress.account not in {"", holdings.account}):
                self._facts = FactLine()
            self._account = holdings.account
        elif self._facts.number is not None and holdings.number < self._facts.number:
            _log.warning(
                "account %s has begun anew: its facts are written from %d on", self._account, holdings.began + 1
            )
            self._facts = FactLine()
        self._facts.begin(holdings.began)
        self._facts.known = max(self._facts.known, holdings.number)
        self._offer(self._facts.ready())
        self._ask()
        self._wake.set()

    def _offer(self, events: Sequence[Any]) -> None:
        if events and self._sinking is not None:
            self._waiting.extend(events)
            self._wake.set()

    def noticed(self, incident: Incident) -> None:
        """Give the sinks what this stage noticed."""
        self._offer([incident])

    def beat(self) -> None:
        """Ask for the facts that are missing."""
        self._ask()

    def _ask(self) -> None:
        now = time.monotonic()
        wanted = self._facts.wanted
        if wanted is not None and self._member is not None and now - self._asked_at > _BETWEEN:
            self._asked_at = now
            self._member.send("operations", FactsWanted("sink", wanted))

    def figures(self) -> Iterable[Figure]:
        """Return what was heard, what is written, and what sinks lost."""
        yield EVENTS.figure(self._handled, "all")
        yield FACTS.figure((self._progress.number if self._progress is not None else None) or 0)
        yield BACKLOG.figure(len(self._waiting))
        if self._sinking is not None:
            yield from (SINK_LOST.figure(lost, name) for name, lost in self._sinking.lost.items())

    def ailments(self) -> tuple[str, ...]:
        """Return what keeps sinks from writing."""
        failures = self._sinking.failures if self._sinking is not None else {}
        return tuple(f"sink {name}: {failure}" for name, failure in failures.items())

    def progress(self) -> tuple[int, int]:
        """Return how many events were heard; sinks have queues of their own."""
        return self._handled, 0
