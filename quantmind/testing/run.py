"""Runs a recipe inside a test."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from quantmind.events import Market
from quantmind.export.lines import lines
from quantmind.kinds import Component
from quantmind.pipeline.folder import RunFolder
from quantmind.pipeline.run import Running
from quantmind.pipeline.summary import Summary
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from quantmind.testing.list_feed import ListFeed
from quantmind.testing.memory_sink import MemorySink


class Outcome(msgspec.Struct, frozen=True):
    """What came of a run."""

    summary: Summary
    events: Sequence[Any]
    """All that a sink could see, in order."""
    export: Sequence[str]
    """The lines of `quantmind export`."""

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of one type."""
        return [event for event in self.events if type(event) is kind]


def run_recipe(
    recipe: dict[str, Any],
    folder: Path,
    *,
    events: Sequence[Market] | None = None,
    components: Sequence[type[Component[Any]]] = (),
) -> Outcome:
    """Run a recipe to the end of its feeds, with state in `folder`.

    With `events` they are its feed. `components` are known beside the installed ones. The recipe's sinks are
    replaced by one that remembers.

    Raises:
        RecipeProblems: the recipe cannot be run.
        QuantMindError: the run failed.
    """
    plain = {**recipe, "sinks": ["memory"]}
    if events is not None:
        plain["feeds"] = [{"list": {"events": tuple(events)}}]
    seen: list[Any] = []

    class Memory(MemorySink):
        """Remembers for this run."""

        async def write(self, batch: Sequence[Any]) -> None:
            seen.extend(batch)

    plugins = Plugins(extra=[ListFeed, Memory, *components])
    loaded = load(plain, plugins, Project(folder), {})
    running = Running(loaded, Project(folder), output=io.StringIO())
    summary = asyncio.run(running.run())
    journal = RunFolder.find(folder, summary.run).journal()
    try:
        exported = list(lines(journal))
    finally:
        journal.close()
    return Outcome(summary, seen, exported)
