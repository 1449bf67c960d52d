"""The store as it is read: what it has, events in order, and what came before a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.data.store.alignment import AT, Source, aligned
from quantmind.data.store.day import WINDOW, tables
from quantmind.data.store.layout import DAY, Stream, day_of, days, streams
from quantmind.data.store.manifest import Manifest, read_manifest
from quantmind.data.store.tables import events
from quantmind.errors import QuantMindError
from quantmind.events import Market
from quantmind.kinds.channel import Channel

if TYPE_CHECKING:
    import polars as pl

BATCH = 10_000
"""How many events are in a batch at the most."""

_LEAST = 2_000
"""How many rows of a file are held at once at the least, however many files there are."""

_LAST = (1 << 63) - 1


class Store:
    """A `folder` of recorded market events."""

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            QuantMindError: there is no such folder.
        """
        self.folder = folder.expanduser()
        if not self.folder.is_dir():
            raise QuantMindError(f"{self.folder}: there is no such folder; folders are looked up from {Path.cwd()}")

    def streams(self) -> list[Stream]:
        """Return the channels that it has, in the order of venue, channel and symbol."""
        return streams(self.folder)

    def days(self, stream: Stream) -> list[int]:
        """Return the days of a channel in order, as numbers of days since 1970."""
        return days(self.folder, stream)

    def manifest(self, stream: Stream, day: int) -> Manifest:
        """Return what a day has.

        Raises:
            QuantMindError: a part of it cannot be read.
        """
        return read_manifest(self.folder, stream, day)

    def venues(self) -> list[str]:
        """Return the venues that it has events of, in order of their names."""
        return sorted({stream.venue for stream in self.streams()})

    def offers(self, venue: str, symbols: Sequence[str]) -> dict[str, frozenset[Channel]]:
        """Return the channels of each of these symbols (in any order) that it has; looks at names of folders only."""
        there = [stream for stream in self.streams() if stream.venue == venue]
        found = {s: frozenset(stream.channel for stream in there if stream.symbol == s) for s in symbols}
        return {symbol: channels for symbol, channels in found.items() if channels}

    def span(self, venue: str, symbol: str, channel: Channel) -> tuple[int, int] | None:
        """Return the first and the last ts (ns UTC) of a channel; None where it has nothing.

        Raises:
            QuantMindError: a part cannot be read.
        """
        stream = Stream(venue, channel, symbol)
        manifests = [self.manifest(stream, day) for day in self.days(stream)]
        first = min((one.first for one in manifests if one.first is not None), default=None)
        last = max((one.last for one in manifests if one.last is not None), default=None)
        return None if first is None or last is None else (first + channel.interval, last + channel.interval)

    def read(
        self,
        venue: str,
        symbols: Sequence[str],
        channels: Mapping[str, Collection[Channel]] | Collection[Channel],
        start: int | None = None,
        end: int | None = None,
    ) -> Iterator[list[Market]]:
        """Yield the events of [start, end) (ns UTC), of bars those that open in it, in batches.

        They are in the order of `Precedence`; what is of one moment there too, in that of `received`. A part of each
        channel is in memory at a time. `channels` are of all symbols, or by symbol.

        Raises:
            QuantMindError: a part cannot be read.
        """
        wanted = channels if isinstance(channels, Mapping) else dict.fromkeys(symbols, channels)
        chosen = [Stream(venue, channel, s) for s in symbols for channel in sorted(wanted.get(s, ()))]
        window = max(_LEAST, WINDOW * 5 // max(len(chosen), 5))
        sources = []
        for stream in chosen:
            some = [day for day in self.days(stream) if _overlaps(day, start, end)]
            if some:
                first = some[0] * DAY + stream.channel.interval
                sources.append((stream, Source(self._tables(stream, some, start, end, window), first)))
        order = {symbol: index for index, symbol in enumerate(symbols)}
        for taken in aligned([source for _, source in sources]):
            yield from _ordered([(sources[n][0], rows) for n, rows in taken], order)

    def history(self, venue: str, symbol: str, channel: Channel, before: int, count: int) -> list[Market]:
        """Return the last `count` events from before a time (ns UTC), oldest first; of bars those closed by then.

        Raises:
            QuantMindError: a part cannot be read.
        """
        import polars as pl

        stream = Stream(venue, channel, symbol)
        until = before - channel.interval + (channel.kind == "bar")
        found: list[pl.DataFrame] = []
        left = count
        for day in reversed(self.days(stream)):
            if left < 1:
                break
            if day * DAY >= until:
                continue
            rows: pl.DataFrame | None = None
            for table in tables(self.folder, stream, day):
                some = table.filter(pl.col(AT) < until)
                rows = (some if rows is None else pl.concat([rows, some], rechunk=False)).tail(left)
                if len(some) < len(table):
                    break
            if rows is not None and len(rows):
                found.insert(0, rows)
                left -= len(rows)
        return [event for rows in found for event in events(symbol, channel, rows)]

    def _tables(
        self, stream: Stream, some: Sequence[int], start: int | None, end: int | None, window: int
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows of a channel, sorted by the time of their events."""
        import polars as pl

        at = pl.col(AT)
        bounds = [*([at >= start] if start is not None else []), *([at < end] if end is not None else [])]
        for day in some:
            for rows in tables(self.folder, stream, day, window):
                kept = rows.filter(*bounds) if bounds else rows
                yield kept.with_columns(at + stream.channel.interval) if stream.channel.interval else kept


def _overlaps(day: int, start: int | None, end: int | None) -> bool:
    return (start is None or day >= day_of(start)) and (end is None or day * DAY < end)


def _ordered(taken: Sequence[tuple[Stream, pl.DataFrame]], order: Mapping[str, int]) -> Iterator[list[Market]]:
    """Yield the events of several tables of one span of time in their order."""
    import polars as pl

    if len(taken) == 1:
        ((stream, rows),) = taken
        for some in rows.iter_slices(BATCH):
            yield events(stream.symbol, stream.channel, some)
        return
    made: list[Market] = []
    keys = []
    for stream, rows in taken:
        made += events(stream.symbol, stream.channel, rows)
        rank = _LAST if stream.channel.kind == "funding" else stream.channel.interval
        keys.append(
            rows.select(AT, "received", rank=pl.lit(rank, pl.Int64), symbol=pl.lit(order[stream.symbol], pl.Int64))
        )
    places = (
        pl.concat(keys, rechunk=False)
        .with_row_index("place")
        .sort(AT, "rank", "symbol", "received", nulls_last=False, maintain_order=True)["place"]
        .to_list()
    )
    for start in range(0, len(places), BATCH):
        yield [made[place] for place in places[start : start + BATCH]]
