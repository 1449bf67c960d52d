"""The operator's verbs, from a second process: status, halt, resume, flatten and reset, running or stopped."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import yaml

from quantmind.control import client
from quantmind.control.home import Home
from quantmind.errors import QuantMindError
from quantmind.trader.journal_reader import JournalReader

BTC = "BTC/USDT:USDT"
D = Decimal

SITE = """
import asyncio, json
from decimal import Decimal
from pydantic import Field
from quantmind.events import Trade
from quantmind.hookspecs import hookimpl
from quantmind.kinds import Feed, Limit, Needs, NoOptions, Options, Strategy, TRADES
from quantmind.kinds.limit import Stop
from quantmind.metrics import STREAM_COMPLETENESS, STREAM_GAPS

BTC = "BTC/USDT:USDT"

class TapeOptions(Options):
    price: float = Field(default=50_000.0, description="The first price.")
    hold: bool = Field(default=False, description="Whether it never ends.")
    lost: bool = Field(default=False, description="Whether it never connects.")

class Tape(Feed[TapeOptions]):
    '''Some trades, live.'''
    name = "tape"
    live = True

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({TRADES}) for symbol in symbols}

    def ailments(self):
        return {"": "the tape is not connected"} if self.options.lost else {}

    def figures(self):
        return [STREAM_GAPS.figure(31, "trade", BTC), STREAM_COMPLETENESS.figure(0.75, "trade", BTC)]

    async def events(self):
        if self.options.lost:
            await asyncio.Event().wait()
        for index in range(1, 21):
            yield [Trade(BTC, index * 1_000_000_000, self.options.price + index, 1.0, 1, index)]
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

class Tripwire(Limit[NoOptions]):
    '''Lets nothing increase once something was held, until it is reset.'''
    name = "tripwire"
    base = None

    def watch(self, standing):
        held = any(holding.quantity for holding in standing.holdings.values())
        return Stop("reduce", "held > 0") if held and self.base is None else None

    def reset(self, standing):
        self.base = str(standing.equity)

    def save(self):
        return json.dumps(self.base)

    def load(self, state):
        self.base = json.loads(state)

    @property
    def figures(self):
        return {} if self.base is None else {"base": float(self.base)}

@hookimpl
def register_components():
    return [Tape, Once, Tripwire]
"""

ON_SITE = "import sys\nsys.path.insert(0, 'site')"


class Account:
    """An account, and the program that trades it and instructs it."""

    def __init__(self, program) -> None:
        self.program = program
        self.folder = program.folder
        self.processes = []

    def recipe(self, name="demo", limits=(), strategies=None, feed=None, **more):
        plain = {
            "name": name,
            "instruments": [BTC],
            "feeds": [feed or {"synthetic": {"duration": "1000h", "seed": 3, "speed": 300}}],
            "strategies": strategies or [{"momentum": {"interval": "10s", "fast": 5, "slow": 13, "rsi": 7}}],
            "allocator": "equal_weight",
            "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}], "limits": list(limits)},
            "executor": {"paper": {"account": name, "balance": 10000}},
            **more,
        }
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(plain))
        return f"{name}.yaml"

    def live(self, name, direction=1.0, limits=({"tripwire": {}},), transport=None, **feed):
        return self.recipe(
            name,
            limits,
            [{"once": {"direction": direction}}],
            {"tape": feed},
            executor={"paper": {"account": "shared", "balance": 10000}},
            **({"transport": transport} if transport else {}),
        )

    def start(self, *arguments):
        process = self.program.start("run", *arguments, code=ON_SITE)
        self.processes.append(process)
        return process

    def trading(self, *arguments):
        """Start a run; returns its process and name once it has a fill."""
        before = set(self.folder.glob("state/runs/*"))
        process = self.start(*arguments)
        wait_for(lambda: any(map(traded, set(self.folder.glob("state/runs/*")) - before)), process)
        (run,) = set(self.folder.glob("state/runs/*")) - before
        return process, run.name

    def json(self, verb, *arguments):
        return json.loads(self.program.run(verb, *arguments, "--json"))

    def error(self, *arguments, code):
        errors = self.program.run(*arguments, code_expected=code)
        assert errors.startswith("error: ")
        assert errors.count("\n") == 1, errors
        return errors

    def summary(self, *arguments):
        return self.program.summary(*arguments, code=ON_SITE)


@pytest.fixture
def account(program):
    site = program.folder / "site"
    info = site / "quantmind_tape-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "quantmind_tape.py").write_text(SITE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quantmind-tape\nVersion: 1.0\n")
    names = "".join(f"{name} = quantmind_tape\n" for name in ("tape", "once", "tripwire"))
    (info / "entry_points.txt").write_text(f"[quantmind]\n{names}")
    made = Account(program)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def wait_for(condition, process):
    """Wait until something is so, while a process runs; returns it."""
    until = time.monotonic() + 30
    while not (found := condition()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it does not come to that"
        time.sleep(0.02)
    return found


def traded(folder):
    """Tell whether fills are on record in a journal that is being written."""
    try:
        with contextlib.closing(JournalReader.open(folder)) as journal:
            return any(True for _ in journal.fills())
    except (QuantMindError, sqlite3.OperationalError):
        return False


def latches(status):
    return {latch["name"]: latch["level"] for latch in status["latches"]}


def ended(process, number=signal.SIGINT):
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, ""), (output, errors)
    return output


class TestRunning:
    def test_halted_resumed_and_flattened_from_another_process(self, account):
        process, run = account.trading(account.recipe(), "--record")
        folder = account.folder / "state" / "runs" / run
        assert stat.S_IMODE((folder / "control").stat().st_mode) == 0o600

        status = account.json("status")
        assert (status["run"], status["account"], status["pid"]) == (run, "paper-demo", process.pid)
        assert status["running"]
        assert latches(status) == {}

        outcome = account.json("halt", "--reason", "the news")
        assert (outcome["changed"], outcome["latches"]) == (["halted"], {"halted": "halt"})
        text = account.program.run("status", run)
        assert f"account   paper-demo, run {run}: running as process {process.pid}" in text
        assert "latched   halted (halt) since 2024-01-01T" in text
        assert ": the news\n" in text
        assert "was halted already" in account.program.run("halt", str(folder))

        assert "resumed; cleared halted" in account.program.run("resume")
        assert "positions are being closed at market" in account.program.run("flatten", run)
        wait_for(lambda: account.json("status")["positions"] == [], process)
        status = account.json("status")
        assert latches(status) == {"flattened": "flatten"}
        assert D(status["equity"]) == D(status["wallet"])
        assert "nothing to reset" in account.program.run("reset", run)

        output = ended(process)
        assert "latched   flattened (flatten)" in output
        assert not (folder / "control").exists()
        lines = [json.loads(line) for line in account.program.export(run).splitlines()]
        assert [(line["name"], line["level"]) for line in lines if line["type"] == "latch"] == [
            ("halted", "halt"),
            ("halted", None),
            ("flattened", "flatten"),
        ]
        assert f"repeats {run} exactly" in account.program.run("run", "--exact", run)

    def test_a_limit_is_reset_and_its_figures_begin_anew(self, account):
        process, run = account.trading(account.recipe(limits=[{"tripwire": {}}]), "--record")
        wait_for(lambda: latches(account.json("status")), process)
        status = account.json("status")
        assert latches(status) == {"tripwire": "reduce"}
        assert "is not the latch of a limit" in account.error("reset", "--name", "halted", code=1)
        outcome = account.json("reset", "--name", "tripwire", "--reason", "looked into it")
        assert (outcome["changed"], outcome["latches"]) == (["tripwire"], {})
        assert account.json("status")["figures"]["limit.tripwire.0.base"] > 9_000
        ended(process)
        again = account.program.run("run", "--exact", run, code=ON_SITE)
        assert f"repeats {run} exactly" in again

    def test_latches_survive_a_kill(self, account):
        process, run = account.trading(account.recipe())
        account.json("halt")
        process.kill()
        process.wait()
        assert (account.folder / "state" / "runs" / run / "control").exists()
        status = account.json("status", run)
        assert not status["running"]
        assert latches(status) == {"halted": "halt"}
        again = account.start("--resume", run)
        wait_for(lambda: account.json("status", run)["pid"] == again.pid, again)
        assert latches(account.json("status")) == {"halted": "halt"}
        assert "is in use by another process" in account.error("run", "--resume", run, code=1)
        assert account.json("resume")["changed"] == ["halted"]
        ended(again)

    def test_what_protects_a_position(self, account):
        name = account.recipe(
            risk={
                "sizing": [{"fixed_quantity": {"quantity": 0.1}}],
                "protection": [{"fixed_stop": {"part": "0.01"}}, {"take_profit": {"reward_risk": 2}}],
            },
            feed={"synthetic": {"duration": "1000h", "seed": 3, "speed": 100}},
        )
        process, run = account.trading(name)
        status = wait_for(lambda: (now := account.json("status"))["orders"] and now["positions"] and now, process)
        process.kill()
        (held,) = status["positions"]
        short = D(held["quantity"]) < 0
        assert (D(held["stop"]) > D(held["average_price"])) == short
        assert (D(held["take_profit"]) < D(held["average_price"])) == short
        assert {order["purpose"] for order in status["orders"]} == {"stop", "take_profit"}
        process.wait()
        # On record it is there as well, whatever came between the two.
        stopped = account.json("status", run)
        assert {order["purpose"] for order in stopped["orders"]} <= {"stop", "take_profit", "target"}
        for held in stopped["positions"]:
            assert f"stop {held['stop']}, take-profit {held['take_profit']}" in account.program.run("status", run)

    def test_many_at_once(self, account):
        process, run = account.trading(account.recipe())
        home = Home.find(account.folder / "state", run)
        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda _: client.status(home), range(20)))
        assert {status.pid for status in found} == {process.pid}
        ended(process)

    def test_a_process_that_does_not_answer(self, account):
        process, run = account.trading(account.recipe())
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        assert "does not answer" in account.error("halt", run, code=1)
        assert 5 <= time.monotonic() - began < 8
        process.send_signal(signal.SIGCONT)
        ended(process)

    def test_the_execution_stage_is_instructed(self, account, free_ports):
        name = account.recipe(transport={"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}})
        stages = [account.start(name, "--stage", stage) for stage in ("feed", "strategy")]
        execution, run = account.trading(name, "--stage", "execution")
        assert account.json("status")["pid"] == execution.pid
        account.json("flatten")
        wait_for(lambda: account.json("status")["positions"] == [], execution)
        account.json("resume")
        execution.send_signal(signal.SIGTERM)
        for process in (*stages, execution):
            process.communicate(timeout=30)
            assert process.returncode == 0
        assert '"type":"latch"' in account.program.export(run)


LOST = "feed tape: the tape is not connected"


class TestAiling:
    """A feed that never connects: whoever looks is told, and the log has it once."""

    def test_in_one_process(self, account):
        name = account.live("lost", lost=True)
        process = account.start(name)
        text = wait_for(lambda: said_of(account, "status"), process)
        assert f"\nailing    {LOST}\n" in text
        assert account.json("status")["ailing"] == [LOST]
        top = account.program.run("top", name, code=ON_SITE)
        assert f"\nailing  {LOST}\n" in top
        assert re.search(rf"^{BTC} +trade +- +31 +- +- +- +75\.000% +- +- +- *$", top, re.MULTILINE)
        top = json.loads(account.program.run("top", name, "--json", code=ON_SITE))
        assert top["ailing"] == [LOST]
        assert [(row["symbol"], row["channel"], row["gaps"]) for row in top["streams"]] == [(BTC, "trade", 31)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert logged(errors) == [f"ailing: {LOST}; nothing is entered"]

    def test_in_stages(self, account, free_ports):
        name = account.live("lost", lost=True, transport={"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}})
        stages = {stage: account.start(name, "--stage", stage) for stage in ("feed", "strategy", "execution")}
        wait_for(lambda: LOST in (said_of(account, "status") or ""), stages["execution"])
        assert LOST in account.json("status")["ailing"]
        top = json.loads(account.program.run("top", name, "--json", code=ON_SITE))
        assert [line for line in top["ailing"] if LOST in line] == [LOST]
        assert [row["gaps"] for row in top["streams"]] == [31]
        for process in stages.values():
            process.send_signal(signal.SIGTERM)
        told = {stage: logged(process.communicate(timeout=30)[1]) for stage, process in stages.items()}
        assert [line for line in told["feed"] if LOST in line] == [f"ailing: {LOST}; nothing is entered"]
        assert not [line for stage in ("strategy", "execution") for line in told[stage] if LOST in line]


def said_of(account, verb):
    """Return what a verb says once it tells that something ails; None before that."""
    looking = account.program.start(verb)
    output, _ = looking.communicate(timeout=30)
    return output if "ailing" in output else None


def logged(errors):
    return [json.loads(line)["message"] for line in errors.splitlines()]


class TestStopped:
    """An account of live runs: `tape` ends after 20 trades, and a position stays."""

    def test_halted_on_record(self, account):
        account.summary(account.live("morning"))
        outcome = account.json("halt", "paper-shared", "--reason", "holidays")
        assert (outcome["running"], outcome["changed"]) == (False, ["halted"])
        assert outcome["latches"] == {"tripwire": "reduce", "halted": "halt"}
        text = account.program.run("status")
        assert ": stopped\n" in text
        assert ": holidays\n" in text
        assert "was halted already" in account.program.run("halt")
        summary = account.summary(account.live("evening", -1.0))
        assert summary["latches"] == {"tripwire": "reduce", "halted": "halt"}
        # The way to -0.1 is closed; the way out is not.
        assert summary["positions"] == {}
        assert summary["refusals"] == {"halted": 1}

    def test_flattened_at_the_next_start_and_resumed(self, account):
        account.summary(account.live("morning"))
        assert "flattened while stopped; at the next start" in account.program.run("flatten")
        summary = account.summary(account.live("noon"))
        assert (summary["positions"], summary["fills"], summary["account"]["fills"]) == ({}, 1, 2)
        assert summary["latches"]["flattened"] == "flatten"
        assert account.json("resume")["changed"] == ["flattened"]
        assert account.json("reset")["changed"] == ["tripwire"]
        assert account.json("status")["pending"] == ["flattened", "tripwire"]
        # What its strategies wanted before they want still.
        summary = account.summary(account.live("evening", price=60_000))
        assert {symbol: D(held) for symbol, held in summary["positions"].items()} == {BTC: D("0.1")}
        assert account.json("status")["pending"] == []

    def test_a_limit_begins_anew_at_the_first_price(self, account):
        account.summary(account.live("morning"))
        wallet = D(account.json("status")["wallet"])
        (held,) = account.json("status")["positions"]
        outcome = account.json("reset", "--name", "tripwire")
        assert (outcome["changed"], outcome["latches"]) == (["tripwire"], {})
        assert "cleared   tripwire; it takes effect at the next start" in account.program.run("status")
        summary = account.summary(account.live("evening", price=60_000))
        assert summary["latches"] == {}
        # The first trade of the tape is at 60,001.
        equity = wallet + D(held["quantity"]) * (60_001 - D(held["average_price"]))
        assert D(repr(summary["figures"]["limit.tripwire.0.base"])) == equity

    def test_a_drawdown_is_counted_from_the_first_price_after_a_reset(self, account):
        limits = [{"max_drawdown": {"limit": "0.0003", "then": "reduce"}}]
        first = account.summary(account.live("morning", -1.0, limits=limits))
        assert first["latches"] == {"max_drawdown": "reduce"}
        (held,) = account.json("status")["positions"]
        assert account.json("reset")["changed"] == ["max_drawdown"]
        second = account.summary(account.live("evening", -1.0, limits=limits, price=60_000))
        # Short since 50,000 and a sixth of it lost at 60,001: that is the peak now. Up to 60,020 it is not 0.03 %.
        assert second["latches"] == {}
        wallet = D(account.json("status")["wallet"])
        equity = wallet + D(held["quantity"]) * (60_001 - D(held["average_price"]))
        assert D(repr(second["figures"]["limit.max_drawdown.0.peak"])) == equity

    def test_a_replay_is_instructed_by_its_run(self, account):
        run = account.summary(account.recipe(feed={"synthetic": {"duration": "10m", "seed": 3}}))["run"]
        assert account.json("halt", run)["latches"] == {"halted": "halt"}
        assert latches(account.json("status", run)) == {"halted": "halt"}


class TestWhich:
    def test_nothing_there(self, account):
        assert "nothing is running" in account.error("status", code=2)
        assert "there is no account and no run demo" in account.error("halt", "demo", code=2)

    def test_several_accounts(self, account):
        for name in ("paper-a", "paper-b"):
            (account.folder / "state" / "accounts" / name).mkdir(parents=True)
        assert "name one of paper-a, paper-b" in account.error("flatten", code=2)
        assert "there is no journal; account paper-a has not begun" in account.error("status", "paper-a", code=1)

    def test_the_one_that_runs_among_several(self, account):
        account.summary(account.live("morning"))
        process, run = account.trading(account.recipe())
        assert account.json("status")["run"] == run
        assert account.json("status", "paper-shared")["running"] is False
        other, second = account.trading(account.recipe("other"))
        errors = account.error("halt", code=2)
        assert run in errors
        assert second in errors
        for each in (process, other):
            ended(each)

    def test_a_live_account_by_its_name_and_by_its_run(self, account):
        process = account.start(account.live("morning", hold=True))
        home = account.folder / "state" / "accounts" / "paper-shared"
        wait_for(lambda: home.is_dir() and traded(home), process)
        (run,) = (path.name for path in account.folder.glob("state/runs/*"))
        for arguments in ((), ("paper-shared",), (run,)):
            status = account.json("status", *arguments)
            assert (status["run"], status["pid"]) == (run, process.pid)
        # No event comes any more: it takes effect at once.
        now = time.time_ns()
        assert account.json("halt")["ts"] > now
        assert latches(account.json("status", run))["halted"] == "halt"
        ended(process)

    def test_a_reason_that_is_too_long(self, account):
        (account.folder / "state" / "accounts" / "paper-a").mkdir(parents=True)
        assert "must have at most 500 characters" in account.error("halt", "--reason", "x" * 501, code=2)
