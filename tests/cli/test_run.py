"""`quantmind run`, as its user starts it: interrupts, summaries, errors, and what a run leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from decimal import Decimal

import msgpack
import msgspec
import pytest
import yaml

from quantmind.errors import QuantMindError
from quantmind.events import Bar, codec
from quantmind.trader.journal_reader import JournalReader

BTC = "BTC/USDT:USDT"
KEYS = {"events", "signals", "targets", "orders", "refusals", "fills", "equity", "pnl", "fees", "latency_us"}


@pytest.fixture
def recipe(program):
    """Write a recipe on the synthetic market."""

    def write(name="demo", strategy=None, sinks=(), transport=None, **feed):
        plain: dict[str, object] = {
            "name": name,
            "instruments": [BTC],
            "feeds": [{"synthetic": {"duration": "10m", "seed": 3, **feed}}],
            "strategies": [strategy or {"momentum": {"interval": "10s", "fast": 5, "slow": 13, "rsi": 7}}],
            "allocator": "equal_weight",
            "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
            "executor": {"paper": {"account": "demo", "balance": 10000}},
            "sinks": list(sinks),
            **({"transport": transport} if transport else {}),
        }
        (program.folder / f"{name}.yaml").write_text(yaml.safe_dump(plain))
        return f"{name}.yaml"

    return write


@pytest.fixture
def started(program):
    """Start the program, and wait until the run trades; it is ended with the test."""
    processes = []

    def start(*arguments):
        before = set(program.folder.glob("state/runs/*"))
        process = program.start("run", *arguments)
        processes.append(process)
        wait_for(lambda: any(map(traded, set(program.folder.glob("state/runs/*")) - before)), process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


SITE = """
import asyncio
from quantmind.hookspecs import hookimpl
from quantmind.events import Trade
from quantmind.kinds import Feed, Needs, NoOptions, Options, Sink, Strategy, TRADES
from pydantic import Field

BTC = "BTC/USDT:USDT"

class TapeOptions(Options):
    hold: bool = Field(default=False, description="Whether it never ends.")

class Tape(Feed[TapeOptions]):
    '''Some trades, live.'''
    name = "tape"
    live = True

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({TRADES}) for symbol in symbols}

    async def events(self):
        for index in range(1, 21):
            yield [Trade(BTC, index * 1_000_000_000, 50_000.0 + index, 1.0, 1, index)]
            await asyncio.sleep(0)
        if self.options.hold:
            await asyncio.Event().wait()

class OnceOptions(Options):
    direction: float = Field(description="What it says at the third trade.")

class Once(Strategy[OnceOptions]):
    '''Says one thing once.'''
    name = "once"

    @classmethod
    def needs(cls, options):
        return Needs((TRADES,))

    def start(self):
        self.seen = 0

    def on_trade(self, trade):
        self.seen += 1
        if self.seen == 3:
            return self.signal(self.options.direction)

class Stuck(Sink[NoOptions]):
    '''Never finishes its first batch.'''
    name = "stuck"

    async def write(self, batch):
        (self.run.folder / "stuck").touch()
        await asyncio.Event().wait()

@hookimpl
def register_components():
    return [Tape, Once, Stuck]
"""


@pytest.fixture
def site(program):
    """A third party's plugins, found once ON_SITE has run."""
    site = program.folder / "site"
    info = site / "quantmind_tape-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "quantmind_tape.py").write_text(SITE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quantmind-tape\nVersion: 1.0\n")
    names = "".join(f"{name} = quantmind_tape\n" for name in ("tape", "once", "stuck"))
    (info / "entry_points.txt").write_text(f"[quantmind]\n{names}")


ON_SITE = "import sys\nsys.path.insert(0, 'site')"


def wait_for(condition, process):
    """Wait until something is so, while a process runs."""
    until = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it does not come to that"
        time.sleep(0.02)


def traded(folder):
    """Tell whether fills are on record in a journal that is being written."""
    try:
        with contextlib.closing(JournalReader.open(folder)) as journal:
            return any(True for _ in journal.fills())
    except (QuantMindError, sqlite3.OperationalError):
        return False


PACED = {"speed": 300, "duration": "1000h"}


class TestSummary:
    def test_as_json_it_is_one_object(self, program, recipe):
        lines = program.run("run", "--json", recipe(sinks=["console"])).splitlines()
        assert len(lines) == 1
        summary = json.loads(lines[0])
        assert summary.keys() >= KEYS
        assert summary["events"] > 5_000
        assert summary["fills"] > 0
        assert Decimal(summary["pnl"]) == Decimal(summary["equity"]) - 10_000
        assert set(summary["latency_us"]) == {"p50", "p99"}

    def test_it_is_what_the_export_says(self, program, recipe):
        summary = program.summary(recipe())
        lines = [json.loads(line) for line in program.export(summary["run"]).splitlines()]
        for kind in ("signal", "target", "order", "fill"):
            assert len([line for line in lines if line["type"] == kind]) == summary[f"{kind}s"]
        fees = sum((Decimal(line["fee"]) for line in lines if line["type"] == "fill"), Decimal(0))
        assert Decimal(summary["fees"]) == fees

    def test_for_a_person_it_comes_after_what_the_sinks_print(self, program, recipe):
        output = program.run("run", recipe(sinks=["console"]))
        head, _, tail = output.partition("\nrun ")
        assert "fill" in head
        assert "  events " in tail


class TestInterrupts:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_first_one_drains(self, program, recipe, started, number):
        process = started("--json", recipe(**PACED))
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
        summary = json.loads(output)
        assert summary["events"] > 0
        lines = program.export(summary["run"]).splitlines()
        assert len([line for line in lines if '"type":"fill"' in line]) == summary["fills"]

    @pytest.mark.usefixtures("site")
    def test_a_second_interrupt_ends_it_at_once(self, program, recipe):
        process = program.start("run", recipe(sinks=["stuck"]), code=ON_SITE)
        try:
            wait_for(lambda: list(program.folder.glob("state/runs/*/stuck")), process)
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=10)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == 130
        assert "Traceback" not in output + errors


class TestErrors:
    def line(self, program, *arguments, code):
        errors = program.run(*arguments, code_expected=code)
        assert errors.startswith("error: ")
        assert errors.count("\n") == 1, errors
        return errors

    def test_a_component_that_raises_is_named_with_its_event(self, program, recipe):
        name = recipe(strategy={"breaks": {"after": 2}})
        errors = self.line(program, "run", name, code=1)
        assert "strategy breaks failed on Bar(" in errors
        assert "RuntimeError: the strategy's own fault" in errors
        assert "Traceback" not in errors

    def test_with_debug_the_traceback_is_shown(self, program, recipe):
        errors = program.run("--debug", "run", recipe(strategy={"breaks": {"after": 2}}), code_expected=1)
        assert "Traceback" in errors
        assert "quantmind_stranger.py" in errors
        assert errors.splitlines()[-1].startswith("error: strategy breaks failed")

    def test_a_recipe_that_cannot_be_run(self, program, recipe):
        name = recipe(strategy={"momentun": {}})
        assert "did you mean momentum?" in self.line(program, "run", name, code=78)

    @pytest.mark.parametrize("option", ["--resume", "--exact"])
    def test_no_such_run(self, program, option):
        assert "there is no run demo" in self.line(program, "run", option, "demo", code=2)

    def test_no_recipe_at_all(self, program):
        assert "no recipe is named" in self.line(program, "run", code=2)

    def test_a_recipe_without_a_transport_has_no_stages(self, program, recipe):
        told = self.line(program, "run", recipe(), "--stage", "feed", code=2)
        assert "--stage needs a recipe with a transport" in told

    @pytest.mark.parametrize("other", [["--record"], ["--resume", "x"], ["--stage", "feed"]])
    def test_exact_goes_with_nothing_else(self, program, other):
        assert "--exact" in self.line(program, "run", "--exact", "x", *other, code=2)

    def test_record_and_resume_exclude_each_other(self, program, recipe):
        run = program.summary(recipe())["run"]
        assert "exclude" in self.line(program, "run", "--resume", run, "--record", code=2)


class TestExact:
    def test_a_run_that_was_not_recorded(self, program, recipe):
        run = program.summary(recipe())["run"]
        errors = program.run("run", "--exact", run, code_expected=1)
        assert "was not recorded; use `run --record`" in errors
        assert errors.count("\n") == 1

    def test_it_repeats_a_recorded_one(self, program, recipe):
        run = program.summary(recipe(), "--record")["run"]
        assert f"repeats {run} exactly" in program.run("run", "--exact", run)

    def test_it_finds_another_price(self, program, recipe):
        run = program.summary(recipe(), "--record")["run"]
        self.change_a_price(program.folder / "state" / "runs" / run / "decider.record")
        errors = program.run("run", "--exact", run, code_expected=1)
        assert errors.count("\n") == 1
        assert f"of the export of {run} was" in errors or "at market event" in errors

    def change_a_price(self, path):
        """Change the last digits of one close of a recording."""
        changed, bars = [], 0
        with path.open("rb") as file:
            for seq, n, data in msgpack.Unpacker(file, raw=False):
                event = codec.decode(data) if data else None
                if isinstance(event, Bar):
                    bars += 1
                    if bars == 20:
                        event = msgspec.structs.replace(event, close=event.close + 0.1)
                changed.append(msgpack.packb((seq, n, codec.encode(event) if event else data)))
        assert bars > 20
        path.write_bytes(b"".join(changed))

    def test_a_changed_recipe_is_another_one(self, program, recipe):
        run = program.summary(recipe(), "--record")["run"]
        recipe(seed=4)
        assert "was made with another recipe" in program.run("run", "--exact", run, code_expected=2)

    def test_a_recording_that_breaks_off(self, program, recipe):
        run = program.summary(recipe(), "--record")["run"]
        path = program.folder / "state" / "runs" / run / "decider.record"
        path.write_bytes(path.read_bytes()[:-3])
        assert "breaks off" in program.run("run", "--exact", run, code_expected=1)


class TestResume:
    def test_a_run_that_is_running_is_not_resumed(self, program, recipe, started):
        process = started(recipe(**PACED))
        (run,) = program.folder.glob("state/runs/*")
        errors = program.run("run", "--resume", run.name, code_expected=1)
        assert "account paper-demo is in use by another process" in errors
        assert errors.count("\n") == 1
        assert process.poll() is None

    def test_a_killed_run_ends_as_if_nothing_had_happened(self, program, recipe, started):
        paced = {"speed": 300, "duration": "20m"}
        undisturbed = program.export(program.summary(recipe(duration="20m"))["run"])
        name = recipe(**paced)
        process = started(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        run = max(program.folder.glob("state/runs/*"))
        summary = program.summary("--resume", run.name)
        assert summary["run"] == run.name
        assert program.export(run.name) == undisturbed

    def test_stages_are_not_started_for_a_recipe_that_has_changed(self, program, recipe, free_ports):
        name = recipe(transport={"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}})
        run = program.summary(name)["run"]
        recipe(transport={"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}}, seed=4)
        errors = program.run("run", "--resume", run, code_expected=2)
        assert errors == f"error: run {run} was made with another recipe, or this one has changed since\n"


@pytest.fixture
def live(program):
    """Write recipes of one account, on a live feed; returns their name."""

    def write(name, direction, *, hold=False, transport=None, **options):
        plain = {
            "name": name,
            "instruments": [BTC],
            "feeds": [{"tape": {"hold": hold, **options}}],
            "strategies": [{"once": {"direction": direction}}],
            "allocator": "equal_weight",
            "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
            "executor": {"paper": {"account": "shared", "balance": 10000}},
            **({"transport": transport} if transport else {}),
        }
        (program.folder / f"{name}.yaml").write_text(yaml.safe_dump(plain))
        return f"{name}.yaml"

    return write


@pytest.mark.usefixtures("site")
class TestLive:
    def test_an_account_goes_on_under_another_name(self, program, live):
        first = program.summary(live("morning", 1.0), code=ON_SITE)
        assert (first["events"], first["fills"]) == (20, 1)
        assert (program.folder / "state" / "accounts" / "paper-shared" / "journal.sqlite").is_file()
        assert not (program.folder / "state" / "runs" / first["run"] / "journal.sqlite").exists()
        second = program.summary(live("evening", -0.5), code=ON_SITE)
        assert {symbol: Decimal(held) for symbol, held in second["positions"].items()} == {BTC: Decimal("-0.05")}
        lines = [json.loads(line) for line in program.export(second["run"]).splitlines()]
        fills = [line for line in lines if line["type"] == "fill"]
        assert [(fill["side"], Decimal(fill["quantity"])) for fill in fills] == [
            ("buy", Decimal("0.1")),
            ("sell", Decimal("0.15")),
        ]
        assert [fill["epoch"] for fill in fills] == [1, 2]
        ids = [line["id"] for line in lines if "id" in line]
        assert len(ids) == len(set(ids)) > 4

    def test_the_target_of_before_is_kept_until_there_is_another(self, program, live):
        program.summary(live("morning", 1.0), code=ON_SITE)
        again = program.summary(live("evening", 1.0), code=ON_SITE)
        assert (again["fills"], again["account"]["fills"]) == (0, 1)
        assert Decimal(again["positions"][BTC]) == Decimal("0.1")

    def test_a_summary_tells_apart_the_run_and_the_account(self, program, live):
        first = program.summary(live("morning", 1.0), code=ON_SITE)
        assert first["account"] is None
        text = program.run("run", live("evening", -0.5), code=ON_SITE)
        second = text[text.index("run ") :].splitlines()
        assert [line.split()[0] for line in second] == [
            "run", "events", "signals", "targets", "orders", "refusals", "fills", "latency",
            "account", "position", "equity", "pnl", "fees", "funding", "drawdown",
        ]  # fmt: skip
        assert second[1:7] == [
            "  events    20",
            "  signals   1",
            "  targets   1",
            "  orders    1",
            "  refusals  none",
            "  fills     1",
        ]
        # The tape begins in 1970, and so does what is on record.
        assert second[8] == "account since 1970-01-01 00:00"
        third = program.summary(live("night", 1.0), code=ON_SITE)
        assert (third["signals"], third["orders"], third["fills"]) == (1, 1, 1)
        assert third["account"] == {
            "signals": 3, "targets": 3, "orders": 3, "fills": 3, "refusals": {}, "since": 3_000_000_000,
        }  # fmt: skip
        assert Decimal(third["fees"]) > Decimal(first["fees"])

    def test_nobody_else_trades_the_account_meanwhile(self, program, live):
        process = program.start("run", "--json", live("morning", 1.0, hold=True), code=ON_SITE)
        try:
            wait_for(lambda: traded(program.folder / "state" / "accounts" / "paper-shared"), process)
            errors = program.run("run", live("evening", -1.0), code=ON_SITE, code_expected=1)
            assert "account paper-shared is in use by another process; stop that one first" in errors
            assert errors.count("\n") == 1
            os.kill(process.pid, signal.SIGTERM)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
            process.communicate()
        assert (process.returncode, errors) == (0, "")
        assert json.loads(output)["fills"] == 1

    @pytest.mark.parametrize("staged", [False, True])
    def test_a_live_run_is_not_resumed_and_nothing_is_started_for_it(self, program, live, free_ports, staged):
        run = program.summary(live("morning", 1.0), code=ON_SITE)["run"]
        transport = {"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}} if staged else None
        name = live("morning", 1.0, transport=transport)
        errors = program.run("run", name, "--resume", run, code=ON_SITE, code_expected=2)
        assert errors == (
            f"error: --resume goes on with a replay, and {run} is live: its account goes on by itself: "
            f"`quantmind run {program.folder / name}`\n"
        )

    def test_a_live_pipeline_is_not_recorded_and_nothing_is_started_for_it(self, program, live, free_ports):
        name = live("morning", 1.0, transport={"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}})
        errors = program.run("run", name, "--record", code=ON_SITE, code_expected=2)
        assert errors.startswith("error: --record writes the inputs of one process")
        assert errors.count("\n") == 1
