"""The printer holds up nobody and loses the oldest lines first."""

from __future__ import annotations

import asyncio
import os

import pytest

from quantmind.pipeline.printer import Printer


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue


async def test_lines_come_out_in_order(pipe):
    reading, writing = pipe
    printer = Printer(writing)
    for number in range(1000):
        printer.print(f"ä {number}")
    await printer.close()
    os.close(writing)
    assert os.read(reading, 1 << 16).decode().splitlines() == [f"ä {number}" for number in range(1000)]
    assert printer.dropped == 0


async def test_the_oldest_are_dropped_while_nobody_reads(pipe):
    reading, writing = pipe
    printer = Printer(writing, most=10)
    line = "x" * 100_000
    for number in range(100):
        printer.print(f"{number} {line}")
    await printer.close(0.1)
    assert printer.dropped >= 80
    seen = b""
    while not seen.endswith(b"x\n") or b"\n99 " not in seen:
        seen += await asyncio.to_thread(os.read, reading, 1 << 20)
    assert printer.dropped == 100 - len(seen.splitlines())


async def test_a_reader_that_has_gone_is_noticed(pipe):
    reading, writing = pipe
    printer = Printer(writing)
    os.close(reading)
    printer.print("nobody reads this")
    await asyncio.wait_for(printer.gone.wait(), 20)
    await printer.close()
