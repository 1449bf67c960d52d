"""The tables of an export: every record of a journal, exact, in documented columns."""

from __future__ import annotations

import csv
from decimal import Decimal as D

import polars as pl
import pytest

from quantmind.errors import QuantMindError, UsageError
from quantmind.events import (
    Fill,
    Funding,
    Latch,
    OrderState,
    Part,
    Refusal,
    Share,
    Signal,
    Target,
    Transfer,
    Upto,
    Valuation,
)
from quantmind.export.files import write
from quantmind.export.tables import TABLES
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import JournalReader, Progress
from quantmind.trader.orders import Order, Step

BTC = "BTC/USDT:USDT"
TS = 1_704_067_200_000_000_000
TIME = "2024-01-01T00:00:00Z"


@pytest.fixture
def journal(tmp_path):
    """The journal of an account to which one of each thing happened, all at one time."""
    account = tmp_path / "account"
    account.mkdir()
    written = Journal(account, "test", "10000.50", durable=False)
    shares = (Share("momentum", D("0.4")), Share("reversion", D("-0.1")))
    signal = Signal(BTC, "momentum", 1.0, 0.1, TS, "s1", "1-3")
    written.decision((1, 3, 1), Upto(3, (signal,), (Target(BTC, D("0.3"), shares, TS, "t1", "s1"),)))
    order = Order(1, 3, 3, "qm1-3-3", BTC, "buy", D("0.400"), False, TS, "t1", trigger=D("4.95E+4"))
    order.trail += [
        Step(1, OrderState.INTENT, 3, 3, TS, D(0)),
        Step(3, OrderState.FILLED, 4, 2, TS, D("0.400"), 'a "reason", with\nmarks'),
    ]
    order.state = OrderState.FILLED
    order.filled = D("0.400")
    written.order(order)
    parts = (Part("momentum", D("0.5"), D(0), D("12.5")), Part("reversion", D("-0.1"), D("0.00000001"), D("-2.50")))
    written.fact(
        "fills",
        (1, 4, 1),
        Fill(
            2, "f1", "qm1-3-3", BTC, "buy", D("0.400"), D(50000), D("10.00"), D("1E-8"), D("0.400"),
            D(150001) / 3, TS, "t1", "x1", True, parts,
        ),
    )  # fmt: skip
    moved = (Part("momentum", D("-0.1"), D("3")), Part("reversion", D("0.1"), D("-4")))
    written.fact("transfers", (1, 5, 1), Transfer(4, "x5", BTC, D("50100.5"), moved, TS, "t2"))
    paid = (Part("momentum", D("0.4"), D("-2.02")),)
    written.fact(
        "funding",
        (1, 6, 1),
        Funding(5, "u1", BTC, D("0.0001"), D(50500), D("0.4"), D("-2.02"), paid, TS, "1-6", "x2"),
    )
    written.fact("latches", (1, 7, 1), Latch(6, "max_drawdown", "flatten", "drawdown 0.11 >= 0.1", TS, "1-7"))
    written.fact("latches", (1, 7, 2), Latch(7, "max_drawdown", None, "", TS, "operator"))
    written.refusal((1, 8, 1), Refusal(8, BTC, "buy", D("0.1"), "max_drawdown", "latched", TS, "t3"))
    written.fact("valuations", (1, 9, 1), Valuation(9, TS, D("10198.48"), ((BTC, 50500.1), ("ETH/USDT:USDT", 1e-05))))
    written.commit(Progress(1, 9, 1, 3, 9), {})
    written.close()
    reader = JournalReader.open(account)
    yield reader
    reader.close()


def read(paths):
    tables = {}
    for path in paths:
        with path.open(newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


@pytest.fixture
def tables(journal, tmp_path):
    return read(write(journal, TABLES, tmp_path / "out", parquet=False))


def test_there_is_a_file_for_each_table_with_its_columns(tables):
    assert list(tables) == [table.name for table in TABLES]
    for table in TABLES:
        assert tables[table.name], table.name
        assert list(tables[table.name][0]) == table.names


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_described_and_its_name_is_said_once(table):
    assert len(set(table.names)) == len(table.names)
    assert [column for column in table.columns if not column.meaning] == []
    assert {column.kind for column in table.columns} <= {"text", "whole", "number", "yes_no", "decimal"}


def test_decisions(tables):
    (signal,) = tables["signals"]
    assert signal == {
        "epoch": "1", "seq": "3", "n": "1", "ts": str(TS), "time": TIME, "id": "s1", "cause": "1-3", "symbol": BTC,
        "strategy": "momentum", "direction": "1.0", "confidence": "0.1",
    }  # fmt: skip
    (target,) = tables["targets"]
    assert (target["n"], target["id"], target["cause"], target["value"]) == ("2", "t1", "s1", "0.3")
    assert [tuple(share.values()) for share in tables["target_shares"]] == [
        ("t1", "momentum", "0.4"),
        ("t1", "reversion", "-0.1"),
    ]


def test_orders(tables):
    (order,) = tables["orders"]
    assert (order["id"], order["state"], order["quantity"], order["reduce_only"]) == (
        "qm1-3-3", "filled", "0.400", "false",
    )  # fmt: skip
    assert (order["price"], order["trigger"]) == ("", "49500")
    assert [(u["seq"], u["n"], u["state"], u["reason"]) for u in tables["order_updates"]] == [
        ("3", "3", "intent", ""),
        ("4", "2", "filled", 'a "reason", with\nmarks'),
    ]


def test_money(tables):
    (fill,) = tables["fills"]
    assert (fill["fee"], fill["realised"], fill["maker"]) == ("10.00", "0.00000001", "true")
    assert fill["average_price"] == str(D(150001) / 3)
    assert [tuple(part.values()) for part in tables["fill_parts"]] == [
        ("f1", "momentum", "0.5", "0", "12.5"),
        ("f1", "reversion", "-0.1", "0.00000001", "-2.50"),
    ]
    assert [part["realised"] for part in tables["transfer_parts"]] == ["3", "-4"]
    assert [tuple(part.values()) for part in tables["funding_parts"]] == [("u1", "momentum", "0.4", "-2.02")]
    assert [(mark["valuation"], mark["price"]) for mark in tables["marks"]] == [("9", "50500.1"), ("9", "0.00001")]
    assert [(latch["level"], latch["cause"]) for latch in tables["latches"]] == [("flatten", "1-7"), ("", "operator")]


def test_the_lines_of_every_event_sum_to_0(tables):
    sums = {}
    for line in tables["lines"]:
        sums[line["event"]] = sums.get(line["event"], 0) + D(line["amount"])
    assert sums == {"opening": 0, "f1": 0, "u1": 0}
    wallet = [D(line["amount"]) for line in tables["lines"] if line["account"] == "wallet"]
    assert wallet == [D("10000.50"), D("-10.00"), D("1E-8"), D("-2.02")]


def test_the_statement(tables):
    rows = {(row["strategy"], row["symbol"]): row for row in tables["statement"]}
    assert set(rows) == {("momentum", BTC), ("reversion", BTC), ("", BTC), ("", "")}
    total = rows["", ""]
    assert D(total["pnl"]) == D("0.4") * (D("50500.1") - 50000) - D("10.00") - D("2.02")
    assert total["quantity"] == ""


def test_parquet_holds_the_same(journal, tables, tmp_path):
    for path in write(journal, TABLES, tmp_path / "parquet", parquet=True):
        frame = pl.read_parquet(path)
        rows = tables[path.stem]
        for column in next(table for table in TABLES if table.name == path.stem).columns:
            values = frame[column.name].to_list()
            if column.kind == "yes_no":
                assert values == [row[column.name] == "true" for row in rows]
            elif column.kind == "number":
                assert values == [float(row[column.name]) for row in rows]
            elif column.kind == "whole":
                assert values == [int(row[column.name]) for row in rows]
            else:
                assert values == [row[column.name] or None for row in rows]


@pytest.mark.parametrize("parquet", [True, False])
def test_a_new_account_has_empty_tables(tmp_path, parquet):
    Journal(tmp_path, "test", "5", durable=False).close()
    reader = JournalReader.open(tmp_path)
    paths = write(reader, TABLES, tmp_path / "out", parquet=parquet)
    reader.close()
    assert len(paths) == len(TABLES)
    if parquet:
        assert {path.stem: len(pl.read_parquet(path)) for path in paths}["fills"] == 0


def test_nothing_is_overwritten(journal, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match=r"out is there already: nothing is overwritten, name another folder"):
        write(journal, TABLES, tmp_path / "out", parquet=False)
    assert list((tmp_path / "out").iterdir()) == []


def test_all_is_written_or_nothing(journal, tmp_path):
    def broken(_):
        yield ("10000",)
        raise OSError(28, "No space left on device")

    unfit = type(TABLES[0])(TABLES[0].name, "", TABLES[0].columns, broken)
    before = set(tmp_path.iterdir())
    with pytest.raises(QuantMindError, match=r"out: cannot be written: No space left on device"):
        write(journal, [*TABLES, unfit], tmp_path / "out", parquet=False)
    assert set(tmp_path.iterdir()) == before


def test_a_folder_that_cannot_be_made(journal, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(QuantMindError, match="cannot be written: Not a directory"):
        write(journal, TABLES, tmp_path / "file" / "out", parquet=True)
