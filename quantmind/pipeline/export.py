"""Exports of a run: the journal as JSON lines that are the same whenever the decisions were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.ledger.accounts import Account
from quantmind.trader.journal_reader import JournalReader


def lines(journal: JournalReader) -> Iterator[str]:
    """Return one JSON object per line, sorted by position, and the statement of each symbol at the end.

    Decimals are plain strings and floats are written by repr; nothing in it depends on the machine, the pace or
    the name of the run.
    """
    records = [
        (epoch, seq, n, table[:-1], record)
        for table in ("fills", "refusals", "orders")
        for epoch, seq, n, record in journal.records(table)
    ]
    for epoch, seq, n, decision in journal.records("decisions"):
        parts = [("signal", s) for s in decision.signals] + [("target", t) for t in decision.targets]
        records += [(epoch, seq, at, kind, part) for at, (kind, part) in enumerate(parts, n)]
    records.sort(key=lambda item: item[:4])
    for epoch, seq, n, kind, record in records:
        yield _line({"type": kind, "epoch": epoch, "seq": seq, "n": n, **_plain(record)})
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


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
