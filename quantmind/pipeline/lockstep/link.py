"""The link of one stage of a replay to the others: who is there, who has gone silent, and messages in order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from quantmind.errors import QuantMindError
from quantmind.events import Ended, Failed, Incident, Presence, codec
from quantmind.kinds.transport import Topic, Transport
from quantmind.pipeline.bus import Bus
from quantmind.pipeline.notify import attended

_BEACON = 0.05
_HEARTBEAT = 1.0
SILENCE = 10.0
"""Seconds after which a stage that says nothing, or gets nowhere, ends the run."""


class Link:
    """Joins the stages of a pipeline and carries messages between them.

    A stage has joined when it hears every other one and is heard by it: each says in its `Presence` whom it hears.
    """

    def __init__(
        self,
        transport: Transport[Any],
        pipeline: str,
        peers: tuple[str, ...],
        handle: Callable[[str, codec.Message], None],
        run: str = "",
    ) -> None:
        self.run = run
        """The run's name: the execution stage gives it, the others learn it."""
        self.bus = Bus(transport, pipeline, peers, self._hear, self._notice)
        self._transport = transport
        self._stage = transport.stage
        self._peers = peers
        self._handle = handle
        self._hears: dict[str, Presence | None] = dict.fromkeys(peers)
        self._heard_at: dict[str, float] = {}
        self._heard = 0
        self._attention = contextlib.AsyncExitStack()
        self._joined = asyncio.Event()
        self._met = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._beacon: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the transport and begin to be seen."""
        await self._transport.open()
        await self._attention.enter_async_context(attended(lambda: (self._heard, 0)))
        self._beacon = asyncio.create_task(self._be_present())
        self._beacon.add_done_callback(self._beacon_ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell the others if this stage failed, and close the transport."""
        await self._attention.aclose()
        if self._beacon is not None:
            self._beacon.cancel()
            await asyncio.gather(self._beacon, return_exceptions=True)
        with contextlib.suppress(Exception):
            if error is not None and not isinstance(error, StageError):
                self.send("operations", Failed(self._stage, str(error)))
            await asyncio.wait_for(self._transport.drained(), 1.0)
        if self._failed.done():
            self._failed.exception()
        await self._transport.close()

    async def join(self) -> bool:
        """Wait until every stage hears every other one; says whether they do, or this one was stopped before."""
        await self.wait(self._met)
        return self._joined.is_set()

    def stop(self) -> None:
        """Ask the feed to end; without one to ask, end the waiting for it."""
        self._met.set()
        if self._joined.is_set():
            self.send("operations", Ended(0))

    async def wait(self, event: asyncio.Event, patience: float | None = None) -> None:
        """Wait for an event of this stage.

        Raises:
            StageError: another stage failed or went silent meanwhile.
            TimeoutError: `patience` seconds went by.
        """
        if event.is_set() and not self._failed.done():
            return
        waiting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((waiting, self._failed), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
            if not waiting.done():
                raise TimeoutError
        finally:
            waiting.cancel()

    def send(self, topic: Topic, *messages: codec.Message) -> None:
        """Publish messages to the stages that listen to this one."""
        self.bus.send(topic, *messages)

    async def drained(self) -> None:
        """Wait until the transport has handed on what was sent."""
        await self._transport.drained()

    async def _be_present(self) -> None:
        while True:
            hears = tuple(stage for stage, presence in self._hears.items() if presence is not None)
            self.send("operations", Presence(self._stage, hears, self.run))
            joined = self._joined.is_set()
            await asyncio.sleep(_HEARTBEAT if joined else _BEACON)
            if joined:
                self._check_silence()

    def _beacon_ended(self, beacon: asyncio.Task[None]) -> None:
        error = None if beacon.cancelled() else beacon.exception()
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _check_silence(self) -> None:
        now = time.monotonic()
        for stage, heard_at in self._heard_at.items():
            if now - heard_at > SILENCE:
                self._fail(f"stage {stage} has been silent for {SILENCE:g} s")

    def _notice(self, incident: Incident) -> None:
        """End the run where something was lost; what was seen before the stages have joined is no loss."""
        if incident.what == "stranger":
            self._fail(
                f"stage {incident.of} is another pipeline's ({incident.detail}): start every stage with the same "
                "recipe, and each pipeline at its own endpoint"
            )
        elif self._joined.is_set() and incident.what in {"gap", "restart", "duplicate", "reordering"}:
            lost = f"lost {incident.count} frames" if incident.what == "gap" else f"sent a {incident.what}"
            if incident.what == "restart":
                lost = "restarted"
            self._fail(f"stage {incident.of} {lost}; a replay must have every event, so it ends here")

    def _hear(self, stage: str, message: codec.Message) -> None:
        if self._failed.done():
            return
        self._heard_at[stage] = time.monotonic()
        self._heard += 1
        if isinstance(message, Presence):
            self._seen(message)
        elif isinstance(message, Failed):
            self._fail(f"stage {message.stage} failed: {message.reason}")
        else:
            self._handle(stage, message)

    def _seen(self, presence: Presence) -> None:
        if self._joined.is_set() or presence.stage not in self._hears:
            return
        self._hears[presence.stage] = presence
        self.run = self.run or presence.run
        everyone = {self._stage, *self._peers}
        if all(seen is not None and {seen.stage, *seen.hears} >= everyone for seen in self._hears.values()):
            self.bus.reception.complete = True
            self._joined.set()
            self._met.set()
            self.send("operations", Presence(self._stage, self._peers, self.run))

    def _fail(self, reason: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(StageError(reason))


class StageError(QuantMindError):
    """Another stage failed or went silent."""
