"""`quantmind backtest`: a recipe on recorded data, with its statement."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
import yaml

START = datetime(2024, 1, 1, tzinfo=UTC)
BTC = "BTC/USDT:USDT"
NAME = "BTC_USDT_USDT"


@pytest.fixture
def project(program):
    """A recipe, and a folder of bars of 20 hours that go up and down, with funding and marks."""
    opens = [50_000 + 500 * abs(n % 120 - 60) / 60 for n in range(1200)]
    closes = [*opens[1:], opens[0]]
    minutes = [START + timedelta(minutes=n) for n in range(1200)]
    rows = {
        "date": minutes,
        "open": opens,
        "high": [max(pair) + 1 for pair in zip(opens, closes, strict=True)],
        "low": [min(pair) - 1 for pair in zip(opens, closes, strict=True)],
        "close": closes,
        "volume": [100.0] * 1200,
    }
    folder = program.folder / "data"
    folder.mkdir()
    pl.DataFrame(rows).write_ipc(folder / f"{NAME}-1m-futures.feather")
    times = [START + timedelta(hours=4 * n) for n in range(5)]
    pl.DataFrame({"date": times, "open": [0.0001] * 5}).write_ipc(folder / f"{NAME}-4h-funding_rate.feather")
    pl.DataFrame({"date": times, "open": [50250.5] * 5, "close": [50250.5] * 5}).write_ipc(
        folder / f"{NAME}-4h-mark.feather"
    )
    recipe = {
        "name": "demo",
        "instruments": [BTC],
        "feeds": [{"synthetic": {"duration": "1h"}}],
        "strategies": [{"momentum": {"interval": "5m", "fast": 2, "slow": 5, "rsi": 3}}],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
        "executor": "paper",
        "sinks": [{"jsonl": {"path": "events.jsonl"}}],
    }
    (program.folder / "demo.yaml").write_text(yaml.safe_dump(recipe))
    return program


def said(project, *arguments, **options):
    return json.loads(project.run("backtest", "demo.yaml", "--data", "data", "--json", *arguments, **options))


def test_it_prints_the_summary_and_the_statement(project):
    lines = project.run("backtest", "demo.yaml", "--data", "data").splitlines()
    assert lines[0].startswith("run 20")
    assert "  data      bars of 1m, 2024-01-01T00:00:00Z to 2024-01-01T20:00:00Z" in lines
    (head,) = [n for n, line in enumerate(lines) if line.startswith("strategy ")]
    assert [line.split()[:2] for line in lines[head + 1 : -1]] == [
        ["momentum", BTC],
        ["all", BTC],
        lines[-2].split()[:2],
    ]
    assert lines[-2].startswith("account ")
    assert lines[-1].startswith("balance 10,000.00, equity ")


def test_json(project):
    report = said(project)
    assert report["data"] == {"interval": "1m", "start": "2024-01-01T00:00:00Z", "end": "2024-01-01T20:00:00Z"}
    assert report["fills"] > 5
    assert report["notes"] == []
    assert 0 <= report["decided_by_path"] <= 1
    statement = report["statement"]
    assert [row["strategy"] for row in statement["strategies"]] == ["momentum"]
    assert statement["total"]["funding"] != "0"
    assert Decimal(statement["equity"]) == Decimal(report["equity"])


LOUD = """
from quantmind.hookspecs import hookimpl
from quantmind.kinds import Needs, NoOptions, Strategy, bars

print("imported")


class Loud(Strategy[NoOptions]):
    \"""Says what it does.\"""

    name = "loud"

    @classmethod
    def needs(cls, options):
        print("asked")
        return Needs((bars(60_000_000_000),))

    def on_bar(self, bar):
        print("called")
        return self.signal(1.0)


@hookimpl
def register_components():
    return [Loud]
"""


@pytest.mark.parametrize("verb", ["backtest", "test"])
def test_what_a_component_prints_spoils_no_json(project, monkeypatch, verb):
    info = project.folder / "loud-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quantmind]\nloud = loud_module\n")
    (project.folder / "loud_module.py").write_text(LOUD)
    recipe = yaml.safe_load((project.folder / "demo.yaml").read_text())
    recipe["strategies"] = ["loud"]
    recipe["tests"] = [
        {"name": "one", "given": {"bars": {"interval": "1m", "close": [1, 2]}}, "expect": {"drawdown": 0}}
    ]
    (project.folder / "demo.yaml").write_text(yaml.safe_dump(recipe))
    monkeypatch.setenv("PYTHONPATH", str(project.folder))
    data = ("--data", "data") if verb == "backtest" else ()
    assert json.loads(project.run(verb, "demo.yaml", *data, "--json"))
    if verb == "test":
        assert json.loads(project.run(verb, "demo.yaml", "--collect-only", "--json"))


def test_the_run_is_kept_and_can_be_exported(project):
    run = said(project)["run"]
    last = json.loads(project.export(run).splitlines()[-1])
    assert last["type"] == "account"
    assert last["started_with"] == "10000"


def test_the_same_data_give_the_same_decisions(project):
    first, second = said(project)["run"], said(project)["run"]
    assert first != second
    assert project.export(first) == project.export(second)


def test_sinks_are_left_out_unless_they_are_asked_for(project):
    said(project)
    assert not (project.folder / "events.jsonl").exists()
    said(project, "--sinks")
    assert (project.folder / "events.jsonl").exists()


def test_a_part_of_the_data_and_terms_of_the_executor(project):
    report = said(project, "--start", "2024-01-01T10:00", "--end", "2024-01-01T12:00", "--balance", "777", "--fee", "0")
    assert report["data"]["start"] == "2024-01-01T10:00:00Z"
    assert (Decimal(report["fees"]), report["statement"]["balance"]) == (0, "777")
    assert report["events"] < 300
    assert report["signals"] > 0


def test_several_paths_and_an_interval(project):
    data = project.folder / "data"
    bars = pl.read_ipc(data / f"{NAME}-1m-futures.feather")
    bars.gather_every(5).write_csv(data / "BTCUSDT-5m.csv")
    files = [f"data/{NAME}-1m-futures.feather", "data/BTCUSDT-5m.csv"]
    project.run("backtest", "demo.yaml", "--data", *files)
    report = json.loads(
        project.run("backtest", "demo.yaml", "--data", files[0], "--data", files[1], "--interval", "5m", "--json")
    )
    assert report["data"]["interval"] == "5m"
    assert report["notes"] == [f"no funding rates of {BTC} were found: its positions pay and receive none"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--data", "none"), "none: no such file or folder"),
        (("--data", "demo.yaml"), "demo.yaml: its name does not tell what it holds; files are found by names such as"),
        (("--data", "state"), f"there are no bars of {BTC} in state; files are found by names such as"),
        (("--data", "data", "--start", "2023-12-31"), f"the bars of 1m of {BTC} begin 2024-01-01T00:00:00Z, after"),
        (("--data", "data", "--end", "2024-01-02"), f"the bars of 1m of {BTC} end 2024-01-01T20:00:00Z, before --end"),
        (("--data", "data", "--start", "2024-01-02", "--end", "2024-01-01"), "--end must be after --start"),
        (("--data", "data", "--interval", "1h"), "there are no bars of 1h of every instrument; --interval may be 1m"),
        (("--data", "data", "--balance", "0"), "--balance: must be above 0, was 0"),
        (("--data", "data", "--executor", "papr"), "no executor is called papr; did you mean paper?"),
    ],
)
def test_a_mistake_is_one_clear_line(project, arguments, words):
    (project.folder / "state").mkdir()
    code = 78 if "papr" in arguments else 2
    errors = project.run("backtest", "demo.yaml", *arguments, code_expected=code)
    assert errors.startswith(f"error: {words}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("option", [("--start", "soon"), ("--interval", "often")])
def test_what_cannot_be_read_is_wrong_usage(project, option):
    errors = project.run("backtest", "demo.yaml", "--data", "data", *option, code_expected=2)
    assert errors.startswith(f"error: {option[0]}: must be a ")
    assert errors.count("\n") == 1


def test_a_strategy_that_needs_what_no_data_give(project):
    recipe = yaml.safe_load((project.folder / "demo.yaml").read_text())
    recipe["strategies"] = [{"momentum": {"interval": "30s"}}]
    (project.folder / "demo.yaml").write_text(yaml.safe_dump(recipe))
    errors = project.run("backtest", "demo.yaml", "--data", "data", code_expected=78)
    assert "strategies[0].momentum: needs bars of 30s of BTC/USDT:USDT, but no feed offers them" in errors
