"""The journal: the durable record of an account. The intent is in it before the command is performed."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from typing import IO

import msgspec

from quantmind.errors import QuantMindError
from quantmind.events import Fill, Refusal, Signal, Target
from quantmind.trader import rows
from quantmind.trader.journal_reader import FILE, JournalReader, Progress
from quantmind.trader.orders import Order

_VERSION = 1
_INSERTS = {
    "signals": "INSERT INTO signals VALUES (?,?,?,?,?,?,?,?,?,?)",
    "targets": "INSERT INTO targets VALUES (?,?,?,?,?,?,?,?,?)",
    "fills": "INSERT INTO fills VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "refusals": "INSERT INTO refusals VALUES (?,?,?,?,?,?,?,?,?,?,?)",
}
_PUT_ORDER = "INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"


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
        super().__init__(sqlite3.connect(path, isolation_level=None))
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        self.durable = durable
        self.dirty = False
        self._waiting: dict[str, list[rows.Row]] = {table: [] for table in _INSERTS}
        self._orders: dict[str, Order] = {}
        self._create(account, balance, path)

    def _create(self, account: str, balance: str, path: Path) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._database.execute("BEGIN IMMEDIATE")
            for statement in rows.SCHEMA.split(";"):
                self._database.execute(statement)
            self._database.execute("INSERT INTO account VALUES (?, ?)", (account, balance))
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
            self._database.execute("COMMIT")
        elif version != _VERSION:
            raise QuantMindError(f"{path}: journal of version {version}, this program reads {_VERSION}")
        key = self._database.execute("SELECT key FROM account").fetchone()[0]
        if key != account:
            raise QuantMindError(f"{path}: the journal of account {key}, not of {account}")

    def signal(self, position: tuple[int, int, int], signal: Signal) -> None:
        """Record a signal."""
        self.dirty = True
        self._waiting["signals"].append(position + rows.signal_row(signal))

    def target(self, position: tuple[int, int, int], target: Target) -> None:
        """Record a Target."""
        self.dirty = True
        self._waiting["targets"].append(position + rows.target_row(target))

    def order(self, order: Order) -> None:
        """Record an order as it will be at the next commit: one row, whatever happens to it until then."""
        self.dirty = True
        self._orders[order.id] = order

    def fill(self, position: tuple[int, int, int], fill: Fill) -> None:
        """Record a fill."""
        self.dirty = True
        self._waiting["fills"].append(position + rows.fill_row(fill))

    def refusal(self, position: tuple[int, int, int], refusal: Refusal) -> None:
        """Record a refusal."""
        self.dirty = True
        self._waiting["refusals"].append(position + rows.refusal_row(refusal))

    def latch(self, name: str, reason: str) -> None:
        """Set a latch, at once."""
        self._database.execute("INSERT OR REPLACE INTO latches VALUES (?, ?)", (name, reason))

    def commit(self, progress: Progress) -> None:
        """Write everything recorded since the last commit, and how far it goes, in one transaction."""
        execute, many = self._database.execute, self._database.executemany
        execute("BEGIN IMMEDIATE")
        try:
            for table, waiting in self._waiting.items():
                if waiting:
                    many(_INSERTS[table], waiting)
            if self._orders:
                many(_PUT_ORDER, map(rows.order_row, self._orders.values()))
            execute(
                "INSERT OR REPLACE INTO progress VALUES (1,?,?,?,?,?)", msgspec.structs.astuple(progress)
            )
            execute("COMMIT")
        except BaseException:
            execute("ROLLBACK")
            raise
        for waiting in self._waiting.values():
            waiting.clear()
        self._orders.clear()
        self.dirty = False

    def close(self) -> None:
        """Close the file and give the account free; what was not committed is not kept."""
        super().close()
        self._lock.close()

    def find_order(self, id: str) -> Order | None:
        """Return an order by its id, done or not; None if this account never had it."""
        return self._orders.get(id) or super().find_order(id)


def _locked(path: Path, account: str) -> IO[bytes]:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise QuantMindError(
            f"{path}: account {account} is in use by another process; stop that one first"
        ) from None
    return file
