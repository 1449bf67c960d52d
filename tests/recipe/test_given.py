"""The market of a recipe test, from the figures it is written with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Bar, FundingRate, Mark, Quote, Trade
from quantmind.recipe.given import (
    MOST,
    PLENTY,
    Account,
    Bars,
    FundingRates,
    Given,
    Marks,
    Quotes,
    Trades,
)

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000
START = Account().start


def market(needed=(), **series):
    return Given(Account(), {BTC: series}).events(needed)


class TestOnlyCloses:
    def test_each_bar_is_its_close_and_is_quoted_all_the_time(self):
        first, second = START + MINUTE, START + 2 * MINUTE
        events = market(bars=Bars(interval=MINUTE, close=(100, 99.5)))
        assert [event for event in events if isinstance(event, Bar)] == [
            Bar(BTC, first, MINUTE, 100, 100, 100, 100, PLENTY),
            Bar(BTC, second, MINUTE, 99.5, 99.5, 99.5, 99.5, PLENTY),
        ]
        tenth = MINUTE // 10
        assert [event for event in events if isinstance(event, Quote)] == [
            *(Quote(BTC, START + n * tenth, 100, 100, PLENTY, PLENTY) for n in range(1, 11)),
            *(Quote(BTC, first + n * tenth, 99.5, 99.5, PLENTY, PLENTY) for n in range(1, 11)),
        ]
        # A bar is told after the quote of its close, and before the first one of the next bar.
        assert [type(event) for event in events] == [*[Quote] * 10, Bar] * 2

    def test_a_figure_and_a_count_repeat_it(self):
        events = market(bars=Bars(interval=MINUTE, close=((100, 3), 99, (98, 2))))
        assert [event.close for event in events if isinstance(event, Bar)] == [100, 100, 100, 99, 98, 98]
        assert [event.ts - START for event in events if isinstance(event, Bar)] == [n * MINUTE for n in range(1, 7)]

    def test_what_is_needed_and_not_written_is_made_of_them(self):
        events = market({"mark", "trade", "bar"}, bars=Bars(interval=MINUTE, close=(100, 99)))
        assert [type(event) for event in events] == [*[Mark, Quote, Trade] * 10, Bar] * 2
        assert [event.price for event in events if isinstance(event, Mark)] == [100] * 10 + [99] * 10
        assert [event.price for event in events if isinstance(event, Trade)] == [100] * 10 + [99] * 10

    @pytest.mark.parametrize("written", [{"quotes": Quotes(bid=(90,))}, {"trades": Trades(price=(90,))}])
    def test_what_is_written_goes_before(self, written):
        events = market({"mark", "trade", "quote"}, bars=Bars(interval=MINUTE, close=(100,)), **written)
        (alone,) = market(**written)
        assert [event for event in events if not isinstance(event, Mark | Bar)] == [alone]

    def test_written_marks_go_before(self):
        events = market({"mark"}, bars=Bars(interval=MINUTE, close=(100,)), marks=Marks(price=(90,)))
        assert [event.price for event in events if isinstance(event, Mark)] == [90]


class TestBars:
    def test_nothing_is_made_of_what_was_between(self):
        events = market(
            {"trade", "quote"}, bars=Bars(interval=MINUTE, open=(1,), high=(4,), low=(1,), close=(2,), volume=(7,))
        )
        assert events == (Bar(BTC, START + MINUTE, MINUTE, 1, 4, 1, 2, 7),)

    def test_high_and_low_that_are_left_out_are_those_of_open_and_close(self):
        (bar,) = market(bars=Bars(interval=MINUTE, open=(3,), close=(2,)))
        assert (bar.open, bar.high, bar.low, bar.close) == (3, 3, 2, 2)

    @pytest.mark.parametrize(
        ("figures", "told"),
        [
            ({"close": (5, 2), "high": (5, 1)}, "bar 1 has open 2, high 1, low 2 and close 2: its high must be"),
            ({"close": (2,), "low": (3,)}, "its low the lowest"),
            ({"close": (2, 2), "volume": (1,)}, "close has 2 entries and volume 1: they go together one by one"),
            ({"close": ((2, MOST), 2)}, "has more than 100000 entries"),
            ({"close": ((2, 0),)}, "greater than or equal to 1"),
            ({"close": (0,)}, "greater than 0"),
            ({"close": ()}, "at least 1"),
        ],
    )
    def test_figures_that_do_not_go_together(self, figures, told):
        with pytest.raises(ValueError, match="validation error") as refusal:
            Bars(interval=MINUTE, **figures)
        assert told in str(refusal.value)


def test_quotes_have_their_asks_and_sizes():
    assert market(quotes=Quotes(bid=(1, 2), ask=(2, 2.5), bid_size=(3, 0), ask_size=((4, 2),), every=5)) == (
        Quote(BTC, START + 5, 1, 2, 3, 4),
        Quote(BTC, START + 10, 2, 2.5, 0, 4),
    )
    with pytest.raises(ValueError, match="quote 0 has bid 3 above ask 2"):
        Quotes(bid=(3,), ask=(2,))


def test_a_trade_above_the_one_before_was_bought():
    trades = market(trades=Trades(price=(1, 2, 2, 1), size=(5, 6, 7, 8)))
    assert [(trade.size, trade.side, trade.id) for trade in trades] == [(5, -1, 1), (6, 1, 2), (7, -1, 3), (8, -1, 4)]


def test_funding_comes_last_of_a_moment():
    eight_hours = 8 * 60 * MINUTE
    events = market(
        funding=FundingRates(rate=(-0.0001,)),
        bars=Bars(interval=eight_hours, close=(100,)),
        marks=Marks(price=(101,), every=eight_hours),
    )
    assert [type(event) for event in events if event.ts == START + eight_hours] == [Mark, Quote, Bar, FundingRate]
    assert events[-1].rate == -0.0001


def test_the_market_begins_when_it_is_said_to():
    account = Account(start="2025-05-18")
    (quote,) = Given(account, {BTC: {"quotes": Quotes(bid=(1,), every="1h")}}).events(())
    assert quote.ts == 1_747_526_400_000_000_000 + 60 * MINUTE


series = st.lists(st.integers(1, 9), min_size=1, max_size=6).map(tuple)


@given(
    st.dictionaries(st.sampled_from([BTC, ETH]), series, min_size=2),
    st.dictionaries(st.sampled_from([BTC, ETH]), series, min_size=2),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_events_are_in_order_and_none_is_lost(closes, prices, interval, every):
    market = {
        symbol: {
            "bars": Bars(interval=interval, close=closes[symbol]),
            "trades": Trades(price=prices[symbol], every=every),
        }
        for symbol in (BTC, ETH)
    }
    events = Given(Account(), market).events(())
    keys = [(event.ts, isinstance(event, Bar), event.symbol) for event in events]
    assert keys == sorted(keys)
    assert len(events) == sum(len(each) for each in (*closes.values(), *prices.values()))
