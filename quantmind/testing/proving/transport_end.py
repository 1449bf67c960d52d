"""Ends of a transport for its conformance check, as processes that can be stopped and killed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from quantmind.events import Clock, Ended, Failed, codec
from quantmind.kinds.transport import Transport
from quantmind.testing.proving.promise import expect
from quantmind.testing.stage_end import StageEnd
from quantmind.testing.waiting import PATIENCE, until

Make = Callable[[str], Transport[Any]]
"""Makes one stage's end of a pipeline; all ends it makes meet."""

_CHILD = "from quantmind.testing.proving.transport_end import child; child()"
_PAUSE = 0.002


async def heard(end: StageEnd, count: int) -> None:
    """Wait until an end has heard so many frames.

    Raises:
        AssertionError: it does not.
    """
    await until(
        lambda: len(end.heard) >= count,
        lambda: f"every frame arrives: of {count} {end.stage} heard {len(end.heard)}; noticed {end.incidents[:3]}",
    )


async def publish_freely(feed: StageEnd, where: str) -> None:
    """Publish more than is kept for anyone, and expect that no call waits."""
    load = Failed("feed", "x" * 4_000)
    for number in range(5_000):
        began = time.monotonic()
        feed.send("market", load)
        expect(time.monotonic() - began < 1.0, f"publish never blocks: it took more than a second {where}")
        if number % 100 == 0:
            await asyncio.sleep(0)


async def closed(end: StageEnd, where: str) -> None:
    """Close an end, and expect that it does not wait for others."""
    try:
        async with asyncio.timeout(PATIENCE / 2):
            await end.transport.close()
    except TimeoutError:
        raise AssertionError(f"close ends in bounded time: {where} it does not") from None


class Child:
    """An end in a process of its own: it speaks, numbered from 1, or it listens and reports what it heard."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def says(self, key: str, ask: Callable[[], object]) -> dict[str, int]:
        """Ask until it reports something; returns the report.

        Raises:
            AssertionError: it has none.
        """
        report: dict[str, int] = {}
        output = self._process.stdout
        if output is None:
            raise AssertionError("the process has no output")

        async def read() -> None:
            while key not in report:
                line = await output.readline()
                if not line:
                    raise AssertionError("a stage goes on reading: its process ended")
                report.update(json.loads(line))

        reading = asyncio.ensure_future(read())
        try:
            await until(reading.done, lambda: "a stage hears the others: a process hears nothing", act=ask)
            reading.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return report


@contextlib.asynccontextmanager
async def started(
    transport: Transport[Any], does: Literal["speak", "listen"], *, lossless: bool = False
) -> AsyncIterator[Child]:
    """Start an end like this one in a process of its own, and kill it in the end."""
    given = (type(transport), transport.options, transport.pipeline, transport.stage, lossless, does)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CHILD,
        base64.b64encode(pickle.dumps(given)).decode(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Child(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def child() -> None:
    """Be an end in a process of its own, until it is killed."""
    kind, options, pipeline, stage, lossless, does = pickle.loads(base64.b64decode(sys.argv[1]))  # noqa: S301 - our parent's
    transport = kind(options, pipeline, stage)
    if does == "speak":
        asyncio.run(_speak(StageEnd(transport, lossless=lossless)))
    else:
        asyncio.run(_listen(Listener(transport, lossless=lossless)))


async def _speak(end: StageEnd) -> None:
    async with end:
        while True:
            end.send("market", Clock(end.said["market"] + 1))
            await asyncio.sleep(_PAUSE)


async def _listen(end: StageEnd) -> None:
    async with end:
        await asyncio.Event().wait()


class Listener(StageEnd):
    """Counts what the feed says under `market`, from its first Clock on, and reports at each Ended."""

    _first = _frames = _missed = 0

    def _hear(self, frame: codec.Frame) -> None:
        """Count a frame; each has one message, and greetings come before the first Clock."""
        (message,) = frame.messages
        self._frames += 1
        missed = self.noticed["gap", "feed"]
        if not self._first:
            if not isinstance(message, Clock):
                return
            self._first, self._frames, self._missed = message.ts, 1, missed
            _report(first=self._first)
        elif isinstance(message, Ended):
            _report(first=self._first, last=message.seq, frames=self._frames, missed=missed - self._missed)


def _report(**figures: int) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
