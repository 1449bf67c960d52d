"""What a backtest says it earned can be worked out again from its export alone, to the last digit."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from decimal import ROUND_HALF_EVEN
from decimal import Decimal as D

import polars as pl
import pytest
import yaml

RECIPE = {
    "name": "both",
    "instruments": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
    "feeds": [{"synthetic": {}}],
    "strategies": [
        {"momentum": {"interval": "15m", "fast": 12, "slow": 26, "rsi": 14}},
        {"mean_reversion": {"interval": "5m", "window": 20, "width": 2.0}},
    ],
    "allocator": {"fixed_weight": {"weights": {"momentum": 0.7, "mean_reversion": 0.3}}},
    "risk": {
        "sizing": [{"fixed_quantity": {"quantity": 0.2}}],
        "limits": [{"max_leverage": {"limit": 3}}, {"max_order_notional": {"limit": 20000}}],
    },
    "executor": {"paper": {"balance": 30000, "latency": "250ms"}},
}


class Line:
    """A few-line accountant of one strategy in a symbol, of a symbol, or of nothing else."""

    def __init__(self):
        self.quantity = self.cost = self.paid = self.realised = self.fees = self.funding = D(0)
        self.peak = self.drawdown = D(0)

    def trade(self, quantity, price, fee=D(0)):
        closed = D(0)
        if self.quantity * quantity < 0:
            closed = max(quantity, -self.quantity) if quantity < 0 else min(quantity, -self.quantity)
            released = (self.cost * -closed / self.quantity).quantize(D("1E-12"), ROUND_HALF_EVEN)
            self.realised += -closed * price - released
            self.cost -= released
        self.cost += (quantity - closed) * price
        self.quantity += quantity
        self.paid += quantity * price
        self.fees += fee

    def pnl(self, price):
        return self.quantity * price - self.paid - self.fees + self.funding

    def see(self, profit):
        self.peak = max(self.peak, profit)
        self.drawdown = max(self.drawdown, self.peak - profit)


class Accountant:
    """Works a statement out of the tables of facts: a line for each strategy and symbol, and for each symbol ("")."""

    def __init__(self, tables):
        self.parts = defaultdict(list)
        for table, key in (("fill_parts", "fill"), ("transfer_parts", "transfer"), ("funding_parts", "funding")):
            for part in tables[table]:
                self.parts[part[key]].append(part)
        self.marks = defaultdict(dict)
        for mark in tables["marks"]:
            self.marks[mark["valuation"]][mark["symbol"]] = D(mark["price"])
        self.balance = D(tables["account"][0]["started_with"])
        self.lines, self.prices, self.account = defaultdict(Line), {}, Line()
        self.account.peak = self.balance
        kinds = {"fills": self.fill, "transfers": self.transfer, "funding": self.fund, "valuations": self.value}
        facts = [(int(row["number"]), book, row) for table, book in kinds.items() for row in tables[table]]
        for _, book, fact in sorted(facts, key=lambda item: item[0]):
            book(fact)
        nets = [line for (strategy, _), line in self.lines.items() if not strategy]
        self.wallet = self.balance + sum((net.realised - net.fees + net.funding for net in nets), D(0))

    def fill(self, fact):
        side = 1 if fact["side"] == "buy" else -1
        net = self.lines["", fact["symbol"]]
        net.trade(side * D(fact["quantity"]), D(fact["price"]), D(fact["fee"]))
        assert net.quantity == D(fact["position"])
        self.transfer(fact)

    def transfer(self, fact):
        for part in self.parts[fact["id"]]:
            line = self.lines[part["strategy"], fact["symbol"]]
            line.trade(D(part["quantity"]), D(fact["price"]), D(part.get("fee", "0")))
        self.check(fact["symbol"])

    def fund(self, fact):
        whole = -D(fact["quantity"]) * D(fact["mark"]) * D(fact["rate"])
        assert D(fact["amount"]) == whole.quantize(D("1E-8"), ROUND_HALF_EVEN)
        self.lines["", fact["symbol"]].funding += D(fact["amount"])
        for part in self.parts[fact["id"]]:
            line = self.lines[part["strategy"], fact["symbol"]]
            assert line.quantity == D(part["quantity"])
            line.funding += D(part["amount"])
        self.check(fact["symbol"])

    def value(self, fact):
        self.prices |= self.marks[fact["number"]]
        for (_, symbol), line in self.lines.items():
            line.see(line.pnl(self.prices[symbol]))
        profits = [line.pnl(self.prices[symbol]) for (strategy, symbol), line in self.lines.items() if not strategy]
        equity = self.balance + sum(profits, D(0))
        assert equity == D(fact["equity"])
        self.account.see(equity)

    def check(self, symbol):
        """The lines of strategies sum to that of their symbol."""
        net = self.lines["", symbol]
        of = [line for (strategy, its), line in self.lines.items() if strategy and its == symbol]
        for name in ("quantity", "fees", "funding"):
            assert sum((getattr(line, name) for line in of), D(0)) == getattr(net, name), (symbol, name)


@pytest.fixture
def backtested(program, data):
    """Run both strategies over the real bars; returns what was said, and the run's name."""
    (program.folder / "both.yaml").write_text(yaml.safe_dump(RECIPE))
    arguments = ["--start", "2025-05-12", "--end", "2025-06-03T15:07:00Z", "--json"]
    said = json.loads(program.run("backtest", "both.yaml", "--data", str(data / "binance_usdm_bars"), *arguments))
    return program, said


def read(folder):
    tables = {}
    for path in sorted(folder.iterdir()):
        with path.open(newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


@pytest.mark.slow
def test_the_statement_can_be_worked_out_from_the_export_alone(backtested):
    program, said = backtested
    program.run("export", said["run"], "--format", "csv", "--output", "csv")
    program.run("export", said["run"], "--format", "parquet", "--output", "parquet")
    tables = read(program.folder / "csv")
    assert len(tables["fills"]) > 500
    assert len(tables["funding"]) > 50
    assert len(tables["transfers"]) > 50

    made = Accountant(tables)
    lines = made.lines
    assert {strategy for strategy, _ in lines} == {"momentum", "mean_reversion", ""}
    statement = said["statement"]
    rows = [*statement["strategies"], *statement["symbols"]]
    assert {(row["strategy"] or "", row["symbol"]) for row in rows} == set(lines)
    for row in rows:
        line = lines[row["strategy"] or "", row["symbol"]]
        price = made.prices[row["symbol"]]
        for name, value in {
            "quantity": line.quantity,
            "realised": line.realised,
            "fees": line.fees,
            "funding": line.funding,
            "pnl": line.pnl(price),
            "drawdown": line.drawdown,
        }.items():
            assert D(row[name]) == value, (row["strategy"], row["symbol"], name)
    assert D(statement["total"]["drawdown"]) == made.account.drawdown
    assert D(statement["equity"]) == D(said["equity"])
    assert D(said["fees"]) == D(statement["total"]["fees"])

    posted = defaultdict(D)
    for line in tables["lines"]:
        posted[line["account"]] += D(line["amount"])
    assert posted["wallet"] == made.wallet
    assert sum(posted.values(), D(0)) == 0

    for name, table in tables.items():
        frame = pl.read_parquet(program.folder / "parquet" / f"{name}.parquet")
        assert len(frame) == len(table)
        for column in frame.columns:
            if frame[column].dtype == pl.String:
                assert frame[column].fill_null("").to_list() == [row[column] for row in table]


@pytest.mark.slow
def test_the_exported_statement_is_the_one_that_was_printed(backtested):
    program, said = backtested
    program.run("export", said["run"], "--format", "csv", "--output", "csv")
    exported = read(program.folder / "csv")["statement"]
    rows = [*said["statement"]["strategies"], *said["statement"]["symbols"], said["statement"]["total"]]
    for printed, row in zip(rows, exported, strict=True):
        for name, value in printed.items():
            same = row[name] == (value or "") if name in ("strategy", "symbol") else D(row[name] or 0) == D(value or 0)
            assert same, (name, printed, row)
