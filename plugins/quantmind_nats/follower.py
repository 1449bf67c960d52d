"""The follower: facts of the execution stage out of the stream, from where this stage was."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from quantmind_nats.connection import Session
from quantmind_nats.names import Names
from quantmind_nats.recorder import PATIENCE, is_absent

SILENCE = 3.0
"""Seconds without a word of the server, which speaks every second, after which it is asked again."""

_HEARTBEAT = 1.0
_INACTIVE = 30.0
_PAUSE = 0.1
_SLOWEST = 30.0
_REMEMBERED = 1_000
_log = logging.getLogger(__name__)


class Follower:
    """Hands on facts in the order of the stream, each once, also those that came while this stage was cut off.

    As long as there is no stream, or no right to read it, facts are heard as they are published.
    """

    def __init__(self, names: Names, take: Callable[[bytes], None]) -> None:
        self._names = names
        self._take = take
        self._created: object = None
        self._last = 0
        """Place in the stream of the last fact; together with `_created` where this stage is."""
        self._was_absent = False
        self._heard: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._direct: Subscription | None = None

    async def begin(self, session: Session) -> None:
        """Hear facts from now on, or from where this stage was."""
        self._direct = None
        if self._created is None:
            await self._hear(session)
        session.run(self._follow(session), "reading facts")

    async def _hear(self, session: Session) -> None:
        if self._direct is None:
            self._direct = await session.client.listen(self._names.facts, self._on_direct)

    def _on_direct(self, frame: bytes) -> None:
        self._heard.append(frame)
        self._take(frame)

    async def _follow(self, session: Session) -> None:
        stream = session.client.jetstream(timeout=PATIENCE)
        pause = _PAUSE
        while session.alive:
            try:
                await self._read(session, stream)
                pause = _PAUSE
            except NotFoundError:
                self._created = None
                self._was_absent = True
                pause = min(pause, 1.0)
            except APIError as error:
                if is_absent(error):
                    # Execution warns of it.
                    self._created = None
                    await self._hear(session)
                    return
                _log.debug("nats: the facts cannot be read: %s", error)
            except (nats.errors.Error, TimeoutError, OSError) as error:
                _log.debug("nats: the facts cannot be read: %s", error)
            if not session.alive:
                return
            if self._created is None:
                await self._hear(session)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _SLOWEST)

    async def _start(self, stream: JetStreamContext) -> api.ConsumerConfig:
        """Return where to begin: after the last fact, or with the first of a stream that was made meanwhile."""
        info = await stream.stream_info(self._names.facts_stream)
        new = info.created != self._created
        known, self._created = self._created, info.created
        if known is None and not self._was_absent:
            self._last = info.state.last_seq
        elif new:
            self._last = 0
        self._last = min(self._last, info.state.last_seq)
        return api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._last + 1,
            ack_policy=api.AckPolicy.NONE,
            idle_heartbeat=_HEARTBEAT,
            inactive_threshold=_INACTIVE,
            mem_storage=True,
            num_replicas=1,
        )

    async def _read(self, session: Session, stream: JetStreamContext) -> None:
        """Read until something is missing or the server falls silent."""
        config = await self._start(stream)
        spoke = time.monotonic()
        expected = 1
        broken = asyncio.Event()

        async def on_message(message: Msg) -> None:
            nonlocal spoke, expected
            spoke = time.monotonic()
            if not message.reply or broken.is_set() or (message.headers and "Status" in message.headers):
                return
            place = message.metadata.sequence
            if place.consumer != expected:
                broken.set()
                return
            expected += 1
            self._last = place.stream
            if self._heard and message.data in self._heard:
                return
            self._take(message.data)

        inbox = session.client.new_inbox()
        subscription = await session.client.subscribe(inbox, cb=on_message)
        try:
            config.deliver_subject = inbox
            await stream.add_consumer(self._names.facts_stream, config)
            if self._direct is not None:
                await self._direct.unsubscribe()
                self._direct = None
            while session.alive and not broken.is_set() and time.monotonic() - spoke < SILENCE:
                try:
                    async with asyncio.timeout(_HEARTBEAT):
                        await broken.wait()
                except TimeoutError:
                    self._heard.clear()
        finally:
            if session.alive:
                await subscription.unsubscribe()
