"""Runs the tests of a recipe: its own strategies and rules, in a market that is given."""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
from pydantic import Field

from quantmind.errors import QuantMindError, RecipeError, UsageError
from quantmind.events import Market
from quantmind.events.market import CHANNELS, ChannelKind
from quantmind.kinds import Channel, Executor, Feed, NoOptions, Options, Sink
from quantmind.pipeline.recipe_outcome import SEEN, came
from quantmind.pipeline.run import Running
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.document import Document
from quantmind.recipe.faults import validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.given import Account
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.tests import RecipeTest
from quantmind.recipe.wiring import wire
from quantmind.verdicts.verdict import Verdict

REPLACED = ("feeds", "transport", "executor", "sinks")
"""The sections that a test replaces."""


class Prepared(msgspec.Struct, frozen=True):
    """A test that can be run: its recipe, with what it gives in the place of feed, transport, executor and sinks."""

    test: RecipeTest
    recipe: Recipe


class GivenFeedOptions(Options):
    """Options of the feed of a test."""

    channels: Mapping[str, frozenset[Channel]] = Field(description="What is offered, by symbol.")
    market: Any = Field(description="Returns the market, in order, when it is called.")


class GivenFeed(Feed[GivenFeedOptions]):
    """Gives out the market of a test; nothing was before it."""

    name = "given"

    @classmethod
    def offers(cls, options: GivenFeedOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer what is given."""
        return {symbol: options.channels[symbol] for symbol in symbols}

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the market, as far as somebody needs it."""
        wanted, market = self.wanted, self.options.market()
        yield [event for event in market if _channel(event) in wanted.get(event.symbol, ())]


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
    replaced = msgspec.structs.replace(
        recipe, feeds=(_feed(recipe, test),), transport=None, executor=_executor(recipe, test, plugins), sinks=()
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
    told = str(error) if isinstance(error, QuantMindError) else f"{type(error).__name__}: {error}"
    told = " ".join(told.split())
    frames = traceback.extract_tb((error.__cause__ or error).__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if error.__cause__ and frames else ""
    line = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in told)
    return f"the run failed: {line}{where}"


def _feed(recipe: Recipe, test: RecipeTest) -> Spec:
    """Make the feed: what is given, what closes say of the rest, and funding rates that never come."""
    needed: set[ChannelKind] = set()
    for spec in (*recipe.strategies, recipe.allocator, *recipe.sizing, *recipe.protection, *recipe.limits):
        component: Any = spec.component
        needed |= {channel.kind for channel in component.needs(spec.options).channels}
    first = test.given.first(needed)
    channels: dict[str, frozenset[Channel]] = {}
    for instrument in recipe.instruments:
        there = {_channel(event) for event in first if event.symbol == instrument.symbol}
        channels[instrument.symbol] = frozenset(there | ({Channel("funding")} & {Channel(kind) for kind in needed}))
    options = GivenFeedOptions(channels=channels, market=partial(test.given.events, needed))
    return Spec(GivenFeed, options, GivenFeed.name, f"{test.path}.given")


def _channel(event: Market) -> Channel:
    return Channel(CHANNELS[type(event)], getattr(event, "interval", 0))


def _executor(recipe: Recipe, test: RecipeTest, plugins: Plugins) -> Spec:
    """Make the executor: the recipe's if it is simulated, else the only one that is; with the options of the test."""
    component = recipe.executor.component
    if not _simulated(component):
        installed = [plugins.find("executor", row.name) for row in plugins.all() if row.kind == "executor"]
        simulated = [other for other in installed if _simulated(other)]
        if len(simulated) != 1:
            names = ", ".join(other.name for other in simulated) or "none"
            raise UsageError(f"tests need one simulated executor in place of {component.name}; installed: {names}")
        (component,) = simulated
    given: Account = test.given.account
    figures: dict[str, Decimal | int] = {
        "balance": given.equity,
        "taker_fee": given.fee,
        "maker_fee": given.fee,
        "latency": given.latency,
    }
    fields = component.options_model.model_fields
    values = {name: value for name, value in figures.items() if name in fields} | given.executor
    path = f"{test.path}.given.executor"
    findings = Findings(Document("", None), Interpolation({}))
    options = validate(component.options_model, values, path, findings)
    if options is None:
        raise RecipeError("; ".join(f"{problem.path}: {problem.message}" for problem in findings.problems))
    return Spec(component, options, component.name, path)


def _simulated(component: type[Any]) -> bool:
    return cast("type[Executor[Any]]", component).simulated
