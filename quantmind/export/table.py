"""One table of an export: what its columns are, and how its rows are made of what a journal has."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from quantmind.kinds.moment import format_moment

if TYPE_CHECKING:
    from quantmind.trader.journal_reader import JournalReader

Kind = Literal["text", "whole", "number", "yes_no", "decimal"]
"""Text; a whole number; a float; true or false; an exact Decimal, written as text without an exponent."""

Row = tuple[Any, ...]


class Column(msgspec.Struct, frozen=True):
    """One column: its name, its kind, and what it means."""

    name: str
    kind: Kind
    meaning: str


class Table(msgspec.Struct, frozen=True):
    """One table: its name, what a row of it is, its columns, and how its rows are had from a journal."""

    name: str
    row: str
    columns: tuple[Column, ...]
    rows: Callable[[JournalReader], Iterable[Row]]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]


@functools.lru_cache(64)
def iso(ts: int) -> str:
    """Return a time as ISO text; rows beside each other often have the same."""
    return format_moment(ts)


def text(value: Any) -> Any:
    """Return a value as a table holds it: a Decimal as plain text, everything else as it is."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def columns(*lines: str) -> tuple[Column, ...]:
    """Read columns written as `name kind meaning`."""
    return tuple(Column(*line.split(" ", 2)) for line in lines)  # type: ignore[arg-type] # kinds are written below


POSITION = (
    "epoch whole start of the feed that the event belongs to; 1 in a replay",
    "seq whole the last market event before it",
    "n whole counts what happened since that market event",
)
TIME = (
    "ts whole the venue's time, ns UTC",
    "time text the same as ISO text",
)
NUMBER = ("number whole counts the facts of the account, in order",)
CAUSE = ("cause text id of what led to it",)


def recorded(journal: JournalReader, table: str, fields: Iterable[str]) -> Iterator[Row]:
    """Return the rows of a table of the journal: position, then fields of the record."""
    names = tuple(fields)
    for epoch, seq, n, record in journal.records(table):
        yield (epoch, seq, n, *values(record, names))


def parts(journal: JournalReader, table: str, fields: Iterable[str]) -> Iterator[Row]:
    """Return a row for each part of each record: the record's id, then fields of the part."""
    names = tuple(fields)
    for *_, record in journal.records(table):
        for part in record.parts:
            yield (record.id, *values(part, names))


def values(record: Any, names: Iterable[str]) -> Iterator[Any]:
    """Return fields of a record as a table holds them; `time` is made of its ts."""
    for name in names:
        yield iso(record.ts) if name == "time" else text(getattr(record, name))


def record_table(name: str, row: str, *lines: str) -> Table:
    """Make the table of a table of the journal: a position, and fields of the records."""
    made = columns(*POSITION, *lines)
    fields = [column.name for column in made[len(POSITION) :]]
    return Table(name, row, made, lambda journal: recorded(journal, name, fields))


def part_table(name: str, of: str, source: str, *lines: str, fields: tuple[str, ...]) -> Table:
    """Make the table of the parts of the records of a table of the journal."""
    made = columns(f"{of} text id of the row in {source}", "strategy text the strategy's id in the recipe", *lines)
    return Table(name, f"the part of one strategy in one of {source}", made, lambda j: parts(j, source, fields))
