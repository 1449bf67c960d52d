"""Reading a journal: what an account goes on from, what others missed, and what is exported."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import msgspec

from quantmind.errors import QuantMindError
from quantmind.events import Fact, Fill, Funding, Latch, Refusal, Target, Transfer, Upto, Valuation
from quantmind.trader.orders import Order

FILE = "journal.sqlite"
"""The journal's name in the folder of its account."""

VERSION = 3
"""The layout of the tables below."""

SCHEMA = """
CREATE TABLE account (key TEXT NOT NULL, balance TEXT NOT NULL);
CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, upto INTEGER NOT NULL, number INTEGER NOT NULL);
CREATE TABLE decisions (epoch INTEGER, seq INTEGER, n INTEGER, body TEXT);
CREATE TABLE orders (epoch INTEGER, seq INTEGER, n INTEGER, open INTEGER, body TEXT, last INTEGER,
    PRIMARY KEY (epoch, seq, n)) WITHOUT ROWID;
CREATE INDEX orders_open ON orders (open) WHERE open = 1;
CREATE INDEX orders_last ON orders (last);
CREATE TABLE fills (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE refusals (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, code TEXT, body TEXT);
CREATE TABLE transfers (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE funding (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE latches (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE valuations (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE states (name TEXT PRIMARY KEY, body TEXT NOT NULL)
"""
"""The tables: a row for each decision, order and fact, whose body is its JSON.

(epoch, seq, n) is the position: the last market event, and a counter that restarts with it. `last` is the number of
the last fact in the trail of an order. `states` has what no fact tells of rules, protection and the executor, as it
was at the last commit.
"""

_KINDS: dict[str, type[Any]] = {
    "decisions": Upto,
    "fills": Fill,
    "transfers": Transfer,
    "funding": Funding,
    "latches": Latch,
    "valuations": Valuation,
    "orders": Order,
    "refusals": Refusal,
}

FACTS = ("fills", "transfers", "funding", "latches", "valuations", "refusals")
"""The tables that hold facts; those of orders are in the trail of each."""

_UNREADABLE = (sqlite3.DatabaseError, msgspec.MsgspecError, ValueError, TypeError, LookupError, ArithmeticError)
"""What is raised where a record is not what was written."""


class Progress(msgspec.Struct, frozen=True):
    """How far the journal goes: the last market event, what came after it, the last Upto, the last fact."""

    epoch: int = 1
    seq: int = 0
    n: int = 0
    upto: int = 0
    number: int = 0


class JournalReader:
    """What is on record, committed.

    Raises:
        QuantMindError: at any time: the file is damaged.
    """

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database = database
        self.path = path

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a journal to read, beside a process that may be writing it.

        Raises:
            QuantMindError: there is none.
        """
        path = folder / FILE
        if not path.is_file():
            raise QuantMindError(f"{path}: there is no journal; the run ended before it began to trade")
        try:
            database, version = _begun(path)
        except sqlite3.OperationalError as error:
            raise QuantMindError(f"{path}: cannot be read: {error}") from error
        except sqlite3.DatabaseError as error:
            raise QuantMindError(f"{path}: is no journal: bring back a copy of it") from error
        if version != VERSION:
            database.close()
            raise QuantMindError(
                f"{path}: journal of version {version}, this program reads {VERSION}; "
                "one of version 2 is brought to it when its account is next run"
            )
        return cls(database, path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextlib.contextmanager
    def readable(self) -> Iterator[None]:
        """Name the file as what is damaged, if something of it cannot be understood."""
        try:
            yield
        except _UNREADABLE as error:
            raise QuantMindError(f"{self.path}: is damaged: bring back a copy of it, or use another account") from error

    @property
    def account(self) -> str:
        """The account's key."""
        return str(self._one("SELECT key FROM account"))

    @property
    def balance(self) -> str:
        """The balance the account started with."""
        balance = self._one("SELECT balance FROM account")
        with self.readable():
            Decimal(balance)
        return str(balance)

    def progress(self) -> Progress | None:
        """Return how far the journal goes; None for a new account."""
        for row in self._rows("SELECT epoch, seq, n, upto, number FROM progress"):
            with self.readable():
                return msgspec.convert(dict(zip(Progress.__struct_fields__, row, strict=True)), Progress)
        return None

    def open_orders(self) -> list[Order]:
        """Return the orders that are not done, oldest first."""
        found = self._rows("SELECT body FROM orders WHERE open = 1 ORDER BY epoch, seq, n")
        return [self._read(Order, body) for (body,) in found]

    def find_order(self, id: str) -> Order | None:
        """Return an order by its id, done or not; None if this account never had it."""
        position = id.removeprefix("qm").split("-")
        query = "SELECT body FROM orders WHERE epoch = ? AND seq = ? AND n = ?"
        for (body,) in self._rows(query, *[*position, "", ""][:3]):
            order: Order = self._read(Order, body)
            return order if order.id == id else None
        return None

    def fills(self) -> Iterator[Fill]:
        """Return every fill, in order."""
        for (body,) in self._rows("SELECT body FROM fills ORDER BY number"):
            yield self._read(Fill, body)

    def targets(self) -> list[Target]:
        """Return the last Target of each symbol."""
        return list({t.symbol: t for *_, decision in self.records("decisions") for t in decision.targets}.values())

    def latches(self) -> dict[str, Latch]:
        """Return the latches that are set, by name."""
        last = {latch.name: latch for *_, latch in self.records("latches")}
        return {name: latch for name, latch in last.items() if latch.level is not None}

    def states(self) -> dict[str, str]:
        """Return what was saved at the last commit, by name."""
        return {str(name): str(body) for name, body in self._rows("SELECT name, body FROM states")}

    def refusal_counts(self) -> dict[str, int]:
        """Return how often each code was refused."""
        return {code: int(count) for code, count in self._rows("SELECT code, count(*) FROM refusals GROUP BY code")}

    def counts(self) -> dict[str, int]:
        """Return how many signals, Targets, orders and fills are on record."""
        decisions = [decision for *_, decision in self.records("decisions")]
        rows = {
            table: int(self._one(f"SELECT count(*) FROM {table}"))  # noqa: S608 - own names
            for table in ("orders", "fills")
        }
        signals, targets = sum(len(d.signals) for d in decisions), sum(len(d.targets) for d in decisions)
        return {"signals": signals, "targets": targets, **rows}

    def facts(self, number: int = 0) -> list[tuple[int, Fact]]:
        """Return the facts from `number` on, each with the last market event handled before it.

        Reads those alone, and the orders they are of.
        """
        found: list[tuple[int, Fact]] = []
        for table in FACTS:
            kind = _KINDS[table]
            rows = self._rows(f"SELECT seq, body FROM {table} WHERE number >= ?", number)  # noqa: S608 - own names
            found += [(seq, self._read(kind, body)) for seq, body in rows]
        for (body,) in self._rows("SELECT body FROM orders WHERE last >= ?", number):
            order = self._read(Order, body)
            found += [(step.seq, order.told(step)) for step in order.trail if step.number >= number]
        return sorted(found, key=lambda item: item[1].number)

    def records(self, table: str) -> Iterator[tuple[int, int, int, Any]]:
        """Return what a table holds, by position, each with its position."""
        kind = _KINDS[table]
        for epoch, seq, n, body in self._rows(
            f"SELECT epoch, seq, n, body FROM {table} ORDER BY epoch, seq, n"  # noqa: S608 - own names
        ):
            yield epoch, seq, n, self._read(kind, body)

    def _rows(self, query: str, *parameters: object) -> Iterator[tuple[Any, ...]]:
        with self.readable():
            found = self._database.execute(query, parameters)
            while (row := found.fetchone()) is not None:
                yield row

    def _one(self, query: str) -> Any:
        """Return what there is one of."""
        for (value,) in self._rows(query):
            return value
        raise QuantMindError(f"{self.path}: is damaged: it does not tell whose account it is: bring back a copy of it")

    def _read(self, kind: type[Any], body: str) -> Any:
        with self.readable():
            return msgspec.json.decode(body, type=kind)


def _begun(path: Path) -> tuple[sqlite3.Connection, int]:
    """Open a file, and return it with its version.

    To read beside a writer takes a file of locks. Where none can be made, on a full disk or one that is read-only,
    and no writer has left anything beside the file, it is read without.
    """
    alone = not path.with_name(f"{path.name}-wal").exists()
    try:
        return _connected(path, "mode=ro")
    except sqlite3.OperationalError:
        if not alone:
            raise
    return _connected(path, "immutable=1")


def _connected(path: Path, mode: str) -> tuple[sqlite3.Connection, int]:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    try:
        # All that is read is of one moment, whatever is written meanwhile.
        database.execute("BEGIN")
        database.execute("SELECT * FROM progress")
        return database, int(database.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        database.close()
        raise
