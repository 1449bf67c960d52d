"""Requests to Binance USD-M by ccxt, whose answers carry the numbers that ccxt's own forms of them leave out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from quantmind.events import FundingRate, Trade
from quantmind_binance.symbols import spelled
from quantmind_binance.wire import MS
from quantmind_binance.wire import Snapshot as DepthSnapshot
from quantmind_ccxt.books import SNAPSHOT_LEVELS, Snapshot
from quantmind_ccxt.trades import Numbered

_MOST_TRADES = 1_000
"""The last trades that the venue tells without a key."""


class UsdmRequests:
    """Asks for what a stream does not tell."""

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange

    async def trades(self, symbol: str) -> list[Numbered]:
        """Return the last trades, by the ids that the stream `trade` counts."""
        rows = await self._exchange.fapiPublicGetTrades({"symbol": spelled(symbol), "limit": _MOST_TRADES})
        received = time.time_ns()
        return sorted((_numbered(symbol, row, received) for row in rows), key=lambda row: row[0])

    async def book(self, symbol: str) -> Snapshot:
        """Return the order book as it is."""
        told = await self._exchange.fapiPublicGetDepth({"symbol": spelled(symbol), "limit": SNAPSHOT_LEVELS})
        snapshot = msgspec.convert(told, DepthSnapshot, strict=False)
        return (snapshot.T or snapshot.E) * MS, snapshot.lastUpdateId, *snapshot.levels()

    async def funding(self, symbol: str, start: int, end: int) -> list[FundingRate]:
        """Return what was settled from `start` to `end` (ns)."""
        rows = await self._exchange.fapiPublicGetFundingRate(
            {"symbol": spelled(symbol), "startTime": start // MS, "endTime": end // MS}
        )
        received = time.time_ns()
        return [_settled(symbol, row, received) for row in rows]


def _numbered(symbol: str, row: Mapping[str, Any], received: int) -> Numbered:
    number, side = int(row["id"]), -1 if row["isBuyerMaker"] else 1
    return number, Trade(symbol, int(row["time"]) * MS, float(row["price"]), float(row["qty"]), side, number, received)


def _settled(symbol: str, row: Mapping[str, Any], received: int) -> FundingRate:
    mark = float(row.get("markPrice") or 0)
    return FundingRate(symbol, int(row["fundingTime"]) * MS, float(row["fundingRate"]), mark, received)
