"""Exports of a run: the journal as JSON lines that are the same whenever the decisions were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from quantmind.ledger.accounts import Account
from quantmind.trader.journal_reader import JournalReader

_TABLES = ("fills", "signals", "targets", "refusals", "orders")
_JSON_COLUMNS = frozenset({"shares", "trail"})
_MONEY = frozenset(
    {"value", "quantity", "price", "fee", "realised", "position", "average_price", "filled"}
)


def lines(journal: JournalReader) -> Iterator[str]:
    """Return one JSON object per line, sorted by position, and the statement of each symbol at the end.

    Decimals are plain strings and floats are written by repr; nothing in it depends on the machine, the pace or
    the name of the run.
    """
    rows = [
        (row["epoch"], row["seq"], row["n"], table, row) for table in _TABLES for row in journal.table(table)
    ]
    rows.sort(key=lambda item: item[:4])
    for *_, table, row in rows:
        yield _line({"type": table[:-1], **{key: _plain(key, value) for key, value in row.items()}})
    yield from _statement(journal)


def _statement(journal: JournalReader) -> Iterator[str]:
    fills = list(journal.fills())
    account = Account(Decimal(journal.balance), sorted({fill.symbol for fill in fills}))
    for fill in fills:
        account.fill(fill.symbol, fill.quantity if fill.side == "buy" else -fill.quantity, fill.price, fill.fee)
    for symbol, position in account.positions.items():
        yield _line(
            {
                "type": "position",
                "symbol": symbol,
                "quantity": f"{position.quantity:f}",
                "cost": f"{position.cost:f}",
                "realised": f"{position.realised:f}",
                "fees": f"{position.fees:f}",
            }
        )
    yield _line({"type": "account", "started_with": journal.balance, "wallet": f"{account.wallet:f}"})


def _plain(key: str, value: Any) -> Any:
    if key in _JSON_COLUMNS:
        return json.loads(value)
    return f"{Decimal(value):f}" if key in _MONEY else value


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
