"""What a store has, as the feed `replay` plays it."""

from __future__ import annotations

import pytest

from quantmind.data.store import Writer
from quantmind.errors import QuantMindError
from quantmind.events import Book, Quote, Trade
from quantmind.kinds import BOOKS, QUOTES, TRADES
from quantmind.market.instruments import KNOWN
from quantmind_files.replay import Replay, ReplayOptions

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
QUOTE = Quote(BTC, MINUTE, 100.0, 101.0, 1.0, 1.0)
TRADE = Trade(BTC, MINUTE + 1, 101.0, 1.0, 1)
BOOK = Book(BTC, MINUTE + 2, ((100.0, 1.0),), ((101.0, 1.0),))


async def events(replay):
    async with replay:
        return [event async for batch in replay.events() for event in batch]


@pytest.fixture
def stored(tmp_path):
    """Return a replay of a store of some events, of which all is wanted that it offers."""

    def make(*held, **options):
        with Writer(tmp_path / "market") as writer:
            writer.write("paper", held)
        given = ReplayOptions.model_validate({"store": str(tmp_path / "market"), "venue": "paper", **options})
        replay = Replay(given, [KNOWN[BTC]])
        replay.wanted = Replay.offers(given, [BTC])
        return replay

    return make


@pytest.mark.parametrize("held", [(QUOTE, TRADE), (TRADE, BOOK), (QUOTE, TRADE, BOOK)], ids=len)
async def test_of_quotes_and_book_a_store_has_what_it_has(stored, held):
    replay = stored(*held)
    assert replay.wanted == {BTC: {QUOTES, TRADES, BOOKS}}
    assert await events(replay) == list(held)


@pytest.mark.parametrize(
    ("held", "options", "told"),
    [
        ((TRADE,), {}, "has no books, quotes of BTC/USDT:USDT, but trades; record or download them, or write in `cha"),
        ((QUOTE, BOOK), {}, "has no trades of BTC/USDT:USDT, but books, quotes; "),
        ((QUOTE, TRADE), {"channels": ["book", "quote"]}, "has no books of BTC/USDT:USDT, but quotes, trades; "),
    ],
)
async def test_what_a_store_lacks_is_told_with_what_it_has(stored, held, options, told):
    with pytest.raises(QuantMindError, match=told):
        await events(stored(*held, **options))
