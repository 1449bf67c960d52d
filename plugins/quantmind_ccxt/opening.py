"""The opening: what was traded in the present interval before the stream began, so that its first bar is whole."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from quantmind.events import Trade
from quantmind_binance.symbols import spelled
from quantmind_binance.wire import MS
from quantmind_ccxt.history import candles

_MINUTE = 60_000_000_000
_SETTLED = 3_000_000_000
"""How old (ns) the close of a candle is before its figures are taken for final."""
_MOST_PAGES = 20
_PAGE = 1_000


class Opening:
    """Trades from a moment on; `last` is the id of the last one, 0 where they cannot be had whole."""

    def __init__(self, exchange: Any, symbol: str) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self.last = 0

    async def trades(self, start: int, now: int) -> list[Trade]:
        """Return what was traded from `start` to now (ns): minutes as four trades each, then the venue's aggregates.

        Four trades have a candle's prices and, in the last one, its volume: bars that are built of them are the same.
        """
        whole = (now - _SETTLED) // _MINUTE * _MINUTE
        found: list[Trade] = []
        if start < whole and start % _MINUTE == 0:
            async for page in candles(self._exchange, self._symbol, _MINUTE, start, whole):
                for row in page:
                    found += self._sums(row)
            start = whole
        recent = await self._aggregates(start)
        return found + recent if self.last else []

    def _sums(self, row: Sequence[Any]) -> list[Trade]:
        """Return a candle as trades; none where nothing was traded."""
        opened, first, high, low, close, volume = row[:6]
        begin, size = int(opened) * MS, float(volume)
        steps = ((begin, first, 0.0), (begin, low, 0.0), (begin, high, 0.0), (begin + _MINUTE - MS, close, size))
        return [Trade(self._symbol, ts, float(price), part, 1) for ts, price, part in steps if size]

    async def _aggregates(self, start: int) -> list[Trade]:
        found: list[Trade] = []
        last = 0
        asked: dict[str, Any] = {"startTime": start // MS}
        for _ in range(_MOST_PAGES):
            asked |= {"symbol": spelled(self._symbol), "limit": _PAGE}
            rows = await self._exchange.fapiPublicGetAggTrades(asked)
            received = time.time_ns()
            for row in rows:
                side, price, size = -1 if row["m"] else 1, float(row["p"]), float(row["q"])
                last = max(last, int(row["l"]))
                found.append(Trade(self._symbol, int(row["T"]) * MS, price, size, side, int(row["l"]), received))
            if len(rows) < _PAGE:
                self.last = last
                return found
            asked = {"fromId": int(rows[-1]["a"]) + 1}
        return []
