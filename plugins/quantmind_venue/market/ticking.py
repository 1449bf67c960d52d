"""What the venue sends by the clock: gathered depth, candles, marks, tickers; and when it settles funding."""

from __future__ import annotations

from functools import partial

from quantmind_venue.market.board import FUNDING_INTERVAL, Board
from quantmind_venue.market.player import Player
from quantmind_venue.streaming import streams
from quantmind_venue.streaming.hub import Hub

_ASSETS = "!assetIndex@arr"


class Ticking:
    """Sends the streams that go by the clock, as far as somebody listens."""

    def __init__(self, board: Board, hub: Hub) -> None:
        self._board = board
        self._hub = hub

    def set_timers(self, player: Player) -> None:
        """Let the player call it in time."""
        board = self._board
        for speed in (100, 250, 500):
            player.every(speed, partial(self._depth, speed))
        player.every(100, board.flush_aggregates)
        player.every(250, board.flush_klines)
        player.every(500, self._own_tickers)
        player.every(1_000, self._second)
        player.every(3_000, partial(self._marks, ""))
        player.every(FUNDING_INTERVAL, self._settle)

    def _depth(self, speed: int, ms: int) -> None:
        self._board.flush(speed, ms)

    def _second(self, ms: int) -> None:
        self._board.mark_middles(ms)
        self._marks("@1s", ms)
        for stream, make in (("!miniTicker@arr", streams.mini_ticker), ("!ticker@arr", streams.ticker)):
            if stream in self._hub.wanted:
                self._hub.publish(stream, [make(contract, pit, ms) for contract, pit in self._board])

        if _ASSETS in self._hub.wanted:
            rows = [
                streams.asset_index(f"{contract.base}USD", pit.index or pit.last or 0.0, ms)
                for contract, pit in self._board
            ]
            self._hub.publish(_ASSETS, rows)

    def _marks(self, suffix: str, ms: int) -> None:
        wanted, settles = self._hub.wanted, self._board.settles(ms)
        every = f"!markPrice@arr{suffix}"
        for contract, pit in self._board:
            stream = f"{pit.low}@markPrice{suffix}"
            if stream in wanted and pit.mark is not None:
                self._hub.publish(stream, streams.mark_price(contract, pit, settles, ms))
        if every in wanted:
            marks = [streams.mark_price(contract, pit, settles, ms) for contract, pit in self._board]
            self._hub.publish(every, marks)

    def _own_tickers(self, ms: int) -> None:
        wanted = self._hub.wanted
        for contract, pit in self._board:
            mini, full = f"{pit.low}@miniTicker", f"{pit.low}@ticker"
            if not pit.day_changed or (mini not in wanted and full not in wanted):
                continue
            pit.day_changed = False
            if mini in wanted:
                self._hub.publish(mini, streams.mini_ticker(contract, pit, ms))
            if full in wanted:
                self._hub.publish(full, streams.ticker(contract, pit, ms))

    def _settle(self, ms: int) -> None:
        for _, pit in self._board:
            if pit.spelling not in self._board.settled_by_data:
                self._board.settle(pit.spelling, pit.rate, ms)
