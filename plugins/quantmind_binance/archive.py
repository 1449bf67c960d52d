"""The archive `binance_archive`: Binance's public files of bars, marks, funding rates, trades and quotes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events import Bar, Market
from quantmind.kinds import Archive, Channel, Interval, Options, bars
from quantmind.kinds.options import parse_duration
from quantmind_binance.public_files import INTERVALS, KINDS, PublicFile, files
from quantmind_binance.rows import read
from quantmind_binance.site import NoSuchFileError, Site


class BinanceArchiveOptions(Options):
    """Options of the archive `binance_archive`."""

    base_url: str = Field(
        default="https://data.binance.vision",
        pattern=r"^https?://",
        description="The address of the site, or of a mirror.",
    )
    mark_interval: Interval = Field(
        default=60_000_000_000, description="The bars of the mark price that marks are taken from."
    )
    folder: Path | None = Field(
        default=None,
        description="Where files are put while they are fetched; left out, quantmind/binance in the user's cache.",
    )
    keep: bool = Field(default=False, description="Whether files stay there when they have been read.")
    parallel: int = Field(default=4, ge=1, le=32, description="Files that are fetched at the same time.")
    retries: int = Field(default=5, ge=0, le=100, description="How often a file that does not come is asked for again.")


class BinanceArchive(Archive[BinanceArchiveOptions]):
    """Fetches bars, marks, funding rates, trades and quotes from Binance's public data site, checksums verified."""

    name = "binance_archive"

    def __init__(self, options: BinanceArchiveOptions) -> None:
        super().__init__(options)
        self._site: Site | None = None

    @property
    def venue(self) -> str:
        """The venue's name, as ccxt has it."""
        return "binanceusdm"

    def channels(self, symbol: str) -> frozenset[Channel] | None:  # noqa: ARG002 - every symbol has the same files
        """Return what there are files of."""
        kinds = {Channel(kind) for kind in ("mark", "funding", "trade", "quote")}
        return frozenset(kinds | {bars(parse_duration(interval)) for interval in INTERVALS})

    async def open(self) -> None:
        """Make the folder that files are put into."""
        options = self.options
        folder = options.folder.expanduser() if options.folder else _cache()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise QuantMindError(f"{folder}: cannot be made: {error.strerror}; set `folder`") from error
        self._site = Site(options.base_url, folder, options.parallel, options.retries)
        await self._site.open()

    async def close(self) -> None:
        """Close the connections."""
        if self._site is not None:
            await self._site.close()
            self._site = None

    async def fetch(self, symbol: str, channel: Channel, start: int, end: int) -> AsyncIterator[Sequence[Market]]:
        """Yield the events of a span, in the order of the files' rows: whole months from the files of months.

        Raises:
            QuantMindError: a file is not there, or cannot be had, or is damaged; what comes before it was yielded.
        """
        interval = channel.interval if channel.kind == "bar" else self.options.mark_interval
        for file in files(symbol, channel, interval, start, end):
            try:
                async for batch in self._events(file, symbol, channel, start, end):
                    yield batch
            except NoSuchFileError as error:
                if not file.instead:
                    raise QuantMindError(f"{error}; {_published(channel)}") from error
                # The file of a month comes some days after its end.
                for day in file.instead:
                    async for batch in self._events(day, symbol, channel, start, end):
                        yield batch

    async def _events(
        self, file: PublicFile, symbol: str, channel: Channel, start: int, end: int
    ) -> AsyncIterator[Sequence[Market]]:
        """Yield the events of one file that are of the span."""
        if self._site is None:
            raise QuantMindError("binance_archive: fetch was called before open")
        async with self._site.held(file.path):
            try:
                path = await self._site.fetch(file.path)
            except OSError as error:
                raise QuantMindError(f"{error.filename or file.name}: cannot be written: {error.strerror}") from error
            batches = read(path, file.name, symbol, channel)
            while (batch := await asyncio.to_thread(_next, batches, file.name)) is not None:
                kept = _within(batch, start, end)
                if kept:
                    yield kept
            if not self.options.keep:
                path.unlink(missing_ok=True)


def _within(batch: list[Market], start: int, end: int) -> list[Market]:
    """Leave out what is not of a span; a bar is of the time it opens."""
    if isinstance(batch[0], Bar):
        start, end = start + batch[0].interval, end + batch[0].interval
    return [event for event in batch if start <= event.ts < end]


def _next(batches: Iterator[list[Market]], name: str) -> list[Market] | None:
    try:
        return next((batch for batch in batches if batch), None)
    except QuantMindError as error:
        text = str(error)
        raise QuantMindError(text if text.startswith(name) else f"{name}: {text}") from error


def _published(channel: Channel) -> str:
    kind = KINDS[channel.kind]
    if not kind.daily:
        return f"{channel} come as files of whole months, some days after their end"
    return "files come a day later, and none before the listing"


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".cache") / "quantmind" / "binance"
