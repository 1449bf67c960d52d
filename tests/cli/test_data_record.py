"""`quantmind data record`: what feeds say is in the store, whatever ends the recording."""

import json
import signal
import time

import pytest
import yaml

from quantmind.data.store import Store
from quantmind.kinds import FUNDING, MARKS, QUOTES, TRADES

BTC = "BTC/USDT:USDT"


@pytest.fixture
def recipe(program):
    def write(*feeds, **more):
        plain = {
            "name": "recorded",
            "instruments": [BTC],
            "feeds": list(feeds),
            "strategies": [{"momentum": {"interval": "1m"}}],
            "allocator": "equal_weight",
            "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
            "executor": {"paper": {"account": "recorded", "balance": 10000}},
            **more,
        }
        path = program.folder / "recorded.yaml"
        path.write_text(yaml.safe_dump(plain))
        return path.name

    return write


def test_a_replay_is_recorded_whole_and_no_order_is_made(program, recipe):
    told = json.loads(program.run("data", "record", recipe({"synthetic": {"duration": "10m", "seed": 1}}), "--json"))
    store = Store(program.folder / "state" / "data")
    assert told["store"] == str(store.folder)
    assert {row["channel"]: row["events"] for row in told["streams"]} == {"quote": 6000, "trade": 2400, "mark": 600}
    found = [event for batch in store.read("synthetic", [BTC], [QUOTES, TRADES, MARKS]) for event in batch]
    assert len(found) == told["events"] == 9000
    assert not (program.folder / "state" / "accounts").exists()
    assert not (program.folder / "state" / "runs").exists()


def test_what_was_recorded_before_is_told(program, recipe):
    name = recipe({"synthetic": {"duration": "1m", "seed": 1}})
    assert "came twice" not in program.run("data", "record", name, "--channels", "trade")
    told = program.run("data", "record", name, "--channels", "trade")
    assert told.splitlines()[-1].startswith(f"synthetic {BTC} trade: 240 came twice on its last day: was it recorded")


def test_what_is_asked_for_is_recorded_of_all_that_is_offered(program, recipe):
    name = recipe({"synthetic": {"duration": "9h", "quote_interval": "1m", "trade_interval": "1m"}})
    program.run("data", "record", name, "--channels", "trades,funding", "--to", "market")
    store = Store(program.folder / "market")
    assert store.offers("synthetic", [BTC]) == {BTC: {TRADES, FUNDING}}
    error = program.run("data", "record", name, "--channels", "books", "--to", "market", code_expected=1)
    assert "no feed offers books; they offer funding rates, marks, quotes, trades" in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_it_ends_in_time_and_when_it_is_interrupted_with_all_that_came(program, recipe):
    name = recipe({"synthetic": {"live": True, "quote_interval": "5ms"}})
    told = json.loads(program.run("data", "record", name, "--for", "1s", "--json"))
    assert told["events"] > 20
    for number in (signal.SIGINT, signal.SIGTERM):
        process = program.start("data", "record", name, "--to", f"at-{number}")
        try:
            store = program.folder / f"at-{number}"
            end = time.monotonic() + 30
            while not (store / ".store" / "lock").exists():
                assert time.monotonic() < end
                time.sleep(0.05)
            time.sleep(1)
            process.send_signal(number)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
        assert (process.returncode, errors) == (0, "")
        counted = int(output.splitlines()[-1].split()[0].replace(",", ""))
        found = [e for batch in Store(store).read("synthetic", [BTC], [QUOTES, TRADES, MARKS]) for e in batch]
        assert len(found) == counted > 20


@pytest.mark.slow
def test_killed_it_keeps_what_was_written_and_the_next_one_goes_on(program, recipe):
    name = recipe({"synthetic": {"live": True, "quote_interval": "5ms"}})
    last = 0
    for _ in range(2):
        process = program.start("data", "record", name, "--to", "market", "--flush", "200ms")
        try:
            end = time.monotonic() + 30
            while (count := len(list((program.folder / "market").rglob("*.parquet")))) <= last + 4:
                assert time.monotonic() < end
                time.sleep(0.05)
            last = count
        finally:
            process.kill()
            process.communicate()
    before = [e for b in Store(program.folder / "market").read("synthetic", [BTC], [QUOTES]) for e in b]
    assert len(before) > 20
    program.run("data", "record", name, "--to", "market", "--for", "500ms")
    after = [e for b in Store(program.folder / "market").read("synthetic", [BTC], [QUOTES]) for e in b]
    assert after[: len(before)] == before
    assert len(after) > len(before)
    names = [path.name for path in (program.folder / "market").rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith(".tmp")]


def test_a_feed_that_fails_keeps_what_came_before(program, recipe):
    bars = "\n".join(f"{60 * n},100,101,99,100,1" for n in range(28_000_000, 28_000_005))
    (program.folder / "bars.csv").write_text(f"time,open,high,low,close,volume\n{bars}\n")
    name = recipe({"replay": {"files": {BTC: "bars.csv"}}}, strategies=[{"momentum": {"interval": "1m"}}])
    assert "5 events" in program.run("data", "record", name, "--to", "market")
    (program.folder / "bars.csv").unlink()
    error = program.run("data", "record", name, "--to", "market", code_expected=1)
    assert "bars.csv" in error
    assert error.count("\n") == 1
