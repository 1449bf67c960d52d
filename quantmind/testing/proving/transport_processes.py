"""The part of the conformance check of transports that stops and kills processes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from quantmind.events import Clock, Ended, Failed
from quantmind.testing.proving.promise import expect
from quantmind.testing.proving.transport_end import Child, Make, closed, publish_freely, started
from quantmind.testing.stage_end import StageEnd, meet
from quantmind.testing.waiting import PATIENCE, until

_GROWTH = 80 * 1024 * 1024
"""Bytes by which a publisher may grow for a subscriber that does not read, of the 120 MB that it publishes."""


async def check_kill(make: Make) -> None:
    """A stage that is killed and started again is found again; the gap at its start is told truly."""
    async with StageEnd(make("sink")) as sink:
        for count in range(1, 4):
            sink.heard.clear()
            before = sink.noticed["gap", "feed"]
            async with started(make("feed"), "speak") as speaker:
                await until(
                    lambda: len(sink.heard) >= 200,
                    lambda: "a stage that was killed is found again: its next start is not heard",
                )
                speaker.signal(signal.SIGKILL)
            numbers = [message.ts for message in sink.of("feed") if isinstance(message, Clock)]
            expect(numbers == sorted(set(numbers)), "a stage that was killed is heard in order afterwards")
            # Who hears its first start is not told what was before.
            missed = numbers[-1] - len(numbers) - (numbers[0] - 1 if count == 1 else 0)
            told = sink.noticed["gap", "feed"] - before
            expect(told == missed, f"what was missed is told truly: {missed} frames were, {told} were told")
        restarts = sink.noticed["restart", "feed"]
        expect(restarts == 2, f"each new start of a stage is seen: of 2 restarts {restarts} were")


async def check_slow_subscriber(make: Make) -> None:
    """Live, a subscriber that does not read holds up nobody, and what is kept for it is bounded."""
    async with (
        StageEnd(make("feed")) as feed,
        StageEnd(make("strategy")) as strategy,
        started(make("sink"), "listen") as stopped,
    ):
        await meet(feed, strategy)
        await stopped.says("first", lambda: feed.send("market", Clock(feed.said["market"] + 1)))
        stopped.signal(signal.SIGSTOP)
        load = Failed("feed", "x" * 4_000)
        growth = -_memory()
        for _ in range(300):
            for _ in range(100):
                feed.send("market", load)
            await until(
                lambda: len(strategy.heard) >= 100,
                lambda: "live, a subscriber that does not read holds up nobody: another one hears nothing more",
            )
            strategy.heard.clear()
        growth += _memory()
        expect(
            growth < _GROWTH,
            f"what is kept for a subscriber that does not read is bounded: {growth >> 20} MiB of 120 MB are",
        )
        expect(not strategy.incidents, f"who reads loses nothing to who does not: {strategy.incidents[:2]}")
        stopped.signal(signal.SIGCONT)
        await _reported(feed, stopped)


async def check_stopped_subscriber(make: Make) -> None:
    """Publishing and closing do not wait for who does not read."""
    for lossless in (False, True):
        async with started(make("sink"), "listen", lossless=lossless) as stopped:
            feed = await StageEnd(make("feed"), lossless=lossless).__aenter__()
            try:
                await stopped.says("first", lambda end=feed: end.send("market", Clock(1)))  # type: ignore[misc]
                stopped.signal(signal.SIGSTOP)
                await publish_freely(feed, "while a subscriber does not read")
            finally:
                await closed(feed, "while a subscriber does not read")


async def check_lossless(make: Make) -> None:
    """In a replay nothing is lost, also to a subscriber that does not read for a while."""
    async with (
        StageEnd(make("feed"), lossless=True) as feed,
        started(make("sink"), "listen", lossless=True) as stopped,
    ):
        await stopped.says("first", lambda: feed.send("market", Clock(feed.said["market"] + 1)))
        stopped.signal(signal.SIGSTOP)
        going = asyncio.get_running_loop().call_later(2.0, stopped.signal, signal.SIGCONT)
        try:
            # More than sockets keep by themselves.
            load = Failed("feed", "x" * 1_000)
            for number in range(30_000):
                feed.send("market", load)
                if number % 100 == 0:
                    await asyncio.wait_for(feed.transport.drained(), PATIENCE)
        except TimeoutError:
            raise AssertionError("`drained` returns when the subscriber reads again: it does not") from None
        finally:
            going.cancel()
            stopped.signal(signal.SIGCONT)
        missed = await _reported(feed, stopped)
        expect(missed == 0, f"in a replay nothing is lost: {missed} frames were, as a subscriber did not read")


PROCESS_CHECKS: tuple[Callable[[Make], Coroutine[Any, Any, None]], ...] = (
    check_kill,
    check_slow_subscriber,
    check_stopped_subscriber,
    check_lossless,
)
"""What is checked on stages that are killed and stopped."""


async def _reported(feed: StageEnd, listener: Child) -> int:
    """Return how many frames a listener missed; expects that it says so itself."""
    report = await listener.says("last", lambda: feed.send("market", Ended(feed.said["market"] + 1)))
    missed = report["last"] - report["first"] + 1 - report["frames"]
    expect(missed == report["missed"], f"what was missed is told truly: {missed} frames were, {report['missed']} told")
    return missed


def _memory() -> int:
    """Return how much memory this process has, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096
