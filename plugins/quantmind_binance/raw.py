"""The archive `binance_raw`: a raw recording of Binance's streams, read into market events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events import Market
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, Archive, Channel, Options
from quantmind_binance.recording import Recording, looks_like_recording

_CHANNELS = frozenset({QUOTES, TRADES, BOOKS, MARKS, FUNDING, TICKERS})


class BinanceRawOptions(Options):
    """Options of the archive `binance_raw`."""

    file: Path = Field(
        examples=["btcusdt_20240808.gz"],
        description="The recording: lines of `<received ns> <json>`, gzipped or not; found by a look at its first "
        "line.",
    )
    levels: int = Field(default=20, ge=1, le=1000, description="Levels of the order book on each side.")


class BinanceRaw(Archive[BinanceRawOptions]):
    """Reads a raw recording of Binance's USD-M streams: quotes, trades, order book, mark prices, funding rates."""

    name = "binance_raw"

    @property
    def venue(self) -> str:
        """The venue's name, as ccxt has it."""
        return "binanceusdm"

    @classmethod
    def reading(cls, path: Path) -> Self | None:
        """Return an archive of the file, if it begins like a recording."""
        return cls(BinanceRawOptions(file=path)) if looks_like_recording(path) else None

    def channels(self, symbol: str) -> frozenset[Channel] | None:
        """Return what may be in it of a symbol that is; the whole of it is not looked through."""
        return _CHANNELS if symbol in Recording(self.options.file).symbols() else frozenset()

    async def fetch(self, symbol: str, channel: Channel, start: int, end: int) -> AsyncIterator[Sequence[Market]]:
        """Yield the events of a span."""
        if channel not in _CHANNELS:
            raise QuantMindError(f"{self.options.file}: a raw recording has no {channel}")
        for batch in Recording(self.options.file).batches(symbol, {channel.kind}, self.options.levels):
            within = batch if start <= batch[0].ts and batch[-1].ts < end else [e for e in batch if start <= e.ts < end]
            if within:
                yield within
