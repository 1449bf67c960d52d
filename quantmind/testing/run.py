"""Runs a recipe inside a test."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from quantmind.events import Fill, Market, OrderUpdate, Refusal, Signal, Target
from quantmind.export.lines import lines
from quantmind.kinds import Component
from quantmind.pipeline.folder import RunFolder
from quantmind.pipeline.run import Running
from quantmind.pipeline.summary import Summary
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.document import read_document
from quantmind.recipe.load import load
from quantmind.testing.list_feed import ListFeed
from quantmind.testing.memory_sink import MemorySink


class Outcome(msgspec.Struct, frozen=True):
    """What came of a run."""

    summary: Summary
    """Its figures, as `quantmind run --json` prints them."""
    events: Sequence[Any]
    """All that a sink could see, in order."""
    export: Sequence[str]
    """The lines of `quantmind export`, in its order."""
    folder: Path
    """The folder of the run, with its journal and what its sinks wrote."""
    output: str = ""
    """What sinks wrote for the user."""

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of one type."""
        return [event for event in self.events if type(event) is kind]

    @property
    def signals(self) -> list[Signal]:
        """The signals, those of the warm-up apart."""
        return self.of(Signal)

    @property
    def targets(self) -> list[Target]:
        """The Targets that the allocator made of them."""
        return self.of(Target)

    @property
    def orders(self) -> list[OrderUpdate]:
        """Every step of every order."""
        return self.of(OrderUpdate)

    @property
    def fills(self) -> list[Fill]:
        """The fills, with the positions they led to."""
        return self.of(Fill)

    @property
    def refusals(self) -> list[Refusal]:
        """What limits refused, with code and figures."""
        return self.of(Refusal)


def run_recipe(
    recipe: Mapping[str, Any] | Path,
    folder: Path,
    *,
    events: Sequence[Market] | None = None,
    history: Sequence[Market] = (),
    components: Sequence[type[Component[Any]]] = (),
    environ: Mapping[str, str] | None = None,
    keep_sinks: bool = False,
) -> Outcome:
    """Run a recipe, a file or plain data by its keys, to the end of its feeds, with state in `folder`.

    With `events`, in order of time, they are its feed, and `history` before them is what strategies and rules are
    warmed up with. `components` are known beside the installed ones, in any order; `environ` has the variables that the
    recipe may name, by name, and is empty without. The recipe's sinks are replaced by one that remembers; with
    `keep_sinks` that comes after them.

        outcome = run_recipe(RECIPE, tmp_path, events=minutes(100, 101, 102), components=[Breakout])
        assert [signal.direction for signal in outcome.signals] == [1.0]

    Raises:
        RecipeProblems: the recipe cannot be run.
        QuantMindError: the run failed.
    """
    plain: dict[str, Any] = dict(read_document(recipe).data if isinstance(recipe, Path) else recipe)
    plain["sinks"] = [*((plain.get("sinks") or ()) if keep_sinks else ()), "memory"]
    if events is not None:
        plain["feeds"] = [{"list": {"events": tuple(events), "history": tuple(history)}}]
    seen: list[Any] = []

    class Memory(MemorySink):
        """Remembers for this run."""

        async def write(self, batch: Sequence[Any]) -> None:
            seen.extend(batch)

    plugins = Plugins(extra=[ListFeed, Memory, *components])
    loaded = load(plain, plugins, Project(folder), environ or {})
    output = io.StringIO()
    running = Running(loaded, Project(folder), output=output)
    summary = asyncio.run(running.run())
    run_folder = RunFolder.find(folder, summary.run)
    journal = run_folder.journal()
    try:
        exported = list(lines(journal))
    finally:
        journal.close()
    return Outcome(summary, seen, exported, run_folder.path, output.getvalue())
