from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

import quantmind_files
from quantmind.errors import QuantMindError
from quantmind.events import Fill, Funding, Latch, OrderUpdate, Refusal, Signal, Target, Transfer
from quantmind.events.names import EVENT_TYPES
from quantmind_files.sqlite import Sqlite, SqliteOptions, table_name


def sink(run, **options):
    return Sqlite(SqliteOptions.model_validate(options), run)


def select(path, query):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


async def test_each_type_has_a_table_with_the_fields_of_the_event(run_of_sink, one_of_each):
    async with sink(run_of_sink, events=list(EVENT_TYPES)) as sqlite:
        await sqlite.write(list(one_of_each.values()))
    path = run_of_sink.folder / "sink.sqlite"
    for name, type_ in EVENT_TYPES.items():
        columns = [row[1] for row in select(path, f"PRAGMA table_info({table_name(name)})")]
        assert columns == ["run", *type_.__struct_fields__]
        (row,) = select(path, f"SELECT * FROM {table_name(name)}")
        event = one_of_each[name]
        assert row[0] == "demo"
        for column, value in zip(columns[1:], row[1:], strict=True):
            expected = getattr(event, column)
            if column == "shares":
                assert json.loads(value) == {"trend": "0.21"}
            elif column == "parts":
                assert json.loads(value) == [
                    {
                        "strategy": part.strategy,
                        "quantity": f"{part.quantity:f}",
                        "realised": f"{part.realised:f}",
                        "fee": f"{part.fee:f}",
                    }
                    for part in expected
                ]
            elif isinstance(expected, tuple):
                assert json.loads(value) == [list(item) for item in expected]
            elif isinstance(expected, Decimal):
                assert isinstance(value, str)
                assert "E" not in value
                assert Decimal(value) == expected
            else:
                assert value == expected


async def test_columns_are_typed(run_of_sink):
    async with sink(run_of_sink, events=["fill", "bar", "order"]):
        pass
    path = run_of_sink.folder / "sink.sqlite"
    types = {row[1]: row[2] for row in select(path, "PRAGMA table_info(fills)")}
    assert (types["number"], types["ts"], types["price"], types["side"]) == (
        "INTEGER",
        "INTEGER",
        "TEXT",
        "TEXT",
    )
    assert {row[1]: row[2] for row in select(path, "PRAGMA table_info(bars)")}["close"] == "REAL"


def test_the_readme_documents_every_column():
    readme = (Path(quantmind_files.__file__).parent / "README.md").read_text().partition("## `sqlite`")[2]
    for name, type_ in EVENT_TYPES.items():
        (line,) = re.findall(rf"^\| `{table_name(name)}` \| (.*) \|$", readme, re.MULTILINE)
        assert re.findall(r"`(\w+)`", line) == list(type_.__struct_fields__)


async def test_only_wanted_events_are_written_and_decisions_are_by_default(run_of_sink, one_of_each):
    sqlite = sink(run_of_sink)
    assert sqlite.events == {Signal, Target, OrderUpdate, Fill, Transfer, Funding, Latch, Refusal}
    async with sqlite:
        await sqlite.write(list(one_of_each.values()))
        await sqlite.write([one_of_each["quote"]])
    tables = select(run_of_sink.folder / "sink.sqlite", "SELECT name FROM sqlite_master WHERE type = 'table'")
    assert {name for (name,) in tables} == {
        *("signals", "targets", "orders", "fills", "transfers", "fundings", "latches", "refusals")
    }


async def test_a_batch_is_there_for_others_when_write_returns(run_of_sink, one_of_each, tmp_path):
    path = tmp_path / "here.sqlite"
    async with sink(run_of_sink, path=str(path)) as sqlite:
        await sqlite.write([one_of_each["fill"]] * 3)
        assert select(path, "SELECT count(*) FROM fills") == [(3,)]
        assert select(path, "PRAGMA journal_mode") == [("wal",)]


async def test_a_batch_is_written_whole_or_not_at_all(run_of_sink, one_of_each):
    path = run_of_sink.folder / "sink.sqlite"
    async with sink(run_of_sink) as sqlite:
        unfit = Signal("BTC/USDT:USDT", "momentum", 1.0, 1.0, ts=1 << 80)
        with pytest.raises(OverflowError):
            await sqlite.write([one_of_each["fill"], unfit])
        await sqlite.write([one_of_each["signal"]])
    assert select(path, "SELECT count(*) FROM fills") == [(0,)]
    assert select(path, "SELECT count(*) FROM signals") == [(1,)]


async def test_several_runs_share_a_database_and_one_that_goes_on_tells_all_again(run_of_sink, one_of_each, tmp_path):
    path = tmp_path / "shared.sqlite"
    for name in ("first", "second", "second"):
        async with sink(msgspec.structs.replace(run_of_sink, name=name), path=str(path)) as sqlite:
            await sqlite.write([one_of_each["signal"]])
    assert select(path, "SELECT run, count(*) FROM signals GROUP BY run") == [("first", 1), ("second", 1)]


async def test_a_folder_that_does_not_exist_is_an_error_at_open(run_of_sink, tmp_path):
    sqlite = sink(run_of_sink, path=str(tmp_path / "none" / "a.sqlite"))
    with pytest.raises(QuantMindError, match=r"a.sqlite cannot be written: .*; its folder must exist"):
        await sqlite.open()
    await sqlite.close()


async def test_a_database_of_somebody_else_is_an_error_at_open(run_of_sink):
    with closing(sqlite3.connect(run_of_sink.folder / "sink.sqlite")) as database:
        database.execute("CREATE TABLE fills (something)")
    sqlite = sink(run_of_sink)
    with pytest.raises(QuantMindError, match=r"cannot be written: .*column.*; its folder must exist, and the file be"):
        await sqlite.open()
    await sqlite.close()


async def test_writing_before_opening_is_an_error(run_of_sink):
    with pytest.raises(QuantMindError, match="write was called before open"):
        await sink(run_of_sink).write([])


async def test_a_table_of_an_earlier_version_gets_the_columns_it_lacks(run_of_sink, one_of_each):
    path = run_of_sink.folder / "sink.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE quotes (run TEXT, symbol TEXT, ts INTEGER, bid REAL, ask REAL, bid_size REAL)")
        database.execute("INSERT INTO quotes VALUES ('earlier', 'BTC/USDT:USDT', 7, 1.0, 2.0, 3.0)")
    async with sink(run_of_sink, events=["quote"]) as sqlite:
        await sqlite.write([one_of_each["quote"]])
    rows = select(path, 'SELECT run, bid, "update" FROM quotes ORDER BY ts')
    assert rows == [("earlier", 1.0, None), ("demo", one_of_each["quote"].bid, one_of_each["quote"].update)]
