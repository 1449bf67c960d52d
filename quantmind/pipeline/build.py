"""Builds the parts of a pipeline from a recipe."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from quantmind.blame import defined, misanswered, told
from quantmind.decider import Decider
from quantmind.errors import ComponentError
from quantmind.kinds import Executor, Feed, Run, Sink, Strategy, Transport
from quantmind.kinds.transport import STAGES
from quantmind.pipeline.feeding import Feeding
from quantmind.pipeline.folder import digest
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.wiring import Wiring
from quantmind.trader.entry import LimitEntry
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.rules import Rules
from quantmind.trader.trader import Trader


def feeding(recipe: Recipe, wiring: Wiring) -> tuple[Feeding, list[Feed[Any]]]:
    """Build the feeds, and what merges them."""
    feeds: list[Feed[Any]] = []
    for spec, wanted in zip(recipe.feeds, wiring.wanted, strict=True):
        feed = _make(spec, recipe.instruments)
        feed.wanted = wanted
        feeds.append(feed)
    return Feeding(feeds, wiring, [i.symbol for i in recipe.instruments]), feeds


def decider(recipe: Recipe, wiring: Wiring, epoch: int = 1) -> Decider:
    """Build the strategies, an instance per symbol where that is their scope, and the allocator."""
    symbols = [instrument.symbol for instrument in recipe.instruments]
    strategies: list[Strategy[Any]] = []
    needs = []
    for spec in recipe.strategies:
        kind = cast("type[Strategy[Any]]", spec.component)
        scopes = [[symbol] for symbol in symbols] if kind.scope == "symbol" else [symbols]
        for scope in scopes:
            strategies.append(_make(spec, spec.id, scope))
            needs.append(kind.needs(spec.options))
    ids = list(dict.fromkeys(strategy.id for strategy in strategies))
    allocator = _make(recipe.allocator, dict.fromkeys(symbols, ids))
    return Decider(strategies, needs, allocator, wiring.fills or wiring.positions, epoch)


def identity(recipe: Recipe) -> str:
    """Return what tells a pipeline from others: the recipe's name, and a hash of it as it is written.

    What it refers to is not in it: each stage knows its own secrets only.
    """
    return f"{recipe.name}@{digest(recipe.written)}"


def account(recipe: Recipe) -> str:
    """Return the key of the account that a recipe trades."""
    kind = cast("type[Executor[Any]]", recipe.executor.component)
    try:
        key: object = kind.account(recipe.executor.options)
    except Exception as error:
        raise ComponentError(f"{recipe.executor.path}: its account cannot be told: {told(error)}") from error
    if not (isinstance(key, str) and key):
        raise ComponentError(f"{recipe.executor.path}: account must give a text, was {key!r}{defined(kind.account)}")
    return key


def executor(recipe: Recipe, wiring: Wiring) -> Executor[Any]:
    """Build the executor, told what market data will come."""
    made: Executor[Any] = _make(recipe.executor, recipe.instruments)
    try:
        made.prepare(wiring.channels)
        balance: object = made.balance
    except Exception as error:
        raise ComponentError(f"{recipe.executor.path}: cannot be prepared: {told(error)}") from error
    if not (isinstance(balance, Decimal) and balance.is_finite()):
        raise misanswered(made, "balance", "a finite Decimal", balance)
    return made


def trader(recipe: Recipe, journal: Journal, new_epoch: bool = False) -> Trader:
    """Build the Trader on the account's journal."""
    limits = [_make(spec) for spec in recipe.limits]
    rules = Rules(
        {i.symbol: [_make(spec, i) for spec in recipe.sizing] for i in recipe.instruments},
        {i.symbol: [_make(spec, i) for spec in recipe.protection] for i in recipe.instruments},
        limits,
    )
    strategies = [spec.id for spec in recipe.strategies]
    return Trader(
        recipe.instruments,
        strategies,
        rules,
        Gate(limits),
        journal,
        recipe.no_trade_band,
        _entry(recipe),
        new_epoch,
    )


def _entry(recipe: Recipe) -> LimitEntry | None:
    limit = recipe.entry.limit
    return None if limit is None else LimitEntry(limit.offset_ticks, limit.timeout, limit.then)


def sinks(recipe: Recipe, run: Run) -> list[Sink[Any]]:
    """Build the sinks of a run."""
    return [_make(spec, run) for spec in recipe.sinks]


def runs_live(recipe: Recipe) -> bool:
    """Say whether the feeds of a recipe are live."""
    return any(cast("type[Feed[Any]]", spec.component).runs_live(spec.options) for spec in recipe.feeds)


def stages(recipe: Recipe) -> tuple[str, ...]:
    """Return the stages of a recipe with a transport; one without sinks has no stage for them."""
    return tuple(stage for stage in STAGES if stage != "sink" or recipe.sinks)


def peers(recipe: Recipe, stage: str) -> tuple[str, ...]:
    """Return the other stages."""
    return tuple(other for other in stages(recipe) if other != stage)


def transport(recipe: Recipe, stage: str) -> Transport[Any]:
    """Build one stage's end of the transport."""
    if recipe.transport is None:
        raise ValueError("a recipe without a transport runs in one process")
    made: Transport[Any] = _make(recipe.transport, recipe.name, stage)
    return made


def _make(spec: Spec, *arguments: Any) -> Any:
    kind = spec.component
    try:
        made = kind(spec.options, *arguments)
    except Exception as error:
        raise ComponentError(f"{spec.path}: cannot be made: {told(error)}") from error
    if not hasattr(made, "options"):
        at = defined(kind.__init__)
        raise ComponentError(f"{spec.path}: its __init__ must call super().__init__ with all that it is given{at}")
    return made
