from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.events import Bar, FundingRate, Mark, Quote, Trade
from quantmind.kinds import FUNDING, MARKS, QUOTES, TRADES
from quantmind.market.instruments import KNOWN, Instrument
from quantmind_momentum.momentum import Momentum, MomentumOptions
from quantmind_paper.synthetic import Synthetic, SyntheticOptions

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_704_067_200_000_000_000
SECOND = 1_000_000_000
ALL = frozenset({QUOTES, TRADES, MARKS})
ORDER = {Quote: 0, Trade: 1, Mark: 2}


def market(symbols=(BTC,), wanted=ALL, instruments=None, **options):
    """Return all events of a market of 20 s."""
    options = SyntheticOptions.model_validate({"duration": "20s", **options})
    feed = Synthetic(options, instruments or [KNOWN[symbol] for symbol in symbols])
    feed.wanted = {instrument.symbol: wanted for instrument in feed.instruments}

    async def collect():
        async with feed:
            return [event async for batch in feed.events() for event in batch]

    return asyncio.run(collect())


def of(kind, events):
    return [event for event in events if type(event) is kind]


def test_the_same_seed_is_the_same_market_on_every_machine_and_python():
    events = market((BTC, ETH), seed=7, duration="60s")
    assert len(events) == 2 * (600 + 240 + 60)
    digest = hashlib.sha256(msgspec.json.encode(events)).hexdigest()
    assert digest == "4abaa29ac979c65b3d68f27752f50a0d0de0559738d5f82ee6fa46d73d789509"


def test_another_seed_and_another_symbol_are_another_market():
    prices = [
        [
            quote.bid
            for quote in of(
                Quote, market(instruments=[Instrument(symbol, Decimal("0.1"), Decimal("0.001"))], seed=seed)
            )
        ]
        for seed, symbol in ((0, BTC), (1, BTC), (0, ETH))
    ]
    assert len({tuple(each) for each in prices}) == 3


@pytest.mark.parametrize("wanted", [frozenset({QUOTES}), frozenset({TRADES}), frozenset({MARKS}), frozenset()])
def test_what_is_wanted_changes_nothing_of_what_comes(wanted):
    kinds = {Quote: QUOTES, Trade: TRADES, Mark: MARKS}
    everything = market((BTC, ETH))
    assert market((BTC, ETH), wanted) == [event for event in everything if kinds[type(event)] in wanted]


def test_another_symbol_beside_it_changes_nothing_of_a_market():
    alone = market((ETH,))
    assert [event for event in market((BTC, ETH)) if event.symbol == ETH] == alone


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 64),
    tick=st.sampled_from(["0.1", "0.01", "0.5", "5", "0.000001", "0.0003"]),
    steps=st.integers(1, 1_000_000),
    volatility=st.floats(0, 10),
    trend=st.floats(0, 0.99),
)
def test_what_every_market_keeps_to(seed, tick, steps, volatility, trend):
    size = Decimal(tick)
    instruments = [Instrument("A", size, Decimal("0.001")), Instrument("B", size, Decimal("0.001"))]
    price = float(size * steps)
    events = market(
        instruments=instruments, seed=seed, price=price, volatility=volatility, trend=trend,
        trend_period="7s", duration="3s",
    )  # fmt: skip
    keys = [(event.ts, ORDER[type(event)], event.symbol) for event in events]
    assert keys == sorted(keys)
    assert all(START <= event.ts < START + 3 * SECOND for event in events)
    for symbol in ("A", "B"):
        last = None
        for event in (event for event in events if event.symbol == symbol):
            if isinstance(event, Quote):
                last = event
                for shown in (event.bid, event.ask):
                    assert abs(Decimal(shown) / size - round(Decimal(shown) / size)) < Decimal("1e-9")
                    assert shown > 0
                assert Decimal(repr(event.ask)) - Decimal(repr(event.bid)) >= size
                assert min(event.bid_size, event.ask_size) >= 0.001
            elif isinstance(event, Trade):
                assert event.price == (last.ask if event.side == 1 else last.bid)
                assert event.size >= 0.001
            else:
                assert last.bid < event.price < last.ask


def test_prices_are_written_as_the_venue_would():
    assert all(len(repr(quote.bid).partition(".")[2]) == 1 for quote in of(Quote, market()))


def test_intervals_are_kept():
    events = market(quote_interval="300ms", trade_interval="1s", mark_interval="2s", duration="10s")
    assert [event.ts - START for event in of(Trade, events)] == [n * SECOND for n in range(10)]
    assert [event.ts - START for event in of(Mark, events)] == [n * 2 * SECOND for n in range(5)]
    assert of(Quote, events)[-1].ts - START == 9_900_000_000
    assert [event.id for event in of(Trade, events)] == list(range(1, 11))


def test_it_begins_at_the_price_and_the_wave_carries_it():
    quotes = of(Quote, market(price=1000, volatility=0, trend=0.01, trend_period="20s", duration="20s"))
    middles = [(quote.bid + quote.ask) / 2 for quote in quotes]
    assert abs(middles[0] - 1000) < 0.5
    assert abs(max(middles) - 1010) < 0.5
    assert abs(min(middles) - 990) < 0.5
    assert middles.index(max(middles)) == pytest.approx(50, abs=10)


def test_volatility_is_that_of_the_options():
    quotes = of(Quote, market(volatility=1.0, trend=0, quote_interval="1s", duration="5000s", price=1e6))
    middles = [(quote.bid + quote.ask) / 2 for quote in quotes]
    returns = [later / middle - 1 for middle, later in itertools.pairwise(middles)]
    deviation = (sum(each * each for each in returns) / len(returns)) ** 0.5
    assert deviation * (365 * 86_400) ** 0.5 == pytest.approx(1.0, rel=0.05)


def test_momentum_trades_several_times_in_half_an_hour_of_the_default_market():
    closes = {}
    for trade in of(Trade, market(duration="30m")):
        closes[(trade.ts - START) // (10 * SECOND)] = trade.price
    strategy = Momentum(MomentumOptions.model_validate({"interval": "10s"}), "momentum", [BTC])
    signals = [
        strategy.on_bar(Bar(BTC, START + (n + 1) * 10 * SECOND, 10 * SECOND, close, close, close, close, 1.0))
        for n, close in closes.items()
    ]
    directions = [signal.direction for signal in signals if signal]
    assert {1.0, -1.0} <= set(directions)
    assert 5 <= len(directions) <= 60


def test_it_offers_all_of_every_symbol():
    every = ALL | {FUNDING}
    assert Synthetic.offers(SyntheticOptions(), [BTC, "X"]) == {BTC: every, "X": every}


def test_funding_is_settled_at_whole_multiples_of_its_interval_at_the_mark():
    options = {"duration": "20s", "start": "2024-01-01T00:00:05Z", "funding_interval": "8s", "funding_rate": -0.0003}
    events = market((BTC, ETH), ALL | {FUNDING}, **options)
    settled = of(FundingRate, events)
    assert [(event.ts - START, event.symbol, event.rate) for event in settled] == [
        (at * SECOND, symbol, -0.0003) for at in (8, 16, 24) for symbol in (BTC, ETH)
    ]
    marks = {(event.symbol, event.ts): event.price for event in of(Mark, events)}
    assert [event.mark for event in settled] == [marks[event.symbol, event.ts] for event in settled]
    assert [event for event in events if type(event) is not FundingRate] == market((BTC, ETH), **options)


def test_there_is_no_funding_at_the_start_itself():
    day = market(
        wanted=frozenset({FUNDING}),
        duration="24h",
        quote_interval="1h",
        trade_interval="1h",
        mark_interval="1h",
    )
    assert [(event.ts - START) // (3600 * SECOND) for event in day] == [8, 16]
    assert {event.rate for event in day} == {0.0001}


@pytest.mark.parametrize(("speed", "times"), [("max", None), (10, 10.0)])
def test_speed(speed, times):
    feed = Synthetic(SyntheticOptions.model_validate({"speed": speed}), [])
    assert (feed.speed, feed.live) == (times, False)


def test_its_start_is_an_option():
    assert market(start="2025-06-01T12:00:00Z", duration="1ms")[0].ts == 1_748_779_200_000_000_000


@pytest.mark.parametrize(
    "options",
    [
        {"price": 0},
        {"volatility": -1},
        {"trend": 1},
        {"quote_interval": "0s"},
        {"speed": 0},
        {"start": "soon"},
        {"funding_rate": 1},
        {"funding_interval": "0s"},
        {"x": 1},
    ],
)
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(ValidationError):
        SyntheticOptions.model_validate(options)


def test_live_it_is_a_market_of_now_that_ends_after_its_duration():
    before = time.time_ns()
    events = market(live=True, duration="300ms", quote_interval="20ms", trade_interval="50ms")
    stamps = [event.ts for event in events]
    assert before <= stamps[0] <= stamps[-1] <= time.time_ns()
    assert stamps == sorted(stamps)
    assert of(Quote, events)
    assert of(Trade, events)
    assert Synthetic.runs_live(SyntheticOptions(live=True))
    assert not Synthetic.runs_live(SyntheticOptions())


@pytest.mark.parametrize("option", [{"start": "2025-06-01T12:00:00Z"}, {"speed": 10}])
def test_a_live_market_has_no_start_and_no_speed(option):
    with pytest.raises(ValidationError, match="leave it out"):
        SyntheticOptions.model_validate({"live": True, **option})
