"""Raw recordings of Binance's streams: a line for each message, with the time (ns) at which it came."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from quantmind.errors import QuantMindError
from quantmind.events import Market
from quantmind.events.market import ChannelKind
from quantmind.market.book import BookGap, OrderBook
from quantmind_binance.symbols import spelled, unified
from quantmind_binance.wire import (
    KINDS,
    MS,
    BookTicker,
    DepthUpdate,
    MarkPriceUpdate,
    Message,
    MiniTicker,
    Snapshot,
    TradeTick,
    snapshot,
    wrapped,
)

CHANNELS: frozenset[ChannelKind] = frozenset({"quote", "trade", "book", "mark", "funding", "ticker"})
"""What may be in a recording."""

_OF_ALL = (b'{"stream":"!markPrice@arr', b'{"stream":"!miniTicker@arr')
"""What the lines of streams begin with that have a list of all symbols."""

_BATCH = 5_000


class Line(msgspec.Struct, frozen=True, gc=False):
    """A message, when it came (ns), and its bytes as they came; a snapshot is the book of the recording's symbol."""

    received: int
    message: Message | Snapshot
    raw: bytes


class Recording:
    """A file of lines `<received ns> <json>`, gzipped or not, of wrapped messages (`{"stream", "data"}`)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> Iterator[Line]:
        """Yield the messages in the order in which they came; what is of other streams is passed over.

        Raises:
            QuantMindError: the file is missing, is no recording, or is damaged.
        """
        number = 0
        known = tuple(f'"e":"{kind}"'.encode() for kind in sorted(KINDS))
        try:
            with _opened(self.path) as file:
                for number, line in enumerate(file, 1):  # noqa: B007 - the message of a fault names it
                    stamp, _, raw = line.partition(b" ")
                    received = int(stamp)
                    if raw.startswith(b'{"stream"'):
                        if raw.startswith(_OF_ALL) or not any(each in raw for each in known):
                            continue
                        yield Line(received, wrapped.decode(raw).data, raw)
                    elif b'"lastUpdateId"' in raw:
                        yield Line(received, snapshot.decode(raw), raw)
        except FileNotFoundError:
            raise QuantMindError(f"{self.path}: no such file; recordings are looked up from {Path.cwd()}") from None
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise QuantMindError(f"{self.path}: line {number + 1} cannot be read: {reason}") from error
        except (ValueError, msgspec.MsgspecError) as error:
            raise QuantMindError(
                f"{self.path}: line {number} is no message of a recording such as 1723161255088169167 "
                f'{{"stream": ..., "data": ...}}'
            ) from error

    def symbols(self) -> frozenset[str]:
        """Return the unified symbols of the first messages; those of contracts that are no perpetuals are left out."""
        found = set()
        for count, line in enumerate(self.lines()):
            if not isinstance(line.message, Snapshot):
                found.add(line.message.s)
            if count >= _BATCH:
                break
        return frozenset(symbol for symbol in map(_perpetual, found) if symbol)

    def batches(
        self,
        symbol: str,
        channels: Collection[ChannelKind],
        levels: int,
        gap: Callable[[BookGap], None] | None = None,
    ) -> Iterator[Sequence[Market]]:
        """Yield the events of a symbol as they came, their `ts` never going back.

        The venue's streams overtake each other by some ms: what comes after a later event has that one's time. A
        book is given out after each change while it is proven, with so many levels on each side; `gap` is told when
        it is lost. A rate of funding is given out when its settlement has come.

        Raises:
            QuantMindError: the file is missing or damaged, or a book is wanted and there is no snapshot of one, or
                one that may be of another symbol.
        """
        reading = _Reading(symbol, channels, levels, gap)
        batch: list[Market] = []
        for line in self.lines():
            reading.read(line, batch)
            if reading.mixed:
                raise QuantMindError(
                    f"{self.path}: has order books of several symbols, and a snapshot does not say whose order book "
                    "it is: want no book, or record each symbol into a file of its own"
                )
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        if reading.unbridged:
            raise QuantMindError(
                f"{self.path}: has changes of the order book of {symbol}, but no snapshot that they follow: "
                "want no book, or record with a snapshot"
            )
        if batch:
            yield batch


class _Reading:
    """Turns messages of one symbol into events."""

    def __init__(
        self, symbol: str, channels: Collection[ChannelKind], levels: int, gap: Callable[[BookGap], None] | None
    ) -> None:
        self._symbol = symbol
        self._spelling = spelled(symbol)
        self._channels = channels
        self._levels = levels
        self._gap = gap
        self._book = OrderBook(symbol)
        self._changes = False
        self._shown = False
        self._begun = False
        self._others = False
        self._ts = 0
        self._settlement: MarkPriceUpdate | None = None

    @property
    def mixed(self) -> bool:
        """Whether a snapshot was taken that may be of another symbol."""
        return self._begun and self._others

    @property
    def unbridged(self) -> bool:
        """Whether there were changes of the book, and never a book."""
        return self._changes and not self._shown

    def read(self, line: Line, batch: list[Market]) -> None:
        message, channels = line.message, self._channels
        if isinstance(message, Snapshot):
            self._pass(message.T)
            self._snapshot(message, line.received, batch)
        elif message.s != self._spelling:
            self._others = self._others or isinstance(message, DepthUpdate)
        elif isinstance(message, BookTicker):
            self._pass(message.T)
            if "quote" in channels:
                self._give(message.quote(self._symbol, line.received), batch)
        elif isinstance(message, TradeTick):
            self._pass(message.T)
            if "trade" in channels and message.on_market:
                self._give(message.trade(self._symbol, line.received), batch)
        else:
            self._rarer(message, line.received, batch)

    def _rarer(self, message: Message, received: int, batch: list[Market]) -> None:
        if isinstance(message, MarkPriceUpdate):
            self._settle(message, received, batch)
            self._pass(message.E)
            if "mark" in self._channels:
                self._give(message.mark(self._symbol, received), batch)
        elif isinstance(message, MiniTicker):
            self._pass(message.E)
            if "ticker" in self._channels:
                self._give(message.ticker(self._symbol, received), batch)
        else:
            self._pass(message.T)
            if isinstance(message, DepthUpdate) and "book" in self._channels:
                self._change(message, received, batch)

    def _pass(self, ms: int) -> None:
        """Let it be the time of a message, whether or not somebody wants it: what is wanted changes no time."""
        self._ts = max(self._ts, ms * MS)

    def _give(self, event: Market, batch: list[Market]) -> None:
        batch.append(event if event.ts >= self._ts else msgspec.structs.replace(event, ts=self._ts))

    def _snapshot(self, message: Snapshot, received: int, batch: list[Market]) -> None:
        if "book" not in self._channels or (self._book.proven and message.lastUpdateId <= self._book.last):
            return
        self._begun = True
        bids, asks = message.levels()
        if self._book.snapshot(message.T * MS, message.lastUpdateId, bids, asks):
            self._show(received, batch)

    def _change(self, message: DepthUpdate, received: int, batch: list[Market]) -> None:
        self._changes = True
        try:
            changed = self._book.update(message.change())
        except BookGap as error:
            if self._gap is not None:
                self._gap(error)
            return
        if changed:
            self._show(received, batch)

    def _show(self, received: int, batch: list[Market]) -> None:
        self._shown = True
        self._give(self._book.top(self._levels, received), batch)

    def _settle(self, message: MarkPriceUpdate, received: int, batch: list[Market]) -> None:
        """Give out the settlement that the message before announced, when this one is of after it."""
        before, self._settlement = self._settlement, message
        if "funding" in self._channels and before is not None and 0 < before.T <= message.E and before.T != message.T:
            settled = before.settlement(self._symbol, received)
            if settled is not None:
                self._give(settled, batch)


def _perpetual(spelling: str) -> str:
    """Return the unified symbol of a perpetual; nothing for contracts of other kinds."""
    try:
        return unified(spelling)
    except ValueError:
        return ""


def looks_like_recording(path: Path) -> bool:
    """Say whether a file begins like a recording."""
    try:
        with _opened(path) as file:
            stamp, _, raw = file.readline(200).partition(b" ")
    except (OSError, EOFError, zlib.error):
        return False
    return stamp.isdigit() and len(stamp) == 19 and raw.startswith((b'{"stream"', b'{"lastUpdateId"'))


def _opened(path: Path) -> BinaryIO:
    path = path.expanduser()
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path, "rb")) if zipped else path.open("rb")
