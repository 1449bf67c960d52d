"""The layout of a store: which folder and which names the events of a venue's channel have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast, get_args
from urllib.parse import quote, unquote

import msgspec

from quantmind.events.market import ChannelKind
from quantmind.kinds.channel import Channel
from quantmind.kinds.options import format_duration, parse_duration

DAY = 86_400_000_000_000
"""A day, in ns."""

HIDDEN = ".store"
"""The folder, in that of the store, of what is no data: the lock and the manifests."""

_EPOCH = date(1970, 1, 1)
_PART = re.compile(r"part-(\d{6,})(?:-(\d{6,}))?\.parquet")
_UNIFIED = re.compile(r"([^/:]+)/([^/:]+)(?::([^/:-]+)(-[^/:]+)?)?")


class Part(msgspec.Struct, frozen=True, order=True):
    """The name of a part file: the numbers of the row groups that it has, from `first` to `last`."""

    first: int
    last: int

    def __str__(self) -> str:
        """Write the name of the file."""
        span = f"{self.first:06d}" if self.first == self.last else f"{self.first:06d}-{self.last:06d}"
        return f"part-{span}.parquet"

    @classmethod
    def of(cls, name: str) -> Part | None:
        """Read the name of a file; None if it is no part."""
        match = _PART.fullmatch(name)
        return None if match is None else cls(int(match[1]), int(match[2] or match[1]))

    def replaces(self, other: Part) -> bool:
        """Tell whether all that the other one has is in this one too."""
        return self != other and self.first <= other.first and other.last <= self.last


class Stream(msgspec.Struct, frozen=True, order=True):
    """One `channel` of a `symbol` at a `venue`."""

    venue: str
    channel: Channel
    symbol: str

    def __str__(self) -> str:
        """Write it as a person reads it: `binance BTC/USDT:USDT trade`."""
        return f"{self.venue} {self.symbol} {channel_name(self.channel)}"

    @property
    def path(self) -> Path:
        """The folder of its days, below that of the store."""
        return Path(
            f"venue={quote(self.venue, safe=' ')}",
            f"channel={channel_name(self.channel)}",
            f"symbol={symbol_name(self.symbol)}",
        )


def channel_name(channel: Channel) -> str:
    """Return a channel as folders and the command line name it: `quote`, `bar-1m`."""
    return f"bar-{format_duration(channel.interval)}" if channel.kind == "bar" else channel.kind


def channels_told(found: Iterable[Stream]) -> str:
    """Write which channels there are, each once: `mark, quote, trade`."""
    return ", ".join(dict.fromkeys(channel_name(stream.channel) for stream in sorted(found)))


def channel_of(name: str) -> Channel | None:
    """Return the channel of a name; None if there is none."""
    kind, _, interval = name.partition("-")
    if kind not in get_args(ChannelKind) or (kind == "bar") != bool(interval):
        return None
    try:
        channel = Channel(cast("ChannelKind", kind), parse_duration(interval) if interval else 0)
    except ValueError:
        return None
    return channel if channel_name(channel) == name else None


def symbol_name(symbol: str) -> str:
    """Return a symbol as a folder is named: `BTC/USDT:USDT` is `BTC-USDT-USDT`."""
    match = _UNIFIED.fullmatch(symbol)
    if match is None:
        return _safe(symbol)
    parts = [_safe(part) for part in match.groups()[:3] if part is not None]
    expiry = [_safe(part) for part in match[4][1:].split("-")] if match[4] else []
    return "-".join([*parts, *expiry])


def symbol_of(name: str) -> str:
    """Return the symbol of a folder's name."""
    base, *rest = [unquote(part) for part in name.split("-")]
    if not rest:
        return base
    return f"{base}/{rest[0]}" + (f":{'-'.join(rest[1:])}" if rest[1:] else "")


def _safe(text: str) -> str:
    return quote(text, safe=" ").replace("-", "%2D")


def day_of(ts: int) -> int:
    """Return the number of the day, since 1970, of a time."""
    return ts // DAY


def day_name(day: int) -> str:
    """Return the name of the folder of a day."""
    return f"day={_EPOCH + timedelta(days=day)}"


def streams(folder: Path) -> list[Stream]:
    """Return every channel that has a folder in a store, in order."""
    found = []
    for path in folder.glob("venue=*/channel=*/symbol=*"):
        venue, name, symbol = (part.partition("=")[2] for part in path.parts[-3:])
        channel = channel_of(name)
        if channel is not None and path.is_dir():
            found.append(Stream(unquote(venue), channel, symbol_of(symbol)))
    return sorted(found)


def days(folder: Path, stream: Stream) -> list[int]:
    """Return the days of a channel that have a folder, in order."""
    return sorted(_days(folder / stream.path))


def _days(folder: Path) -> Iterator[int]:
    for path in folder.glob("day=*"):
        try:
            yield (date.fromisoformat(path.name.partition("=")[2]) - _EPOCH).days
        except ValueError:
            continue


def manifest_path(folder: Path, stream: Stream, day: int) -> Path:
    """Return where the manifest of a day is."""
    return folder / HIDDEN / stream.path / f"{day_name(day)}.json"


def midnight(day: int) -> str:
    """Return a day as people write it."""
    return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()
