"""The feed of a backtest: recorded data in place of whatever the recipe names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from pydantic import Field

from quantmind.data.recorded import Recorded
from quantmind.events import Market
from quantmind.kinds import Channel, Feed, Options


class RecordedFeedOptions(Options):
    """Options of the feed of a backtest."""

    recorded: Recorded = Field(description="The files, and the part of them that is replayed.")


class RecordedFeed(Feed[RecordedFeedOptions]):
    """Replays recorded bars, mark prices and funding rates as fast as possible."""

    name = "recorded"

    @classmethod
    def offers(cls, options: RecordedFeedOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer what there are files of."""
        return options.recorded.offers(symbols)

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the events in order."""
        symbols = [instrument.symbol for instrument in self.instruments]
        for batch in self.options.recorded.read(symbols, self.wanted).batches():
            yield batch

    async def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last `count` events from before the start; none without one."""
        return self.options.recorded.history(symbol, channel, count)
