"""The connection of a stage: one server at a time, and another one for ever after."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from quantmind.errors import QuantMindError
from quantmind_nats.client import Client
from quantmind_nats.dialler import Dialler, RefusedError

SLOWEST = 5.0
"""The most seconds between two attempts to find a server."""

_FASTEST = 0.1
_LOOK = 0.25
_log = logging.getLogger(__name__)


class Session:
    """The time from a connection to its end."""

    def __init__(self, client: Client, number: int) -> None:
        self.client = client
        self.number = number
        """0 is the first one of a stage."""
        self.lost = asyncio.Event()
        self._asked: set[asyncio.Future[bool]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def alive(self) -> bool:
        """Whether the server can still be reached, as far as is known."""
        return not self.lost.is_set() and self.client.is_connected

    async def confirmed(self) -> bool:
        """Wait until the server has taken in what was sent; says whether it has, or the connection was lost."""
        try:
            answer = await self.client.ask()
        except Exception:  # noqa: BLE001 - nats-py raises many kinds when a connection breaks
            self.lost.set()
            return False
        if not self.alive:
            return False
        self._asked.add(answer)
        try:
            return await asyncio.shield(answer)
        finally:
            self._asked.discard(answer)

    def run(self, work: Awaitable[None], what: str) -> None:
        """Do something for as long as the session lasts."""
        self._tasks.append(asyncio.create_task(self._guard(work, what)))

    async def _guard(self, work: Awaitable[None], what: str) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the session ends with it
            if self.alive:
                _log.exception("nats: %s failed: %s; the connection is made anew", what, error)
            self.lost.set()

    async def over(self) -> None:
        """Wait until the connection is lost."""
        while self.alive:
            try:
                async with asyncio.timeout(_LOOK):
                    await self.lost.wait()
            except TimeoutError:
                continue
        self.lost.set()

    async def end(self) -> None:
        """Close the connection, and end all that was done with it."""
        self.lost.set()
        for task in self._tasks:
            task.cancel()
        await self.client.end()
        for answer in self._asked:
            if not answer.done():
                answer.set_result(False)
        # nats-py swallows some cancellations; what it does for a task ends when the client is closed.
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Connection:
    """Keeps a stage connected; `begin` is called with each new session before it is used."""

    def __init__(self, dialler: Dialler, urls: tuple[str, ...], begin: Callable[[Session], Awaitable[None]]) -> None:
        self.session: Session | None = None
        """The current one; None while there is no server."""
        self.reconnects = 0
        self._dialler = dialler
        self._urls = list(urls)
        self._begin = begin
        self._there = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    async def open(self, patience: float) -> None:
        """Connect to a server, and stay connected from then on.

        Raises:
            QuantMindError: none could be reached for `patience` seconds, or one refuses.
        """
        end = time.monotonic() + patience
        random.shuffle(self._urls)
        session = await self._connect(0, end)
        self._keeping = asyncio.create_task(self._keep(session))

    async def close(self) -> None:
        """Disconnect."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        session, self.session = self.session, None
        if session is not None:
            await session.end()

    async def wait(self) -> Session:
        """Return the session, once there is one."""
        while self.session is None or not self.session.alive:
            self._there.clear()
            await self._there.wait()
        return self.session

    async def _keep(self, session: Session) -> None:
        while True:
            await session.over()
            self.session = None
            _log.warning("nats: the connection to the server is lost; looking for a server")
            await session.end()
            session = await self._connect(session.number + 1, None)
            self.reconnects += 1
            _log.warning("nats: connected again")

    async def _connect(self, number: int, end: float | None) -> Session:
        """Try one server after another, ever more seldom, until `end` or for ever."""
        attempt, told = 0, ""
        while True:
            url = self._urls[attempt % len(self._urls)]
            try:
                return await self._begun(await self._dialler.connect(url), number)
            except (OSError, RefusedError) as error:
                refused = isinstance(error, RefusedError)
                if end is not None and (refused or time.monotonic() >= end):
                    advice = "" if refused else ": start a nats-server there or correct `url`"
                    raise QuantMindError(f"{error}{advice}") from None
                if str(error) != told:
                    told = str(error)
                    _log.warning("%s", told)
            attempt += 1
            rounds = attempt // len(self._urls)
            delay = min(_FASTEST * 2 ** min(rounds, 10), SLOWEST) * random.uniform(0.5, 1.0)  # noqa: S311
            if end is not None:
                delay = min(delay, max(end - time.monotonic(), 0.0) + 0.01)
            await asyncio.sleep(delay)

    async def _begun(self, client: Client, number: int) -> Session:
        session = Session(client, number)
        try:
            await self._begin(session)
        except Exception as error:
            await session.end()
            raise OSError(
                f"nats: the connection broke when it was made: {str(error) or type(error).__name__}"
            ) from error
        except BaseException:
            await session.end()
            raise
        self.session = session
        self._there.set()
        return session
