"""Brings files of others into a store: bars, marks and funding rates, and whatever an archive reads."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from quantmind.backtest.library import Content, named
from quantmind.data.bars import read_bars
from quantmind.data.funding import read_funding
from quantmind.data.marks import read_marks
from quantmind.data.rows import file_format
from quantmind.data.store.writer import Writer
from quantmind.errors import QuantMindError, UsageError
from quantmind.events import FundingRate, Mark, Market
from quantmind.kinds import Archive, Channel, bars
from quantmind.kinds.options import format_duration

_JSON = (".json", ".json.gz")
_BATCH = 10_000
_EVER = 1 << 62
"""A time (ns) that no recording reaches."""


class Source(msgspec.Struct, frozen=True):
    """A file, and what of it the command line or its name says."""

    path: Path
    symbol: str
    content: Content
    interval: int

    @classmethod
    def of(cls, path: Path, symbol: str | None, content: Content | None, interval: int | None) -> Source:
        """Complete what is said by what the name of the file tells.

        Raises:
            UsageError: neither tells enough.
        """
        plain = Path(path.name.removesuffix(".gz").removesuffix(".json") + ".csv") if is_json(path) else path
        told = named(plain)
        symbol = symbol or _symbol(plain)
        if symbol is None:
            raise UsageError(f"{path}: its name does not tell the symbol; give --symbol BTC/USDT:USDT")
        content = content or (told.content if told else "bars")
        interval = interval or (told.interval if told else 0)
        if content == "bars" and not interval:
            raise UsageError(f"{path}: its name does not tell the length of its bars; give --interval 1m")
        return cls(path, symbol, content, interval)

    @property
    def channel(self) -> Channel:
        """The channel that it becomes."""
        if self.content == "bars":
            return bars(self.interval)
        return Channel("funding" if self.content == "funding" else "mark")


def is_json(path: Path) -> bool:
    """Tell whether a file is JSON by its name."""
    return path.name.lower().endswith(_JSON)


def is_table(path: Path) -> bool:
    """Tell whether a file is a table of rows by its name."""
    if is_json(path):
        return True
    try:
        file_format(path)
    except QuantMindError:
        return False
    return True


def take_file(source: Source, venue: str, writer: Writer) -> int:
    """Put the rows of a file into a store; return how many there were.

    Raises:
        QuantMindError: it cannot be read, holds what cannot be true, or the store cannot be written.
    """
    count = 0
    with _readable(source.path) as path:
        try:
            for batch in _events(source, path):
                writer.write(venue, batch)
                count += len(batch)
        except QuantMindError as error:
            # A file that was made of another one is not the user's.
            raise type(error)(str(error).replace(str(path), str(source.path))) from error
    return count


def _events(source: Source, path: Path) -> Iterator[Sequence[Market]]:
    symbol = source.symbol
    if source.content == "bars":
        yield from read_bars({symbol: [path]}, source.interval).batches()
        return
    if source.content == "funding":
        for rows in read_funding([path]).iter_slices(_BATCH):
            yield [FundingRate(symbol, time, rate, mark) for time, rate, mark in rows.iter_rows()]
        return
    for rows in read_marks([path]).iter_slices(_BATCH):
        yield [Mark(symbol, time, price) for time, price in rows.iter_rows()]


async def take_recording(archive: Archive[Any], symbol: str, channels: Sequence[Channel], writer: Writer) -> int:
    """Put what an archive reads of a symbol into a store; return how many events there were.

    Raises:
        QuantMindError: it cannot be read, or the store cannot be written.
    """
    count = 0
    async with archive:
        for channel in channels:
            async for batch in archive.fetch(symbol, channel, 0, _EVER):
                writer.write(archive.venue, batch)
                count += len(batch)
    return count


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[Path]:
    """Give a file that the readers of tables know: JSON rows [time, open, high, low, close, volume] become Parquet."""
    if not is_json(path):
        yield path
        return
    import polars as pl

    try:
        content = path.expanduser().read_bytes()
        rows = msgspec.json.decode(gzip.decompress(content) if path.name.endswith(".gz") else content)
        names = ("date", "open", "high", "low", "close", "volume")
        table = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row", strict=False)
    except OSError as error:
        raise QuantMindError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, msgspec.MsgspecError, pl.exceptions.PolarsError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise QuantMindError(f"{path}: is no list of rows [time, open, high, low, close, volume]: {reason}") from error
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "rows.parquet"
        table.with_columns(pl.col("date").cast(pl.Int64)).write_parquet(made)
        yield made


def _symbol(path: Path) -> str | None:
    """Read the symbol of a name such as BTC_USDT_USDT-1m-futures.feather; None if it has none of this form."""
    base, *rest = path.name.partition("-")[0].split("_")
    if not base or len(rest) not in {1, 2} or not all(rest):
        return None
    return f"{base}/{rest[0]}" + (f":{rest[1]}" if len(rest) == 2 else "")


def described(source: Source) -> str:
    """Name what a file has: `bars of 1m of BTC/USDT:USDT`."""
    what = f"bars of {format_duration(source.interval)}" if source.content == "bars" else str(source.channel)
    return f"{what} of {source.symbol}"
