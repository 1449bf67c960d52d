"""What a recipe test expects, and how that is compared with what came."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.kinds import Options
from quantmind.recipe.problems import join

Record = Mapping[str, Any]
"""What came, by the keys of an expectation; a list holds every value that there was."""

AFTER = "after"
"""The key of a record that no entry has: how long after the market began it came, in ns; an order, when it was made."""

Line = tuple[str, str]
"""Symbol and strategy that a figure is of; both are empty for the account."""

_CLOSE = 1e-9
"""Floats are compared to nine digits: nobody expects the last ones of an indicator."""
_NEAREST = 3
"""So many of what came are told for an entry that did not come."""


class Difference(msgspec.Struct, frozen=True):
    """One thing that did not come as expected."""

    path: str
    """Its place in `expect`, such as `orders[0]`."""
    expected: str
    came: tuple[str, ...]
    """What came in its place: the nearest with what is not as expected of each, or the first of what was not wanted."""
    count: int = 1
    """Of how many these are the nearest, or the first."""
    unwanted: bool = False
    """Whether these came and nothing was wanted there."""

    def __str__(self) -> str:
        """Say it on one line, with the nearest of what came."""
        word = "first" if self.unwanted else "nearest"
        among = f" (the {word} of {self.count})" if self.count > 1 else ""
        return f"{self.path}: expected {self.expected}, came {self.came[0]}{among}"


class Wanted(Options):
    """One entry of an expectation: what it does not name is not compared."""

    def differences(self, record: Record) -> list[str]:
        """Return what is not as expected, each as the key and what came."""
        return [told for key in self.named if (told := self._difference(key, record))]

    def likeness(self, record: Record) -> tuple[int, int, int]:
        """Return how many keys are as expected, before the first that is not and in all, and how many it has."""
        fits = [not self._difference(key, record) for key in self.named]
        had = [bool(record.get(_base(key))) for key in self.named]
        return ([*fits, False].index(False), fits.count(True), had.count(True))

    @property
    def named(self) -> list[str]:
        """The keys it names."""
        return [key for key in type(self).model_fields if key in self.model_fields_set]

    def _difference(self, key: str, record: Record) -> str:
        base = _base(key)
        found = record.get(base)
        values = (found or [None]) if isinstance(found, list) else [found]
        if any(_holds(key.removeprefix(base), getattr(self, key), value) for value in values):
            return ""
        return f"{base} was {', '.join(map(written, values))}"

    def __str__(self) -> str:
        """Write the keys it names, as a recipe does."""
        return written({key: getattr(self, key) for key in self.named})


def _base(key: str) -> str:
    """Return the key of the record that a key of an expectation is about."""
    return key.removesuffix("_below").removesuffix("_above")


def _holds(relation: str, wanted: Any, value: Any) -> bool:
    if value is None or wanted is None:
        return value is wanted
    if relation == "_below":
        return bool(value < wanted)
    if relation == "_above":
        return bool(value > wanted)
    if isinstance(value, float):
        return math.isclose(value, wanted, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return bool(value == wanted)


class WantedList(msgspec.Struct, frozen=True):
    """Entries that came in this order; others may have come between them, unless these are `exactly` all."""

    entries: tuple[Wanted, ...]
    exactly: bool

    def differences(self, key: str, came: Sequence[Record]) -> Iterator[Difference]:
        """Yield every entry that is not there, with what is nearest to it, and what came though nothing was wanted."""
        if not self.entries:
            if came:
                yield _unwanted(key, f"no {key}", came)
            return
        path = join(key, "exactly") if self.exactly else key
        at = 0
        for number, entry in enumerate(self.entries):
            # Where exactly these are wanted each has its place, and what is there counts whether it fits or not.
            rest = came[number : number + 1] if self.exactly else came[at:]
            found = next((place for place, record in enumerate(rest, at + 1) if not entry.differences(record)), 0)
            if not found:
                yield Difference(join(path, number), str(entry), _nearest(entry, rest, key, more=bool(came)), len(rest))
            at = found or at
        if self.exactly and len(self.entries) < len(came):
            words = f"exactly {len(self.entries)} {key}, not {len(came)}"
            yield _unwanted(path, words, came[len(self.entries) :])


def _unwanted(path: str, expected: str, came: Sequence[Record]) -> Difference:
    return Difference(path, expected, tuple(map(_told, came[:_NEAREST])), len(came), unwanted=True)


def _nearest(entry: Wanted, came: Sequence[Record], key: str, *, more: bool) -> tuple[str, ...]:
    if not came:
        return (f"{'no more' if more else 'no'} {key}",)
    nearest = sorted(came, key=entry.likeness, reverse=True)[:_NEAREST]
    return tuple(f"{_told(record)}: {', '.join(entry.differences(record)) or 'is another entry'}" for record in nearest)


def _told(record: Record) -> str:
    """Write what came, and when."""
    ns = record.get(AFTER)
    text = written({key: value for key, value in record.items() if key != AFTER})
    if ns is None:
        return text
    seconds, rest = divmod(ns, 1_000_000_000)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"after {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction} {text}"


class WantedFigure(msgspec.Struct, frozen=True):
    """A figure at the end: of the account, a symbol, a strategy, or a strategy in a symbol."""

    path: str
    name: str
    """Such as `pnl`."""
    relation: str
    """Empty for the figure itself, `_above` or `_below` for a bound."""
    value: Decimal
    line: Line

    def differences(self, came: Came) -> Iterator[Difference]:
        """Yield the difference, if there is one."""
        found = came.figure(self.name, self.line)
        if not _holds(self.relation, self.value, found):
            bound = f"{self.relation.removeprefix('_')} " if self.relation else ""
            yield Difference(self.path, f"{bound}{written(self.value)}", (written(found),))


class Came(msgspec.Struct, frozen=True):
    """What came of a run, by the keys of expectations."""

    lists: Mapping[str, Sequence[Record]]
    figures: Mapping[str, Mapping[Line, Any]]
    """The figures at the end by their name, of each line that there is."""

    def figure(self, name: str, line: Line) -> Any:
        """Return a figure; a line of which nothing was heard has 0 of everything."""
        lines = self.figures[name]
        symbol, strategy = line
        if line in lines:
            return lines[line]
        mine = [figure for (_, owner), figure in lines.items() if strategy and not symbol and owner == strategy]
        return sum(mine, Decimal(0))


class Expect(msgspec.Struct, frozen=True):
    """All that a recipe test expects."""

    lists: Mapping[str, WantedList]
    figures: tuple[WantedFigure, ...]

    def differences(self, came: Came) -> tuple[Difference, ...]:
        """Return everything that is not as expected."""
        found: list[Difference] = []
        for key, wanted in self.lists.items():
            records = came.lists[key]
            if key == "orders" and wanted.entries:
                purposes = {dict(entry)["purpose"] for entry in wanted.entries}
                records = [record for record in records if record["purpose"] in purposes]
            found += wanted.differences(key, records)
        for figure in self.figures:
            found += figure.differences(came)
        return tuple(found)


def written(value: Any) -> str:
    """Write a value as a recipe would, on one line; what is None or empty in a record is left out."""
    if isinstance(value, Mapping):
        members = ((key, member) for key, member in value.items() if member is not None and member != [])
        return "{" + ", ".join(f"{key}: {written(member)}" for key, member in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
