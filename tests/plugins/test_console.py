from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from decimal import Decimal

import msgspec
import pytest
from pydantic import ValidationError

from quantmind.events import (
    Fill,
    Funding,
    Holding,
    Holdings,
    Latch,
    Mark,
    OrderState,
    OrderUpdate,
    Quote,
    Refusal,
    Signal,
    Valuation,
)
from quantmind.kinds import Run
from quantmind_console.board import Board
from quantmind_console.console import Console, ConsoleOptions


async def lines(run, batch, **options):
    async with Console(ConsoleOptions.model_validate(options), run) as console:
        await console.write(batch)
    return run.output.getvalue().splitlines()


async def test_one_line_for_each_event(run_of_sink, one_of_each):
    assert await lines(run_of_sink, list(one_of_each.values())) == [
        "2024-01-01 00:03:20.250 signal  BTC/USDT:USDT trend direction +1 confidence 0.42",
        "2024-01-01 00:03:20.250 order   BTC/USDT:USDT buy 0.100 accepted",
        "2024-01-01 00:03:20.250 fill    BTC/USDT:USDT buy 0.100 @ 50012.3 fee 2.500615 position 0.100",
        "2024-01-01 00:03:20.250 funding BTC/USDT:USDT -2.02 on 0.4 @ 50500 rate 0.0001",
        "2024-01-01 00:03:20.250 latch   account drawdown flatten: drawdown 0.1008 >= 0.1",
        "2024-01-01 00:03:20.250 refusal BTC/USDT:USDT buy 0.300 leverage: leverage 3.2 > limit 3",
    ]


async def test_targets_are_shown_when_asked_for(run_of_sink, one_of_each):
    assert await lines(run_of_sink, list(one_of_each.values()), events=["target"]) == [
        "2024-01-01 00:03:20.250 target  BTC/USDT:USDT target 0.21 (trend 0.21)"
    ]


@pytest.mark.parametrize("state", list(OrderState))
async def test_states_that_other_lines_tell_are_left_out(run_of_sink, one_of_each, state):
    order = msgspec.structs.replace(one_of_each["order"], state=state)
    shown = state in {OrderState.ACCEPTED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.NOT_PLACED}
    assert len(await lines(run_of_sink, [order])) == shown


async def test_an_order_says_what_came_of_it(run_of_sink, one_of_each):
    order = msgspec.structs.replace(
        one_of_each["order"],
        state=OrderState.NOT_PLACED,
        reduce_only=True,
        filled=Decimal("0.040"),
        reason="never received",
    )
    (line,) = await lines(run_of_sink, [order])
    assert line.endswith("buy 0.100 reduce-only not placed filled 0.040: never received")


async def test_a_resting_order_says_why_it_rests_and_where(run_of_sink, one_of_each):
    order = msgspec.structs.replace(
        one_of_each["order"], side="sell", purpose="stop", trigger=Decimal("49512.30"), reduce_only=True
    )
    (line,) = await lines(run_of_sink, [order])
    assert line.endswith("stop sell 0.100 @ 49512.3 reduce-only accepted")


async def test_transfers_and_valuations_are_shown_when_asked_for(run_of_sink, one_of_each):
    assert await lines(run_of_sink, list(one_of_each.values()), events=["transfer", "valuation"]) == [
        "2024-01-01 00:03:20.250 transfer BTC/USDT:USDT trend +0.1, reversion -0.1 @ 50012.25",
        "2024-01-01 00:03:20.250 valuation account equity 10000.5 at BTC/USDT:USDT 50012.25",
    ]


async def test_a_fill_that_realises_says_so(run_of_sink, one_of_each):
    fill = msgspec.structs.replace(one_of_each["fill"], realised=Decimal("-1.50"), position=Decimal(0))
    (line,) = await lines(run_of_sink, [fill])
    assert line.endswith("fee 2.500615 realised -1.5 position 0")


async def test_nothing_to_show_prints_nothing(run_of_sink, one_of_each):
    assert await lines(run_of_sink, [one_of_each["quote"]]) == []


@pytest.mark.parametrize("events", [[], ["quote"]])
def test_events_it_cannot_show_are_refused(events):
    with pytest.raises(ValidationError):
        ConsoleOptions.model_validate({"events": events})


async def test_flat_has_no_sign(run_of_sink, one_of_each):
    (line,) = await lines(run_of_sink, [msgspec.structs.replace(one_of_each["signal"], direction=0.0)])
    assert line.endswith("trend direction 0 confidence 0.42")


class Terminal(io.StringIO):
    """Remembers what is drawn on it."""

    def isatty(self):
        return True


@pytest.fixture
def run_on_terminal(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm-256color")
    return Run("demo", tmp_path, Terminal())


async def test_a_terminal_shows_a_table_and_the_lines_below_it(run_on_terminal, one_of_each):
    console = Console(ConsoleOptions(), run_on_terminal)
    assert {Quote, Mark, Valuation, Signal, Fill} <= console.events
    async with console:
        await console.write([one_of_each["quote"], one_of_each["signal"]])
        await console.write(list(one_of_each.values()))
    drawn = run_on_terminal.output.getvalue()
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn[drawn.rindex("symbol") :])
    assert re.search(r"BTC/USDT:USDT +50,012\.2 +50,012\.3 +1\.5 +0\.1 +50,012\.3 +-0\.01 +trend \+1 \(0\.42\)", last)
    assert "equity 10,000.50  realised +0.00  fees 2.50  funding -2.02" in last
    assert "signals 2  orders 0  fills 1  refusals 1" in last
    assert "refusal BTC/USDT:USDT buy 0.300 leverage: leverage 3.2 > limit 3" in last
    assert last.count("latch ") == 1


async def test_the_last_lines_only(run_on_terminal, one_of_each):
    async with Console(ConsoleOptions(), run_on_terminal) as console:
        for number in range(30):
            await console.write([msgspec.structs.replace(one_of_each["latch"], figures=f"figure {number:02}")])
    drawn = run_on_terminal.output.getvalue()
    assert re.findall(r"figure (\d\d)", drawn)[-10:] == [str(number) for number in range(20, 30)]


@pytest.mark.parametrize("view", ["lines", "auto"])
async def test_lines_alone_want_no_market_events(run_of_sink, run_on_terminal, view):
    run = run_on_terminal if view == "lines" else run_of_sink
    assert Console(ConsoleOptions(view=view), run).events == {Signal, OrderUpdate, Fill, Funding, Latch, Refusal}


async def test_a_table_where_it_is_asked_for(run_of_sink, one_of_each):
    async with Console(ConsoleOptions(view="table"), run_of_sink) as console:
        await console.write(list(one_of_each.values()))
    assert run_of_sink.output.getvalue().count("symbol") == 1
    assert "\x1b" not in run_of_sink.output.getvalue()


def board(*events):
    made = Board()
    for event in events:
        made.take(event)
    return made.rows["BTC/USDT:USDT"]


def test_a_position_is_valued_at_the_price_that_closes_it(one_of_each):
    fill, quote, mark = one_of_each["fill"], one_of_each["quote"], one_of_each["mark"]
    long = msgspec.structs.replace(fill, position=Decimal(2), average_price=Decimal(50000))
    short = msgspec.structs.replace(fill, position=Decimal(-2), average_price=Decimal(50000))
    assert board(long).unrealised is None
    assert board(long, quote).unrealised == pytest.approx(24.4)
    assert board(short, quote).unrealised == pytest.approx(-24.6)
    assert board(short, quote, mark).unrealised == pytest.approx(-24.5)
    flat = msgspec.structs.replace(fill, position=Decimal(0))
    assert board(long, flat, quote).unrealised is None


def test_what_execution_says_it_holds_counts(one_of_each):
    fill = msgspec.structs.replace(one_of_each["fill"], position=Decimal(2), average_price=Decimal(50000))
    same = Holdings("demo", 0, 1, (Holding(fill.symbol, Decimal(2)),))
    other = Holdings("demo", 0, 2, (Holding(fill.symbol, Decimal(3)),))
    assert board(fill, same).average_price == 50000
    assert (board(fill, other).quantity, board(fill, other).average_price) == (Decimal(3), None)


RUN = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("quantmind", run_name="__main__")
"""


def on_a_terminal(folder, *arguments):
    """Run the program on a terminal of its own; returns what it drew, and how it left the terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    drawn = b""
    end = time.monotonic() + 60
    try:
        while process.poll() is None or select.select([master], [], [], 0.1)[0]:
            if select.select([master], [], [], 0.1)[0]:
                drawn += os.read(master, 65_536)
            assert time.monotonic() < end, drawn[-2000:]
        assert process.returncode == 0, drawn[-2000:]
        assert termios.tcgetattr(slave) == before
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
    return drawn.decode()


@pytest.fixture
def recipe(program):
    plain = {
        "name": "drawn",
        "instruments": ["BTC/USDT:USDT"],
        "feeds": [{"synthetic": {"duration": "10m", "seed": 3}}],
        "strategies": [{"momentum": {"interval": "10s", "fast": 5, "slow": 13, "rsi": 7}}],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
        "executor": {"paper": {"account": "demo", "balance": 10000}},
        "sinks": ["console"],
    }
    path = program.folder / "drawn.yaml"
    path.write_text(json.dumps(plain))
    return path


def test_the_program_draws_and_leaves_the_terminal_in_order(program, recipe):
    drawn = on_a_terminal(program.folder, "run", str(recipe))
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")
    last = drawn[drawn.rindex("\x1b[1msymbol") :]
    assert re.search(r"BTC/USDT:USDT +\d\d,\d{3}", last)
    assert "momentum " in last
    assert " fill " in last
    printed = program.run("run", str(recipe))
    fills = re.search(r"fills +(\d+)", last)
    assert printed.count(" fill ") == int(fills[1])
    assert "\x1b" not in printed


def test_json_keeps_to_lines(program, recipe):
    drawn = on_a_terminal(program.folder, "run", "--json", str(recipe))
    assert "\x1b" not in drawn
    assert " fill " in drawn
