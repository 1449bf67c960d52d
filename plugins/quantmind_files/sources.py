"""What a replay reads from: bar files, raw recordings, or the local store."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from quantmind.data.recorded import Recorded
from quantmind.errors import QuantMindError
from quantmind.events import Market
from quantmind.events.market import ChannelKind
from quantmind.kinds import BOOKS, QUOTES, Channel, bars
from quantmind.kinds.moment import format_moment

_BATCH = 5_000
_PRICES = frozenset({QUOTES, BOOKS})
_log = logging.getLogger(__name__)

Wanted = Mapping[str, Collection[Channel]]
"""The channels of each symbol that somebody needs."""


class Source(Protocol):
    """Recorded market data of several symbols."""

    def offers(self, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Return the channels of each symbol; opens no file."""

    def read(self, symbols: Sequence[str], wanted: Wanted) -> Iterator[Sequence[Market]]:
        """Return the events of what is wanted, in order, after a look at whether there are any."""

    def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last `count` events from before the start."""


class BarFiles(msgspec.Struct, frozen=True):
    """Files of bars, mark prices and funding rates."""

    recorded: Recorded

    def offers(self, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Return the channels of each symbol that has files."""
        return self.recorded.offers(symbols)

    def read(self, symbols: Sequence[str], wanted: Wanted) -> Iterator[Sequence[Market]]:
        """Read and check the rows.

        Raises:
            QuantMindError: a file cannot be read or holds what cannot be true, or no bar is in the span.
        """
        recorded = self.recorded
        selection = recorded.read(symbols, wanted)
        asked = any(bars(recorded.interval) in wanted.get(s, ()) for s in symbols if s in recorded.files)
        if asked and not len(selection.bars):
            raise _nothing("no file has a bar", recorded.start, recorded.end)
        return selection.batches()

    def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last events before the start."""
        return self.recorded.history(symbol, channel, count)


class RawFiles(msgspec.Struct, frozen=True):
    """A raw recording of a venue's streams for each symbol."""

    files: Mapping[str, Path]
    kinds: frozenset[str]
    levels: int
    start: int | None
    end: int | None

    def offers(self, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Return the channels that the recordings are said to have."""
        return {symbol: frozenset(map(_channel, self.kinds)) for symbol in symbols if symbol in self.files}

    def read(self, symbols: Sequence[str], wanted: Wanted) -> Iterator[Sequence[Market]]:
        """Return the events by time, those of one recording as they came.

        Raises:
            QuantMindError: a file is missing or no recording.
        """
        from quantmind_binance.recording import Recording

        read = []
        for symbol in symbols:
            kinds: set[ChannelKind] = {channel.kind for channel in wanted.get(symbol, ())}
            if symbol not in self.files or not kinds:
                continue
            recording = Recording(self.files[symbol])
            held = recording.symbols()
            if symbol not in held:
                raise QuantMindError(
                    f"{self.files[symbol]}: has nothing of {symbol}, but of {', '.join(sorted(held)) or 'no symbol'}"
                )
            read.append(recording.batches(symbol, kinds, self.levels))
        return _some(self._within(read[0] if len(read) == 1 else _merged(read)), self.start, self.end)

    def _within(self, batches: Iterator[Sequence[Market]]) -> Iterator[Sequence[Market]]:
        start, end = self.start, self.end
        if start is None and end is None:
            yield from batches
            return
        for batch in batches:
            if end is not None and batch[0].ts >= end:
                return
            kept = [e for e in batch if (start is None or e.ts >= start) and (end is None or e.ts < end)]
            if kept:
                yield kept

    def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:  # noqa: ARG002
        """Return none: what is before the start of a recording warms nobody up."""
        return ()


class Stored(msgspec.Struct, frozen=True):
    """What the local store has of a venue; with `any_prices` it need not have both quotes and books."""

    folder: Path
    venue: str
    kinds: frozenset[str]
    any_prices: bool
    interval: int
    start: int | None
    end: int | None

    def offers(self, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Return the channels that the store is said to have, of every symbol."""
        channels = frozenset(_channel(kind, self.interval) for kind in self.kinds)
        return dict.fromkeys(symbols, channels)

    def read(self, symbols: Sequence[str], wanted: Wanted) -> Iterator[Sequence[Market]]:
        """Return the events of the span, read day by day.

        Raises:
            QuantMindError: there is no such store, it has nothing of the venue, or lacks what is wanted of a symbol.
        """
        from quantmind.data.store import Store

        store = Store(self.folder)
        if self.venue not in store.venues():
            raise QuantMindError(
                f"{self.folder}: has nothing of {self.venue}, but of {', '.join(store.venues()) or 'no venue'}; "
                "set `venue`"
            )
        held = store.offers(self.venue, symbols)
        found: dict[str, Collection[Channel]] = {}
        for symbol in symbols:
            asked = frozenset(wanted.get(symbol, ()))
            there = held.get(symbol, frozenset())
            lacking = sorted(asked - there)
            # Quotes and books both tell the best prices: where it was not said which, those that there are do.
            if lacking and not (self.any_prices and set(lacking) < _PRICES & asked):
                raise QuantMindError(
                    f"{self.folder}: has no {', '.join(map(str, lacking))} of {symbol}, but "
                    f"{', '.join(map(str, sorted(there))) or 'nothing'}; record or download them, or write in "
                    "`channels` what it has"
                )
            if lacking:
                _log.warning("%s: has no %s of %s; played without", self.folder, lacking[0], symbol)
            found[symbol] = asked & there
        return _some(store.read(self.venue, symbols, found, self.start, self.end), self.start, self.end)

    def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last events before the start; none without one."""
        if self.start is None or count < 1:
            return ()
        from quantmind.data.store import Store

        return Store(self.folder).history(self.venue, symbol, channel, self.start, count)


def _channel(kind: str, interval: int = 0) -> Channel:
    return bars(interval) if kind == "bar" else Channel(kind)  # type: ignore[arg-type] # the options say which there are


def _merged(sources: Sequence[Iterator[Sequence[Market]]]) -> Iterator[Sequence[Market]]:
    batch: list[Market] = []
    flat = [(event for events in source for event in events) for source in sources]
    for event in heapq.merge(*flat, key=_time):
        batch.append(event)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _some(batches: Iterator[Sequence[Market]], start: int | None, end: int | None) -> Iterator[Sequence[Market]]:
    """Yield the batches; a replay of nothing is a mistake."""
    empty = True
    for batch in batches:
        empty = False
        yield batch
    if empty:
        raise _nothing("there is no event", start, end)


def _time(event: Market) -> int:
    return event.ts


def _nothing(what: str, start: int | None, end: int | None) -> QuantMindError:
    since = "the beginning" if start is None else format_moment(start)
    until = "the end" if end is None else format_moment(end)
    return QuantMindError(f"replay: {what} from {since} to {until}; set other `start` and `end`")
