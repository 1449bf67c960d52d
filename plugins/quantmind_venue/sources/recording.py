"""A raw recording as the market: its messages as they came, with their numbers, payloads and pauses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from quantmind.errors import QuantMindError
from quantmind_binance.recording import Line, Recording
from quantmind_binance.symbols import spelled
from quantmind_binance.wire import BookTicker, DepthUpdate, MarkPriceUpdate, MiniTicker, Snapshot, TradeTick
from quantmind_venue.market.board import MS, Board
from quantmind_venue.market.pit import Trade
from quantmind_venue.sources.source import Happening

_LEAD = 30_000_000_000
"""How long after its beginning (ns) a recording's first snapshot may come."""

_SAMPLE = 2_000
"""Messages by which the recorder's clock is compared with the venue's."""


class RecordedMarket:
    """Plays a recording of one contract.

    It begins with the recording's first snapshot of the book: what came before is on the board at once. With `moved`
    the times of messages (`E`, `T`) are moved to begin at the venue's start; nothing else of them is changed, but for
    the fields `ps` and `st`, which venues of today add.
    """

    base = "1m"

    def __init__(self, path: Path, *, moved: bool) -> None:
        self._recording = Recording(path)
        self._moved = moved
        self._lead: list[Line] = []
        self._snapshot: Snapshot | None = None
        self._lines: Iterator[Line] = iter(())
        self._spelling = ""
        self._first = 0
        self._ahead = 0

    def spellings(self) -> Sequence[str]:
        """Return the contract of the recording, which is read as far as its first snapshot."""
        path = self._recording.path
        symbols = self._recording.symbols()
        if len(symbols) != 1:
            found = ", ".join(sorted(symbols)) or "none"
            raise QuantMindError(f"{path}: a recording that is played must be of one contract, was of {found}")
        (self._spelling,) = map(spelled, symbols)
        self._read()
        return (self._spelling,)

    def _read(self) -> None:
        lines = self._recording.lines()
        sample: list[Line] = []
        for line in lines:
            sample.append(line)
            if isinstance(line.message, Snapshot):
                self._snapshot = line.message
                break
            if line.received - sample[0].received > _LEAD:
                break
        if self._snapshot is not None:
            self._lead, sample = sample[:-1], []
        ahead = list(itertools.islice(lines, _SAMPLE))
        self._lines = itertools.chain(sample, ahead, lines)
        known = [line for line in (*self._lead, *sample, *ahead) if not isinstance(line.message, Snapshot)]
        if not known:
            raise QuantMindError(f"{self._recording.path}: holds no message of a stream")
        self._ahead = max(line.message.E * MS - line.received for line in known)
        self._first = (self._lead or sample or ahead)[-1 if self._lead else 0].received

    def begins(self) -> int | None:
        """Return the time at which it was recorded, unless its times are moved."""
        return None if self._moved else self._first + self._ahead

    def prepare(self, board: Board, now: int) -> None:
        """Put the first snapshot on the board, and what came before it."""
        pit = board.pits[self._spelling]
        shift = self._shift(now)
        for line in self._lead:
            message = line.message
            if isinstance(message, BookTicker):
                pit.quote = message.quote(pit.symbol)
                pit.quote_ms = message.T + shift
            elif isinstance(message, TradeTick) and float(message.p) > 0:
                pit.trade(Trade(message.t, message.p, message.q, message.T + shift, message.m))
        if self._snapshot is not None:
            self._take(board, self._snapshot, shift)

    def play(self, board: Board, start: int) -> Iterator[Happening]:
        """Yield the messages, each when it came."""
        offset = start - self._first if self._moved else self._ahead
        shift = self._shift(start)
        last = self._snapshot.lastUpdateId if self._snapshot is not None else 0
        # Changes that were read before the snapshot, but belong after it.
        kept = [line for line in self._lead if isinstance(line.message, DepthUpdate) and line.message.u >= last]
        due = start
        for line in itertools.chain(kept, self._lines):
            message = line.message
            if isinstance(message, Snapshot):
                if not board.pits[self._spelling].book.proven:
                    yield due, partial(self._take, board, message, shift)
                continue
            due = max(due, line.received + offset, (message.E + shift) * MS)
            yield due, partial(self._give, board, line, shift)

    def _shift(self, start: int) -> int:
        """Return by how much (ms) the times of messages are moved: none of them is of the future when it is sent."""
        return (start - self._first - self._ahead) // MS if self._moved else 0

    def _take(self, board: Board, snapshot: Snapshot, shift: int) -> None:
        bids, asks = snapshot.levels()
        board.pits[self._spelling].book.snapshot((snapshot.T + shift) * MS, snapshot.lastUpdateId, bids, asks)

    def _give(self, board: Board, line: Line, shift: int) -> None:
        message, spelling = line.message, self._spelling
        if isinstance(message, MarkPriceUpdate):
            board.mark_recorded(spelling, message, shift)
            return
        payload = self._payload(line, shift)
        if isinstance(message, BookTicker):
            quote = message.quote(board.pits[spelling].symbol)
            if shift:
                quote = type(quote)(
                    quote.symbol,
                    quote.ts + shift * MS,
                    quote.bid,
                    quote.ask,
                    quote.bid_size,
                    quote.ask_size,
                    0,
                    quote.update,
                )
            board.quoted(spelling, quote, payload)
        elif isinstance(message, TradeTick):
            board.traded(spelling, Trade(message.t, message.p, message.q, message.T + shift, message.m), payload)
        elif isinstance(message, DepthUpdate):
            change = message.change()
            if shift:
                change = type(change)(
                    change.ts + shift * MS, change.first, change.last, change.previous, change.bids, change.asks
                )
            board.changed(spelling, change, message.b, message.a, payload)

    def _payload(self, line: Line, shift: int) -> bytes:
        """Return the message without its wrapping; as it came, unless its times are moved."""
        raw = line.raw.rstrip()
        data = raw[raw.index(b'"data":') + 7 : -1]
        if not self._moved:
            return data
        message = line.message
        if isinstance(message, Snapshot):
            return data
        data = data.replace(b'"E":%d' % message.E, b'"E":%d' % (message.E + shift), 1)
        if not isinstance(message, MiniTicker):
            data = data.replace(b'"T":%d' % message.T, b'"T":%d' % (message.T + shift), 1)
        added = b""
        if b'"ps":' not in data and isinstance(message, BookTicker | DepthUpdate):
            added += b',"ps":"%b"' % self._spelling.encode()
        if b'"st":' not in data:
            added += b',"st":1'
        return data[:-1] + added + b"}"
