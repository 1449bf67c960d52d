"""The zeromq transport: a socket for each stage, on one machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from quantmind.errors import QuantMindError
from quantmind.kinds import Options, Transport
from quantmind.kinds.transport import Handler, Topic
from quantmind_zeromq.endpoint import STAGES, address, check_endpoint

if TYPE_CHECKING:
    import zmq

    from quantmind_zeromq.publisher import Publisher
    from quantmind_zeromq.subscriber import Subscriber


class ZeroMQOptions(Options):
    """Where the stages meet."""

    endpoint: Annotated[str, AfterValidator(check_endpoint)] = Field(
        default="tcp://127.0.0.1:5555",
        description="tcp://127.0.0.1:PORT, the first of four ports, or ipc:///PATH, the start of four names.",
    )
    high_water_mark: int = Field(
        default=100_000,
        ge=1,
        description="Frames that ZeroMQ keeps for each subscriber, and each subscriber keeps.",
    )


class ZeroMQ(Transport[ZeroMQOptions]):
    """Carries frames between processes of one machine by ZeroMQ, without loss.

    A subscriber that does not read holds up the publisher's frames, in order, for all subscribers; `drained`
    is how the publisher notices. What is published before a subscriber has joined does not reach it.
    """

    name = "zeromq"

    def __init__(self, options: ZeroMQOptions, pipeline: str, stage: str) -> None:
        super().__init__(options, pipeline, stage)
        self._own = self._address(stage)
        self._peers: tuple[tuple[str, str], ...] = ()
        self._handler: Handler | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._publisher: Publisher | None = None
        self._subscribers: list[Subscriber] = []

    def subscribe(self, stages: tuple[str, ...], handler: Handler) -> None:
        """Ask for the frames of other stages; called once, before `open`."""
        self._peers = tuple((stage, self._address(stage)) for stage in stages)
        self._handler = handler

    async def open(self) -> None:
        """Listen for subscribers and look for the stages subscribed to.

        Raises:
            QuantMindError: pyzmq is missing, or the address cannot be listened on.
        """
        try:
            # Heavy: 36 ms and 23 MB, not to be paid for by `--help` and lint.
            import zmq

            from quantmind_zeromq.publisher import Publisher
            from quantmind_zeromq.subscriber import Subscriber
        except ImportError as error:
            raise QuantMindError(f"the zeromq transport needs pyzmq ({error}): pip install pyzmq") from None
        mark = self.options.high_water_mark
        self._context = zmq.Context()
        try:
            self._publisher = Publisher(self._context, self._own, mark)
            for stage, peer in self._peers:
                if self._handler is not None:
                    subscriber = Subscriber(self._context, peer, mark, stage, self._handler)
                    self._subscribers.append(subscriber)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop receiving, hand over the last frames, and stop listening: at most two seconds in all."""
        context, self._context = self._context, None
        publisher, self._publisher = self._publisher, None
        for subscriber in self._subscribers:
            subscriber.close()
        self._subscribers.clear()
        try:
            if publisher is not None:
                await publisher.close()
        finally:
            if context is not None:
                await asyncio.to_thread(context.term)

    def publish(self, topic: Topic, frame: bytes, id: str = "") -> None:  # noqa: ARG002 - all topics share a socket
        """Send a frame to whoever subscribed to this stage; never blocks."""
        if self._publisher is None:
            raise QuantMindError("zeromq: a frame can only be published while the transport is open")
        self._publisher.send(frame)

    async def drained(self) -> None:
        """Wait until ZeroMQ has taken every frame; does not give way when it has."""
        if self._publisher is not None:
            await self._publisher.drained()

    def _address(self, stage: str) -> str:
        if stage not in STAGES:
            raise QuantMindError(f"zeromq: no stage is called {stage!r}: it must be one of {', '.join(STAGES)}")
        return address(self.options.endpoint, stage)
