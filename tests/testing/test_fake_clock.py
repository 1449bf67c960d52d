from __future__ import annotations

import asyncio

import pytest

from quantmind.testing import FakeClock, examples


def test_it_goes_on_when_it_is_told_to():
    clock = FakeClock()
    assert clock.time_ns() == examples.START
    clock.advance(1_500_000_000)
    assert (clock.time_ns(), clock.monotonic_ns()) == (examples.START + 1_500_000_000, 1_500_000_000)
    assert (clock.time(), clock.monotonic()) == (1_704_067_201.5, 1.5)
    with pytest.raises(ValueError, match="a clock goes forward, was -1"):
        clock.advance(-1)


async def test_who_sleeps_wakes_at_once_and_others_run_meanwhile():
    clock = FakeClock(0)
    seen = []
    task = asyncio.create_task(asyncio.to_thread(lambda: None))
    await clock.sleep(3600)
    seen.append(clock.time_ns())
    await clock.sleep(-1)
    await task
    assert seen == [3_600_000_000_000]
    assert clock.time_ns() == seen[0]
