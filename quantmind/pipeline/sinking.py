"""The sink half of a pipeline: gives every sink the events it wants; none of them stops the trading."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Any, Self

from quantmind.blame import misanswered, place, told
from quantmind.errors import ComponentError, QuantMindError
from quantmind.events import Fact, Market, Upto
from quantmind.kinds.sink import Sink

_log = logging.getLogger(__name__)
_MOST_WAITING = 100_000
_MOST_AT_ONCE = 5_000


class _Outlet:
    """One sink with its own bounded queue."""

    def __init__(self, sink: Sink[Any], live: bool) -> None:
        self.sink = sink
        self.wants = _wanted(sink)
        self.lost = 0
        self.failure = ""
        self._live = live
        self._waiting: deque[Any] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.sink.open()
        self._task = asyncio.create_task(self._write())

    def offer(self, events: Sequence[Any]) -> None:
        waiting = self._waiting
        wants = self.wants
        waiting.extend([event for event in events if event.__class__ in wants])
        if self._live:
            while len(waiting) > _MOST_WAITING:
                waiting.popleft()
                self.lost += 1
                self.failure = "it was too slow"
        if waiting:
            self._empty.clear()
            self._filled.set()

    @property
    def empty(self) -> bool:
        return self._empty.is_set()

    async def drained(self) -> None:
        await self._empty.wait()

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
                try:
                    await self.sink.write(batch)
                except BaseException as error:
                    # Whatever a sink raises, its exit too, trading goes on; only this task's own end is no failure.
                    if self._task is not None and self._task.cancelling():
                        raise
                    self._failed(len(batch), error)
            self._filled.clear()
            self._empty.set()

    def _failed(self, lost: int, error: BaseException) -> None:
        if not self.lost:
            _log.warning("sink %s failed, trading goes on: %s%s", self.sink.name, told(error), place(error))
        self.lost += lost
        self.failure = told(error)

    async def close(self) -> None:
        if self._task is not None:
            await self.drained()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self.sink.close()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            self._failed(0, error)


class Sinking:
    """All sinks of a pipeline, as an async context manager."""

    def __init__(self, sinks: Sequence[Sink[Any]], live: bool = False) -> None:
        self._outlets = [_Outlet(sink, live) for sink in sinks]
        self._live = live
        self._opened: list[_Outlet] = []
        self.wants: frozenset[type[Any]] = frozenset().union(*(outlet.wants for outlet in self._outlets))
        """Every type of event that some sink wants."""

    @property
    def failures(self) -> dict[str, str]:
        """What each sink that lost events has to say, by name."""
        return {
            outlet.sink.name: f"{outlet.lost} events lost: {outlet.failure}"
            for outlet in self._outlets
            if outlet.failure
        }

    @property
    def lost(self) -> dict[str, int]:
        """How many events each sink lost, by name."""
        return {outlet.sink.name: outlet.lost for outlet in self._outlets}

    async def __aenter__(self) -> Self:
        """Open every sink; one that cannot be opened stops the run before it trades."""
        for outlet in self._outlets:
            self._opened.append(outlet)
            try:
                await outlet.open()
            except BaseException as error:
                await self._close()
                if isinstance(error, QuantMindError) or not isinstance(error, Exception | SystemExit):
                    raise
                raise ComponentError(f"sink {outlet.sink.name} cannot be opened: {told(error)}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits and close every sink."""
        await self._close()

    async def _close(self) -> None:
        for outlet in reversed(self._opened):
            await outlet.close()

    def gather(self, told: list[Any], facts: Sequence[Fact], event: Market, upto: Upto | None) -> None:
        """Add what came of one market event, in the order of steps: facts, the event if wanted, decisions."""
        told.extend(facts)
        if event.__class__ in self.wants:
            told.append(event)
        if upto is not None:
            told.extend(upto.signals)
            told.extend(upto.targets)

    async def write(self, events: Sequence[Any]) -> None:
        """Hand events to the sinks that want them; in a replay, wait for the sinks."""
        for outlet in self._outlets:
            outlet.offer(events)
        if not self._live:
            await self.drained()

    @property
    def empty(self) -> bool:
        """Whether the sinks have taken everything."""
        return all(outlet.empty for outlet in self._outlets)

    async def drained(self) -> None:
        """Wait until the sinks have taken everything."""
        for outlet in self._outlets:
            await outlet.drained()


def _wanted(sink: Sink[Any]) -> frozenset[type[Any]]:
    """Return the types of event that a sink wants.

    Raises:
        ComponentError: it raises, or gives something else.
    """
    try:
        wanted: object = sink.events
    except Exception as error:
        raise ComponentError(f"sink {sink.name}: its events cannot be told: {told(error)}") from error
    if not isinstance(wanted, Collection) or not all(isinstance(kind, type) for kind in wanted):
        raise misanswered(sink, "events", "types of event, such as frozenset({Fill})", wanted)
    return frozenset(wanted)
