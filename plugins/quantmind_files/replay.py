"""The replay feed: recorded market data in place of a venue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from quantmind.data.recorded import Recorded
from quantmind.data.rows import file_format
from quantmind.errors import QuantMindError
from quantmind.events import Market
from quantmind.kinds import Channel, Feed, Interval, Options
from quantmind.kinds.moment import Moment
from quantmind.market.instruments import Instrument
from quantmind_files.sources import BarFiles, RawFiles, Source, Stored


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, (str, Path)) else value


Files = Annotated[
    list[Path],
    BeforeValidator(_one_or_several, json_schema_input_type=Path | Annotated[list[Path], Field(min_length=1)]),
    Field(min_length=1),
]
"""One path or a list of them."""


class ReplayOptions(Options):
    """Options of the replay feed."""

    files: dict[str, Files] = Field(
        default={},
        examples=[{"BTC/USDT:USDT": "data/BTC_USDT_USDT-1m-futures.feather"}],
        description="Parquet, Feather or CSV files (also .csv.gz) of the bars of each symbol: one path or a list of "
        "them, from the current directory; `~` is your home.",
    )
    interval: Interval = Field(
        default=60_000_000_000, examples=["1m"], description="The length of the bars in the files."
    )
    funding: dict[str, Files] = Field(default={}, description="Files of funding rates of each symbol that has some.")
    marks: dict[str, Files] = Field(
        default={}, description="Files of bars of the mark price, of any interval, of each symbol that has some."
    )
    raw: dict[str, Path] = Field(
        default={},
        description="Instead of files: for each symbol a raw recording of Binance's streams, lines of `<received "
        "ns> <json>`, gzipped or not.",
    )
    store: Path | None = Field(
        default=None, description="Instead of files: the folder that `quantmind data` records and downloads into."
    )
    venue: str = Field(
        default="binanceusdm",
        min_length=1,
        description="Whose the data are; of a store, by the name that they have there.",
    )
    channels: frozenset[Literal["quote", "trade", "book", "mark", "funding", "ticker", "bar"]] = Field(
        default=frozenset({"quote", "trade", "book"}),
        min_length=1,
        description="What is replayed of a raw recording or of the store; a `bar` is one of the `interval`. Left out, "
        "a store may lack the book, or the quotes where it has a book.",
    )
    levels: int = Field(default=20, ge=1, le=1000, description="Levels of a raw recording's book, on each side.")
    start: Moment | None = Field(
        default=None,
        description="The first bar is the first to open then or later, the first event is of then or later.",
    )
    end: Moment | None = Field(
        default=None, description="The last bar is the last to open before, the last event is of before."
    )
    speed: Literal["max"] | Annotated[float, Field(gt=0)] = Field(
        default="max", description="How many times real time it runs; `max` is as fast as possible."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("end must be after start")
        given = [name for name in ("files", "raw", "store") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                "name what is replayed: files, raw or store"
                if not given
                else f"{' and '.join(given)} exclude each other: write two replay feeds, their events are merged"
            )
        if (self.funding or self.marks) and not self.files:
            raise ValueError(f"funding and marks belong to files; with {given[0]} name them in channels")
        if self.raw and "bar" in self.channels:
            raise ValueError("a raw recording has no bars: they are built from its trades")
        for path in (
            path for files in (self.files, self.funding, self.marks) for paths in files.values() for path in paths
        ):
            try:
                file_format(path)
            except QuantMindError as error:
                raise ValueError(str(error)) from error
        return self

    def source(self) -> Source:
        """Return what the options name."""
        if self.raw:
            return RawFiles(self.raw, self.channels, self.levels, self.start, self.end)
        if self.store is not None:
            any_prices = "channels" not in self.model_fields_set
            return Stored(self.store, self.venue, self.channels, any_prices, self.interval, self.start, self.end)
        return BarFiles(Recorded(self.files, self.interval, self.funding, self.marks, self.start, self.end))


class Replay(Feed[ReplayOptions]):
    """Replays market data: bar files, raw recordings of a venue's streams, or what was recorded in the store.

    One replay has one of the three, `files`, `raw` or `store`; the events of several replays are merged. Strategies are
    warmed up with rows from before `start`; without a `start` there are none.
    """

    name = "replay"

    def __init__(self, options: ReplayOptions, instruments: Sequence[Instrument]) -> None:
        super().__init__(options, instruments)
        self._source = options.source()
        self._batches: Iterator[Sequence[Market]] = iter(())

    @classmethod
    def offers(cls, options: ReplayOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer what the options name, of each symbol that has files; the store is taken to have every symbol."""
        return options.source().offers(symbols)

    @classmethod
    def venue(cls, options: ReplayOptions) -> str:
        """Return the venue that the data are of."""
        return options.venue

    @property
    def speed(self) -> float | None:
        """How many times real time it runs; None is as fast as possible."""
        return None if self.options.speed == "max" else self.options.speed

    async def open(self) -> None:
        """Look into the files of everything that somebody needs; bars and what is beside them are read and checked."""
        self._batches = self._source.read([instrument.symbol for instrument in self.instruments], self.wanted)

    async def close(self) -> None:
        """Let go of the rows."""
        self._batches = iter(())

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the events in their order.

        Bar files: sorted by (ts, marks before bars before funding rates, order of the instruments). Recorded events:
        by ts, and of one moment as they came.
        """
        for batch in self._batches:
            yield batch

    async def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last `count` events from before `start`; none without a `start`, and none of a raw recording."""
        return self._source.history(symbol, channel, count)
