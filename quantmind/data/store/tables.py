"""Market events as tables, and back: one set of typed columns for each kind of channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from quantmind.events import Bar, Book, FundingRate, Mark, Market, Quote, Ticker, Trade
from quantmind.events.market import ChannelKind
from quantmind.kinds.channel import Channel

if TYPE_CHECKING:
    import polars as pl


class Columns(msgspec.Struct, frozen=True):
    """The columns of a kind of channel beside the time and `received`."""

    type: type[Any]
    figures: tuple[str, ...] = ()
    """The fields that are float64 columns, in the order of the event's fields."""
    whole: Mapping[str, str] = {}
    """The fields that are whole numbers, each with its type."""
    number: str = ""
    """The field that the venue numbers the events with."""


COLUMNS: dict[ChannelKind, Columns] = {
    "quote": Columns(Quote, ("bid", "ask", "bid_size", "ask_size"), {"update": "Int64"}, "update"),
    "trade": Columns(Trade, ("price", "size"), {"side": "Int8", "id": "Int64"}, "id"),
    "bar": Columns(Bar, ("open", "high", "low", "close", "volume")),
    "mark": Columns(Mark, ("price",)),
    "funding": Columns(FundingRate, ("rate", "mark")),
    "book": Columns(Book, (), {"update": "Int64"}, "update"),
    "ticker": Columns(Ticker, ("open", "high", "low", "last", "volume", "turnover")),
}

_SIDES = (("bid_prices", "bids", 0), ("bid_sizes", "bids", 1), ("ask_prices", "asks", 0), ("ask_sizes", "asks", 1))
"""The list columns of a book: name, field of the event, place in a level."""

_IN_BOOKS = frozenset(name for name, _, _ in _SIDES)


def time_column(channel: Channel) -> str:
    """Return the name of the column of times: a bar has that of its open, as files of bars do."""
    return "time" if channel.kind == "bar" else "ts"


def schema(channel: Channel) -> dict[str, Any]:
    """Return the columns of a channel's files and their types."""
    import polars as pl

    columns = COLUMNS[channel.kind]
    time = pl.Datetime("ns", "UTC")
    return {
        time_column(channel): time,
        **dict.fromkeys(columns.figures, pl.Float64),
        **({name: pl.List(pl.Float64) for name, _, _ in _SIDES} if channel.kind == "book" else {}),
        **{name: getattr(pl, type_) for name, type_ in columns.whole.items()},
        "received": time,
    }


def table(channel: Channel, events: Sequence[Any]) -> pl.DataFrame:
    """Return events of one channel as a table.

    Raises:
        TypeError, OverflowError: a figure is of another type, or a whole number is too large for 64 bits.
    """
    import polars as pl

    types = schema(channel)
    time = time_column(channel)
    whole = {time: "Int64", "received": "Int64", **COLUMNS[channel.kind].whole}
    series = []
    for name in types:
        if name in _IN_BOOKS:
            continue
        values: list[Any] = list(map(attrgetter("ts" if name == time else name), events))
        if name == "received":
            values = [value or None for value in values]
        series.append(pl.Series(name, values, getattr(pl, whole.get(name, "Float64"))))
    if channel.kind == "book":
        series += [*_levels("bids", events), *_levels("asks", events)]
    rows = pl.DataFrame(series).select(list(types))
    if channel.kind == "bar":
        rows = rows.with_columns(pl.col(time) - channel.interval)
    return rows.with_columns(pl.col(time, "received").cast(types[time]))


def _levels(field: str, events: Sequence[Any]) -> list[pl.Series]:
    """Return one side of books as columns of lists: the prices, and the sizes."""
    import polars as pl

    names = [name for name, side, _ in _SIDES if side == field]
    sides = list(map(attrgetter(field), events))
    counts = set(map(len, sides))
    if len(counts) == 1 and (count := counts.pop()):
        # Most books have as many levels as the one before: a flat column, cut up, takes a third of the time.
        flat = pl.Series(list(chain.from_iterable(chain.from_iterable(sides))), dtype=pl.Float64)
        return [
            flat.gather_every(2, place).reshape((-1, count)).arr.to_list().alias(name)
            for place, name in enumerate(names)
        ]
    return [
        pl.Series(name, [[level[place] for level in levels] for levels in sides], pl.List(pl.Float64))
        for place, name in enumerate(names)
    ]


def events(stream_symbol: str, channel: Channel, rows: pl.DataFrame) -> list[Market]:
    """Return the rows of a table as events."""
    import polars as pl

    columns = COLUMNS[channel.kind]
    time = time_column(channel)
    ends = pl.col(time).dt.timestamp("ns") + (channel.interval if channel.kind == "bar" else 0)
    plain = rows.select(ends.alias("ts"), pl.col("received").dt.timestamp("ns").fill_null(0))
    given: dict[str, Any] = {"symbol": repeat(stream_symbol), "ts": plain["ts"].to_list()}
    given["received"] = plain["received"].to_list()
    given["interval"] = repeat(channel.interval)
    for name in (*columns.figures, *columns.whole):
        given[name] = rows[name].to_list()
    if channel.kind == "book":
        for field in ("bids", "asks"):
            prices, sizes = (rows[name].to_list() for name, side, _ in _SIDES if side == field)
            given[field] = [tuple(zip(p, s, strict=True)) for p, s in zip(prices, sizes, strict=True)]
    make: Callable[..., Any] = columns.type
    return list(map(make, *(given[field] for field in columns.type.__struct_fields__)))
