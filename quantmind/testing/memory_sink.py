"""A sink that remembers, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quantmind.events import Health, Vitals
from quantmind.events.names import EVENT_TYPES
from quantmind.kinds import NoOptions, Run, Sink


class MemorySink(Sink[NoOptions]):
    """Keeps every event of a run in memory."""

    name = "memory"

    def __init__(self, options: NoOptions, run: Run) -> None:
        super().__init__(options, run)
        self.seen: list[Any] = []
        """The events, in order."""

    @property
    def events(self) -> frozenset[type[Any]]:
        """Everything, and live how the feeds are."""
        return frozenset({*EVENT_TYPES.values(), Health, Vitals})

    async def write(self, batch: Sequence[Any]) -> None:
        """Remember a batch."""
        self.seen.extend(batch)
