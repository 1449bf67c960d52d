"""Reading a journal: what an account goes on from, what others missed, and what is exported."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

from quantmind.errors import QuantMindError
from quantmind.events import Fact, Fill, Target
from quantmind.trader import rows
from quantmind.trader.orders import Order

FILE = "journal.sqlite"
"""The journal's name in the folder of its account."""


class Progress(msgspec.Struct, frozen=True):
    """How far the journal goes: the last market event, what came after it, and the last Upto."""

    epoch: int = 1
    seq: int = 0
    n: int = 0
    upto: int = 0
    number: int = 0


class JournalReader:
    """What is on record, committed."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.row_factory = sqlite3.Row

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a journal to read, beside a process that may be writing it.

        Raises:
            QuantMindError: there is none.
        """
        path = folder / FILE
        if not path.is_file():
            raise QuantMindError(f"{path}: there is no journal; the run ended before it began to trade")
        return cls(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def balance(self) -> str:
        """The balance the account started with."""
        return str(self._database.execute("SELECT balance FROM account").fetchone()[0])

    def progress(self) -> Progress | None:
        """Return how far the journal goes; None for a new account."""
        row = self._database.execute("SELECT epoch, seq, n, upto, number FROM progress").fetchone()
        return Progress(*row) if row else None

    def open_orders(self) -> list[Order]:
        """Return the orders that are not done, oldest first."""
        found = self._database.execute(
            "SELECT * FROM orders WHERE state IN ('intent', 'accepted', 'cancelling') ORDER BY epoch, seq, n"
        ).fetchall()
        return [self._with_executions(rows.order_of(row)) for row in found]

    def find_order(self, id: str) -> Order | None:
        """Return an order by its id, done or not; None if this account never had it."""
        row = self._database.execute("SELECT * FROM orders WHERE id = ?", (id,)).fetchone()
        return self._with_executions(rows.order_of(row)) if row else None

    def _with_executions(self, order: Order) -> Order:
        found = self._database.execute("SELECT execution FROM fills WHERE order_id = ?", (order.id,))
        order.executions = {execution for (execution,) in found}
        return order

    def fills(self) -> Iterator[Fill]:
        """Return every fill, in order."""
        for row in self._database.execute("SELECT * FROM fills ORDER BY number"):
            yield rows.fill_of(row)

    def targets(self) -> list[Target]:
        """Return the last Target of each symbol."""
        found = self._database.execute("SELECT * FROM targets ORDER BY epoch, seq, n")
        return list({row["symbol"]: rows.target_of(row) for row in found}.values())

    def latches(self) -> dict[str, str]:
        """Return the latches that are set, with their reasons."""
        return {name: reason for name, reason in self._database.execute("SELECT name, reason FROM latches")}

    def refusal_counts(self) -> dict[str, int]:
        """Return how often each code was refused."""
        found = self._database.execute("SELECT code, count(*) FROM refusals GROUP BY code")
        return {code: count for code, count in found}

    def count(self, table: str) -> int:
        """Return the number of rows on record in a table."""
        return int(self._database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - own names

    def facts(self, number: int = 0) -> list[tuple[int, Fact]]:
        """Return the facts from `number` on, each with the last market event handled before it."""
        found: list[tuple[int, Fact]] = []
        execute = self._database.execute
        for row in execute("SELECT * FROM fills WHERE number >= ?", (number,)):
            found.append((row["seq"], rows.fill_of(row)))
        for row in execute("SELECT * FROM refusals WHERE number >= ?", (number,)):
            found.append((row["seq"], rows.refusal_of(row)))
        for row in execute("SELECT * FROM orders"):
            order = rows.order_of(row)
            for step in order.trail:
                if step.number >= number:
                    found.append((step.seq, rows.update_of(order, step)))
        return sorted(found, key=lambda item: item[1].number)

    def table(self, name: str) -> Iterator[dict[str, Any]]:
        """Return the rows of a table by position, for an export."""
        for row in self._database.execute(f"SELECT * FROM {name} ORDER BY epoch, seq, n"):  # noqa: S608 - own names
            yield dict(row)
