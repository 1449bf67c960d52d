"""`quantmind top`: a running pipeline, as its user sees it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from quantmind import metrics
from quantmind.events import Failed, Figure, Incident, Presence, Vitals

BTC = "BTC/USDT:USDT"


class Stage:
    """A stage that says how it is, as a live one does."""

    def __init__(self, bus, **more):
        self.bus, self.count, self.more = bus, 0, {"state": "ready", "reasons": (), "figures": (), **more}

    def say(self):
        self.count += 5
        figures = [
            metrics.UPTIME.figure(self.count),
            metrics.EVENTS.figure(self.count * 100, "all"),
            metrics.FRAMES.figure(self.count, "feed"),
            metrics.LAG.figure(0.0025),
            metrics.BACKLOG.figure(4),
            metrics.DROPPED.figure(17),
            metrics.INCIDENTS.figure(3, "gap", "feed"),
            metrics.INCIDENTS.figure(2, "gap", "strategy"),
            metrics.INCIDENTS.figure(6, "duplicate", "feed"),
            metrics.INCIDENTS.figure(1, "restart", "feed"),
            *self.more["figures"],
        ]
        stage, state = self.bus.stage, self.more["state"]
        said = self.more["reasons"], tuple(figures), self.more.get("symbols", ())
        vitals = Vitals(stage, time.time_ns(), 4242, state, *said)
        self.bus.send("operations", Presence(stage, (), "20260101-120000-watched", state), vitals)


ACCOUNT = (
    metrics.EQUITY.figure(10_123.5),
    metrics.WALLET.figure(10_000),
    metrics.PNL.figure(123.5),
    metrics.DRAWDOWN.figure(0.0125),
    metrics.ORDERS.figure(8),
    metrics.FILLS.figure(5),
    metrics.REFUSALS.figure(7, "max_leverage"),
    metrics.LATCHED.figure(1, "operator", "halt"),
    metrics.POSITION.figure(-0.5, BTC),
    metrics.AVERAGE_PRICE.figure(50_100, BTC),
    metrics.PRICE.figure(50_000.5, BTC),
    metrics.STOP.figure(51_000, BTC),
)

TRADES = (
    metrics.STREAM_EVENTS.figure(1_200, "trade", BTC),
    metrics.STREAM_GAPS.figure(31, "trade", BTC),
    metrics.STREAM_BACKFILLED.figure(27, "trade", BTC),
    metrics.STREAM_MISSING.figure(4, "trade", BTC),
    metrics.STREAM_DUPLICATES.figure(2, "trade", BTC),
    metrics.STREAM_COMPLETENESS.figure(0.999999, "trade", BTC),
    metrics.STREAM_PROVEN.figure(1, "trade", BTC),
    metrics.STREAM_LAG.figure(0.0042, "trade", BTC),
    metrics.STREAM_AGE.figure(1.25, "trade", BTC),
)
BOOKS = (metrics.STREAM_EVENTS.figure(7, "book", BTC), metrics.STREAM_PROVEN.figure(-1, "book", BTC))


@pytest.fixture
async def stages(publishers):
    """All four stages, speaking."""
    found = {stage: Stage(await publishers.open(stage)) for stage in ("feed", "strategy", "execution", "sink")}
    found["execution"].more |= {"figures": ACCOUNT, "reasons": ("strategy: its last word is 9 s old",)}
    return found


def all_say(stages):
    def say():
        for stage in stages.values():
            stage.say()

    return say


async def test_one_json_object(program, live_recipe, publishers, stages):
    say = all_say(stages)

    def tell():
        say()
        gap = Incident("strategy", time.time_ns(), "gap", "feed", "market", 3, "frames 5 to 7")
        stages["strategy"].bus.send("operations", gap)

    output, errors = await publishers.until(program.start("top", str(live_recipe), "--json"), tell)
    assert errors == ""
    found = json.loads(output)
    assert (found["pipeline"], found["run"]) == ("watched", "20260101-120000-watched")
    assert [row["stage"] for row in found["stages"]] == ["feed", "strategy", "execution", "sink"]
    row = found["stages"][2]
    assert row.pop("heard") < 3
    assert row.pop("uptime") >= 10
    assert row.pop("events_per_second") == pytest.approx(100 * row.pop("frames_per_second"))
    assert row == {
        "stage": "execution", "state": "ready", "pid": 4242, "lag": 0.0025, "backlog": 4, "gaps": 5, "dropped": 17,
        "duplicates": 6, "restarts": 0, "reasons": ["strategy: its last word is 9 s old"],
    }  # fmt: skip
    assert found["stages"][0]["restarts"] == 1
    assert found["account"] == {
        "equity": 10123.5, "wallet": 10000.0, "pnl": 123.5, "drawdown": 0.0125, "orders": 8, "fills": 5,
        "latches": {"operator": "halt"}, "refusals": {"max_leverage": 7},
    }  # fmt: skip
    assert found["positions"] == [
        {
            "symbol": BTC,
            "quantity": -0.5,
            "average_price": 50100.0,
            "price": 50000.5,
            "unrealised": 49.75,
            "stop": 51000.0,
        }
    ]
    assert found["incidents"][-1]["detail"] == "frames 5 to 7"
    assert found["streams"] == []
    assert found["ailing"] == ["execution: strategy: its last word is 9 s old"]


async def test_the_streams_of_a_feed(program, live_recipe, publishers, stages):
    venue = metrics.RECONNECTS.figure(4, "binanceusdm"), metrics.CLOCK_OFFSET.figure(-0.0123, "binanceusdm")
    stages["feed"].more["figures"] = (*TRADES, *BOOKS, *venue, Figure("stream_gaps_total", ("trade",), 9.0))
    output, errors = await publishers.until(program.start("top", str(live_recipe), "--json"), all_say(stages))
    assert errors == ""
    found = json.loads(output)
    book, trade = found["streams"]
    assert trade == {
        "symbol": BTC, "channel": "trade", "events": 1200, "gaps": 31, "backfilled": 27, "missing": 4, "duplicates": 2,
        "completeness": 0.999999, "proven": True, "lag": 0.0042, "age": 1.25,
    }  # fmt: skip
    assert (book["channel"], book["events"], book["proven"], book["gaps"]) == ("book", 7, None, None)
    assert found["venues"] == [
        {"venue": "binanceusdm", "reconnects": 4, "clock_offset": -0.0123, "rate_used": None},
    ]

    output, errors = await publishers.until(program.start("top", str(live_recipe)), all_say(stages))
    assert errors == ""
    # Four that are missing do not look like none.
    assert re.search(rf"^{BTC} +trade +1,200 +31 +27 +4 +2 +99\.999% +yes +4\.2ms +1\.2s *$", output, re.MULTILINE)
    assert re.search(rf"^{BTC} +book +7 +- +- +- +- +- +- +- +- *$", output, re.MULTILINE)
    assert "\nvenue binanceusdm  reconnects 4  clock -12.3ms  rate -" in output


async def test_what_ails_is_told_once_with_component_and_reason(program, live_recipe, publishers, stages):
    lost = "feed tape: the tape is not connected"
    stages["feed"].more |= {"reasons": (lost,), "symbols": ((BTC, "feed tape: its book is not proven"),)}
    stages["execution"].more["reasons"] = (lost, "market data: it is late")
    output, _ = await publishers.until(program.start("top", str(live_recipe)), all_say(stages))
    assert [line for line in output.splitlines() if line.startswith("ailing")] == [
        f"ailing  {lost}",
        f"ailing  feed tape: its book is not proven ({BTC})",
        "ailing  execution: market data: it is late",
    ]


async def test_one_plain_table_in_a_pipe(program, live_recipe, publishers, stages):
    process = program.start("top", str(live_recipe))
    output, errors = await publishers.until(process, all_say(stages))
    assert (process.returncode, errors) == (0, "")
    assert "\x1b" not in output
    assert re.search(r"^execution +ready +4242 .* 2\.5ms +4 +5 +17 +6 +0 ", output, re.MULTILINE)
    assert "\nailing  execution: strategy: its last word is 9 s old" in output
    assert "equity 10,123.50  wallet 10,000.00  PnL +123.50  drawdown 1.25%" in output
    assert "refused max_leverage 7" in output
    assert "latched operator (halt)" in output
    assert re.search(rf"{BTC} +-0\.5 +50,100 +50,000\.5 +49\.75 +51,000", output)


async def test_a_replay_says_only_that_it_is_there(program, live_recipe, publishers):
    buses = [await publishers.open(stage) for stage in ("feed", "strategy")]

    def say():
        for bus in buses:
            bus.send("operations", Presence(bus.stage, (), "", "starting"))
        buses[1].send("operations", Failed("strategy", "momentum raised"))

    output, errors = await publishers.until(program.start("top", str(live_recipe), "--once"), say)
    assert errors == ""
    assert re.search(r"^feed +starting +- +- +- ", output, re.MULTILINE)
    assert re.search(r"^sink +not heard ", output, re.MULTILINE)
    assert "\nailing  strategy: failed: momentum raised" in output


async def test_what_a_stranger_says_neither_breaks_nor_steers_it(program, live_recipe, publishers, stages):
    stages["feed"].more |= {
        "reasons": ("\x1b[2J[bold]boo",),
        "figures": (
            Figure("lag_seconds", (), float("nan")),
            Figure("latched", (), 1.0),
            Figure("no_such", ("a",), 1.0),
        ),
    }
    stages["execution"].more["figures"] += (Figure("position", (), 5.0), Figure("equity", (), float("inf")))
    say = all_say(stages)

    def tell():
        say()
        stages["sink"].bus.transport.publish("operations", b"garbage")

    process = program.start("top", str(live_recipe))
    output, errors = await publishers.until(process, tell)
    assert (process.returncode, errors) == (0, "")
    assert "ailing  feed: ?[2J[bold]boo" in output
    assert "\x1b" not in output
    assert "bad_frame of sink" in output


def test_nothing_heard_is_one_line(program, live_recipe):
    errors = program.run("top", str(live_recipe), "--json", code_expected=1)
    assert errors == (f"error: watched: no stage was heard in 2.5 s: start it with `quantmind run {live_recipe}`\n")


ON_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from quantmind.cli import main
sys.exit(main())
"""


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, program, *arguments):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, *arguments],
            cwd=program.folder,
            env={**os.environ, "TERM": "xterm-256color"},
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
        )
        os.set_blocking(self.master, False)
        self.text = ""

    def read(self):
        try:
            while data := os.read(self.master, 65_536):
                self.text += data.decode(errors="replace")
        except BlockingIOError:
            pass
        return self.text

    async def until(self, seen, say=lambda: None):
        end = time.monotonic() + 30
        while not seen(self.read()):
            say()
            await asyncio.sleep(0.05)
            assert time.monotonic() < end, self.text[-3000:]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(program, live_recipe):
    opened = Terminal(program, "top", str(live_recipe))
    yield opened
    opened.close()


@pytest.mark.parametrize("key", ["q", "\x03"])
async def test_a_live_view_that_leaves_the_terminal_as_it_was(terminal, publishers, stages, key):
    say = all_say(stages)
    await terminal.until(lambda text: "10,123.50" in text and text.count("execution") > 4, say)
    assert "\x1b[?1049h" in terminal.text
    os.write(terminal.master, key.encode())
    await terminal.until(lambda _: terminal.process.poll() is not None, say)
    terminal.read()
    assert terminal.process.returncode == 0
    assert terminal.text.rindex("\x1b[?1049l") > terminal.text.rindex("\x1b[?1049h")
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")
    assert termios.tcgetattr(terminal.slave) == terminal.before


async def test_a_stage_that_falls_silent_is_shown_as_such(terminal, publishers, stages):
    await terminal.until(lambda text: text.count("ready") > 8, all_say(stages))
    del stages["strategy"]
    await terminal.until(lambda text: re.search(r"strategy +\S*silent", text), all_say(stages))
    terminal.process.send_signal(signal.SIGTERM)
    await terminal.until(lambda _: terminal.process.poll() is not None)
    assert terminal.process.returncode == 0


@pytest.fixture
def running(program):
    """Start a recipe, to be interrupted at the end."""
    processes = []

    def start(path):
        processes.append(program.start("run", str(path), "--json"))
        return processes[-1]

    yield start
    for process in processes:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def watched(program, recipe, process, *expected):
    """Look again until what is expected is there."""
    end = time.monotonic() + 60
    while True:
        looking = program.start("top", str(recipe), "--json")
        output, errors = looking.communicate(timeout=60)
        if looking.returncode == 0 and all(see(json.loads(output)) for see in expected):
            return json.loads(output)
        assert time.monotonic() < end, (output, errors)
        assert process.poll() is None, process.communicate()


@pytest.mark.slow
def test_a_real_pipeline(program, live_recipe, running):
    process = running(live_recipe)
    found = watched(
        program,
        live_recipe,
        process,
        lambda seen: [row["state"] for row in seen["stages"]] == ["ready"] * 4,
        lambda seen: seen["account"] is not None and all(row["events_per_second"] for row in seen["stages"]),
    )
    assert len({row["pid"] for row in found["stages"]}) == 4
    assert found["account"]["equity"] > 0
    assert found["run"].endswith("-watched")
    tapped = program.run("tap", str(live_recipe), "--topic", "market", "--count", "50").splitlines()
    assert {json.loads(line)["type"] for line in tapped} <= {"quote", "trade", "mark", "bar"}


def test_a_recipe_in_one_process(program, live_recipe, running):
    plain = re.sub(r"^transport:\n(  ?.*\n|- .*\n)*", "", live_recipe.read_text(), flags=re.MULTILINE)
    assert "transport" not in plain
    live_recipe.write_text(plain)
    errors = program.run("top", str(live_recipe), code_expected=1)
    assert errors == f"error: watched: nothing runs: start it with `quantmind run {live_recipe}`\n"
    process = running(live_recipe)
    found = watched(program, live_recipe, process, lambda seen: seen["account"] is not None)
    assert found["stages"] == []
    assert found["account"]["wallet"] > 0
    assert "equity " in program.run("top", str(live_recipe))
