"""The bucket: last words of stages, in JetStream's key-value form, for stages that join later."""

from __future__ import annotations

import asyncio
import logging

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from quantmind_nats.connection import Session
from quantmind_nats.names import Names
from quantmind_nats.options import NATSOptions
from quantmind_nats.recorder import PATIENCE, is_absent

_PAUSE = 0.2
_SLOWEST = 5.0
_NANO = 1e9
_IN_USE = 10058
_SETTLE = 5.0
_log = logging.getLogger(__name__)


class Bucket:
    """Keeps the last frame for each key: the newest one waits while the server is away."""

    def __init__(self, options: NATSOptions, names: Names, stage: str) -> None:
        self.empty = asyncio.Event()
        self.empty.set()
        self._options = options
        self._names = names
        self._stage = stage
        self._waiting: dict[str, bytes] = {}
        self._filled = asyncio.Event()
        self._unavailable = False
        self._told = ""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, key: str, frame: bytes) -> None:
        """Keep a frame in place of the key's one before."""
        if not self._unavailable:
            self._waiting[key] = frame
            self._filled.set()
            self.empty.clear()

    async def begin(self, session: Session) -> None:
        """Put what waits, and everything from now on."""
        self._unavailable = False
        session.run(self._put_all(session), "keeping Targets")

    async def _put_all(self, session: Session) -> None:
        stream = session.client.jetstream(timeout=PATIENCE)
        pause = _PAUSE
        made = False
        while session.alive:
            if not self._waiting:
                self._filled.clear()
                self.empty.set()
                await self._filled.wait()
                continue
            try:
                made = made or await self._make(stream)
                key, frame = next(iter(self._waiting.items()))
                await stream.publish(self._names.kept(self._stage, key), frame, timeout=PATIENCE)
            except (nats.errors.Error, TimeoutError, OSError) as error:
                if isinstance(error, APIError) and is_absent(error):
                    # Execution warns of it.
                    self._unavailable = True
                    self._waiting.clear()
                elif session.alive:
                    if str(error) != self._told:
                        self._told = str(error)
                        _log.warning("nats: a Target is not kept yet: %s", self._told or type(error).__name__)
                    made = False
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _SLOWEST)
                continue
            pause = _PAUSE
            if self._waiting.get(key) is frame:
                del self._waiting[key]

    async def _make(self, stream: JetStreamContext) -> bool:
        options = self._options
        config = api.KeyValueConfig(
            bucket=self._names.bucket,
            ttl=options.kept_max_age / _NANO,
            max_bytes=options.kept_max_bytes,
            replicas=options.replicas,
        )
        try:
            await stream.create_key_value(config)
        except APIError as error:
            if error.err_code != _IN_USE:
                raise
        return True

    async def words(self, session: Session, stage: str) -> list[bytes]:
        """Return the last frame of each key of a stage."""
        stream = session.client.jetstream(timeout=PATIENCE)
        found: dict[str, bytes] = {}
        complete = asyncio.Event()

        async def on_message(message: Msg) -> None:
            if not message.reply:
                return
            if not message.headers or "KV-Operation" not in message.headers:
                found[message.subject] = message.data
            if not message.metadata.num_pending:
                complete.set()

        inbox = session.client.new_inbox()
        subscription = await session.client.subscribe(inbox, cb=on_message)
        config = api.ConsumerConfig(
            deliver_subject=inbox,
            deliver_policy=api.DeliverPolicy.LAST_PER_SUBJECT,
            filter_subject=f"$KV.{self._names.bucket}.{stage}.>",
            ack_policy=api.AckPolicy.NONE,
            inactive_threshold=_SETTLE,
            mem_storage=True,
            num_replicas=1,
        )
        try:
            consumer = await stream.add_consumer(self._names.bucket_stream, config)
            if consumer.num_pending or (consumer.delivered and consumer.delivered.consumer_seq):
                async with asyncio.timeout(_SETTLE):
                    await complete.wait()
        except NotFoundError:
            return []
        finally:
            if session.alive:
                await subscription.unsubscribe()
        return list(found.values())
