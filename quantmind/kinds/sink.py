"""Sinks: where events go to be seen or kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec

from quantmind.events import Fill, Funding, Latch, OrderUpdate, Refusal, Signal, Target, Transfer
from quantmind.kinds.component import Component, O


class Run(msgspec.Struct, frozen=True):
    """The run a sink belongs to."""

    name: str
    """The name of the run's folder; the recipe's, where the sink is a live stage of its own."""
    folder: Path
    """Where files of the run belong."""
    output: TextIO
    """Where plain lines for the user go."""
    continued: int | None = None
    """A sink that starts again in a live run has taken every fact up to this number, and perhaps some after it, which
    it is told again; what is no fact is not told again. None: everything is told from the first event on.
    """


class Sink(Component[O]):
    """Takes batches of the events it wants; when it fails, trading goes on."""

    kind = "sink"

    def __init__(self, options: O, run: Run) -> None:
        super().__init__(options)
        self.run = run
        """The run whose events it is given."""

    @property
    def events(self) -> frozenset[type[Any]]:
        """The types of event it wants."""
        return frozenset({Signal, Target, OrderUpdate, Fill, Transfer, Funding, Latch, Refusal})

    async def write(self, batch: Sequence[Any]) -> None:
        """Take a batch of events, in order."""
        raise NotImplementedError
