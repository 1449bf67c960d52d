"""A feed of given events, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from pydantic import Field

from quantmind.events import Market
from quantmind.kinds import Channel, Feed, Options


class ListFeedOptions(Options):
    """Options of `list`."""

    events: tuple[Market, ...] = Field(description="The events, in order.")
    history: tuple[Market, ...] = Field(default=(), description="What came before them.")
    speed: float | None = Field(default=None, gt=0, description="How many times real time.")


class ListFeed(Feed[ListFeedOptions]):
    """Gives out a list of events."""

    name = "list"

    @classmethod
    def offers(cls, options: ListFeedOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer what is in the list."""
        return {
            symbol: frozenset(Channel.of(event) for event in options.events if event.symbol == symbol)
            for symbol in symbols
        }

    @property
    def speed(self) -> float | None:
        """How many times real time it runs."""
        return self.options.speed

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield what somebody wants of the list."""
        yield [event for event in self.options.events if Channel.of(event) in self.wanted.get(event.symbol, ())]

    async def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last events of the history."""
        found = [event for event in self.options.history if event.symbol == symbol and Channel.of(event) == channel]
        return found[-count:] if count else ()
