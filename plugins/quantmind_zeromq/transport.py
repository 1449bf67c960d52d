"""The zeromq transport: a socket for each stage, on one machine or on several."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from quantmind.errors import QuantMindError
from quantmind.kinds import Server, Transport
from quantmind.kinds.transport import OBSERVER, STAGES, Handler, Topic
from quantmind_zeromq.endpoint import address, numeric
from quantmind_zeromq.greeting import socket_of
from quantmind_zeromq.options import Stage, ZeroMQOptions

if TYPE_CHECKING:
    import zmq

    from quantmind_zeromq.gatekeeper import Gatekeeper
    from quantmind_zeromq.publisher import Publisher
    from quantmind_zeromq.subscriber import Subscriber


class ZeroMQ(Transport[ZeroMQOptions]):
    """Carries frames between processes of one or several machines by ZeroMQ, without a broker.

    In a replay, a subscriber that does not read holds up the publisher's frames, in order, for all subscribers;
    `drained` is how the publisher notices. Live, ZeroMQ drops them for that subscriber. What is published before a
    subscriber has joined does not reach it.
    """

    name = "zeromq"

    @classmethod
    def servers(cls, options: ZeroMQOptions) -> Sequence[Server]:
        """Return the socket of every stage."""
        return tuple(socket_of(stage, _where(options, stage), options.curve is not None) for stage in STAGES)

    def __init__(self, options: ZeroMQOptions, pipeline: str, stage: str) -> None:
        super().__init__(options, pipeline, stage)
        self._own = None if stage == OBSERVER else self._address(stage)
        self._peers: tuple[tuple[str, str], ...] = ()
        self._handler: Handler | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._gatekeeper: Gatekeeper | None = None
        self._publisher: Publisher | None = None
        self._subscribers: list[Subscriber] = []

    def subscribe(self, stages: tuple[str, ...], handler: Handler) -> None:
        """Ask for the frames of other stages; called once, before `open`."""
        self._peers = tuple((stage, self._address(stage)) for stage in stages)
        self._handler = handler

    async def open(self) -> None:
        """Listen for subscribers and look for the stages subscribed to; an observer listens for nobody.

        Raises:
            QuantMindError: pyzmq or a key is missing, or the address cannot be listened on.
        """
        try:
            # Heavy: 36 ms and 23 MB, not to be paid for by `--help` and lint.
            import zmq

            from quantmind_zeromq.gatekeeper import Gatekeeper
            from quantmind_zeromq.keys import load
            from quantmind_zeromq.publisher import Publisher
            from quantmind_zeromq.subscriber import Subscriber
        except ImportError as error:
            raise QuantMindError(f"the zeromq transport needs pyzmq ({error}): pip install pyzmq") from None
        options = self.options
        keys = load(options.curve, self.stage) if options.curve is not None else None
        mark, lossless = options.high_water_mark, self.lossless
        option = "endpoint" if options.endpoints is None else f"endpoints.{self.stage}"
        self._context = zmq.Context()
        try:
            if self._own is not None:
                if keys is not None:
                    self._gatekeeper = Gatekeeper(self._context, keys.allowed)
                self._publisher = Publisher(self._context, self._own, mark, lossless=lossless, keys=keys, option=option)
            for stage, peer in self._peers:
                if self._handler is not None:
                    subscriber = Subscriber(
                        self._context, peer, mark, stage, self._handler, lossless=lossless, keys=keys
                    )
                    self._subscribers.append(subscriber)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop receiving, hand over the last frames, and stop listening: at most two seconds in all."""
        context, self._context = self._context, None
        publisher, self._publisher = self._publisher, None
        gatekeeper, self._gatekeeper = self._gatekeeper, None
        for subscriber in self._subscribers:
            subscriber.close()
        self._subscribers.clear()
        try:
            if publisher is not None:
                await publisher.close()
        finally:
            if gatekeeper is not None:
                gatekeeper.close()
            if context is not None:
                await asyncio.to_thread(context.term)

    def publish(self, topic: Topic, frame: bytes, id: str = "") -> None:  # noqa: ARG002 - all topics share a socket
        """Send a frame to whoever subscribed to this stage; never blocks."""
        if self._publisher is None:
            raise self._silent()
        self._publisher.send(frame)

    async def drained(self) -> None:
        """Wait until ZeroMQ has taken every frame; does not give way when it has."""
        if self._publisher is not None:
            await self._publisher.drained()

    @property
    def figures(self) -> Mapping[str, float]:
        """Return counts: clients refused or not understood, frames that wait, connections that had ended for good."""
        figures: dict[str, float] = {}
        if self._publisher is not None:
            figures["handshake_failures"] = self._publisher.handshake_failures
            figures["waiting_frames"] = self._publisher.waiting
        if self._gatekeeper is not None:
            figures["refused_clients"] = self._gatekeeper.refused
        if self._subscribers:
            figures["ended_connections"] = sum(subscriber.reconnects for subscriber in self._subscribers)
        return figures

    def _silent(self) -> QuantMindError:
        if self.stage == OBSERVER:
            return QuantMindError("zeromq: an observer publishes nothing")
        return QuantMindError("zeromq: a frame can only be published while the transport is open")

    def _address(self, stage: str) -> str:
        if stage not in STAGES:
            raise QuantMindError(f"zeromq: no stage is called {stage!r}: it must be one of {', '.join(STAGES)}")
        return _where(self.options, stage)


def _where(options: ZeroMQOptions, stage: str) -> str:
    """Return the address of a stage's socket."""
    if options.endpoints is not None:
        name: Stage = stage  # type: ignore[assignment] # it is one of STAGES
        return numeric(options.endpoints[name])
    if options.endpoint is None:
        raise QuantMindError("zeromq: no endpoint is given")
    return address(options.endpoint, stage)
