"""The redis sink: what a pipeline shows, in batches that nobody waits for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantmind.errors import QuantMindError
from quantmind.events import Health, Holdings, Incident, Vitals
from quantmind.events.market import CHANNELS
from quantmind.events.names import EVENT_TYPES
from quantmind.kinds import Run, Server, Sink
from quantmind_redis.board import Board, Command
from quantmind_redis.greeting import server
from quantmind_redis.options import RedisOptions

if TYPE_CHECKING:
    from redis.asyncio import Redis as Client

_log = logging.getLogger(__name__)
_PATIENCE = 2.0
"""Seconds that the Redis has to answer."""
_FAREWELL = 1.0
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0


class Redis(Sink[RedisOptions]):
    """Shows quotes, ticks, rates, positions and the metrics of every stage in a Redis.

    A Redis that is away, slow or restarted costs what it would have shown meanwhile, and nothing else.
    """

    name = "redis"

    @classmethod
    def servers(cls, options: RedisOptions) -> Sequence[Server]:
        """Return the Redis."""
        return (server(options),)

    def __init__(self, options: RedisOptions, run: Run) -> None:
        super().__init__(options, run)
        self._board = Board(options.prefix, options.ticks, options.stream, options.buffer, run.name)
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._away = False
        self._first = True
        self._renewed: dict[str, float] = {}
        self._reconnects = 0

    @property
    def events(self) -> frozenset[type[Any]]:
        """Everything there is to show."""
        return frozenset({*CHANNELS, *EVENT_TYPES.values(), Vitals, Incident, Health, Holdings})

    async def open(self) -> None:
        """Begin to send; whether the Redis is there makes no difference."""
        try:
            # Heavy: 75 ms and 30 MB.
            from redis.asyncio import Redis as Client
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError as error:
            raise QuantMindError(f"the redis sink needs redis ({error}): pip install redis") from None
        self._client = Client.from_url(
            self.options.url.get_secret_value(),
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )
        self._task = asyncio.create_task(self._send_on())

    async def write(self, batch: Sequence[Any]) -> None:
        """Take note of a batch; it never waits."""
        take = self._board.take
        for event in batch:
            take(event)

    async def close(self) -> None:
        """Send what is new, for a second at the most."""
        client, self._client = self._client, None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if client is None:
            return
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._send(client), _FAREWELL)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.aclose(), _FAREWELL)
        if self._board.dropped:
            _log.warning("redis: %d ticks and stream entries were not sent", self._board.dropped)

    async def _send_on(self) -> None:
        interval = self.options.interval / 1e9
        wait = _FIRST_WAIT
        while self._client is not None:
            try:
                # Python 3.11's `wait_for` forgets that it was cancelled when what it waits for ends at that moment.
                async with asyncio.timeout(_PATIENCE):
                    await self._send(self._client)
            except Exception as error:  # noqa: BLE001 - whatever it is, the pipeline does not care
                self._failed(error)
                await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - nothing secret
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                if self._away:
                    self._away = False
                    self._reconnects += 1
                    self._board.set("feed", {"reconnects": self._reconnects})
                    _log.warning("redis: it is there again")
                wait = _FIRST_WAIT
                await asyncio.sleep(interval)

    async def _send(self, client: Client) -> None:
        """Send what changed in one round trip."""
        commands, entries = self._board.commands()
        self._board.clean()
        now, patience = time.monotonic(), self.options.expire / 4e9
        renewed = [key for key in self._board.keys if now - self._renewed.get(key, -patience) >= patience]
        commands += [("PEXPIRE", key, self.options.expire // 1_000_000) for key in renewed]
        try:
            known = await _pipelined(client, commands)
        except BaseException:
            self._board.lost()
            raise
        self._board.sent(entries, known or self._first)
        if not known:
            self._renewed.clear()
        self._first = False
        self._renewed.update(dict.fromkeys(renewed, now))

    def _failed(self, error: Exception) -> None:
        self._renewed.clear()
        if not self._away:
            self._away = True
            reason = " ".join(str(error).split()) or type(error).__name__
            _log.warning("redis: cannot be reached, the pipeline goes on without it: %s", reason[:200])


async def _pipelined(client: Client, commands: Sequence[Command]) -> bool:
    """Send commands in one round trip; returns what the first of them answers."""
    async with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return bool((await pipeline.execute())[0])
