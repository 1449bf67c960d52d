"""The feed on a real recording that the venue plays: what is published is what was sent."""

from __future__ import annotations

import json

import pytest

from quantmind.events import Book, Quote, Trade
from quantmind.kinds import BOOKS, QUOTES, TRADES

BTC = "BTC/USDT:USDT"
CHANNELS = frozenset({QUOTES, TRADES, BOOKS})


def shared(live):
    """Pair the books and quotes of the same number."""
    quotes = {quote.update: quote for quote in live.of(Quote)}
    return [(book, quotes[book.update]) for book in live.of(Book) if book.update in quotes]


def sent(live, name, *, missed):
    return [json.loads(each.payload) for each in live.log if each.stream.endswith(name) and each.missed is missed]


def agrees(book, quote):
    return (*book.bids[0], *book.asks[0]) == (quote.bid, quote.bid_size, quote.ask, quote.ask_size)


async def begun(live):
    """Let the market go on to the first change of its book, and stand still until that is proven."""
    while not live.stream("book").events:
        await live.advance(0.001, 0.001)
        await live.settled()


@pytest.fixture
def recording(data):
    return {"recording": data / "binance_usdm_raw" / "btcusdt_20240808.gz"}


@pytest.mark.slow
async def test_the_book_of_a_real_recording_equals_every_quote_of_the_same_number(live, recording):
    running = await live(CHANNELS, venue=recording, backlog=1_000_000)
    await begun(running)
    await running.advance(350, 1)
    await running.settled()
    pairs = shared(running)
    assert len(pairs) == 629
    assert [pair for pair in pairs if not agrees(*pair)] == []
    assert [book for book in running.of(Book) if book.bids[0][0] >= book.asks[0][0]] == []
    assert {running.stream(channel).gaps for channel in ("book", "trade", "quote")} == {0}


@pytest.mark.slow
async def test_a_line_that_is_cut_loses_what_was_sent_meanwhile_and_nothing_else(live, recording):
    running = await live(CHANNELS, venue=recording, backlog=1_000_000)
    await begun(running)
    await running.advance(100, 1)
    running.venue.faults.add({"close": {"code": 1006}}, running.venue.clock.ns())
    await running.until(lambda: all(line.trouble for line in running.lines), "all lines are lost")
    assert "connection is lost" in running.feed.ailments()[BTC]
    await running.advance(10, 1)
    await running.connected()
    await running.advance(0.5, 0.01)
    await running.until(lambda: not running.feed.ailments(), "well again")
    await running.advance(100, 1)
    await running.settled()

    sent_quotes = sent(running, "@bookTicker", missed=False)
    assert [quote.update for quote in running.of(Quote)] == [quote["u"] for quote in sent_quotes]
    assert [pair for pair in shared(running) if not agrees(*pair)] == []
    missed = {each["u"] for each in sent(running, "@depth@0ms", missed=True)}
    # The snapshot after the loss may be as of the last change that was missed.
    assert missed
    assert len(missed & {book.update for book in running.of(Book)}) <= 1

    trades = sent(running, "@trade", missed=False) + sent(running, "@trade", missed=True)
    ids = [trade.id for trade in running.of(Trade)]
    assert ids == list(range(ids[0], ids[-1] + 1))
    assert set(ids) == {trade["t"] for trade in trades}
    stream = running.stream("trade")
    assert stream.missing == 0
    assert stream.backfilled == len(sent(running, "@trade", missed=True))
    assert (stream.gaps, stream.completeness) == (1, 1.0)
    assert running.stream("book").completeness < 1
    assert [line.reconnects for line in running.lines] == [1, 1, 1]
    times = [event.ts for event in running.events]
    assert times == sorted(times)
