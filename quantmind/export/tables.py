"""The tables of an export: what each column is, and where its rows come from."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from quantmind.export.ledger_tables import LINES, STATEMENT
from quantmind.export.table import (
    CAUSE,
    NUMBER,
    POSITION,
    TIME,
    Row,
    Table,
    columns,
    iso,
    part_table,
    record_table,
    text,
    values,
)
from quantmind.trader.journal_reader import JournalReader


def _signals(journal: JournalReader) -> Iterator[Row]:
    names = ("ts", "time", "id", "cause", "symbol", "strategy", "direction", "confidence")
    for epoch, seq, n, decision in journal.records("decisions"):
        for at, signal in enumerate(decision.signals, n):
            yield (epoch, seq, at, *values(signal, names))


def _targets(journal: JournalReader) -> Iterator[Row]:
    for epoch, seq, n, decision in journal.records("decisions"):
        for at, target in enumerate(decision.targets, n + len(decision.signals)):
            yield (epoch, seq, at, *values(target, ("ts", "time", "id", "cause", "symbol", "value")))


def _shares(journal: JournalReader) -> Iterator[Row]:
    for *_, decision in journal.records("decisions"):
        for target in decision.targets:
            for share in target.shares:
                yield target.id, share.strategy, text(share.value)


def _order_updates(journal: JournalReader) -> Iterator[Row]:
    for epoch, _, _, order in journal.records("orders"):
        for step in order.trail:
            yield (
                epoch,
                step.seq,
                step.n,
                step.number,
                step.ts,
                iso(step.ts),
                order.id,
                str(step.state),
                text(step.filled),
                step.reason,
            )


def _marks(journal: JournalReader) -> Iterator[Row]:
    for *_, valuation in journal.records("valuations"):
        for symbol, price in valuation.prices:
            yield valuation.number, valuation.ts, iso(valuation.ts), symbol, text(Decimal(repr(price)))


TABLES = (
    Table(
        "account",
        "the account (one row)",
        columns("started_with decimal the balance it started with"),
        lambda journal: [(text(Decimal(journal.balance)),)],
    ),
    Table(
        "signals",
        "one signal of a strategy",
        columns(
            *POSITION,
            *TIME,
            "id text its id",
            *CAUSE,
            "symbol text the instrument",
            "strategy text the strategy's id in the recipe",
            "direction number from -1 to 1; 0 is flat",
            "confidence number from 0 to 1",
        ),
        _signals,
    ),
    Table(
        "targets",
        "one Target of the allocator",
        columns(
            *POSITION,
            *TIME,
            "id text its id",
            *CAUSE,
            "symbol text the instrument",
            "value decimal the wanted position as a part of the budget, from -1 to 1",
        ),
        _targets,
    ),
    Table(
        "target_shares",
        "the share of one strategy in one Target",
        columns(
            "target text id of the row in targets",
            "strategy text the strategy's id in the recipe",
            "value decimal its share; they sum to the Target",
        ),
        _shares,
    ),
    record_table(
        "orders",
        "one order, as it ended",
        *TIME,
        "id text its id",
        *CAUSE,
        "symbol text the instrument",
        "side text buy or sell",
        "purpose text target, stop, take_profit or flatten",
        "order_type text market, limit, stop_market, …",
        "quantity decimal in base currency; with close_position what was held when it was made",
        "filled decimal the quantity that traded; with close_position all that was held by then",
        "price decimal the limit price; empty without one",
        "trigger decimal the price that triggers it; empty without one",
        "callback decimal how far a trailing stop follows, as a part of the price; empty for others",
        "time_in_force text gtc, ioc, fok or gtx",
        "trigger_by text last or mark",
        "reduce_only yes_no whether it may only reduce a position",
        "close_position yes_no whether it closes what is held when it triggers",
        "state text the state it ended in",
    ),
    Table(
        "order_updates",
        "one step in the life of an order",
        columns(
            *POSITION,
            *NUMBER,
            *TIME,
            "order text id of the row in orders",
            "state text the state it came to",
            "filled decimal the quantity that had traded by then",
            "reason text why, where there is more to say",
        ),
        _order_updates,
    ),
    record_table(
        "fills",
        "one trade of ours",
        *NUMBER,
        *TIME,
        "id text its id",
        *CAUSE,
        "order text id of the row in orders; empty for a liquidation",
        "execution text the venue's id",
        "symbol text the instrument",
        "side text buy or sell",
        "quantity decimal in base currency, above 0",
        "price decimal what was paid or got",
        "fee decimal what it cost, in the settlement currency; negative for a rebate",
        "realised decimal what it realised, fees apart; to 12 decimals while some is held, the rest when it is closed",
        "position decimal the signed position after it",
        "average_price decimal the average price of that position, rounded to 28 digits; 0 when flat",
        "maker yes_no whether we were the maker",
    ),
    part_table(
        "fill_parts",
        "fill",
        "fills",
        "quantity decimal its signed part of the quantity",
        "realised decimal what it realised, fees apart; to 12 decimals while some is held, the rest when it is closed",
        "fee decimal its part of the fee",
        fields=("strategy", "quantity", "realised", "fee"),
    ),
    record_table(
        "transfers",
        "a position that strategies passed to each other",
        *NUMBER,
        *TIME,
        "id text its id",
        *CAUSE,
        "symbol text the instrument",
        "price decimal the mark price it was passed at",
    ),
    part_table(
        "transfer_parts",
        "transfer",
        "transfers",
        "quantity decimal what it got, signed; those of a transfer sum to 0",
        "realised decimal what it realised",
        fields=("strategy", "quantity", "realised"),
    ),
    record_table(
        "funding",
        "one settlement of funding",
        *NUMBER,
        *TIME,
        "id text its id",
        *CAUSE,
        "execution text the venue's id",
        "symbol text the instrument",
        "rate decimal the rate",
        "mark decimal the mark price it was settled at",
        "quantity decimal the signed position",
        "amount decimal what was received, negative when paid",
    ),
    part_table(
        "funding_parts",
        "funding",
        "funding",
        "quantity decimal its signed position",
        "amount decimal what it received, negative when paid",
        fields=("strategy", "quantity", "realised"),
    ),
    record_table(
        "latches",
        "trading that was stopped, or allowed again",
        *NUMBER,
        *TIME,
        *CAUSE,
        "name text the limit, or operator",
        "level text reduce, flatten or halt; empty when it is cleared",
        "figures text what broke the limit",
    ),
    record_table(
        "refusals",
        "an increase, or a part of one, that was not allowed",
        *NUMBER,
        *TIME,
        *CAUSE,
        "symbol text the instrument",
        "side text buy or sell",
        "quantity decimal the quantity that was not allowed",
        "code text the limit",
        "figures text which figure broke it",
    ),
    record_table(
        "valuations",
        "the account, valued",
        *NUMBER,
        *TIME,
        "equity decimal wallet and unrealised profit",
    ),
    Table(
        "marks",
        "a price that a valuation used",
        columns(
            "valuation whole number of the row in valuations",
            *TIME,
            "symbol text the instrument",
            "price decimal the mark price, else the last price",
        ),
        _marks,
    ),
    LINES,
    STATEMENT,
)
"""Every table, in the order of the decisions and what came of them."""
