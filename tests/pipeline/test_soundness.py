"""Whether a market event can be true."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Bar, Book, FundingRate, Mark, Quote, Ticker, Trade
from quantmind.pipeline.soundness import AHEAD, Soundness

BTC = "BTC/USDT:USDT"
NOW = 1_700_000_000_000_000_000
SOUND = [
    Quote(BTC, NOW, 1.0, 2.0, 0.0, 3.0),
    Trade(BTC, NOW, 1.0, 0.0, -1),
    Bar(BTC, NOW, 60, 2.0, 3.0, 1.0, 2.0, 0.0),
    Mark(BTC, NOW, 1.0),
    FundingRate(BTC, NOW, -0.01, 1.0),
    Book(BTC, NOW, ((1.0, 1.0),), ((2.0, 1.0),)),
    Ticker(BTC, NOW, 2.0, 3.0, 1.0, 2.0, 1.0, 2.0),
]
WRONG = {
    Quote: [
        {"bid": 3.0},
        {"bid": 0.0},
        {"ask": math.inf},
        {"ask": math.nan},
        {"bid_size": -1.0},
        {"ask_size": math.inf},
    ],
    Trade: [{"price": math.nan}, {"price": -1.0}, {"size": math.inf}, {"side": 0}],
    Bar: [{"high": 1.5}, {"low": 0.0}, {"volume": math.nan}, {"interval": 0}],
    Mark: [{"price": math.inf}, {"price": 0.0}],
    FundingRate: [{"rate": 1.0}, {"rate": math.nan}, {"mark": -1.0}],
    Book: [{"bids": ((3.0, 1.0),)}, {"asks": ((math.nan, 1.0),)}, {"asks": ((2.0, -1.0),)}],
    Ticker: [{"low": math.nan}, {"high": 1.5}, {"turnover": -1.0}],
}
FAULTS = [
    pytest.param(msgspec.structs.replace(event, **change), id=f"{type(event).__name__}-{change}")
    for event in SOUND
    for change in [*WRONG[type(event)], {"symbol": "ETH/USDT:USDT"}, {"ts": -1}]
]


@pytest.mark.parametrize("event", SOUND, ids=lambda event: type(event).__name__)
def test_what_can_be_true_is_sound(event):
    for soundness in (Soundness([BTC]), Soundness([BTC], lambda: NOW)):
        assert soundness.holds([event])
        assert not soundness.fault(event)


@pytest.mark.parametrize("event", FAULTS)
def test_what_cannot_be_true_is_told(event):
    soundness = Soundness([BTC])
    assert not soundness.holds([*SOUND, event, *SOUND])
    assert soundness.fault(event)


def test_times_to_come_are_told_only_where_there_is_a_clock():
    late = Mark(BTC, NOW + AHEAD + 1, 1.0)
    assert Soundness([BTC]).holds([late])
    assert Soundness([BTC], lambda: NOW).fault(late).endswith("more than a minute ahead")
    assert not Soundness([BTC], lambda: NOW + 1).fault(late)
    assert Soundness([BTC], lambda: NOW).fault(Mark(BTC, 0, 1.0)).endswith("is 0 ns, before all markets")


FIGURE = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 2.0]))


@given(
    st.lists(
        st.one_of(
            st.builds(Quote, st.just(BTC), st.integers(-1, 2), FIGURE, FIGURE, FIGURE, FIGURE),
            st.builds(Trade, st.just(BTC), st.integers(-1, 2), FIGURE, FIGURE, st.sampled_from([1, -1, 0])),
        ),
        max_size=3,
    )
)
def test_a_batch_is_sound_if_nothing_in_it_is_at_fault(events):
    soundness = Soundness([BTC])
    assert soundness.holds(events) == (not any(map(soundness.fault, events)))
