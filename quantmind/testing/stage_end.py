"""One stage's end of a transport, for tests: it speaks and listens as a stage does, and counts what goes wrong."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from types import TracebackType
from typing import Any, Self

from quantmind.events import Incident, IncidentKind, Presence, codec
from quantmind.kinds.transport import STAGES, TOPICS, Topic, Transport
from quantmind.pipeline.reception import Reception
from quantmind.testing.waiting import PATIENCE, until

_ON_THEIR_WAY = 0.2
"""Seconds in which the last greetings arrive."""


class StageEnd:
    """Says frames over a transport, numbered as a stage numbers them, and reads those of all others as a stage does.

    What a stage would drop is dropped here: bytes that are no frame, what comes again and what comes too late. Every
    such incident, and every gap, is counted. The transport is opened and closed with it; live unless it is `lossless`.

        async with StageEnd(Pipes(options, "demo", "feed")) as feed, StageEnd(Pipes(options, "demo", "sink")) as sink:
            await meet(feed, sink)
            feed.send("market", Clock(1))
            await until(lambda: sink.of("feed") == [Clock(1)])
            assert not sink.incidents
    """

    def __init__(self, transport: Transport[Any], *, lossless: bool = False) -> None:
        transport.lossless = lossless
        self.transport = transport
        """What it speaks over."""
        self.stage = transport.stage
        """The stage whose end it is, or `OBSERVER`."""
        self.start = uuid.uuid4().hex
        """Tells this start of the stage from others."""
        self.said: Counter[Topic] = Counter()
        """The number of the last frame that it made under each topic."""
        self.heard: list[codec.Frame] = []
        """The frames of others in order, each once, without the greetings of `meet`; may be cleared."""
        self.incidents: list[Incident] = []
        """What was noticed since `meet`, in order: gaps, repetitions, bad frames, new starts; may be cleared."""
        self._reception = Reception(transport.pipeline, transport.stage, self.incidents.append)
        self._greeted: set[tuple[str, str]] = set()
        peers = tuple(stage for stage in STAGES if stage != transport.stage)
        transport.subscribe(peers, self._receive)

    async def __aenter__(self) -> Self:
        """Open the transport."""
        await self.transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.transport.close()

    @property
    def noticed(self) -> Counter[tuple[IncidentKind, str]]:
        """How many frames were noticed from the beginning on, by kind and stage: `noticed["gap", "feed"]`."""
        return self._reception.incidents

    def send(self, topic: Topic, *messages: codec.Message, id: str = "") -> None:
        """Publish messages in one frame, the next of its topic; where no `id` is given it has one of its own.

        Raises:
            QuantMindError: the transport refuses it, or it is too large for any.
        """
        frame = self.frame(topic, *messages)
        self.transport.publish(topic, frame, id or f"{self.start}-{topic}-{self.said[topic]}")

    def frame(self, topic: Topic, *messages: codec.Message, sequence: int | None = None) -> bytes:
        """Return the bytes of the next frame of a topic, to be published by hand.

        With a `sequence` it has that number and no place among the others: what is kept, and not said, has 0.
        """
        if sequence is None:
            self.said[topic] += 1
            sequence = self.said[topic]
        return codec.encode_frame(
            codec.Frame(codec.FRAME_VERSION, self.transport.pipeline, self.stage, self.start, topic, sequence, messages)
        )

    def of(self, stage: str) -> list[codec.Message]:
        """Return what was heard of a stage, in order."""
        return [message for frame in self.heard if frame.stage == stage for message in frame.messages]

    def numbers(self, stage: str, topic: Topic) -> list[int]:
        """Return the numbers of the frames that were heard of a stage under a topic, in order."""
        return [frame.sequence for frame in self.heard if (frame.stage, frame.topic) == (stage, topic)]

    def greet(self) -> None:
        """Say under each topic that this start of the stage is there.

        Raises:
            QuantMindError: the transport refuses it.
        """
        for topic in TOPICS:
            self.send(topic, Presence(self.stage, (), self.start))

    def knows(self, other: StageEnd) -> bool:
        """Say whether the greetings of another end were heard, under every topic."""
        return all((other.start, topic) in self._greeted for topic in TOPICS)

    def _receive(self, stage: str, data: bytes) -> None:
        frame = self._reception.read(stage, data)
        if frame is not None:
            self._hear(frame)

    def _hear(self, frame: codec.Frame) -> None:
        if frame.messages == (Presence(frame.stage, (), frame.start),):
            self._greeted.add((frame.start, frame.topic))
        else:
            self.heard.append(frame)


async def meet(*ends: StageEnd) -> None:
    """Let ends greet each other until each hears every other one under every topic; then forget what was heard.

    What is published before a subscriber has joined need not reach it: after this it must.

    Raises:
        AssertionError: they do not find each other; says who does not hear whom.
        QuantMindError: a transport refuses a greeting.
    """
    speaking = [end for end in ends if end.stage in STAGES]

    def missing() -> list[str]:
        return [
            f"{end.stage} does not hear {other.stage}"
            for end in ends
            for other in speaking
            if end.stage != other.stage and not end.knows(other)
        ]

    def greet() -> None:
        for end in speaking:
            end.greet()

    await until(lambda: not missing(), lambda: f"stages find each other: {', '.join(missing())}", act=greet)
    for end in speaking:
        await asyncio.wait_for(end.transport.drained(), PATIENCE)
    await asyncio.sleep(_ON_THEIR_WAY)
    for end in ends:
        end.heard.clear()
        end.incidents.clear()
