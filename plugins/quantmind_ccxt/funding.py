"""Funding: a rate is given out when its settlement has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from quantmind.events import FundingRate
from quantmind_binance.wire import MS, MarkPriceUpdate
from quantmind_ccxt.stream import Stream

_FRESH = 10_000
"""ms before a settlement within which an announced rate is the one that is settled."""
_PAUSES = (1.0, 4.0, 15.0, 60.0)
_log = logging.getLogger(__name__)


class Settlements:
    """Watches the announcements of one symbol; what was settled while nothing was heard is fetched."""

    def __init__(
        self,
        stream: Stream,
        give: Callable[[FundingRate], None],
        fetch: Callable[[str, int, int], Awaitable[Sequence[FundingRate]]],
    ) -> None:
        self._stream = stream
        self._give = give
        self._fetch = fetch
        self._before: MarkPriceUpdate | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, message: MarkPriceUpdate, received: int) -> None:
        """Take an announcement."""
        before = self._before
        if not message.T or message.E >= message.T:
            # The settlement is due and the next one not announced: what was said before it counts.
            return
        self._before = message
        if before is None or before.T == message.T or before.T > message.E:
            return
        settled = before.settlement(self._stream.symbol, received)
        if before.E >= before.T - _FRESH and settled is not None:
            self._stream.events += 1
            self._give(settled)
            return
        self._stream.gaps += 1
        task = asyncio.create_task(self._recover(before.T, message.E))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop fetching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _recover(self, first: int, now: int) -> None:
        symbol = self._stream.symbol
        for pause in _PAUSES:
            try:
                settled = await self._fetch(symbol, first * MS, now * MS)
            except Exception as error:  # noqa: BLE001 - ccxt raises many kinds
                _log.warning("ccxt: %s: settled rates of funding cannot be fetched yet: %s", symbol, error)
                settled = ()
            for rate in settled:
                self._stream.events += 1
                self._stream.backfilled += 1
                self._give(rate)
            if settled:
                return
            await asyncio.sleep(pause)
        self._stream.missing += 1
        _log.error("ccxt: %s: what was settled at %d ms is not known: funding is missing", symbol, first)
