"""The nats transport: a subject for each topic of each stage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, get_args

from quantmind.errors import QuantMindError
from quantmind.kinds import Server, Transport
from quantmind.kinds.transport import OBSERVER, STAGES, Handler, Topic
from quantmind_nats.greeting import servers
from quantmind_nats.names import Names
from quantmind_nats.options import NATSOptions
from quantmind_nats.outbox import Outbox

if TYPE_CHECKING:
    from quantmind_nats.bucket import Bucket
    from quantmind_nats.connection import Connection, Session
    from quantmind_nats.dialler import Dialler
    from quantmind_nats.follower import Follower
    from quantmind_nats.recorder import Recorder

LINGER = 1.0
"""How long, in seconds, the last frames may take to leave."""

ELECTION = 30.0
"""How long, in seconds, a cluster that lost a server may take to agree on who leads, until it is gone on without."""

HEADERS = 512
"""Bytes that the server may count beside those of a frame."""

_FACTS_FROM = "execution"
_PAUSE = 0.2
_log = logging.getLogger(__name__)


class NATS(Transport[NATSOptions]):
    """Carries frames between stages on any number of machines by NATS; JetStream keeps facts and Targets.

    Market data that finds no room while the server is away is lost, oldest first. Facts are stored: who was cut off
    gets them afterwards.
    """

    name = "nats"

    @classmethod
    def servers(cls, options: NATSOptions) -> Sequence[Server]:
        """Return every server of the cluster."""
        return servers(options)

    def __init__(self, options: NATSOptions, pipeline: str, stage: str) -> None:
        super().__init__(options, pipeline, stage)
        if stage not in {*STAGES, OBSERVER}:
            raise QuantMindError(f"nats: no stage is called {stage!r}: it must be one of {', '.join(STAGES)}")
        self._names = Names(pipeline, stage)
        self._subjects = {topic: self._names.subject(stage, topic) for topic in get_args(Topic)}
        self._outbox = Outbox(options.buffer)
        self._handler: Handler | None = None
        self._peers: tuple[str, ...] = ()
        self._dialler: Dialler | None = None
        self._connection: Connection | None = None
        self._recorder: Recorder | None = None
        self._follower: Follower | None = None
        self._bucket: Bucket | None = None
        self._limit = 0

    def subscribe(self, stages: tuple[str, ...], handler: Handler) -> None:
        """Ask for the frames of other stages; called once, before `open`."""
        self._peers = tuple(stage for stage in stages if stage != self.stage)
        self._handler = handler

    async def open(self) -> None:
        """Connect to a server, and subscribe to the other stages.

        Raises:
            QuantMindError: nats-py is missing, no server is there, or it refuses.
        """
        try:
            # Heavy: 139 ms and 36 MB, not to be paid for by `--help` and lint.
            from quantmind_nats.bucket import Bucket
            from quantmind_nats.connection import Connection
            from quantmind_nats.dialler import Dialler
            from quantmind_nats.follower import Follower
            from quantmind_nats.recorder import Recorder
        except ImportError as error:
            raise QuantMindError(f"the nats transport needs nats-py ({error}): pip install 'nats-py[nkeys]'") from None
        options, names = self.options, self._names
        self._outbox.lossless = self.lossless
        if not self.lossless and self.stage != OBSERVER:
            self._bucket = Bucket(options, names, self.stage)
            if self.stage == _FACTS_FROM:
                self._recorder = Recorder(options, names, self._publish_fact)
            elif _FACTS_FROM in self._peers:
                self._follower = Follower(names, self._take_fact)
        self._dialler = Dialler(options, names, self.stage)
        self._connection = Connection(self._dialler, options.url, self._begin)
        try:
            await self._connection.open(options.connect_timeout / 1e9)
        except BaseException:
            await self._connection.close()
            self._connection = None
            raise

    async def close(self) -> None:
        """Hand over the last frames, for at most `LINGER` seconds, and disconnect."""
        connection = self._connection
        if connection is None:
            return
        try:
            async with asyncio.timeout(LINGER):
                await self.drained()
        except TimeoutError:
            left = len(self._outbox) + (len(self._recorder) if self._recorder else 0)
            _log.warning("nats: the server is away or slow, %d frames were not sent", left)
        finally:
            self._connection = None
            await connection.close()

    def publish(self, topic: Topic, frame: bytes, id: str = "") -> None:
        """Send a frame to whoever subscribed to this stage; never blocks.

        Raises:
            QuantMindError: the transport is not open, only listens, or the frame is larger than the server takes.
        """
        if self._connection is None:
            raise QuantMindError("nats: a frame can only be published while the transport is open")
        if self.stage == OBSERVER:
            raise QuantMindError("nats: an observer only listens")
        if len(frame) > self._limit:
            raise QuantMindError(
                f"nats: a frame of {len(frame)} bytes is larger than the server takes ({self._limit}): "
                "raise `max_payload` in the server's configuration"
            )
        if topic == "facts" and self._recorder is not None and self._recorder.active:
            self._recorder.put(frame, id)
            return
        session = self._connection.session
        # What waits goes first.
        if session is None or len(self._outbox) or not session.client.send(self._subjects[topic], frame):
            self._outbox.put(self._subjects[topic], frame, topic == "market")

    async def drained(self) -> None:
        """Wait until the server has everything that was published, however long it is away."""
        if self._connection is None or self.stage == OBSERVER:
            return
        while True:
            session = await self._connection.wait()
            await self._outbox.empty.wait()
            if self._recorder is not None and self._recorder.active:
                await self._recorder.empty.wait()
            if self._bucket is not None:
                await self._bucket.empty.wait()
            if session.alive and await session.confirmed():
                return

    def keep(self, key: str, frame: bytes) -> None:
        """Keep a frame as this stage's last word on `key`; live only, where the server has JetStream."""
        if self._bucket is not None:
            self._bucket.put(key, frame)

    async def kept(self, stage: str) -> Sequence[bytes]:
        """Return the last words of a stage, one frame for each key; none where they cannot be read."""
        if self._bucket is None or self._connection is None:
            return ()
        import nats.errors
        from nats.js.errors import APIError

        from quantmind_nats.recorder import is_absent

        loop = asyncio.get_running_loop()
        until = loop.time() + ELECTION
        reason = ""
        while not reason or loop.time() < until:
            session = await self._connection.wait()
            try:
                return await self._bucket.words(session, stage)
            except (nats.errors.Error, TimeoutError, OSError) as error:
                if isinstance(error, APIError) and is_absent(error):
                    return ()
                told, reason = reason, str(error) or type(error).__name__
                if not told:
                    _log.warning("nats: what stage %s kept cannot be read yet: %s", stage, reason)
            await asyncio.sleep(_PAUSE)
        _log.warning("nats: what stage %s kept cannot be read (%s); it says it again when it is there", stage, reason)
        return ()

    @property
    def figures(self) -> Mapping[str, float]:
        """Reconnects, what was dropped on each side, facts that are not stored yet, and what the server refused."""
        counts = self._dialler.counts if self._dialler is not None else {}
        found: dict[str, float] = {
            "reconnects": self._connection.reconnects if self._connection is not None else 0,
            "dropped_frames": self._outbox.dropped,
            "slow_consumer_drops": counts.get("slow_consumer_drops", 0),
            "refused_by_permission": counts.get("refused_by_permission", 0),
        }
        if self._recorder is not None:
            found["unacknowledged_facts"] = len(self._recorder)
            found["dropped_facts"] = self._recorder.dropped
        return found

    async def _begin(self, session: Session) -> None:
        """Prepare a new connection: what is heard first, so that nothing of it is missed."""
        client = session.client
        self._limit = client.max_payload - HEADERS
        for stage in self._peers if self._handler is not None else ():
            take = partial(self._hand_on, stage)
            followed = stage == _FACTS_FROM and self._follower is not None
            for topic in ("market", "decisions", "operations") if followed else ("*",):
                await client.listen(self._names.subject(stage, topic), take)
        if self._follower is not None:
            await self._follower.begin(session)
        if self._recorder is not None:
            await self._recorder.begin(session)
        if self._bucket is not None:
            await self._bucket.begin(session)
        await client.heard()
        session.run(self._write(session), "sending")

    async def _write(self, session: Session) -> None:
        """Send what had to wait."""
        outbox, client = self._outbox, session.client
        while session.alive:
            head = outbox.head()
            if head is None:
                await outbox.filled.wait()
            elif len(head[1]) > self._limit:
                outbox.take(head[1])
                outbox.dropped += 1
                _log.error("nats: a frame of %d bytes is larger than this server takes, and lost", len(head[1]))
            elif client.send(*head):
                outbox.take(head[1])
            else:
                await client.room()

    def _take_fact(self, frame: bytes) -> None:
        self._hand_on(_FACTS_FROM, frame)

    def _publish_fact(self, frame: bytes) -> None:
        self._outbox.put(self._names.facts, frame, False)

    def _hand_on(self, stage: str, frame: bytes) -> None:
        """Give a frame to the handler; what it raises is the program's fault, and nats-py must not hide it."""
        if self._handler is None:
            return
        try:
            self._handler(stage, frame)
        except Exception as error:  # noqa: BLE001 - told to the loop
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"nats: a frame of stage {stage} was not handled", "exception": error}
            )
