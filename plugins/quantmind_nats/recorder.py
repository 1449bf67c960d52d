"""The recorder: facts of the execution stage on their way into a JetStream stream, each once and in order."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable

import nats.errors
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

from quantmind.kinds.transport import Topic
from quantmind_nats.connection import Session
from quantmind_nats.names import Names
from quantmind_nats.options import NATSOptions

PATIENCE = 2.0
"""Seconds that the server may take to answer."""

_PAUSE = 0.2
_SLOWEST = 5.0
_RAREST = 30.0
_NANO = 1e9
_WINDOW = 600.0
_MOST_BYTES = 64 * 1024 * 1024
_IN_USE = 10058
_log = logging.getLogger(__name__)

FACTS: Topic = "facts"


class Recorder:
    """Has each fact stored, and tells it again after a reconnect until it is.

    One is under way at a time: so the stream has them in the order in which they were published.
    """

    def __init__(self, options: NATSOptions, names: Names, directly: Callable[[bytes], None]) -> None:
        self.active = False
        """Whether there is a stream; without one facts are published like everything else."""
        self.dropped = 0
        self.empty = asyncio.Event()
        self.empty.set()
        self._directly = directly
        self._options = options
        self._names = names
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._own = uuid.uuid4().hex
        self._count = 0
        self._told = ""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: bytes, id: str) -> None:
        """Add a fact; beyond all bounds the oldest gives way: the journal has it."""
        self._count += 1
        self._waiting.append((id or f"{self._own}-{self._count}", frame))
        self._bytes += len(frame)
        while len(self._waiting) > self._options.buffer or self._bytes > _MOST_BYTES:
            self._bytes -= len(self._waiting.popleft()[1])
            self.dropped += 1
        self._filled.set()
        self.empty.clear()

    async def begin(self, session: Session) -> None:
        """Create the stream where there is none."""
        stream = session.client.jetstream(timeout=PATIENCE)
        # A stage that starts knows how it publishes before it does; later nothing else need wait for it.
        if session.number == 0 and not await self._look(stream):
            return
        session.run(self._record(session, stream), "storing facts")

    async def _look(self, stream: JetStreamContext) -> bool:
        """See whether there is a stream; says whether there may be one later."""
        found = await self._ensure(stream)
        if found:
            self.active = True
        elif found is False:
            self._go_without()
        return found is not False

    def _go_without(self) -> None:
        self.active = False
        while self._waiting:
            self._directly(self._waiting.popleft()[1])
        self._bytes = 0
        self.empty.set()

    async def _ensure(self, stream: JetStreamContext) -> bool | None:
        """Say whether there is a stream, made if need be; False is never, None is not now."""
        options = self._options
        age = options.facts_max_age / _NANO
        config = api.StreamConfig(
            name=self._names.facts_stream,
            subjects=[self._names.facts],
            max_age=age,
            max_bytes=options.facts_max_bytes,
            duplicate_window=min(age, _WINDOW),
            num_replicas=options.replicas,
        )
        try:
            await stream.add_stream(config)
        except APIError as error:
            if is_absent(error):
                self._tell(
                    "the server has no JetStream: who was cut off has to ask for facts again, and Targets are not "
                    "kept; start the server with --jetstream"
                )
                return False
            if error.err_code == _IN_USE:
                self._tell(f"stream {config.name} exists with other limits; they stay as they are")
                return True
            self._tell(f"stream {config.name} cannot be made: {error.description}")
            return None
        except (nats.errors.Error, TimeoutError):
            self._tell(f"stream {config.name} cannot be made: the server refuses it or has no leader")
            return None
        return True

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            _log.warning("nats: %s", text)

    async def _record(self, session: Session, stream: JetStreamContext) -> None:
        if session.number and not await self._look(stream):
            return
        pause = _PAUSE
        while session.alive and not self.active:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _RAREST)
            if not await self._look(stream):
                return
        pause = _PAUSE
        while session.alive:
            if not self._waiting:
                self._filled.clear()
                self.empty.set()
                await self._filled.wait()
                continue
            head = self._waiting[0]
            try:
                await stream.publish(
                    self._names.facts, head[1], timeout=PATIENCE, headers={api.Header.MSG_ID.value: head[0]}
                )
            except (nats.errors.Error, TimeoutError, OSError) as error:
                if not session.alive:
                    return
                self._tell(f"a fact is not stored yet: {error}")
                if isinstance(error, NoStreamResponseError) and await self._ensure(stream) is False:
                    self._go_without()
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, _SLOWEST)
                continue
            pause = _PAUSE
            if self._waiting and self._waiting[0] is head:
                self._waiting.popleft()
                self._bytes -= len(head[1])


def is_absent(error: APIError) -> bool:
    """Say whether nobody at all answers for JetStream."""
    return isinstance(error, ServiceUnavailableError) and error.err_code is None
