"""History: candles of a venue, page by page, and the bars that have closed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from quantmind.events import Bar
from quantmind.kinds import bars
from quantmind.market.bars import BarBuilder, Built
from quantmind_ccxt.clock import VenueClock
from quantmind_ccxt.markets import contract_size
from quantmind_ccxt.options import BINANCE

PAGE = 1_000
"""Candles in one request."""

_MS = 1_000_000
_MINUTE = 60_000_000_000
_EPOCH_ALIGNED = 86_400_000_000_000
"""Candles longer than a day begin where each venue likes."""


async def candles(
    exchange: Any, symbol: str, interval: int, start: int, end: int, params: Mapping[str, Any] | None = None
) -> AsyncIterator[list[list[Any]]]:
    """Yield pages of ccxt's candles that open in [start, end) (ns), each candle once, in order."""
    timeframe = timeframes(exchange)[interval]
    step, since, last = interval // _MS, -(-start // _MS), end // _MS
    while since < last:
        rows = await exchange.fetch_ohlcv(symbol, timeframe, since, PAGE, dict(params or {}))
        page = [row for row in rows if since <= row[0] < last]
        if page:
            yield page
            since = page[-1][0] + step
        elif rows or exchange.id == BINANCE:
            # What there is lies behind the span: Binance answers with the first ones at or after `since`.
            return
        else:
            since += PAGE * step


async def latest_bars(exchange: Any, symbol: str, interval: int, count: int, clock: VenueClock | None) -> Sequence[Bar]:
    """Return up to `count` bars, the last of which is the last that has closed by the venue's clock.

    What the venue has no candles of is built from the longest ones that fit; where none fit, there are none.
    """
    source = max((own for own in timeframes(exchange) if interval % own == 0), default=0)
    if not source:
        return ()
    if clock is not None and not clock.sampled:
        await clock.sample()
    now = clock.now if clock is not None else time.time_ns()
    end = now - now % interval
    start = end - count * interval
    size = contract_size(exchange.market(symbol))
    found: list[Bar] = []
    async for page in candles(exchange, symbol, source, start, end):
        found += [bar(symbol, source, row, size) for row in page]
    if source != interval:
        builder = BarBuilder([Built(symbol, interval, bars(source))])
        for each in found:
            builder.add(each)
        found = builder.flush(end)
    return found[-count:]


def bar(symbol: str, interval: int, row: Sequence[Any], size: float = 1.0) -> Bar:
    """Return a candle as a bar, whose `ts` is its close; `size` is the base currency in a unit of its volume."""
    opened, first, high, low, last, volume = row[:6]
    return Bar(
        symbol, int(opened) * _MS + interval, interval, float(first), float(high), float(low), float(last),
        float(volume or 0) * size,
    )  # fmt: skip


def timeframes(exchange: Any) -> dict[int, str]:
    """Return the venue's lengths of candles (ns) up to a day, and how ccxt writes them.

    Of Binance ccxt names those of the spot market: futures have none below a minute.
    """
    shortest = _MINUTE if exchange.id == BINANCE else 1
    lengths = {round(exchange.parse_timeframe(written) * 1_000) * _MS: written for written in exchange.timeframes or {}}
    return {length: written for length, written in lengths.items() if shortest <= length <= _EPOCH_ALIGNED}
