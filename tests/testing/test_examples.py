"""The drawn markets are such as a venue could have."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal

import pytest
from hypothesis import find, given, settings

from quantmind.events import Bar, Book, FundingRate, Quote, Signal, Ticker, Trade
from quantmind.events.market import CHANNELS
from quantmind.events.names import EVENT_TYPES
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, Channel, bars
from quantmind.market.instruments import KNOWN
from quantmind.testing import examples
from quantmind.testing.proving.walk import Segment, walk

BTC, ETH = KNOWN
MINUTE = examples.MINUTE
ALL = (QUOTES, TRADES, MARKS, FUNDING, BOOKS, TICKERS, bars(MINUTE), bars(5 * MINUTE))
FEW = settings(max_examples=30, deadline=None)


def channel(event):
    return bars(event.interval) if isinstance(event, Bar) else Channel(CHANNELS[type(event)])


def whole(figure, step):
    return Decimal(repr(figure)) % step == 0


@FEW
@given(examples.markets([BTC, ETH], ALL, most=30))
def test_a_market_could_be_one(market):
    last = None
    for event in market:
        assert event.symbol in KNOWN
        assert channel(event) in ALL
        assert event.ts > examples.START
        assert last is None or event.ts >= last.ts
        if isinstance(last, Bar) and isinstance(event, Bar) and last.ts == event.ts:
            assert event.interval >= last.interval
        last = event
        tick, step = KNOWN[event.symbol].tick, KNOWN[event.symbol].step
        if isinstance(event, Quote):
            assert 0 < event.bid < event.ask
            assert all(whole(price, tick) for price in (event.bid, event.ask))
            assert all(size > 0 and whole(size, step) for size in (event.bid_size, event.ask_size))
        elif isinstance(event, Trade):
            assert event.side in {1, -1}
            assert event.price > 0
            assert whole(event.price, tick)
            assert event.size > 0
            assert whole(event.size, step)
        elif isinstance(event, Bar):
            assert 0 < event.low <= min(event.open, event.close) <= max(event.open, event.close) <= event.high
            assert event.ts % event.interval == 0
            assert event.volume > 0 or event.low == event.high
        elif isinstance(event, Book):
            bids, asks = [[price for price, _ in side] for side in (event.bids, event.asks)]
            assert bids == sorted(set(bids), reverse=True)
            assert asks == sorted(set(asks))
            assert bids[0] < asks[0]
        elif isinstance(event, FundingRate):
            assert event.ts % (8 * 60 * MINUTE) == 0
        elif isinstance(event, Ticker):
            assert event.low <= min(event.open, event.last) <= max(event.open, event.last) <= event.high


@FEW
@given(examples.markets([BTC], [TRADES, bars(MINUTE), bars(3 * MINUTE)], most=40))
def test_bars_are_those_of_the_trades(market):
    trades = [event for event in market if isinstance(event, Trade)]
    for bar in (event for event in market if isinstance(event, Bar)):
        within = [trade for trade in trades if bar.ts - bar.interval < trade.ts <= bar.ts]
        assert bar.volume == pytest.approx(math.fsum(trade.size for trade in within))
        if within:
            prices = [trade.price for trade in within]
            assert bar.close == prices[-1]
            assert (bar.high, bar.low) == (max(*prices, bar.open), min(*prices, bar.open))


@FEW
@given(examples.bars(ETH, 5 * MINUTE, most=20))
def test_bars_follow_each_other(history):
    assert len(history) <= 20
    for before, after in itertools.pairwise(history):
        assert after.open == before.close
        assert (after.ts - before.ts) % (5 * MINUTE) == 0


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (examples.quotes, "quote"),
        (examples.trades, "trade"),
        (examples.marks, "mark"),
        (examples.funding, "funding"),
        (examples.books, "book"),
        (examples.tickers, "ticker"),
    ],
)
def test_each_channel_can_be_drawn_alone(draw, kind):
    market = find(draw(ETH), lambda events: len(events) > 2)
    assert {(event.symbol, CHANNELS[type(event)]) for event in market} == {(ETH, kind)}


def test_markets_are_flat_and_wild_and_empty_and_have_gaps():
    market = examples.bars(most=60)
    assert find(market, lambda events: not events) == ()
    find(market, lambda events: len(events) > 20 and len({bar.close for bar in events}) == 1)
    find(market, lambda events: len(events) > 20 and max(b.high for b in events) > 2 * min(b.low for b in events))
    find(market, lambda events: any(b.ts - a.ts > MINUTE for a, b in itertools.pairwise(events)))
    find(market, lambda events: any(bar.volume == 0 for bar in events))


def test_the_same_figures_make_the_same_market_and_symbols_of_no_known_instrument_have_one():
    segments = [Segment(20, 0.001, 0.01, True, 1)]
    made = [walk([BTC, "DOGE/USDT:USDT"], ALL, segments=segments, price=9.0, seed=4, most=20) for _ in range(2)]
    assert made[0] == made[1]
    assert {event.symbol for event in made[0]} == {BTC, "DOGE/USDT:USDT"}


@FEW
@given(examples.signals({BTC: ["a", "b"], ETH: ["b"]}))
def test_signals_are_of_their_strategies(signals):
    for signal in signals:
        assert isinstance(signal, Signal)
        assert (signal.symbol, signal.strategy) in {(BTC, "a"), (BTC, "b"), (ETH, "b")}
        assert -1 <= signal.direction <= 1
        assert 0 <= signal.confidence <= 1


def test_there_is_one_event_of_each_type():
    told = examples.one_of_each(7, number=11)
    assert {name: type(event) for name, event in told.items()} == EVENT_TYPES
    numbers = sorted(event.number for event in told.values() if hasattr(event, "number"))
    assert numbers == list(range(11, 18))
    assert {event.ts for event in told.values()} == {7}
