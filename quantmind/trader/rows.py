"""The rows of the journal: how signals, Targets, orders and facts stand in its tables, and are read again."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.events import Fill, OrderState, OrderUpdate, Refusal, Share, Signal, Target
from quantmind.trader.orders import Order, Step

_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode_trail = msgspec.json.Decoder(list[Step]).decode
_decode_shares = msgspec.json.Decoder(tuple[Share, ...]).decode

Row = tuple[Any, ...]

SCHEMA = """
CREATE TABLE account (key TEXT NOT NULL, balance TEXT NOT NULL);
CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, upto INTEGER NOT NULL, number INTEGER NOT NULL);
CREATE TABLE signals (epoch INTEGER, seq INTEGER, n INTEGER, id TEXT, ts INTEGER, symbol TEXT,
    strategy TEXT, direction REAL, confidence REAL, cause TEXT);
CREATE TABLE targets (epoch INTEGER, seq INTEGER, n INTEGER, id TEXT, ts INTEGER, symbol TEXT,
    value TEXT, shares TEXT, cause TEXT);
CREATE TABLE orders (epoch INTEGER, seq INTEGER, n INTEGER, id TEXT, ts INTEGER, symbol TEXT, side TEXT,
    quantity TEXT, reduce_only INTEGER, state TEXT, filled TEXT, cancel_ts INTEGER, cause TEXT, trail TEXT,
    PRIMARY KEY (epoch, seq, n)) WITHOUT ROWID;
CREATE INDEX orders_open ON orders (state) WHERE state IN ('intent', 'accepted', 'cancelling');
CREATE TABLE fills (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, id TEXT, ts INTEGER,
    order_id TEXT, execution TEXT, symbol TEXT, side TEXT, quantity TEXT, price TEXT, fee TEXT, realised TEXT,
    position TEXT, average_price TEXT, cause TEXT);
CREATE TABLE refusals (epoch INTEGER, seq INTEGER, n INTEGER, number INTEGER PRIMARY KEY, ts INTEGER, symbol TEXT,
    side TEXT, quantity TEXT, code TEXT, figures TEXT, cause TEXT);
CREATE TABLE latches (name TEXT PRIMARY KEY, reason TEXT NOT NULL);
"""
"""The tables. (epoch, seq, n) is the position: the last market event, and a counter that restarts with it."""


def signal_row(signal: Signal) -> Row:
    """Return the columns of a signal behind its position."""
    return (
        signal.id,
        signal.ts,
        signal.symbol,
        signal.strategy,
        signal.direction,
        signal.confidence,
        signal.cause,
    )


def target_row(target: Target) -> Row:
    """Return the columns of a Target behind its position."""
    shares = _encode(target.shares).decode()
    return (target.id, target.ts, target.symbol, str(target.value), shares, target.cause)


def target_of(row: sqlite3.Row) -> Target:
    """Read a Target."""
    return Target(
        row["symbol"],
        Decimal(row["value"]),
        _decode_shares(row["shares"]),
        row["ts"],
        row["id"],
        row["cause"],
    )


def order_row(order: Order) -> Row:
    """Return all columns of an order."""
    return (
        order.epoch,
        order.seq,
        order.n,
        order.id,
        order.ts,
        order.symbol,
        order.side,
        str(order.quantity),
        order.reduce_only,
        order.state.value,
        str(order.filled),
        order.cancel_ts,
        order.cause,
        _encode(order.trail).decode(),
    )


def order_of(row: sqlite3.Row) -> Order:
    """Read an order; the executions it has seen stand in the fills."""
    order = Order(
        row["id"],
        row["symbol"],
        row["side"],
        Decimal(row["quantity"]),
        bool(row["reduce_only"]),
        row["ts"],
        (row["epoch"], row["seq"], row["n"]),
        row["cause"],
    )
    order.state = OrderState(row["state"])
    order.filled = Decimal(row["filled"])
    order.cancel_ts = row["cancel_ts"]
    order.trail = _decode_trail(row["trail"])
    return order


def fill_row(fill: Fill) -> Row:
    """Return the columns of a fill behind its position."""
    return (
        fill.number,
        fill.id,
        fill.ts,
        fill.order,
        fill.execution,
        fill.symbol,
        fill.side,
        str(fill.quantity),
        str(fill.price),
        str(fill.fee),
        str(fill.realised),
        str(fill.position),
        str(fill.average_price),
        fill.cause,
    )


def fill_of(row: sqlite3.Row) -> Fill:
    """Read a fill."""
    return Fill(
        row["number"],
        row["id"],
        row["order_id"],
        row["symbol"],
        row["side"],
        Decimal(row["quantity"]),
        Decimal(row["price"]),
        Decimal(row["fee"]),
        Decimal(row["realised"]),
        Decimal(row["position"]),
        Decimal(row["average_price"]),
        row["ts"],
        row["cause"],
        row["execution"],
    )


def refusal_row(refusal: Refusal) -> Row:
    """Return the columns of a refusal behind its position."""
    return (
        refusal.number,
        refusal.ts,
        refusal.symbol,
        refusal.side,
        str(refusal.quantity),
        refusal.code,
        refusal.figures,
        refusal.cause,
    )


def refusal_of(row: sqlite3.Row) -> Refusal:
    """Read a refusal."""
    return Refusal(
        row["number"],
        row["symbol"],
        row["side"],
        Decimal(row["quantity"]),
        row["code"],
        row["figures"],
        row["ts"],
        row["cause"],
    )


def update_of(order: Order, step: Step) -> OrderUpdate:
    """Tell the fact of one step in the life of an order."""
    return OrderUpdate(
        step.number,
        order.id,
        order.symbol,
        order.side,
        order.quantity,
        step.filled,
        order.reduce_only,
        step.state,
        step.ts,
        order.cause,
        step.reason,
    )
