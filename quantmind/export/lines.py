"""Exports of a run: the journal as JSON lines that are the same whenever the decisions were."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.events import Fill, Funding, Transfer, Valuation
from quantmind.ledger.statement import statement
from quantmind.trader.journal_reader import JournalReader

_KINDS = {
    "fills": "fill",
    "refusals": "refusal",
    "orders": "order",
    "transfers": "transfer",
    "funding": "funding",
    "latches": "latch",
    "valuations": "valuation",
}
"""The tables whose records are exported, and the type that their lines say."""

_MONEY = ("fills", "transfers", "funding", "valuations")

_Placed = tuple[int, int, int, str, Any]


def lines(journal: JournalReader) -> Iterator[str]:
    """Return one JSON object per line, sorted by position, and the statement at the end.

    Decimals are plain strings and floats are written by repr; nothing in it depends on the machine, the pace or
    the name of the run. A run of any length is read a row at a time.
    """
    sources = [_decisions(journal), *(_records(journal, table, kind) for table, kind in _KINDS.items())]
    for epoch, seq, n, kind, record in heapq.merge(*sources, key=_position):
        yield _line({"type": kind, "epoch": epoch, "seq": seq, "n": n, **_plain_fields(record)})
    yield from _statement(journal)


def money(journal: JournalReader) -> Iterator[Fill | Transfer | Funding | Valuation]:
    """Return the facts that a statement is made of, in order, a row at a time."""
    facts = [(record for *_, record in journal.records(table)) for table in _MONEY]
    return heapq.merge(*facts, key=_number)


def _statement(journal: JournalReader) -> Iterator[str]:
    made = statement(Decimal(journal.balance), money(journal))
    for row in (*made.strategies, *made.symbols):
        yield _line({"type": "position", **_plain_fields(row)})
    total = made.total
    wallet = made.balance + total.realised - total.fees + total.funding
    sums = {"started_with": made.balance, "wallet": wallet, "equity": made.equity, "drawdown": total.drawdown}
    yield _line({"type": "account", **{name: f"{value:f}" for name, value in sums.items()}})


def _records(journal: JournalReader, table: str, kind: str) -> Iterator[_Placed]:
    for epoch, seq, n, record in journal.records(table):
        yield epoch, seq, n, kind, record


def _decisions(journal: JournalReader) -> Iterator[_Placed]:
    for epoch, seq, n, decision in journal.records("decisions"):
        at = n
        for signal in decision.signals:
            yield epoch, seq, at, "signal", signal
            at += 1
        for target in decision.targets:
            yield epoch, seq, at, "target", target
            at += 1


def _position(item: _Placed) -> tuple[int, int, int]:
    return item[:3]


def _number(fact: Fill | Transfer | Funding | Valuation) -> int:
    return fact.number


def _plain_fields(record: msgspec.Struct) -> dict[str, Any]:
    return {name: _plain(getattr(record, name)) for name in record.__struct_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, msgspec.Struct):
        return _plain_fields(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
