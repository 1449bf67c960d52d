"""The tables of an export that are worked out of the journal: money lines, and the statement."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from quantmind.export.lines import money
from quantmind.export.table import NUMBER, Row, Table, columns, text, values
from quantmind.ledger.lines import lines as posted
from quantmind.ledger.lines import opening_lines
from quantmind.ledger.statement import statement
from quantmind.trader.journal_reader import JournalReader


def _lines(journal: JournalReader) -> Iterator[Row]:
    for line in opening_lines(Decimal(journal.balance)):
        yield 0, "opening", line.account, text(line.amount)
    for fact in money(journal):
        for line in posted(fact):
            yield fact.number, getattr(fact, "id", ""), line.account, text(line.amount)


LINES = Table(
    "lines",
    "an amount posted to a money account; the lines of each event sum to 0",
    columns(
        *NUMBER,
        "event text id of the row in fills or funding; opening for the balance",
        "account text wallet, fees, funding, realised, clearing, capital, or position: and a symbol",
        "amount decimal a debit is positive, a credit negative",
    ),
    _lines,
)


def _statement(journal: JournalReader) -> Iterator[Row]:
    made = statement(Decimal(journal.balance), money(journal))
    names = [column.name for column in STATEMENT.columns]
    for row in (*made.strategies, *made.symbols, made.total):
        yield tuple(values(row, names))


STATEMENT = Table(
    "statement",
    "what a strategy did in a symbol, a symbol in all (no strategy), or the account (neither)",
    columns(
        "strategy text the strategy's id in the recipe",
        "symbol text the instrument",
        "quantity decimal the signed position at the end",
        "realised decimal what closing positions earned, fees apart",
        "unrealised decimal what closing the position at the last valuation would earn",
        "fees decimal what was paid in fees",
        "funding decimal what was received in funding, negative when paid",
        "pnl decimal realised + unrealised - fees + funding",
        "drawdown decimal the largest fall of pnl (of equity) from its peak, at the valuations; the peak begins at 0 "
        "(at the balance)",
        "fills whole how many trades there were",
        "trades whole how many positions were closed or turned around",
    ),
    _statement,
)
