"""A line: one subscription of ccxt over one connection, made again whenever it is lost."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from quantmind.errors import ComponentError
from quantmind_ccxt.connection import SUBSCRIBER
from quantmind_ccxt.loading import errors
from quantmind_ccxt.stream import STEADY, Stream

LONGEST_PAUSE = 30.0
"""Seconds between two attempts at the most."""

_FIRST_PAUSE = 0.25
_WELL = 60.0
"""Seconds after which a connection that is lost was a good one."""
_log = logging.getLogger(__name__)


class Line:
    """Keeps one subscription alive: `watch` is one of ccxt's, which ends when its connection does.

    Between two attempts it waits twice as long each time, and a part of that which is drawn, so that not all clients
    of a venue come back at once.
    """

    def __init__(
        self,
        name: str,
        streams: Sequence[Stream],
        watch: Callable[[], Awaitable[Any]],
        *,
        lost: Callable[[], None],
        joined: Callable[[], None],
    ) -> None:
        self.name = name
        self.streams = tuple(streams)
        self.client: Any = None
        self.reconnects = 0
        self.trouble = "is not connected yet"
        """What is wrong with it; empty while it is well."""
        self._watch = watch
        self._lost = lost
        self._joined = joined
        self._request: Any = None
        self._began = time.monotonic()
        self._asked: dict[str, float] = {}

    def attached(self, client: Any, request: Any) -> None:
        """Take note of the connection that ccxt carries it over, and of what it sends."""
        self.client, self._request = client, request

    def answered(self, message: dict[str, Any]) -> bool:
        """Say whether a message is the venue's consent to the subscription, after which its streams come."""
        if self._request is None or message.get("id") != self._request.get("id") or "error" in message:
            return False
        self.up()
        return True

    def up(self) -> None:
        """Take note that its streams come."""
        if self.trouble:
            self.trouble = ""
            if self.reconnects:
                _log.info("ccxt: %s: connected again", self.name)
            self._joined()

    async def run(self) -> None:
        """Subscribe, and again after each loss, until it is cancelled.

        Raises:
            ComponentError: the venue does not have what is asked for.
        """
        SUBSCRIBER.set(self)
        fault = errors()
        hopeless = (fault.NotSupported, fault.BadSymbol, fault.ArgumentsRequired, fault.AuthenticationError)
        pause = _FIRST_PAUSE
        while True:
            self._began = time.monotonic()
            try:
                await self._watch()
                why = "ended"
            except hopeless as error:
                raise ComponentError(f"ccxt: {self.name}: {error}") from error
            except asyncio.CancelledError:
                # ccxt cancels what waits for a connection that it closes.
                if asyncio.current_task().cancelling():  # type: ignore[union-attr] # it runs in a task
                    raise
                why = "closed"
            except Exception as error:  # noqa: BLE001 - whatever it is, the line is gone
                why = f"{type(error).__name__}: {error}"
            self._drop(why)
            pause = _FIRST_PAUSE if time.monotonic() - self._began > _WELL else pause
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - a jitter is no secret
            pause = min(2 * pause, LONGEST_PAUSE)
            self.reconnects += 1

    def watch_over(self, stale: float) -> None:
        """Break the connection if it is dead, and ask again for streams that are silent; called every so often."""
        if self.client is None or self.client.connection is None:
            return
        now = time.monotonic()
        silent = [stream for stream in self.streams if stream.age > stale]
        if now - self._began > stale and (self.trouble or (silent and self._silence() > stale)):
            self._break(f"nothing has come for {stale:g} s")
            return
        for stream in silent:
            if stream.channel in STEADY and now - self._asked.get(stream.symbol, self._began) > stale:
                self._asked[stream.symbol] = now
                self._ask_again(stream)

    def _silence(self) -> float:
        last: int | None = self.client.last_message_at
        return time.monotonic() - self._began if last is None else time.time() - last / 1_000

    def _ask_again(self, stream: Stream) -> None:
        """Subscribe to one stream anew: the venue passes over what it sends already."""
        request, client = self._request, self.client
        if not isinstance(request, dict) or len(request.get("params", ())) != len(self.streams) or client.closed():
            return
        name = request["params"][self.streams.index(stream)]
        _log.warning("ccxt: %s is silent: subscribing again", name)
        task = asyncio.ensure_future(client.send({**request, "params": [name]}))
        task.add_done_callback(lambda sent: sent.cancelled() or sent.exception())

    def _break(self, why: str) -> None:
        self.client.on_error(errors().NetworkError(why))

    def _drop(self, why: str) -> None:
        # One that cannot be made again is told once.
        level = logging.DEBUG if self.trouble and self.reconnects else logging.WARNING
        _log.log(level, "ccxt: %s: the connection is lost: %s", self.name, why)
        client, self.client, self._request = self.client, None, None
        self.trouble = f"the connection is lost ({why})"
        self._asked.clear()
        self._lost()
        if client is not None and client.error is None:
            # ccxt forgets a connection only if it is told of the end in one of its ways.
            client.on_error(errors().NetworkError(why))
