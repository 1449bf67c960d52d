"""The journal: the durable record of an account. The intent is in it before the command is performed."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from quantmind.errors import QuantMindError
from quantmind.events import Fact, Refusal, Upto
from quantmind.trader.journal_reader import FILE, SCHEMA, VERSION, JournalReader, Progress
from quantmind.trader.orders import Order

_INSERTS = {
    "decisions": "INSERT INTO decisions VALUES (?,?,?,?)",
    "fills": "INSERT INTO fills VALUES (?,?,?,?,?)",
    "transfers": "INSERT INTO transfers VALUES (?,?,?,?,?)",
    "funding": "INSERT INTO funding VALUES (?,?,?,?,?)",
    "latches": "INSERT INTO latches VALUES (?,?,?,?,?)",
    "valuations": "INSERT INTO valuations VALUES (?,?,?,?,?)",
    "refusals": "INSERT INTO refusals VALUES (?,?,?,?,?,?)",
}
_PUT_STATE = "INSERT OR REPLACE INTO states VALUES (?,?)"
_PUT_ORDER = "INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?,?)"
_FROM_2 = (
    "ALTER TABLE orders ADD COLUMN last INTEGER",
    "UPDATE orders SET last = (SELECT max(json_extract(value, '$[0]')) FROM json_each(orders.body, '$[14]'))",
    "CREATE INDEX orders_last ON orders (last)",
)
"""What makes a journal of version 2 one of today; 14 is the place of the trail in an order."""
_to_json = msgspec.json.Encoder(decimal_format="string").encode

Position = tuple[int, int, int]
"""Epoch, last market event, and a counter that restarts with it."""


class Journal(JournalReader):
    """One account's journal, under an exclusive lock, to write to.

    Rows wait in memory until `commit`. With `durable` they are on the disk when it returns (synchronous FULL);
    without, a crash of the machine may lose the last ones: a replay can be run again.

    Raises:
        QuantMindError: the account is in use, or the file belongs to another account or version.
    """

    def __init__(self, folder: Path, account: str, balance: str, durable: bool) -> None:
        self._lock = _locked(folder / "lock", account)
        path = folder / FILE
        with contextlib.ExitStack() as opened:
            opened.callback(self._lock.close)
            try:
                super().__init__(sqlite3.connect(path, isolation_level=None), path)
                opened.callback(self._database.close)
                self._prepare(account, balance, durable)
            except sqlite3.DatabaseError as error:
                raise QuantMindError(f"{path}: cannot be opened: {error}") from error
            opened.pop_all()
        self.durable = durable
        self.dirty = False
        self._waiting: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _INSERTS}
        self._orders: dict[str, Order] = {}
        self._states: dict[str, str] = {}

    def _prepare(self, account: str, balance: str, durable: bool) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        # A checkpoint rewrites what is safe already; seldom is often enough.
        self._database.execute("PRAGMA wal_autocheckpoint = 10000")
        self._create(account, balance, self.path)

    def _create(self, account: str, balance: str, path: Path) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version in {0, 2}:
            self._database.execute("BEGIN IMMEDIATE")
            for statement in _FROM_2 if version else SCHEMA.split(";"):
                self._database.execute(statement)
            if not version:
                self._database.execute("INSERT INTO account VALUES (?, ?)", (account, balance))
            self._database.execute(f"PRAGMA user_version = {VERSION}")
            self._database.execute("COMMIT")
        elif version != VERSION:
            raise QuantMindError(f"{path}: journal of version {version}, this program reads {VERSION}")
        if self.account != account:
            raise QuantMindError(f"{path}: the journal of account {self.account}, not of {account}")

    def decision(self, position: Position, decision: Upto) -> None:
        """Record signals and the Targets made of them; they take the places from `position` on."""
        self.dirty = True
        self._waiting["decisions"].append((*position, _encode(decision)))

    def order(self, order: Order) -> None:
        """Record an order as it will be at the next commit: one row, whatever happens to it until then."""
        self.dirty = True
        self._orders[order.id] = order

    def fact(self, table: str, position: Position, fact: Fact) -> None:
        """Record a fact in the table of its kind."""
        self.dirty = True
        self._waiting[table].append((*position, fact.number, _encode(fact)))

    def refusal(self, position: Position, refusal: Refusal) -> None:
        """Record a refusal."""
        self.dirty = True
        self._waiting["refusals"].append((*position, refusal.number, refusal.code, _encode(refusal)))

    def commit(self, progress: Progress, states: Mapping[str, str]) -> None:
        """Write everything recorded since the last commit, the states, and how far it goes, in one transaction."""
        execute, many = self._database.execute, self._database.executemany
        execute("BEGIN IMMEDIATE")
        try:
            for table, waiting in self._waiting.items():
                if waiting:
                    many(_INSERTS[table], waiting)
            if self._orders:
                rows = [
                    (o.epoch, o.seq, o.n, o.open, _encode(o), o.trail[-1].number if o.trail else 0)
                    for o in self._orders.values()
                ]
                many(_PUT_ORDER, rows)
            changed = [item for item in states.items() if self._states.get(item[0]) != item[1]]
            if changed:
                many(_PUT_STATE, changed)
            execute("INSERT OR REPLACE INTO progress VALUES (1,?,?,?,?,?)", msgspec.structs.astuple(progress))
            execute("COMMIT")
        except BaseException as error:
            # A full disk rolls it back by itself.
            if self._database.in_transaction:
                execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise QuantMindError(f"{self.path}: cannot be written: {error}: make room, or mend its disk") from error
            raise
        for waiting in self._waiting.values():
            waiting.clear()
        self._orders.clear()
        self._states.update(changed)
        self.dirty = False

    def close(self) -> None:
        """Close the file and give the account free; what was not committed is not kept."""
        super().close()
        self._lock.close()

    def find_order(self, id: str) -> Order | None:
        """Return an order by its id, done or not; None if this account never had it."""
        return self._orders.get(id) or super().find_order(id)


def _encode(record: msgspec.Struct) -> str:
    return _to_json(record).decode()


def _locked(path: Path, account: str) -> IO[bytes]:
    try:
        file = path.open("ab")
    except OSError as error:
        raise QuantMindError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise QuantMindError(f"{path}: account {account} is in use by another process; stop that one first") from None
    return file
