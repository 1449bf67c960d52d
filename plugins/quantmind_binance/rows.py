"""Zipped CSV files of Binance's public data as market events, a part of a file at a time."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from quantmind.data.rows import by_magnitude
from quantmind.errors import QuantMindError
from quantmind.events import Bar, FundingRate, Mark, Market, Quote, Trade
from quantmind.kinds import Channel
from quantmind_binance.public_files import KINDS, Kind

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 4_000_000
"""Bytes of a file that are held at once."""

_SECOND = 1_000_000_000


def read(path: Path, name: str, symbol: str, channel: Channel) -> Iterator[list[Market]]:
    """Yield the events of a zipped file, in the order of its rows; `name` is what a fault calls it.

    Raises:
        QuantMindError: it is no zipped CSV, or a row of it cannot be read.
    """
    kind = KINDS[channel.kind]
    make = _MAKERS[channel.kind]
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.namelist() if member.endswith(".csv")]
            if len(members) != 1:
                raise QuantMindError(f"{name}: must hold one CSV file, holds {len(members)}")
            with archive.open(members[0]) as file:
                for block in _blocks(file):
                    yield make(symbol, channel.interval, _table(block, kind, name))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise QuantMindError(f"{name}: cannot be unzipped: {error}") from error


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield whole lines, about a block of them at a time, without a line of names."""
    rest = b""
    first = True
    while block := file.read(_BLOCK):
        lines, end, rest = (rest + block).rpartition(b"\n")
        if first and end:
            first = False
            # Older files begin with figures, newer ones with the names of the columns.
            if not lines.lstrip()[:1].isdigit():
                lines = lines.partition(b"\n")[2]
        if lines.strip():
            yield lines + end
    if rest.strip():
        yield rest


def _table(block: bytes, kind: Kind, name: str) -> pl.DataFrame:
    """Read lines as text columns."""
    import polars as pl

    try:
        rows = pl.read_csv(block, has_header=False, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise QuantMindError(f"{name}: cannot be read: {str(error).partition(chr(10))[0]}") from error
    if rows.width < len(kind.columns):
        raise QuantMindError(f"{name}: has {rows.width} columns, not {len(kind.columns)}: {', '.join(kind.columns)}")
    return rows.rename(dict(zip(rows.columns, kind.columns, strict=False)))


def _numbers(rows: pl.DataFrame, times: str, figures: Sequence[str], whole: Sequence[str] = ()) -> list[list[float]]:
    """Return columns as numbers, the times in ns."""
    import polars as pl

    read = rows.select(
        by_magnitude(pl.col(times).str.strip_chars().cast(pl.Int64, strict=False)).alias(times),
        *(pl.col(name).str.strip_chars().cast(pl.Int64, strict=False) for name in whole),
        *(pl.col(name).str.strip_chars().cast(pl.Float64, strict=False) for name in figures),
    )
    for name in read.columns:
        if (nulls := read[name].is_null()).any():
            found = rows[name][nulls.arg_max() or 0]
            raise QuantMindError(f"a row has no readable {name}, but {found!r}")
    return [read[name].to_list() for name in read.columns]


def _bars(symbol: str, interval: int, rows: pl.DataFrame) -> list[Market]:
    opens, *figures = _numbers(rows, "open_time", ("open", "high", "low", "close", "volume"))
    return list(map(Bar, repeat(symbol), [int(at) + interval for at in opens], repeat(interval), *figures))


def _marks(symbol: str, _: int, rows: pl.DataFrame) -> list[Market]:
    """Take the mark price at the open of each bar: high and low have no time, and the close is the next one's open."""
    return list(map(Mark, repeat(symbol), *_numbers(rows, "open_time", ("open",))))


def _funding(symbol: str, _: int, rows: pl.DataFrame) -> list[Market]:
    """Take the second of the settlement: the site has the time of the reckoning, some ms later."""
    times, rates = _numbers(rows, "calc_time", ("last_funding_rate",))
    return [FundingRate(symbol, int(at) // _SECOND * _SECOND, rate) for at, rate in zip(times, rates, strict=True)]


def _trades(symbol: str, _: int, rows: pl.DataFrame) -> list[Market]:
    times, ids, prices, sizes = _numbers(rows, "time", ("price", "qty"), ("id",))
    makers = rows["is_buyer_maker"].str.strip_chars().str.to_lowercase()
    if not makers.is_in(["true", "false"]).all():
        raise QuantMindError("a row has an is_buyer_maker that is neither true nor false")
    sides = [-1 if maker == "true" else 1 for maker in makers]
    made = zip(times, prices, sizes, sides, ids, strict=True)
    # What the venue settles by itself, such as an insurance fund's trade, can be without a price.
    return [Trade(symbol, int(at), price, size, side, int(id_)) for at, price, size, side, id_ in made if price > 0]


def _quotes(symbol: str, _: int, rows: pl.DataFrame) -> list[Market]:
    times, ids, *figures = _numbers(
        rows,
        "transaction_time",
        ("best_bid_price", "best_ask_price", "best_bid_qty", "best_ask_qty"),
        ("update_id",),
    )
    return list(map(Quote, repeat(symbol), times, *figures, repeat(0), ids))


_MAKERS: dict[str, Callable[[str, int, pl.DataFrame], list[Market]]] = {
    "bar": _bars,
    "mark": _marks,
    "funding": _funding,
    "trade": _trades,
    "quote": _quotes,
}
