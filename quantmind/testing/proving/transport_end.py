"""Ends of a transport for its conformance check: here, and in processes that can be stopped and killed."""

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
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Literal, Self, get_args

from quantmind.events import Clock, Ended, Failed, Incident, Presence, codec
from quantmind.kinds.transport import STAGES, Topic, Transport
from quantmind.pipeline.bus import Bus
from quantmind.testing.proving.promise import expect

Make = Callable[[str], Transport[Any]]
"""Makes one stage's end of a pipeline; all ends it makes meet."""

TOPICS: tuple[Topic, ...] = get_args(Topic)
PATIENCE = 30.0
"""Seconds that anything may take: a slow machine is no fault of a transport."""
_CHILD = "from quantmind.testing.proving.transport_end import child; child()"
_PAUSE = 0.002
_AGAIN = 0.02


async def until(
    condition: Callable[[], bool], promise: Callable[[], str], act: Callable[[], object] | None = None
) -> None:
    """Wait for something, and `act` again and again meanwhile.

    Raises:
        AssertionError: it takes too long; `promise` says what is broken.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not condition():
        if loop.time() > end:
            raise AssertionError(promise())
        if act is not None:
            act()
        await asyncio.sleep(_PAUSE if act is None else _AGAIN)


class End:
    """One stage's end of a transport: sends messages, and remembers what it heard of the others."""

    def __init__(self, transport: Transport[Any], *, lossless: bool = False) -> None:
        transport.lossless = lossless
        self.transport = transport
        self.stage = transport.stage
        self.heard: list[tuple[str, codec.Message]] = []
        self.incidents: list[Incident] = []
        peers = tuple(stage for stage in STAGES if stage != transport.stage)
        self.bus = Bus(transport, transport.pipeline, peers, self._hear, self.incidents.append)
        self.sequences: Counter[str] = Counter()
        """How many frames were sent, by topic."""
        self.take: Callable[[codec.Message], object] | None = None
        """Takes what is heard in place of `heard`."""
        self._greeted: set[tuple[str, str]] = set()

    async def __aenter__(self) -> Self:
        """Open the transport."""
        await self.transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.transport.close()

    def send(self, topic: Topic, *messages: codec.Message) -> None:
        """Publish messages in one frame, a new one."""
        self.sequences[topic] += 1
        self.bus.send(topic, *messages, id=f"{self.bus.start}-{topic}-{self.sequences[topic]}")

    def greet(self) -> None:
        """Say under each topic that this start of the stage is there."""
        for topic in TOPICS:
            self.send(topic, Presence(topic, (), self.bus.start))

    def knows(self, start: str) -> bool:
        """Say whether a start of another stage was heard under every topic."""
        return all((start, topic) in self._greeted for topic in TOPICS)

    def of(self, stage: str) -> list[codec.Message]:
        """Return what was heard of a stage, greetings apart."""
        return [message for other, message in self.heard if other == stage]

    def noticed(self, what: str, stage: str) -> int:
        """Return how often something was noticed of what a stage published."""
        return self.bus.reception.incidents[what, stage]  # type: ignore[index] # an IncidentKind

    def _hear(self, stage: str, message: codec.Message) -> None:
        if self.take is not None:
            self.take(message)
        elif isinstance(message, Presence):
            self._greeted.add((message.run, message.stage))
        else:
            self.heard.append((stage, message))


async def meet(*ends: End) -> None:
    """Let ends greet each other until each hears every other one under every topic; then forget it.

    Raises:
        AssertionError: they do not find each other.
    """
    speaking = [end for end in ends if end.stage in STAGES]

    def missing() -> list[str]:
        return [
            f"{end.stage} does not hear {other.stage}"
            for end in ends
            for other in speaking
            if end.stage != other.stage and not end.knows(other.bus.start)
        ]

    def greet() -> None:
        for end in speaking:
            end.greet()

    await until(lambda: not missing(), lambda: f"stages find each other: {', '.join(missing())}", greet)
    for end in speaking:
        await asyncio.wait_for(end.transport.drained(), PATIENCE)
    # The last greetings are still on their way.
    await asyncio.sleep(0.2)
    for end in ends:
        end.heard.clear()
        end.incidents.clear()


async def heard(end: End, count: int) -> None:
    """Wait until an end has heard so many messages.

    Raises:
        AssertionError: it does not.
    """
    await until(
        lambda: len(end.heard) >= count,
        lambda: f"every frame arrives: of {count} {end.stage} heard {len(end.heard)}; noticed {end.incidents[:3]}",
    )


async def publish_freely(feed: End, where: str) -> None:
    """Publish more than is kept for anyone, and expect that no call waits."""
    load = Failed("feed", "x" * 4_000)
    for number in range(5_000):
        began = time.monotonic()
        feed.send("market", load)
        expect(time.monotonic() - began < 1.0, f"publish never blocks: it took more than a second {where}")
        if number % 100 == 0:
            await asyncio.sleep(0)


async def closed(end: End, where: str) -> None:
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
            await until(reading.done, lambda: "a stage hears the others: a process hears nothing", ask)
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
    asyncio.run((_speak if does == "speak" else _listen)(End(kind(options, pipeline, stage), lossless=lossless)))


async def _speak(end: End) -> None:
    async with end:
        count = 0
        while True:
            count += 1
            end.send("market", Clock(count))
            await asyncio.sleep(_PAUSE)


async def _listen(end: End) -> None:
    async with end:
        listener = Listener(end)
        end.take = listener.hear
        await asyncio.Event().wait()


class Listener:
    """Counts what the feed says under `market`, from its first Clock on, and reports at each Ended."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._first = self._frames = self._missed = 0

    def hear(self, message: codec.Message) -> None:
        """Count a frame; each has one message, and greetings come before the first Clock."""
        self._frames += 1
        missed = self._end.noticed("gap", "feed")
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
