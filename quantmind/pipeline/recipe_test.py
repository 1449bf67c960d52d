"""Runs the tests of a recipe: its own strategies and rules, in a market that is given."""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from quantmind.blame import place, told
from quantmind.errors import QuantMindError
from quantmind.kinds import NoOptions, Sink
from quantmind.pipeline.recipe_outcome import SEEN, came
from quantmind.pipeline.run import Running
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe import stand_ins
from quantmind.recipe.document import Document
from quantmind.recipe.findings import Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.problems import RecipeProblems
from quantmind.recipe.tests import RecipeTest
from quantmind.recipe.wiring import wire
from quantmind.verdicts.verdict import Verdict

REPLACED = ("feeds", "transport", "executor", "sinks")
"""The sections that a test replaces."""


class Prepared(msgspec.Struct, frozen=True):
    """A test that can be run: its recipe, with what it gives in the place of feed, transport, executor and sinks."""

    test: RecipeTest
    recipe: Recipe


def run_test(recipe: Recipe, test: RecipeTest, plugins: Plugins) -> Verdict:
    """Run one test of a recipe, with its state in a folder that is gone afterwards.

    The recipe's strategies, allocator, risk rules, limits and entry are the ones that run. Feed, clock, executor
    and sinks are replaced, and a transport is left out.

    Raises:
        RecipeError: no simulated executor can be had, or the market that is given lacks what a component needs.
    """
    return run(prepare(recipe, test, plugins))


def prepare(recipe: Recipe, test: RecipeTest, plugins: Plugins) -> Prepared:
    """Put what a test gives into its recipe.

    Raises:
        RecipeError: no simulated executor can be had, or the market that is given lacks what a component needs.
    """
    given, path = test.given, f"{test.path}.given"
    needed = stand_ins.needed_by(
        (*recipe.strategies, recipe.allocator, *recipe.sizing, *recipe.protection, *recipe.limits)
    )
    findings = Findings(Document("", None), Interpolation({}))
    component = stand_ins.simulated(recipe.executor.component, plugins)
    executor = stand_ins.executor(component, given.account, f"{path}.executor", findings)
    if executor is None:
        raise RecipeProblems(findings.problems)
    replaced = msgspec.structs.replace(
        recipe, feeds=(stand_ins.feed(given, needed, path),), transport=None, executor=executor, sinks=()
    )
    wire(replaced)
    return Prepared(test, replaced)


def run(prepared: Prepared) -> Verdict:
    """Run a test, and compare what came with what it expects; what a component raises is an error of the test."""
    seen: list[Any] = []

    class Memory(Sink[NoOptions]):
        """Remembers what came."""

        name = "memory"

        @property
        def events(self) -> frozenset[type[Any]]:
            return SEEN

        async def write(self, batch: Sequence[Any]) -> None:
            seen.extend(batch)

    test = prepared.test
    recipe = msgspec.structs.replace(prepared.recipe, sinks=(Spec(Memory, NoOptions(), Memory.name, test.path),))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="quantmind-test-") as folder:
        try:
            summary = asyncio.run(Running(recipe, Project(Path(folder)), output=io.StringIO()).run())
        except Exception as error:  # noqa: BLE001 - whatever a component raises, the other tests run
            return Verdict(error=_said(error), cause=error, duration=time.perf_counter() - began)
    differences = test.expect.differences(came(seen, summary, test.given.account.start))
    return Verdict(differences, summary.refusals if differences else {}, duration=time.perf_counter() - began)


def _said(error: Exception) -> str:
    """Say what a run failed of, and where a component of others raised it."""
    said = "; ".join(error.lines) if isinstance(error, QuantMindError) else f"{told(error)}{place(error)}"
    line = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in said)
    return f"the run failed: {line}"
