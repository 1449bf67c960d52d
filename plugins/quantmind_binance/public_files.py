"""The files of Binance's public data site: which ones have a span of a channel, and where they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from quantmind.errors import QuantMindError
from quantmind.kinds import Channel
from quantmind.kinds.options import format_duration
from quantmind_binance.symbols import spelled

INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
"""The intervals of bars that there are files of each day of."""

_DAY = timedelta(days=1)
_FUTURES = "data/futures/um"


class Kind(msgspec.Struct, frozen=True):
    """A kind of file: the folder it is in, the columns that are read of it, and of how long it is."""

    folder: str
    columns: tuple[str, ...]
    """All columns, in their order; a file may have them as its first line."""
    daily: bool = True
    monthly: bool = True


_CANDLES = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)

KINDS = {
    "bar": Kind("klines", _CANDLES),
    "mark": Kind("markPriceKlines", _CANDLES),
    "funding": Kind("fundingRate", ("calc_time", "funding_interval_hours", "last_funding_rate"), daily=False),
    # A month of these is some GB: a day at a time is resumed and fetched in parallel better.
    "trade": Kind("trades", ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker"), monthly=False),
    "quote": Kind(
        "bookTicker",
        (
            "update_id",
            "best_bid_price",
            "best_bid_qty",
            "best_ask_price",
            "best_ask_qty",
            "transaction_time",
            "event_time",
        ),
        monthly=False,
    ),
}
"""The kinds of file by the kind of channel."""


class PublicFile(msgspec.Struct, frozen=True):
    """A file of the site: its path, and the span (ns) that it has."""

    path: str
    begins: int
    ends: int
    instead: tuple[PublicFile, ...] = ()
    """The files of single days that have the same, where this one is of a month."""

    @property
    def name(self) -> str:
        """Its name, without folders."""
        return self.path.rpartition("/")[2]


def files(symbol: str, channel: Channel, interval: int, start: int, end: int) -> Iterator[PublicFile]:
    """Yield the files that have [start, end) of a channel, in order: of months as far as whole ones are wanted.

    Raises:
        QuantMindError: there are no such files, or the symbol is none of this venue.
    """
    kind = KINDS.get(channel.kind)
    if kind is None:
        raise QuantMindError(f"the public data of Binance have no {channel}; they have {', '.join(sorted(KINDS))}")
    try:
        spelling = spelled(symbol)
    except ValueError as error:
        raise QuantMindError(str(error)) from error
    label = kind.folder
    folder = f"{kind.folder}/{spelling}"
    if "open_time" in kind.columns:
        label = format_duration(interval)
        if label not in INTERVALS:
            raise QuantMindError(
                f"the public data of Binance have no bars of {label}; they have {', '.join(INTERVALS)}"
            )
        folder += f"/{label}"

    def daily(day: datetime) -> PublicFile:
        path = f"{_FUTURES}/daily/{folder}/{spelling}-{label}-{day:%Y-%m-%d}.zip"
        return PublicFile(path, _ns(day), _ns(day + _DAY))

    def monthly(month: datetime) -> PublicFile:
        after = _next_month(month)
        days = tuple(daily(month + _DAY * n) for n in range((after - month).days)) if kind.daily else ()
        path = f"{_FUTURES}/monthly/{folder}/{spelling}-{label}-{month:%Y-%m}.zip"
        return PublicFile(path, _ns(month), _ns(after), days)

    day = _midnight(start)
    while _ns(day) < end:
        month = day.replace(day=1)
        after = _next_month(month)
        whole = day == month and start <= _ns(month) and end >= _ns(after)
        if kind.monthly and (whole or not kind.daily):
            yield monthly(month)
            day = after
        else:
            yield daily(day)
            day += _DAY


def _midnight(ns: int) -> datetime:
    return datetime.fromtimestamp(ns // 86_400_000_000_000 * 86_400, UTC)


def _next_month(month: datetime) -> datetime:
    return (month + 31 * _DAY).replace(day=1)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000
