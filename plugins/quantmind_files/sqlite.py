"""The sqlite sink: events as rows, a table for each type."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events import Share
from quantmind.events.names import EVENT_TYPES, EventName
from quantmind.kinds import Options, Run, Sink

_COLUMN_TYPES = {int: "INTEGER", bool: "INTEGER", float: "REAL"}
_PLAIN = frozenset({int, bool, float, str})


class SqliteOptions(Options):
    """Options of the sqlite sink."""

    path: Path | None = Field(
        default=None,
        examples=["~/trading.sqlite"],
        description="The database, added to; left out, sink.sqlite in the folder of the run. Its folder must exist.",
    )
    events: list[EventName] = Field(
        default=["signal", "target", "order", "fill", "transfer", "funding", "latch", "refusal"],
        min_length=1,
        description="The events it writes.",
    )


class Sqlite(Sink[SqliteOptions]):
    """Adds events to a SQLite database, one table for each type.

    A batch is one transaction. Each table begins with the name of the run, so that several runs can share a database.
    """

    name = "sqlite"

    def __init__(self, options: SqliteOptions, run: Run) -> None:
        super().__init__(options, run)
        self._database: sqlite3.Connection | None = None
        self._tables = {EVENT_TYPES[name]: _Table(name, run.name) for name in options.events}

    @property
    def events(self) -> frozenset[type[Any]]:
        """The types of event it writes."""
        return frozenset(self._tables)

    async def open(self) -> None:
        """Open the database and make the tables that it lacks."""
        path = self.run.folder / "sink.sqlite" if self.options.path is None else self.options.path.expanduser()
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            # Each checkpoint waits for the disk: every 40 MB is often enough.
            self._database.execute("PRAGMA wal_autocheckpoint = 10000")
            for table in self._tables.values():
                table.make(self._database, self.run.continued)
        except sqlite3.Error as error:
            raise QuantMindError(
                f"sqlite: {path} cannot be written: {error}; its folder must exist, and the file be new or"
                f" this sink's own"
            ) from error

    async def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()
            self._database = None

    async def write(self, batch: Sequence[Any]) -> None:
        """Add a batch in one transaction."""
        if self._database is None:
            raise QuantMindError("sqlite: write was called before open")
        rows: dict[type[Any], list[tuple[Any, ...]]] = {}
        for event in batch:
            table = self._tables.get(type(event))
            if table is not None:
                rows.setdefault(type(event), []).append(table.row(event))
        if not rows:
            return
        with self._database:
            self._database.execute("BEGIN")
            for type_, some in rows.items():
                self._database.executemany(self._tables[type_].insert, some)


class _Table:
    """The table of a type of event: the run and the fields of the event, in their order."""

    def __init__(self, name: EventName, run: str) -> None:
        hints = get_type_hints(EVENT_TYPES[name])
        fields = EVENT_TYPES[name].__struct_fields__
        columns = ["run TEXT", *(f'"{field}" {_COLUMN_TYPES.get(hints[field], "TEXT")}' for field in fields)]
        table = table_name(name)
        self._name, self._columns = table, dict(zip(["run", *fields], columns, strict=True))
        self._create = f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})"
        names = ", ".join(["run", *(f'"{field}"' for field in fields)])
        marks = ", ".join("?" * len(columns))
        self.insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own fields
        self._forget = f"DELETE FROM {table} WHERE run = ?"  # noqa: S608 - as above
        self._forget_after = f"{self._forget} AND number > ?" if "number" in fields else ""
        self._width = len(columns)
        self._run = run
        self._texts = [
            (n, _shares if field == "shares" else _text)
            for n, field in enumerate(fields, 1)
            if hints[field] not in _PLAIN
        ]

    def make(self, database: sqlite3.Connection, continued: int | None) -> None:
        """Make the table, and give one of an earlier version the columns that came since.

        A replay that goes on after a kill tells everything again, so what it told before is forgotten; a live run
        tells the facts after `continued` again.
        """
        database.execute(self._create)
        there = {row[1] for row in database.execute(f"PRAGMA table_info({self._name})")}
        for name, column in self._columns.items():
            # A table that has nothing in common with ours is somebody else's.
            if name not in there and {"run", "ts"} <= there:
                database.execute(f"ALTER TABLE {self._name} ADD COLUMN {column}")
        database.execute(f"EXPLAIN {self.insert}", [None] * self._width)
        if continued is None:
            database.execute(self._forget, [self._run])
        elif self._forget_after:
            database.execute(self._forget_after, [self._run, continued])

    def row(self, event: Any) -> tuple[Any, ...]:
        """Return an event as SQLite takes it."""
        values = [self._run, *msgspec.structs.astuple(event)]
        for n, text in self._texts:
            values[n] = text(values[n])
        return tuple(values)


def table_name(event: EventName) -> str:
    """Return the name of the table of a type of event: its plural."""
    return f"{event}es" if event.endswith("ch") else f"{event}s"


def _text(value: Any) -> Any:
    """Write a Decimal as text, without an exponent (exact, where REAL is not), and a list as JSON."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple):
        return json.dumps(value, default=_part)
    return value


def _part(value: object) -> object:
    """Write a Decimal in a list as a plain string and a part of an event as an object."""
    return format(value, "f") if isinstance(value, Decimal) else msgspec.structs.asdict(value)  # type: ignore[arg-type] # nothing else is in an event


def _shares(shares: Sequence[Share]) -> str:
    """Write the shares of a Target as a JSON object of strategy and value."""
    return json.dumps({share.strategy: format(share.value, "f") for share in shares})
