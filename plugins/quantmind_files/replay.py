"""The replay feed: recorded bars in place of a venue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from quantmind.data.bar_file import bar_file_format
from quantmind.data.bar_table import BarTable
from quantmind.data.bars import read_bars
from quantmind.errors import QuantMindError
from quantmind.events import Market
from quantmind.kinds import Channel, Feed, Interval, Options, bars
from quantmind.kinds.moment import Moment, format_moment
from quantmind.market.instruments import Instrument


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, (str, Path)) else value


Files = Annotated[list[Path], BeforeValidator(_one_or_several), Field(min_length=1)]
"""One path or a list of them."""


class ReplayOptions(Options):
    """Options of the replay feed."""

    files: dict[str, Files] = Field(
        min_length=1,
        description="Parquet, Feather or CSV files of each symbol, from the current directory.",
    )
    interval: Interval = Field(default=60_000_000_000, description="The length of the bars in the files.")
    start: Moment | None = Field(default=None, description="The first bar is the first to open then or later.")
    end: Moment | None = Field(default=None, description="The last bar is the last to open before.")
    speed: Literal["max"] | Annotated[float, Field(gt=0)] = Field(
        default="max", description="How many times real time it runs; `max` is as fast as possible."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("end must be after start")
        for path in (path for paths in self.files.values() for path in paths):
            try:
                bar_file_format(path)
            except QuantMindError as error:
                raise ValueError(str(error)) from error
        return self


class Replay(Feed[ReplayOptions]):
    """Replays bars from Parquet, Feather or CSV files."""

    name = "replay"

    def __init__(self, options: ReplayOptions, instruments: Sequence[Instrument]) -> None:
        super().__init__(options, instruments)
        self._bars: BarTable | None = None

    @classmethod
    def offers(cls, options: ReplayOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer bars of the interval, of each symbol that has files."""
        channels = frozenset({bars(options.interval)})
        return {symbol: channels for symbol in symbols if symbol in options.files}

    @property
    def speed(self) -> float | None:
        """How many times real time it runs; None is as fast as possible."""
        return None if self.options.speed == "max" else self.options.speed

    async def open(self) -> None:
        """Read and check the rows of every symbol whose bars somebody needs."""
        options = self.options
        channel = bars(options.interval)
        files = {
            instrument.symbol: options.files[instrument.symbol]
            for instrument in self.instruments
            if instrument.symbol in options.files and channel in self.wanted.get(instrument.symbol, ())
        }
        self._bars = read_bars(files, options.interval, options.start, options.end)
        if files and not len(self._bars):
            since = "the beginning" if options.start is None else format_moment(options.start)
            until = "the end" if options.end is None else format_moment(options.end)
            raise QuantMindError(f"replay: no file has a bar from {since} to {until}; set other `start` and `end`")

    async def close(self) -> None:
        """Let go of the rows."""
        self._bars = None

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the bars, sorted by (ts, order of the recipe's instruments)."""
        if self._bars is not None:
            for batch in self._bars.batches():
                yield batch

    async def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last `count` bars that opened before `start`; none without a `start`."""
        options = self.options
        if options.start is None or symbol not in options.files or channel != bars(options.interval) or count < 1:
            return ()
        table = read_bars({symbol: options.files[symbol]}, options.interval, end=options.start, last=count)
        return [bar for batch in table.batches() for bar in batch]
