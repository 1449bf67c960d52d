"""Trades by their ids: each once, in order, and what is missing fetched again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from quantmind.events import Trade
from quantmind_ccxt.stream import Stream

MOST_HELD = 20_000
"""Trades of a symbol that wait for missing ones at the most."""

_PATIENCE = 0.05
"""Seconds in which a trade that was overtaken may still come by itself."""
_PAUSES = (0.2, 0.4, 0.8, 1.6)
_log = logging.getLogger(__name__)

Numbered = tuple[int, Trade | None]
"""The id of a trade, and the trade; None for what no order book saw, which is counted and not given out."""


class TradeSequence:
    """Gives out the trades of a symbol in the order of their ids; those after a hole wait until it is filled."""

    def __init__(self, stream: Stream, give: Callable[[Trade], None], mend: Callable[[TradeSequence], None]) -> None:
        self.symbol = stream.symbol
        self.stream = stream
        self.last = 0
        """The id of the last one; 0 before the first."""
        self.unsure = False
        """Whether there may be later ones that nobody has told of, as after a lost connection."""
        self._give = give
        self._mend = mend
        self._held: dict[int, Trade | None] = {}
        self._ts = 0

    @property
    def hole(self) -> int:
        """How many ids are missing before the first one that waits."""
        return min(self._held) - self.last - 1 if self._held else 0

    def add(self, number: int, trade: Trade | None) -> None:
        """Take a trade of the stream."""
        if not self.last:
            self.last = number - 1
        elif self._counts_anew(number, trade):
            self._begin_anew(number - 1)
        elif number <= self.last or number in self._held:
            self.stream.duplicates += 1
            return
        if number == self.last + 1 and not self._held:
            if self.unsure:
                self.unsure = False
                self.stream.proven = 1
            self._pass(number, trade)
            return
        opened = not self._held
        self._held[number] = trade
        self._release()
        if self._held:
            self.stream.proven = 0
            if opened and self.stream.events:
                self.stream.gaps += 1
            if len(self._held) > MOST_HELD:
                self.give_up()
            else:
                self._mend(self)

    def follow(self, last: int) -> None:
        """Begin after the trade of this id: what comes between it and the first one of the stream is fetched."""
        self.last = last
        self.doubt()

    def doubt(self) -> None:
        """Take note that trades may have been missed."""
        if self.last:
            self.unsure = True
            self.stream.proven = 0

    def fill(self, rows: Sequence[Numbered]) -> None:
        """Take what was fetched: the venue's latest trades, in order, without holes but for what is no market trade."""
        if not rows:
            return
        if self._counts_anew(*rows[-1]):
            self._begin_anew(rows[-1][0])
        newest = max(self._held, default=rows[-1][0])
        for number, trade in rows:
            if self.last < number <= newest and number not in self._held:
                self._held[number] = trade
                self.stream.backfilled += trade is not None
        self.unsure = False
        self._release()
        while self._held and rows[0][0] <= self.last + 1 <= rows[-1][0]:
            # The venue tells of those on both sides of it, and not of this one: it was traded outside the book.
            self.last += 1
            self._release()
        if self._held and rows[0][0] > self.last + 1:
            self._skip(rows[0][0])

    def _counts_anew(self, number: int, trade: Trade | None) -> bool:
        """Whether the venue has begun to count anew while the connection was lost: a later trade has a lower id."""
        return self.unsure and number <= self.last and trade is not None and trade.ts > self._ts

    def _begin_anew(self, last: int) -> None:
        _log.warning("ccxt: %s: trades are counted anew after %d", self.symbol, last)
        self.give_up()
        self.stream.gaps += 1
        self.stream.proven = 1
        self.last = last

    def give_up(self) -> None:
        """Count what is missing as missing for good, and go on."""
        self.unsure = False
        while self._held:
            self._skip(min(self._held))

    def _skip(self, until: int) -> None:
        """Pass over the missing ids before `until`, or before the first one that waits."""
        until = min(until, *self._held)
        self.stream.missing += until - self.last - 1
        _log.warning("ccxt: %s: trades %d to %d are missing for good", self.symbol, self.last + 1, until - 1)
        self.last = until - 1
        self._release()

    def _release(self) -> None:
        while self._held and self.last + 1 in self._held:
            self._pass(self.last + 1, self._held.pop(self.last + 1))
        if not self._held:
            self.stream.proven = 1

    def _pass(self, number: int, trade: Trade | None) -> None:
        self.last = number
        if trade is not None:
            self._ts = trade.ts
            self.stream.events += 1
            self._give(trade)


class Backfill:
    """Fetches the missing trades of sequences, one request at a time for each, until there is no hole."""

    def __init__(self, fetch: Callable[[str], Awaitable[Sequence[Numbered]]], timeout: int) -> None:
        self._fetch = fetch
        self._timeout = timeout / 1e9
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def mend(self, sequence: TradeSequence) -> None:
        """Begin to fetch what is missing, unless that is going on."""
        if sequence.symbol not in self._tasks:
            task = self._tasks[sequence.symbol] = asyncio.create_task(self._run(sequence))
            task.add_done_callback(lambda _: self._tasks.pop(sequence.symbol, None))

    async def close(self) -> None:
        """Stop fetching."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, sequence: TradeSequence) -> None:
        deadline = time.monotonic() + self._timeout
        await asyncio.sleep(_PATIENCE)
        attempt = 0
        while sequence.hole or sequence.unsure:
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    sequence.fill(await self._fetch(sequence.symbol))
                    if sequence.hole or sequence.unsure:
                        await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            except TimeoutError:
                sequence.give_up()
                return
            except Exception as error:  # noqa: BLE001 - ccxt raises many kinds, and the deadline ends it
                _log.warning("ccxt: %s: missing trades cannot be fetched yet: %s", sequence.symbol, error)
                await asyncio.sleep(min(_PAUSES[min(attempt, len(_PAUSES) - 1)], max(0, deadline - time.monotonic())))
            attempt += 1
