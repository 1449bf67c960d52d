"""The bus: one stage's end of the transport, with messages in place of bytes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from typing import Any

from quantmind.events import Figure, Incident, codec
from quantmind.kinds.transport import TOPICS, Topic, Transport
from quantmind.metrics import FRAMES, INCIDENTS, TRANSPORT
from quantmind.pipeline.reception import Reception

_encode = codec.encode_frame


class Bus:
    """Numbers and sends the frames of a stage, and hands on the messages of the others, in order and once.

    `handle` is called with the publishing stage and each message under one of `topics`, `notice` with each Incident.
    """

    def __init__(
        self,
        transport: Transport[Any],
        pipeline: str,
        peers: tuple[str, ...],
        handle: Callable[[str, codec.Message], None],
        notice: Callable[[Incident], None],
        topics: Collection[Topic] | None = None,
    ) -> None:
        self.transport = transport
        self.stage = transport.stage
        self.start = uuid.uuid4().hex
        """Tells this start of the stage from others."""
        self.reception = Reception(pipeline, transport.stage, notice, topics)
        self.keeps = type(transport).keep is not Transport.keep
        """Whether the transport has a memory for last words."""
        self.pipeline = pipeline
        """What tells the own pipeline from others."""
        self._handle = handle
        self._sequences: dict[Topic, int] = dict.fromkeys(TOPICS, 0)
        self._publish = transport.publish
        transport.subscribe(peers, self._receive)

    def send(self, topic: Topic, *messages: codec.Message, id: str = "") -> None:
        """Publish messages in one frame to the stages that listen to this one."""
        sequence = self._sequences[topic] = self._sequences[topic] + 1
        frame = codec.Frame(codec.FRAME_VERSION, self.pipeline, self.stage, self.start, topic, sequence, messages)
        self._publish(topic, _encode(frame), id)

    def frame(self, topic: Topic, *messages: codec.Message, sequence: int = 0) -> bytes:
        """Return the bytes of a frame that is kept and not sent: it has no place in the sequence."""
        return _encode(
            codec.Frame(codec.FRAME_VERSION, self.pipeline, self.stage, self.start, topic, sequence, messages)
        )

    @property
    def figures(self) -> list[Figure]:
        """What was read, what was wrong with it, and what the transport publishes of itself."""
        reception = self.reception
        return [
            *(FRAMES.figure(count, of) for of, count in reception.frames.items()),
            *(INCIDENTS.figure(count, what, of) for (what, of), count in reception.incidents.items()),
            *(TRANSPORT.figure(value, name) for name, value in self.transport.figures.items()),
        ]

    def _receive(self, stage: str, data: bytes) -> None:
        frame = self.reception.read(stage, data)
        if frame is not None:
            handle = self._handle
            for message in frame.messages:
                handle(stage, message)
