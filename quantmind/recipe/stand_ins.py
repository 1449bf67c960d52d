"""What stands in for the feed and the executor of a recipe in a test: the market and the account that are given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, cast

from pydantic import Field

from quantmind.errors import RecipeError
from quantmind.events import Market
from quantmind.events.market import ChannelKind
from quantmind.kinds import Channel, Executor, Feed, Options
from quantmind.kinds.options import format_duration
from quantmind.plugins import Plugins
from quantmind.recipe.faults import validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.given import Account, Given
from quantmind.recipe.model import Spec


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
        yield [event for event in market if Channel.of(event) in wanted.get(event.symbol, ())]


def needed_by(specs: Iterable[Spec]) -> frozenset[ChannelKind]:
    """Return what kinds of channel components need; who raises when asked for it needs nothing here."""
    kinds: set[ChannelKind] = set()
    for spec in specs:
        component: Any = spec.component
        try:
            kinds.update(channel.kind for channel in component.needs(spec.options).channels)
        except Exception:  # noqa: BLE001, S112 - a plugin may raise anything, and the wiring tells it
            continue
    return frozenset(kinds)


def feed(given: Given, needed: Collection[ChannelKind], path: str) -> Spec:
    """Make the feed of what is given at a path: what is written, and what its closes say of the rest."""
    options = GivenFeedOptions(channels=given.channels(needed), market=partial(given.events, needed))
    return Spec(GivenFeed, options, GivenFeed.name, path)


def simulated(component: type[Any], plugins: Plugins) -> type[Executor[Any]]:
    """Return the executor of tests: the recipe's if it is simulated, else the only one that is.

    Raises:
        RecipeError: none is, or several are.
    """
    if _is_simulated(component):
        return component
    rows = [row for row in plugins.all() if row.kind == "executor" and not row.fault]
    others = [other for row in rows if _is_simulated(other := plugins.find("executor", row.name))]
    if len(others) != 1:
        names = ", ".join(other.name for other in others) or "none"
        raise RecipeError(f"need one simulated executor in place of {component.name}; installed: {names}")
    return cast("type[Executor[Any]]", others[0])


def executor(component: type[Executor[Any]], account: Account, path: str, findings: Findings) -> Spec | None:
    """Make the executor, with what is given of its options at a path; None after noting what is wrong with them."""
    # As a recipe writes them: there a span has its unit.
    figures: dict[str, Decimal | str] = {
        "balance": account.equity,
        "taker_fee": account.fee,
        "maker_fee": account.fee,
        "latency": format_duration(account.latency),
    }
    fields = component.options_model.model_fields
    values = {name: value for name, value in figures.items() if name in fields} | account.executor
    options = validate(component.options_model, values, path, findings)
    return None if options is None else Spec(component, options, component.name, path)


def _is_simulated(component: type[Any]) -> bool:
    return cast("type[Executor[Any]]", component).simulated
