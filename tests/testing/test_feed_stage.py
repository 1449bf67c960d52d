"""The feed stage around one feed: what a strategy would be given of it, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from quantmind.errors import ComponentError, QuantMindError, RecipeError
from quantmind.events import Bar, Mark, Trade
from quantmind.kinds import MARKS, QUOTES, TRADES, Feed, Needs, NoOptions, bars
from quantmind.market.instruments import KNOWN
from quantmind.testing import FeedStage, ListFeed, waiting
from quantmind.testing.list_feed import ListFeedOptions

BTC, ETH = KNOWN
MINUTE = 60_000_000_000
SECOND = 1_000_000_000


def trade(second, price, symbol=BTC):
    return Trade(symbol, second * SECOND, price, 1.0, 1, second)


def bar(minute, price=1.0, interval=MINUTE):
    return Bar(BTC, minute * MINUTE, interval, price, price, price, price, 1.0)


def listed(*events, history=(), symbols=(BTC,)):
    return ListFeed(ListFeedOptions(events=events, history=history), [KNOWN[symbol] for symbol in symbols])


async def read(feed, needs):
    async with FeedStage(feed, needs) as stage:
        await stage.ended()
    return stage


async def test_what_is_needed_is_given_and_nothing_else():
    stage = await read(listed(trade(1, 2.0), Mark(BTC, SECOND, 3.0)), Needs((MARKS,)))
    assert stage.feed.wanted == {BTC: {MARKS}}
    assert stage.events == [Mark(BTC, SECOND, 3.0)]
    assert stage.history == []


async def test_bars_are_built_of_trades_and_come_at_their_close():
    events = (trade(55, 7.0), trade(65, 2.0), trade(90, 4.0), trade(110, 3.0), trade(130, 9.0))
    stage = await read(listed(*events), Needs((bars(MINUTE), TRADES)))
    assert [type(event) for event in stage.events] == [Trade, Trade, Trade, Trade, Bar, Trade]
    assert stage.of(Bar) == [Bar(BTC, 2 * MINUTE, MINUTE, 2.0, 4.0, 2.0, 3.0, 3.0)]


async def test_longer_bars_are_built_of_shorter_ones():
    stage = await read(listed(*(bar(number, float(number)) for number in range(1, 6))), Needs((bars(2 * MINUTE),)))
    assert [(each.open, each.close) for each in stage.of(Bar) if each.interval == 2 * MINUTE] == [
        (1.0, 2.0),
        (3.0, 4.0),
    ]


async def test_the_history_comes_before():
    past = tuple(bar(number) for number in range(5))
    stage = await read(listed(bar(5), history=past), Needs((bars(MINUTE),), history=3))
    assert stage.history == [*past[-3:]]
    assert stage.events == [bar(5)]


async def test_every_instrument_is_fed():
    events = (trade(1, 1.0), trade(1, 2.0, ETH))
    assert (await read(listed(*events, symbols=(BTC, ETH)), Needs((TRADES,)))).events == [*events]


def test_what_the_feed_does_not_offer_is_told():
    with pytest.raises(RecipeError, match=f"needs quotes of {BTC}, but no feed offers them; list offers trades"):
        FeedStage(listed(trade(1, 1.0)), Needs((QUOTES,)))


class Wire(Feed[NoOptions]):
    """Gives marks as they are put in, and fails or ends when told to."""

    name = "wire"
    live = True
    state = "made"

    def __init__(self, options, instruments):
        super().__init__(options, instruments)
        self.queue = asyncio.Queue()

    @classmethod
    def offers(cls, options, symbols):
        return dict.fromkeys(symbols, frozenset({MARKS}))

    async def open(self):
        self.state = "open"

    async def close(self):
        self.state = "closed"

    async def history(self, symbol, channel, count):
        if count == 13:
            raise QuantMindError("no past")
        return ()

    async def events(self):
        while (item := await self.queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield [item]


@pytest.fixture
def wire():
    return Wire(NoOptions(), [KNOWN[BTC]])


async def test_live_events_are_waited_for_and_acted_for(wire):
    async with FeedStage(wire, Needs((MARKS,))) as stage:
        assert wire.state == "open"
        await stage.until(lambda: len(stage.of(Mark)) == 3, act=lambda: wire.queue.put(Mark(BTC, SECOND, 1.0)))
    assert wire.state == "closed"


async def test_a_feed_that_fails_ends_the_waiting(wire):
    wire.queue.put_nowait(ValueError("torn"))
    async with FeedStage(wire, Needs((MARKS,))) as stage:
        for waiting_for in (stage.until(lambda: stage.events), stage.ended()):
            with pytest.raises(ComponentError, match="feed wire failed: ValueError: torn"):
                await waiting_for
    assert wire.state == "closed"


async def test_a_feed_that_ends_before_it_gave_it_is_told(wire):
    wire.queue.put_nowait(None)
    async with FeedStage(wire, Needs((MARKS,))) as stage:
        with pytest.raises(AssertionError, match="wire has ended after 0 events: no mark"):
            await stage.until(lambda: stage.events, "no mark")


async def test_a_feed_that_goes_on_has_no_end(wire, monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 0.05)
    async with FeedStage(wire, Needs((MARKS,))) as stage:
        with pytest.raises(AssertionError, match="wire goes on"):
            await stage.ended()


async def test_a_feed_without_its_history_is_closed(wire):
    with pytest.raises(QuantMindError, match="no past"):
        await FeedStage(wire, Needs((MARKS,), history=13)).__aenter__()
    assert wire.state == "closed"
