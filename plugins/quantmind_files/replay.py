"""The replay feed: recorded bars, mark prices and funding rates in place of a venue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from quantmind.data.recorded import Recorded, Selection
from quantmind.data.rows import file_format
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
    funding: dict[str, Files] = Field(default={}, description="Files of funding rates of each symbol that has some.")
    marks: dict[str, Files] = Field(
        default={}, description="Files of bars of the mark price, of any interval, of each symbol that has some."
    )
    start: Moment | None = Field(default=None, description="The first bar is the first to open then or later.")
    end: Moment | None = Field(default=None, description="The last bar is the last to open before.")
    speed: Literal["max"] | Annotated[float, Field(gt=0)] = Field(
        default="max", description="How many times real time it runs; `max` is as fast as possible."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("end must be after start")
        for path in (
            path for files in (self.files, self.funding, self.marks) for paths in files.values() for path in paths
        ):
            try:
                file_format(path)
            except QuantMindError as error:
                raise ValueError(str(error)) from error
        return self

    def recorded(self) -> Recorded:
        """Return what the options name."""
        return Recorded(self.files, self.interval, self.funding, self.marks, self.start, self.end)


class Replay(Feed[ReplayOptions]):
    """Replays bars, mark prices and funding rates from Parquet, Feather or CSV files."""

    name = "replay"

    def __init__(self, options: ReplayOptions, instruments: Sequence[Instrument]) -> None:
        super().__init__(options, instruments)
        self._selection: Selection | None = None

    @classmethod
    def offers(cls, options: ReplayOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer bars of the interval, mark prices and funding rates, of each symbol that has files."""
        return options.recorded().offers(symbols)

    @property
    def speed(self) -> float | None:
        """How many times real time it runs; None is as fast as possible."""
        return None if self.options.speed == "max" else self.options.speed

    async def open(self) -> None:
        """Read and check the rows of everything that somebody needs."""
        options = self.options
        symbols = [instrument.symbol for instrument in self.instruments]
        self._selection = options.recorded().read(symbols, self.wanted)
        asked = any(bars(options.interval) in self.wanted.get(s, ()) for s in symbols if s in options.files)
        if asked and not len(self._selection.bars):
            since = "the beginning" if options.start is None else format_moment(options.start)
            until = "the end" if options.end is None else format_moment(options.end)
            raise QuantMindError(f"replay: no file has a bar from {since} to {until}; set other `start` and `end`")

    async def close(self) -> None:
        """Let go of the rows."""
        self._selection = None

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the events, sorted by (ts, marks before bars before funding rates, order of the instruments)."""
        if self._selection is not None:
            for batch in self._selection.batches():
                yield batch

    async def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last `count` events from before `start`; none without a `start`."""
        return self.options.recorded().history(symbol, channel, count)
