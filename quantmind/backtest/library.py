"""Data files, found by their names: whose they are, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from quantmind.data.rows import stem
from quantmind.errors import UsageError
from quantmind.kinds.options import format_duration, parse_duration

Content = Literal["bars", "funding", "marks"]

NAMES = "BTC_USDT_USDT-1m-futures.feather, BTC_USDT_USDT-8h-funding_rate.feather, BTC_USDT_USDT-8h-mark.feather"
NAMED = f"files are found by names such as {NAMES} or BTCUSDT-1m.parquet"

_INTERVAL = re.compile(r"\d+[smhdw]")
_WORDS: dict[str, Content] = {
    "fundingrate": "funding",
    "funding": "funding",
    "mark": "marks",
    "markprice": "marks",
    "markpriceklines": "marks",
}
_OTHERS = frozenset(
    {
        "trades",
        "aggtrades",
        "bookticker",
        "bookdepth",
        "index",
        "indexprice",
        "indexpriceklines",
        "premiumindex",
        "premiumindexklines",
        "metrics",
        "liquidationsnapshot",
        "spot",
    }
)
"""What a file may hold that is none of these."""


class DataFile(msgspec.Struct, frozen=True):
    """A file: the letters of its symbol, what it holds, and of which interval (0 where the name says none)."""

    path: Path
    letters: str
    content: Content
    interval: int


class Library(msgspec.Struct, frozen=True):
    """All data files below some paths."""

    files: tuple[DataFile, ...]
    paths: tuple[Path, ...]

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Library:
        """Look through files and folders; opens none of the files.

        Raises:
            UsageError: a path is not there, or a file that is named has a name that tells nothing.
        """
        found: dict[Path, DataFile] = {}
        for path in paths:
            if path.is_dir():
                for below in sorted(entry for entry in path.rglob("*") if entry.is_file()):
                    file = named(below)
                    if file is not None:
                        found[below.resolve()] = file
                continue
            if not path.is_file():
                raise UsageError(f"{path}: no such file or folder")
            file = named(path)
            if file is None:
                raise UsageError(f"{path}: its name does not tell what it holds; {NAMED}")
            found[path.resolve()] = file
        return cls(tuple(found.values()), tuple(paths))

    def intervals(self, symbol: str, content: Content) -> list[int]:
        """Return the intervals that there are of a symbol, shortest first."""
        return sorted({file.interval for file in self._of(symbol, content)})

    def pick(self, symbol: str, content: Content, interval: int) -> list[Path]:
        """Return the files of a symbol, by path."""
        return [file.path for file in self._of(symbol, content) if file.interval == interval]

    def common(self, symbols: Iterable[str]) -> list[int]:
        """Return the intervals of bars that every symbol has, shortest first.

        Raises:
            UsageError: a symbol has no bars, or they share no interval.
        """
        each = {symbol: self.intervals(symbol, "bars") for symbol in symbols}
        for symbol, intervals in each.items():
            if not intervals:
                where = ", ".join(map(str, self.paths))
                stores = [told for told in map(_store, self.paths) if told]
                raise UsageError(f"there are no bars of {symbol} in {where}; {'; '.join(stores) or NAMED}")
        shared = set.intersection(*map(set, each.values()))
        if not shared:
            has = "; ".join(f"{symbol} has {listed(intervals)}" for symbol, intervals in each.items())
            raise UsageError(f"no interval of bars is there for every instrument: {has}")
        return sorted(shared)

    def _of(self, symbol: str, content: Content) -> list[DataFile]:
        base, _, rest = symbol.partition("/")
        quote, _, settle = rest.partition(":")
        known = {f"{base}{quote}", f"{base}{quote}{settle}"}
        return [file for file in self.files if file.content == content and file.letters in known]


def _store(path: Path) -> str:
    """Say what a store has, and how it is played; empty where the path is none."""
    from quantmind.data.store.layout import channels_told, streams

    found = streams(path) if path.is_dir() else []
    if not found:
        return ""
    venues = sorted({stream.venue for stream in found})
    told = (
        f"{path} is a store, of {channels_told(found)} of {', '.join(venues)}: it is played by the feed "
        f"`replay: {{store: {path}, venue: {venues[0]}}}` of a recipe, with `quantmind run`"
    )
    if any(stream.channel.kind == "bar" for stream in found):
        told += (
            f"; `quantmind data convert {path} --channels bar --to FILE` writes its bars to a file that is read here"
        )
    return told


def named(path: Path) -> DataFile | None:
    """Read a file's name: symbol, interval and content, with - between them; None if it tells no such thing."""
    letters, *parts = stem(path).split("-")
    interval = next((parse_duration(part) for part in parts if _INTERVAL.fullmatch(part)), 0)
    words = {re.sub(r"[^a-z]", "", part.lower()) for part in parts}
    content = next((_WORDS[word] for word in sorted(words & set(_WORDS))), None)
    if not letters or words & _OTHERS or not (content or interval):
        return None
    return DataFile(path, letters.replace("_", "").upper(), content or "bars", interval)


def listed(intervals: Iterable[int]) -> str:
    """Write intervals as `1m, 5m`."""
    return ", ".join(map(format_duration, intervals))
