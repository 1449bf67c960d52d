"""`quantmind tap`: what is said on a pipeline, as its user sees it."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from decimal import Decimal

import pytest

from quantmind.events import Done, Numbered, Quote, Refusal, Signal, Upto, codec

BTC = "BTC/USDT:USDT"
ETH = "ETH/USDT:USDT"
QUOTE = Quote(BTC, 1_704_067_400_000_000_000, 100.0, 100.5, 1.0, 2.0)
REFUSAL = Refusal(3, ETH, "buy", Decimal("1E-7"), "max_leverage", "leverage 3.2 > limit 3", 5, "t1")


def rows(output):
    return [json.loads(line) for line in output.splitlines()]


async def test_every_message_is_a_line(program, live_recipe, publishers):
    feed, strategy, execution = [await publishers.open(stage) for stage in ("feed", "strategy", "execution")]

    def say():
        feed.send("market", Numbered(1, 7, (QUOTE, Quote(ETH, 5, 1.0, float("nan"), 1.0, 1.0))))
        strategy.send("decisions", Upto(8, (Signal(BTC, "momentum", 1.0, 0.5),)))
        strategy.send("decisions", Upto(9))
        execution.send("facts", Done(9, (REFUSAL,)))

    process = program.start("tap", str(live_recipe), "--count", "40")
    output, errors = await publishers.until(process, say)
    assert process.returncode == 0, errors
    assert len(output.splitlines()) == 40
    seen = {(row["stage"], row["type"], row.get("symbol")): row for row in rows(output)}
    quote = seen["feed", "quote", BTC]
    assert quote.pop("sequence") > 0
    assert quote == {
        "stage": "feed", "topic": "market", "epoch": 1, "seq": 7, "type": "quote", "symbol": BTC, "ts": QUOTE.ts,
        "bid": 100.0, "ask": 100.5, "bid_size": 1.0, "ask_size": 2.0, "received": 0, "update": 0,
    }  # fmt: skip
    assert (seen["feed", "quote", ETH]["seq"], seen["feed", "quote", ETH]["ask"]) == (8, "nan")
    assert seen["strategy", "signal", BTC]["seq"] == 8
    assert seen["strategy", "upto", None]["seq"] == 9
    assert seen["execution", "refusal", ETH]["quantity"] == "0.0000001"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--topic", "decisions"], {("strategy", "signal"), ("strategy", "upto")}),
        (["--stage", "feed", "--stage", "execution"], {("feed", "quote"), ("execution", "refusal")}),
        (["--symbol", ETH], {("execution", "refusal")}),
        (["--symbol", BTC, "--topic", "market", "--topic", "facts"], {("feed", "quote")}),
    ],
)
async def test_only_what_is_asked_for(program, live_recipe, publishers, options, expected):
    feed, strategy, execution = [await publishers.open(stage) for stage in ("feed", "strategy", "execution")]

    def say():
        feed.send("market", Numbered(1, 7, (QUOTE,)))
        strategy.send("decisions", Upto(8, (Signal(BTC, "momentum", 1.0, 0.5),)), Upto(9))
        execution.send("facts", Done(9, (REFUSAL,)))

    process = program.start("tap", str(live_recipe), "--count", "20", *options)
    output, errors = await publishers.until(process, say)
    assert process.returncode == 0, errors
    assert {(row["stage"], row["type"]) for row in rows(output)} == expected


async def test_what_is_wrong_is_told_on_the_standard_error(program, live_recipe, publishers):
    feed = await publishers.open("feed")
    count = 0

    def say():
        nonlocal count
        count += 1
        if count % 3 == 0:
            feed.transport.publish("market", b"garbage \x1b[31m")
            feed._sequences["market"] += 1  # a frame that never comes
        feed.send("market", QUOTE)

    process = program.start("tap", str(live_recipe), "--count", "20")
    output, errors = await publishers.until(process, say)
    assert process.returncode == 0, errors
    assert {row["type"] for row in rows(output)} == {"quote"}
    messages = [json.loads(line)["message"] for line in errors.splitlines()]
    assert any(message.startswith("bad_frame from stage feed: ") for message in messages)
    assert any(message.startswith("gap from stage feed: frames ") for message in messages)


async def test_another_recipes_frames_are_strangers(program, live_recipe, publishers):
    feed = await publishers.open("feed")
    live_recipe.write_text(live_recipe.read_text().replace("10000", "20000"))
    process = program.start("tap", str(live_recipe), "--count", "1")
    asyncio.get_running_loop().call_later(4, process.send_signal, signal.SIGINT)
    output, errors = await publishers.until(process, lambda: feed.send("market", QUOTE))
    assert (process.returncode, output) == (0, "")
    assert "stranger from stage feed" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_ends_it_well(program, live_recipe, publishers, number):
    feed = await publishers.open("feed")
    process = program.start("tap", str(live_recipe))
    while not (line := await line_of(process, lambda: feed.send("market", QUOTE))):
        pass
    assert json.loads(line)["type"] == "quote"
    process.send_signal(number)
    _, errors = await asyncio.to_thread(process.communicate, timeout=20)
    assert (process.returncode, errors) == (0, "")


async def line_of(process, say):
    reading = asyncio.ensure_future(asyncio.to_thread(process.stdout.readline))
    while not reading.done():
        say()
        await asyncio.sleep(0.02)
    return await reading


async def test_it_ends_when_its_reader_has_gone(program, live_recipe, publishers):
    feed = await publishers.open("feed")
    process = program.start("tap", str(live_recipe))
    assert await line_of(process, lambda: feed.send("market", QUOTE))
    process.stdout.close()
    end = time.monotonic() + 20
    while process.poll() is None:
        feed.send("market", QUOTE)
        await asyncio.sleep(0.01)
        assert time.monotonic() < end
    assert process.returncode == 0
    assert process.stderr.read() == ""
    process.stderr.close()


async def test_a_slow_reader_loses_lines_and_holds_up_nobody(program, live_recipe, publishers):
    """What is published meanwhile is read, so that nothing waits at the publisher; the reader is told what it lost."""
    feed = await publishers.open("feed")
    code = "from quantmind.pipeline import printer; printer.Printer.__init__.__defaults__ = (1_000,)"
    process = program.start("tap", str(live_recipe), "--topic", "market", code=code)
    assert await line_of(process, lambda: feed.send("market", QUOTE))
    for _ in range(20_000):
        feed.send("market", QUOTE)
        if _ % 100 == 0:
            await asyncio.sleep(0.001)
    await asyncio.sleep(1)
    process.send_signal(signal.SIGINT)
    output, errors = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == 0
    assert len(output.splitlines()) < 19_000
    assert "lines were dropped: who reads them is too slow" in errors


def test_silence_is_told(program, live_recipe):
    process = program.start("tap", str(live_recipe))
    assert process.stderr.readline() == "tap: nothing heard of pipeline watched so far: does it run?\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_a_symbol_that_the_recipe_does_not_have_is_refused(program, live_recipe):
    errors = program.run("tap", str(live_recipe), "--symbol", "BTCUSDT", code_expected=2)
    assert errors.startswith("error: --symbol BTCUSDT: ")
    assert f"only {BTC}, {ETH}" in errors


def test_a_recipe_without_a_transport_is_refused(program, live_recipe):
    plain = live_recipe.read_text()
    live_recipe.write_text(plain[: plain.index("transport:")])
    assert "has no transport to listen to" in program.run("tap", str(live_recipe), code_expected=2)


def test_every_message_of_the_bus_has_a_tag():
    assert all(kind.__struct_config__.tag for kind in codec.Message.__args__)
