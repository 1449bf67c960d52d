"""A made-up feed, and options of whoever needs something: what they offer and need is said by their options."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from quantmind.kinds import MARKS, QUOTES, TRADES, Channel, Feed, Needs, Options, bars


def channel(word: str) -> Channel:
    return {"quotes": QUOTES, "trades": TRADES, "marks": MARKS}.get(word) or bars(int(word) * 1_000_000_000)


class TapeOptions(Options):
    gives: list[str] = Field(default=["quotes", "trades"], description="Channels, or seconds of bars.")
    only: str = Field(default="", description="The only symbol offered.")
    broken: bool = Field(default=False, description="Raise when asked.")


class Tape(Feed[TapeOptions]):
    """Offers what its options say."""

    name = "tape"

    @classmethod
    def offers(cls, options: TapeOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        if options.broken:
            raise KeyError("tape")
        symbols = [symbol for symbol in symbols if options.only in ("", symbol)]
        return {symbol: frozenset(map(channel, options.gives)) for symbol in symbols}


class NeedsOptions(Options):
    needs: list[str] = Field(default=[], description="Channels, or seconds of bars.")
    history: int = Field(default=0, description="Events to warm up with.")

    def all(self, *, facts: bool = False) -> Needs:
        """Return what they ask for, with fills and positions beside the market where facts are wanted."""
        return Needs(tuple(map(channel, self.needs)), self.history, fills=facts, positions=facts)
