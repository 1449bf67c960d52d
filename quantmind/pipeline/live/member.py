"""A stage as a member of a live pipeline: it hears the others, is heard, and says how it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Any, Protocol, Self

from msgspec.structs import replace

from quantmind.events import Figure, Incident, IncidentKind, Presence, StageState, Vitals, codec
from quantmind.kinds.transport import Topic
from quantmind.metrics import UPTIME, Metric
from quantmind.pipeline import build
from quantmind.pipeline.bus import Bus
from quantmind.pipeline.notify import Notifier, Watchdog
from quantmind.recipe.model import Recipe

_log = logging.getLogger(__name__)
HEARTBEAT = 1.0
"""Seconds between two words of a stage about itself."""
_SUMMED = frozenset({"stranger", "bad_frame", "reordering", "duplicate"})
_BEACON = 0.1
_BEACONS = 20
"""How often, and how many times, a stage that has just started says it is there."""


class Body(Protocol):
    """What a stage does, as its membership knows it."""

    topics: Collection[Topic]
    """What it must hear; running itself among it."""

    def hear(self, stage: str, message: codec.Message) -> None:
        """Take a message of another stage."""

    def noticed(self, incident: Incident) -> None:
        """Learn what was wrong with what another stage published."""

    def beat(self) -> None:
        """Say again what others may have missed."""

    def figures(self) -> Iterable[Figure]:
        """Return the metrics of the stage."""

    def ailments(self) -> tuple[str, ...]:
        """Return what keeps the stage from doing its work."""

    def progress(self) -> tuple[int, int]:
        """Return how many events were handled so far, and how many wait."""


class Member:
    """Joins a stage to a live pipeline, for as long as the context lasts.

    What goes wrong while a message is handled ends the stage: `finished` raises it.
    """

    def __init__(
        self,
        recipe: Recipe,
        stage: str,
        body: Body,
        run: str = "",
        symbols: Callable[[], tuple[tuple[str, str], ...]] = tuple,
    ) -> None:
        self.stage = stage
        self.run = run
        """The run's name: the execution stage gives it, the others learn it."""
        self.state: StageState = "starting"
        self.peers: dict[str, Vitals] = {}
        """What each other stage said last of itself."""
        self._heard_at: dict[str, float] = {}
        self._unsaid: dict[tuple[str, str], Incident] = {}
        """What is wrong with whole frames, by kind and publisher; said with the next heartbeat."""
        self._hears: set[str] = set()
        self._body = body
        self._symbols = symbols
        """Returns (symbol, reason) of each symbol that the stage cannot do its work for, though for the others."""
        transport = build.transport(recipe, stage)
        transport.lossless = False
        self.bus = Bus(
            transport, build.identity(recipe), build.peers(recipe, stage), self._hear, self._noticed, body.topics
        )
        self.notifier = Notifier()
        self._watchdog = Watchdog(self.notifier, body.progress)
        self._began = time.monotonic()
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> Self:
        """Open the transport and begin to be seen."""
        await self.bus.transport.open()
        self._began = time.monotonic()
        self._tasks = [asyncio.create_task(self._live())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say farewell, hand over the last frames, and close the transport."""
        self.state = "stopping"
        self.notifier.stopping()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            self._say()
            await asyncio.wait_for(self.bus.transport.drained(), 1.0)
        if self._finished.done() and not self._finished.cancelled():
            self._finished.exception()
        await self.bus.transport.close()

    def ready(self) -> None:
        """Tell everyone that the stage does its work from now on."""
        if self.state == "starting":
            self.state = "ready"
            self.notifier.ready()
            if self.notifier.interval is not None:
                self._tasks.append(asyncio.create_task(self._watchdog.run(self.notifier.interval)))
            self._say()
            _log.info("stage %s is ready", self.stage)

    def send(self, topic: Topic, *messages: codec.Message, id: str = "") -> None:
        """Publish messages to the stages that listen to this one."""
        self.bus.send(topic, *messages, id=id)

    def tell(self, what: IncidentKind, of: str, topic: str, count: int, detail: str) -> None:
        """Count and publish something that this stage noticed."""
        self.bus.reception.tell(what, of, topic, count, detail)

    def silence(self, stage: str) -> float:
        """Return for how many seconds nothing was heard of a stage; of one that never was, since this one started."""
        return time.monotonic() - self._heard_at.get(stage, self._began)

    def figure(self, stage: str, metric: Metric) -> float | None:
        """Return what another stage said last of a metric without labels; None where it said nothing."""
        vitals = self.peers.get(stage)
        found = (figure.value for figure in vitals.figures if figure.name == metric.name) if vitals is not None else ()
        return next(iter(found), None)

    def finish(self, error: BaseException | None = None) -> None:
        """End the stage, because everything is done or something failed."""
        if not self._finished.done():
            if error is None:
                self._finished.set_result(None)
            else:
                self._finished.set_exception(error)

    async def finished(self) -> None:
        """Wait until the stage ends.

        Raises:
            Exception: what went wrong.
        """
        await self._finished

    def guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do something from the event loop; what it raises ends the stage."""
        if self._finished.done() and self._finished.exception() is not None:
            return
        try:
            work(*arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is raised by `finished`
            self.finish(error)

    def _hear(self, stage: str, message: codec.Message) -> None:
        self._heard_at[stage] = time.monotonic()
        if isinstance(message, Presence):
            self._hears.add(stage)
            if stage == "execution" and message.run:
                self.run = message.run
        elif isinstance(message, Vitals):
            self.peers[stage] = message
        else:
            self.guarded(self._body.hear, stage, message)

    def _noticed(self, incident: Incident) -> None:
        if incident.what in _SUMMED:
            # Said at once, it would be a frame that the other cannot read either, and be answered alike, without end.
            key = (incident.what, incident.of)
            before = self._unsaid.get(key)
            self._unsaid[key] = replace(incident, count=incident.count + (before.count if before else 0))
        elif self.bus.transport.stage == incident.stage:
            self._say_incident(incident)

    def _say_incident(self, incident: Incident) -> None:
        self.guarded(self._body.noticed, incident)
        self.guarded(self.send, "operations", incident)

    async def _live(self) -> None:
        count = 0
        try:
            while True:
                self._say()
                self._body.beat()
                count += 1
                await asyncio.sleep(_BEACON if count < _BEACONS else HEARTBEAT)
        except Exception as error:  # noqa: BLE001 - it is raised by `finished`
            self.finish(error)

    def _say(self) -> None:
        unsaid, self._unsaid = self._unsaid, {}
        for incident in unsaid.values():
            self._say_incident(incident)
        ailments = self._body.ailments()
        figures = (
            UPTIME.figure(time.monotonic() - self._began),
            *self._body.figures(),
            *self.bus.figures,
        )
        symbols = self._symbols()
        presence = Presence(self.stage, tuple(sorted(self._hears)), self.run, self.state)
        vitals = Vitals(self.stage, time.time_ns(), os.getpid(), self.state, ailments, figures, symbols)
        self.send("operations", presence, vitals)
        self.notifier.status("; ".join((*ailments, *(reason for _, reason in symbols))) or self.state)
