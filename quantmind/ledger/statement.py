"""Statements: what an account, each symbol and each strategy earned, from journalled facts alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec

from quantmind.events import Fact, Fill, Funding, Part, Transfer, Valuation
from quantmind.ledger.tally import Tally

_ZERO = Decimal(0)
_CENT = Decimal("0.01")
_PART_STEP = Decimal("1E-9")
_COLUMNS = ("strategy", "symbol", "quantity", "realised", "unrealised", "fees", "funding", "pnl", "drawdown")
_COUNTS = ("fills", "trades")


class Row(msgspec.Struct, frozen=True):
    """What one strategy did in a symbol, a symbol in all (no strategy), or the account (neither).

    `pnl` = realised + unrealised - fees + funding. `drawdown` is the largest fall of `pnl` from its peak, 0 at the
    start, as the Valuations saw it. `trades` counts the positions that were closed or turned around.
    """

    strategy: str | None
    symbol: str | None
    quantity: Decimal | None
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    funding: Decimal
    pnl: Decimal
    drawdown: Decimal
    fills: int
    trades: int


class Statement(msgspec.Struct, frozen=True):
    """The rows of a statement, and what the account came to.

    The unrealised profits of strategies, and so what of their profit is realised, are each one's own: between
    strategies that held against each other they differ from the symbol's. Their `pnl` sum to the symbol's exactly.
    """

    balance: Decimal
    equity: Decimal
    drawdown_part: Decimal
    """The largest fall of the equity from its peak as a part of that peak, rounded to 9 decimals."""
    strategies: tuple[Row, ...]
    symbols: tuple[Row, ...]
    total: Row

    def lines(self) -> list[str]:
        """Return a table for people: money to two decimals, quantities as they are."""
        table = [[*_COLUMNS, *_COUNTS]]
        table += [_cells(row) for row in (*self.strategies, *self.symbols, self.total)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
            ).rstrip()
            for cells in table
        ]
        part = (self.drawdown_part * 100).quantize(_CENT, ROUND_HALF_EVEN)
        return [*lines, f"balance {_money(self.balance)}, equity {_money(self.equity)}, drawdown {part} % of the peak"]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, each Decimal exact, as a plain string."""
        return {
            "balance": _plain(self.balance),
            "equity": _plain(self.equity),
            "drawdown_part": _plain(self.drawdown_part),
            "strategies": [_json(row) for row in self.strategies],
            "symbols": [_json(row) for row in self.symbols],
            "total": _json(self.total),
        }


def statement(balance: Decimal, facts: Iterable[Fact]) -> Statement:
    """Make the statement of an account that started with a balance, from its facts in the order of their numbers.

    Only Fills with their parts, Transfers, Fundings and Valuations count. The unrealised profits are those at the
    prices of the last Valuation; a symbol without any is valued at the price of its first fill. The drawdown of a
    line is the largest fall of its profit, net of fees and funding, from its peak, which is 0 at the start. It is
    sampled at the Valuations, for all symbols at the same moment, so that a fall between two of them is not seen.
    That of the account is the same of its equity. A fill without parts is the line of the strategy "".
    """
    ledger = _Ledger(balance)
    for fact in facts:
        ledger.book(fact)
    return ledger.statement()


class _Ledger:
    """The tallies of all lines while the facts are read."""

    def __init__(self, balance: Decimal) -> None:
        self._balance = balance
        self._symbols: dict[str, Tally] = {}
        self._strategies: dict[str, dict[str, Tally]] = {}
        self._prices: dict[str, Decimal] = {}
        self._peak = balance
        self._drawdown = _ZERO
        self._deepest = (_ZERO, Decimal(1))
        """The fall that is the largest part of its peak, and that peak."""

    def book(self, fact: Fact) -> None:
        if isinstance(fact, Valuation):
            self._value(fact)
        elif isinstance(fact, Fill):
            quantity = fact.quantity if fact.side == "buy" else -fact.quantity
            net = self._symbol(fact.symbol)
            self._prices.setdefault(fact.symbol, fact.price)
            net.add(quantity, fact.price, fact.realised, fact.fee)
            net.fills += 1
            for part in fact.parts or (Part("", quantity, fact.realised, fact.fee),):
                tally = self._strategy(fact.symbol, part.strategy)
                tally.add(part.quantity, fact.price, part.realised, part.fee)
                tally.fills += 1
        elif isinstance(fact, Transfer):
            self._symbol(fact.symbol)
            self._prices.setdefault(fact.symbol, fact.price)
            for part in fact.parts:
                self._strategy(fact.symbol, part.strategy).add(part.quantity, fact.price, part.realised, part.fee)
        elif isinstance(fact, Funding):
            self._symbol(fact.symbol).fund(fact.amount)
            for part in fact.parts or (Part("", fact.quantity, fact.amount),):
                self._strategy(fact.symbol, part.strategy).fund(part.realised)

    def _symbol(self, symbol: str) -> Tally:
        tally = self._symbols.get(symbol)
        if tally is None:
            tally = self._symbols[symbol] = Tally()
            self._strategies[symbol] = {}
        return tally

    def _strategy(self, symbol: str, strategy: str) -> Tally:
        tallies = self._strategies[symbol]
        tally = tallies.get(strategy)
        if tally is None:
            tally = tallies[strategy] = Tally()
        return tally

    def _value(self, valuation: Valuation) -> None:
        for symbol, value in valuation.prices:
            self._prices[symbol] = Decimal(repr(value))
        equity = self._balance
        for symbol, tally in self._symbols.items():
            price = self._prices.get(symbol, _ZERO)
            tally.sample(price)
            equity += tally.pnl
            for part in self._strategies[symbol].values():
                part.sample(price)
        if equity > self._peak:
            self._peak = equity
            return
        fall = self._peak - equity
        self._drawdown = max(self._drawdown, fall)
        deepest, peak = self._deepest
        if fall * peak > deepest * self._peak:
            self._deepest = (fall, self._peak)

    def statement(self) -> Statement:
        strategies: list[Row] = []
        symbols: list[Row] = []
        for symbol, tally in self._symbols.items():
            price = self._prices.get(symbol, _ZERO)
            strategies += [_row(name, symbol, part, price) for name, part in self._strategies[symbol].items()]
            symbols.append(_row(None, symbol, tally, price))
        pnl = _sum(symbols, "pnl")
        total = Row(
            None,
            None,
            None,
            _sum(symbols, "realised"),
            _sum(symbols, "unrealised"),
            _sum(symbols, "fees"),
            _sum(symbols, "funding"),
            pnl,
            self._drawdown,
            int(_sum(symbols, "fills")),
            int(_sum(symbols, "trades")),
        )
        fall, peak = self._deepest
        part = (fall / peak).quantize(_PART_STEP, ROUND_HALF_EVEN) if peak > 0 else _ZERO
        return Statement(self._balance, self._balance + pnl, part, tuple(strategies), tuple(symbols), total)


def _row(strategy: str | None, symbol: str, tally: Tally, price: Decimal) -> Row:
    pnl = tally.value(price)
    return Row(
        strategy,
        symbol,
        tally.quantity,
        tally.realised,
        tally.gross - tally.realised,
        tally.fees,
        tally.funding,
        pnl,
        tally.drawdown,
        tally.fills,
        tally.trades,
    )


def _sum(rows: Sequence[Row], name: str) -> Decimal:
    return sum((getattr(row, name) for row in rows), _ZERO)


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _money(value: Decimal) -> str:
    return f"{value.quantize(_CENT, ROUND_HALF_EVEN) + _ZERO:,f}"


def _cells(row: Row) -> list[str]:
    names = [("all" if row.symbol else "account") if row.strategy is None else row.strategy or "-", row.symbol or ""]
    quantity = "" if row.quantity is None else _plain(row.quantity)
    money = [_money(getattr(row, name)) for name in _COLUMNS[3:]]
    return [*names, quantity, *money, *(str(getattr(row, name)) for name in _COUNTS)]


def _json(row: Row) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, Decimal) else value
        for name, value in ((name, getattr(row, name)) for name in row.__struct_fields__)
    }
