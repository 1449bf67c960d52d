"""The simulated venue: an HTTP and WebSocket server that speaks Binance USD-M."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from quantmind_venue.account.account import Account
from quantmind_venue.api import private, public
from quantmind_venue.api.answering import Answering
from quantmind_venue.api.limits import Limits
from quantmind_venue.api.signing import Signing
from quantmind_venue.api.ws_api import WebSocketApi
from quantmind_venue.clock import Clock
from quantmind_venue.faults.bad_day import random_faults
from quantmind_venue.faults.faults import Faults
from quantmind_venue.faults.reading import FaultError
from quantmind_venue.listing import Listing
from quantmind_venue.log import Both, LogFile
from quantmind_venue.market.board import Board
from quantmind_venue.market.player import Player
from quantmind_venue.market.ticking import Ticking
from quantmind_venue.options import VenueOptions
from quantmind_venue.sources.source import Happening, Source
from quantmind_venue.streaming.hub import Hub, Log
from quantmind_venue.streaming.sockets import Sockets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

_DEFAULT = ("BTCUSDT", "ETHUSDT")

_PATIENCE = 0.3
"""Seconds that requests have to end when the venue stops."""


class Venue:
    """One simulated venue; `start` it, and clients find it at `url`.

    `sent` takes every message that is sent on a stream, or missed: a list will do.

    Raises:
        QuantMindError: the data cannot be read.
        FaultError: a fault is not well described.
    """

    def __init__(self, options: VenueOptions | None = None, sent: Log | None = None) -> None:
        self.options = options = options or VenueOptions()
        self._source = self._make_source()
        self.listing = Listing(self._source.spellings() or options.symbols or _DEFAULT)
        self.clock = Clock(self._source.begins(), options.speed)
        self.hub = Hub()
        self.limits = Limits(enforced=options.limits)
        self.board = Board(self.clock, self.listing, self.hub, rate=options.funding_rate, base=self._source.base)
        self.signing = Signing(options.key, options.secret, self.clock)
        self.account: Account = Account(self.clock, self.listing, self.board, self.hub, options)
        self.player = Player(self.clock, self.hub)
        self.faults: Faults = Faults(self)
        self.hub.faults = self.faults
        self.ws_api: WebSocketApi = WebSocketApi(self)
        self.port = options.port
        self.log = None if options.log is None else LogFile(options.log, self.clock)
        logs = [log for log in (sent, self.log) if log is not None]
        self.hub.log = Both(logs) if len(logs) > 1 else next(iter(logs), None)
        self._answering = Answering(self, [*public.routes(self), *private.routes(self)])
        self.sockets = Sockets(self.hub, self.board.subscribed, self._answering.message, limits=options.limits)
        self._runner: web.ServerRunner | None = None
        self._playing: asyncio.Task[None] | None = None
        Ticking(self.board, self.hub).set_timers(self.player)
        for number, fault in enumerate(options.faults):
            try:
                self.faults.checked(fault)
            except FaultError as error:
                raise error.within(f"faults[{number}]") from None

    @property
    def url(self) -> str:
        """Where clients find it."""
        host = self.options.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def broken(self) -> None:
        """Return when the market has no more to say, and raise what broke it."""
        if self._playing is not None:
            await asyncio.shield(self._playing)

    async def start(self) -> None:
        """Listen, and let the market begin.

        Raises:
            OSError: it cannot listen there.
            QuantMindError: the data or the log are not to be had.
        """
        from aiohttp import web

        if self.log is not None:
            self.log.open()
            self.player.every(1_000, lambda _: self.log.flush() if self.log is not None else None)
        self._source.prepare(self.board, self.clock.ns())
        self.account.timers.start()
        runner = self._runner = web.ServerRunner(
            web.Server(self._answering.serve, access_log=None), shutdown_timeout=_PATIENCE
        )
        await runner.setup()
        await web.TCPSite(runner, self.options.host, self.options.port).start()
        self.port = runner.addresses[0][1]
        self._playing = asyncio.create_task(self.player.run(self._play))
        if self.options.hold == "no" and self.options.speed != "max":
            self.player.begin.set()
        elif self.options.hold != "told":
            self.hub.began = self.player.begin.set

    async def stop(self) -> None:
        """Take all lines down."""
        if self._playing is not None:
            self._playing.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._playing
        await self.account.timers.stop()
        for connection in list(self.hub.connections.values()):
            connection.abort()
        if self._runner is not None:
            await self._runner.cleanup()
        if self.log is not None:
            self.log.close()

    async def advance(self, ns: int) -> None:
        """Let a virtual clock go on by so many ns; all that was due is done then."""
        await self.clock.advance(ns)

    def _play(self, start: int) -> Iterator[Happening]:
        """Arm the faults, and begin to play."""
        for fault in self.options.faults:
            self.faults.begin(fault, start)
        if self.options.bad_day:
            self._next_fault(start, random_faults(self.options.seed, self.options.bad_day, [*self.board.pits]))
        return self._source.play(self.board, start)

    def _next_fault(self, start: int, coming: Iterator[tuple[int, dict[str, object]]]) -> None:
        """Arm the next fault of a bad day when its time has come."""
        at, fault = next(coming)

        def arm() -> None:
            self.faults.add(fault, start + at)
            self._next_fault(start, coming)

        self.player.at(start + at, arm)

    def _make_source(self) -> Source:
        options = self.options
        if options.recording is not None:
            from quantmind_venue.sources.recording import RecordedMarket

            return RecordedMarket(options.recording, moved=options.times == "now")
        if options.bars:
            from quantmind_venue.sources.bars import BarMarket

            return BarMarket(options)
        from quantmind_venue.sources.synthetic import MadeUpMarket

        return MadeUpMarket(options)
