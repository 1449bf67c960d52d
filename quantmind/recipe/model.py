"""The recipe, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from quantmind.kinds import Component
from quantmind.market.instruments import Instrument
from quantmind.recipe.entry import Entry
from quantmind.recipe.problems import Mark

if TYPE_CHECKING:
    from quantmind.recipe.tests import RecipeTest

NO_TRADE_BAND = Decimal("0.05")
MAX_AGE = 10_000_000_000
"""In ns."""


class Spec(msgspec.Struct, frozen=True):
    """One component of a recipe: its class, its options, and its place such as `strategies[0].momentum`."""

    component: type[Component[Any]]
    options: Any
    id: str
    path: str


def _as_it_is(path: str, message: str) -> str:  # noqa: ARG001 - a recipe that is given has nothing from outside
    return message


class Origins(msgspec.Struct, frozen=True):
    """Where the values of a recipe come from, by path."""

    marks: Mapping[str, Mark] = {}
    """The place of each value that is written in a file."""
    environment: Mapping[str, tuple[str, ...]] = {}
    """The variables whose values are in a text."""
    values: Mapping[str, Any] = {}
    """Every plain value as it was given: interpolated, secrets masked."""
    discreet: Callable[[str, str], str] = _as_it_is
    """Writes a message about a path without what came from outside."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a pipeline is built from."""

    name: str
    file: Path | None
    instruments: tuple[Instrument, ...]
    feeds: tuple[Spec, ...]
    transport: Spec | None
    strategies: tuple[Spec, ...]
    allocator: Spec
    sizing: tuple[Spec, ...]
    protection: tuple[Spec, ...] = ()
    limits: tuple[Spec, ...]
    """Those of quantmind.yaml first, then the recipe's own."""
    no_trade_band: Decimal
    max_age: int = MAX_AGE
    """Live, how old the last word of the strategy or the feed stage may be for entries, in ns."""
    entry: Entry = Entry()
    executor: Spec
    sinks: tuple[Spec, ...]
    tests: tuple[RecipeTest, ...] = ()
    written: dict[str, Any] = {}
    """Plain data but for the tests, as written: nothing interpolated, inherited limits beside it."""
    resolved: dict[str, Any]
    """Plain data but for the tests: interpolated, inherited limits included, secrets masked."""
    origins: Origins
