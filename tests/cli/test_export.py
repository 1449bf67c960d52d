"""`quantmind export`: the record of a run, finished or not, as the same bytes every time."""

from __future__ import annotations

import json
import time

import pytest
import yaml

from quantmind.export.tables import TABLES

BTC = "BTC/USDT:USDT"


@pytest.fixture
def recipe(program):
    def write(**feed):
        plain = {
            "name": "demo",
            "instruments": [BTC],
            "feeds": [{"synthetic": {"duration": "10m", "seed": 3, **feed}}],
            "strategies": [{"momentum": {"interval": "10s", "fast": 5, "slow": 13, "rsi": 7}}],
            "allocator": "equal_weight",
            "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
            "executor": "paper",
        }
        (program.folder / "demo.yaml").write_text(yaml.safe_dump(plain))
        return "demo.yaml"

    return write


def test_twice_is_the_same(program, recipe):
    run = program.summary(recipe())["run"]
    once = program.export(run)
    assert program.export(run) == once
    assert program.export(str(program.folder / "state" / "runs" / run)) == once


def test_lines_are_sorted_by_position_and_closed_by_the_statement(program, recipe):
    run = program.summary(recipe())["run"]
    lines = [json.loads(line) for line in program.export(run).splitlines()]
    *record, strategy, position, account = lines
    positions = [(line["epoch"], line["seq"], line["n"]) for line in record]
    assert positions == sorted(positions)
    assert len(set(positions)) == len(positions)
    assert {line["type"] for line in record} >= {"signal", "target", "order", "fill", "valuation"}
    assert [(line["type"], line["strategy"], line["symbol"]) for line in (strategy, position)] == [
        ("position", "momentum", BTC),
        ("position", None, BTC),
    ]
    assert account["type"] == "account"
    assert run not in json.dumps(lines)


def test_another_run_of_the_recipe_exports_the_same(program, recipe):
    first, second = (program.summary(recipe())["run"] for _ in range(2))
    assert first != second
    assert program.export(first) == program.export(second)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_in_a_new_folder(program, recipe, ending):
    run = program.summary(recipe())["run"]
    printed = program.run("export", run, "--format", ending).splitlines()
    folder = program.folder / f"{run}-{ending}"
    assert printed == [f"{folder.name}/{table.name}.{ending}" for table in TABLES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{table.name}.{ending}" for table in TABLES)
    again = program.run("export", run, "--format", ending, code_expected=2)
    assert again == (
        f"error: {folder.name} is there already: nothing is overwritten, name another folder with --output\n"
    )


def test_the_tables_of_two_runs_of_a_recipe_are_the_same(program, recipe):
    for name in ("first", "second"):
        run = program.summary(recipe())["run"]
        program.run("export", run, "--format", "csv", "--output", f"deep/{name}")
    for path in (program.folder / "deep" / "first").iterdir():
        assert path.read_bytes() == (program.folder / "deep" / "second" / path.name).read_bytes()


def test_an_output_needs_a_format_of_tables(program, recipe):
    run = program.summary(recipe())["run"]
    errors = program.run("export", run, "--output", "here", code_expected=2)
    assert errors == ("error: --output is the folder of tables: add --format parquet or csv, or redirect the lines\n")


def test_the_help_documents_every_column(quantmind):
    code, output, _ = quantmind("export", "--help")
    assert code == 0
    words = " ".join(output.split())
    for table in TABLES:
        assert f"Table {table.name}, a row for each:" in words
        assert [column.name for column in table.columns if f" {column.name} ({column.kind})" not in words] == []


def test_no_such_run(program):
    errors = program.run("export", "demo", code_expected=2)
    assert errors.startswith("error: there is no run demo")
    assert errors.count("\n") == 1


def test_a_run_that_is_running(program, recipe):
    process = program.start("run", recipe(speed=300, duration="1000h"))
    try:
        exported = ""
        until = time.monotonic() + 40
        while '"type":"fill"' not in exported and time.monotonic() < until:
            time.sleep(0.1)
            for run in program.folder.glob("state/runs/*"):
                if (run / "journal.sqlite-wal").is_file():
                    exported = program.export(run.name)
        assert '"type":"fill"' in exported
        assert process.poll() is None
        for line in exported.splitlines():
            json.loads(line)
    finally:
        process.kill()
        process.communicate()
