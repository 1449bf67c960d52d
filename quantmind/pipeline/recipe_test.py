"""Runs the tests of a recipe: its own strategies and rules, in a market that is given."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
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

REPLACED = ("feeds", "transport", "executor", "sinks")
"""The sections that a test replaces."""


class Verdict(msgspec.Struct, frozen=True):
    """What came of a test."""

    name: str
    difference: str
    """What was expected and what came in its place; empty when the test passed."""

    @property
    def ok(self) -> bool:
        """Whether the test passed."""
        return not self.difference


class GivenFeedOptions(Options):
    """Options of the feed of a test."""

    channels: Mapping[str, frozenset[Channel]] = Field(description="What is offered, by symbol.")
    events: tuple[Market, ...] = Field(description="The market.")


class GivenFeed(Feed[GivenFeedOptions]):
    """Gives out the market of a test; nothing was before it."""

    name = "given"

    @classmethod
    def offers(cls, options: GivenFeedOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer what is given."""
        return {symbol: options.channels[symbol] for symbol in symbols}

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the market, as far as somebody needs it."""
        wanted = self.wanted
        yield [event for event in self.options.events if _channel(event) in wanted.get(event.symbol, ())]


def run_test(recipe: Recipe, test: RecipeTest, plugins: Plugins) -> Verdict:
    """Run one test of a recipe, with its state in a folder that is gone afterwards.

    The recipe's strategies, allocator, risk rules, limits and entry are the ones that run. Feed, clock, executor
    and sinks are replaced, and a transport is left out.

    Raises:
        RecipeError: no simulated executor can be had, or the market that is given lacks what a component needs.
    """
    seen: list[Any] = []

    class Memory(Sink[NoOptions]):
        """Remembers what came."""

        name = "memory"

        @property
        def events(self) -> frozenset[type[Any]]:
            return SEEN

        async def write(self, batch: Sequence[Any]) -> None:
            seen.extend(batch)

    replaced = msgspec.structs.replace(
        recipe,
        feeds=(_feed(recipe, test),),
        transport=None,
        executor=_executor(recipe, test, plugins),
        sinks=(Spec(Memory, NoOptions(), Memory.name, test.path),),
    )
    with tempfile.TemporaryDirectory(prefix="quantmind-test-") as folder:
        running = Running(replaced, Project(Path(folder)), output=io.StringIO())
        try:
            summary = asyncio.run(running.run())
        except RecipeError:
            raise
        except QuantMindError as error:
            return Verdict(test.name, f"the run failed: {error}")
    difference = test.expect.difference(came(seen, summary))
    if difference and summary.refusals:
        difference += f" (refused: {', '.join(f'{code} {count}' for code, count in summary.refusals.items())})"
    return Verdict(test.name, difference)


def _feed(recipe: Recipe, test: RecipeTest) -> Spec:
    """Make the feed: what is given, what closes say of the rest, and funding rates that never come."""
    needed: set[ChannelKind] = set()
    for spec in (*recipe.strategies, recipe.allocator, *recipe.sizing, *recipe.protection, *recipe.limits):
        component: Any = spec.component
        needed |= {channel.kind for channel in component.needs(spec.options).channels}
    events = test.given.events(needed)
    channels: dict[str, frozenset[Channel]] = {}
    for instrument in recipe.instruments:
        there = {_channel(event) for event in events if event.symbol == instrument.symbol}
        channels[instrument.symbol] = frozenset(there | ({Channel("funding")} & {Channel(kind) for kind in needed}))
    options = GivenFeedOptions(channels=channels, events=events)
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
