"""What a recipe test expects, and how that is compared with what came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.kinds import Options

Record = Mapping[str, Any]
"""What came, by the keys of an expectation; a list holds every value that there was."""

_CLOSE = 1e-9
"""Floats are compared to nine digits: nobody expects the last ones of an indicator."""


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

    def difference(self, word: str, came: Sequence[Record]) -> str:
        """Return the first entry that is not there, and what came in its place; nothing when all are there."""
        if not self.entries:
            return f": expected no {word}, came {len(came)}, the first {written(came[0])}" if came else ""
        at = 0
        for number, entry in enumerate(self.entries):
            rest = came[at : at + 1] if self.exactly else came[at:]
            found = next((i for i, record in enumerate(rest, at + 1) if not entry.differences(record)), 0)
            if not found:
                told = _nearest(entry, rest) if rest else f"came {'no more' if came else 'no'} {word}"
                return f"[{number}]: expected {entry}, {told}"
            at = found
        if self.exactly and at < len(came):
            return f": expected exactly {at} {word}, came {len(came)}, the first too many {written(came[at])}"
        return ""


def _nearest(entry: Wanted, came: Sequence[Record]) -> str:
    nearest = max(came, key=entry.likeness)
    among = "" if len(came) == 1 else f" as the nearest of {len(came)}"
    return f"came {written(nearest)}{among}: {', '.join(entry.differences(nearest))}"


class Came(msgspec.Struct, frozen=True):
    """What came of a run, by the keys of expectations."""

    lists: Mapping[str, Sequence[Record]]
    totals: Record
    positions: Mapping[str, Mapping[str, Decimal]]
    """The signed position by symbol and strategy; the net one has the strategy ""."""


class Expect(msgspec.Struct, frozen=True):
    """All that a recipe test expects."""

    lists: Mapping[str, WantedList]
    totals: Wanted
    positions: Mapping[str, Mapping[str, Decimal]]
    """As `Came` has them; what is left out is not compared."""

    def difference(self, came: Came) -> str:
        """Return the first thing that is not as expected; nothing when all is."""
        for key, wanted in self.lists.items():
            records = came.lists[key]
            if key == "orders" and wanted.entries:
                purposes = {dict(entry)["purpose"] for entry in wanted.entries}
                records = [record for record in records if record["purpose"] in purposes]
            if told := wanted.difference(key, records):
                return f"{key}{told}"
        for symbol, parts in self.positions.items():
            for strategy, quantity in parts.items():
                found = came.positions.get(symbol, {}).get(strategy, Decimal(0))
                if found != quantity:
                    whose = f"of {strategy} in {symbol}" if strategy else f"in {symbol}"
                    return f"position: expected {written(quantity)} {whose}, came {written(found)}"
        told = "; ".join(self.totals.differences(came.totals))
        return f"expected {self.totals}: {told}" if told else ""


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
