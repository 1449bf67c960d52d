from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.events import Bar
from quantmind.kinds import Held, Levels, Needs, bars
from quantmind.market.instruments import KNOWN
from quantmind_stops import AtrStop, FixedStop, TakeProfit, TimeStop

BTC = KNOWN["BTC/USDT:USDT"]
MINUTE = 60_000_000_000
D = Decimal


def rule(kind, **options):
    return kind(kind.options_model.model_validate(options), BTC)


def held(quantity="0.4", average="50000", distance="500", stop=None, best=None, since=0):
    best = float(average) if best is None else best
    return Held(
        "one",
        D(quantity),
        D(average),
        since,
        None if distance is None else D(distance),
        None if stop is None else D(stop),
        best,
    )


def bar(index, high, low, close, interval=MINUTE, symbol=BTC.symbol):
    return Bar(symbol, (index + 1) * interval, interval, close, high, low, close, 1.0)


def with_range(width, **options):
    """Return an atr_stop that has seen bars of one range around 50,000."""
    stop = rule(AtrStop, **options)
    for index in range(20):
        stop.on_market(bar(index, 50000 + width / 2, 50000 - width / 2, 50000.0))
    return stop


def test_what_promises_a_stop_says_so():
    protects = [kind.name for kind in (AtrStop, FixedStop, TakeProfit, TimeStop) if "protects" in kind.capabilities]
    assert protects == ["atr_stop", "fixed_stop"]


class TestAtrStop:
    def test_it_needs_ten_periods_of_bars(self):
        options = AtrStop.options_model.model_validate({"interval": "5m", "period": 10})
        assert AtrStop.needs(options) == Needs((bars(5 * MINUTE),), history=100)

    @given(
        st.lists(st.tuples(st.floats(-0.01, 0.01), st.floats(0, 0.01), st.floats(0, 0.01)), min_size=20, max_size=60),
        st.integers(1, 15),
        st.decimals("0.1", "5", places=2),
    )
    def test_the_distance_is_that_of_ta_lib_rounded_up_to_the_tick(self, moves, period, multiplier):
        close, rows = 50000.0, []
        for move, up, down in moves:
            before, close = close, close * (1 + move)
            rows.append((max(before, close) * (1 + up), min(before, close) * (1 - down), close))
        stop = rule(AtrStop, period=period, multiplier=multiplier)
        # TA-Lib's period of 1 is the plain true range; what we compare is the smoothed one, from index n on.
        theirs = talib.ATR(*np.array(rows).T.copy(), timeperiod=period)
        for index, row in enumerate(rows):
            stop.on_market(bar(index, *row))
            ours = stop.distance(D(50000))
            if np.isnan(theirs[index]):
                assert ours is None
                continue
            exact = theirs[index] * float(multiplier)
            assert ours >= BTC.tick
            assert ours % BTC.tick == 0
            assert exact - 1e-6 <= float(ours) <= max(exact + 0.1 + 1e-6, 0.1)

    def test_it_leaves_other_bars_aside(self):
        stop = rule(AtrStop, period=1)
        for index in range(5):
            stop.on_market(bar(index, 50100.0, 49900.0, 50000.0, interval=5 * MINUTE))
            stop.on_market(bar(index, 50100.0, 49900.0, 50000.0, symbol="ETH/USDT:USDT"))
        assert stop.distance(D(50000)) is None
        assert stop.levels(held(distance=None)) == Levels()
        assert stop.figures == {}

    def test_the_stop_is_the_average_price_less_the_distance_of_its_size(self):
        # money.md 1: ATR 250 * 2 = 500; filled at 50,000 the stop is at 49,500.0.
        stop = with_range(250.0, multiplier=2)
        assert stop.distance(D(50000)) == 500
        assert stop.levels(held()).stop == D("49500.0")
        assert stop.levels(held("-0.4")).stop == D("50500.0")
        assert stop.figures == {"atr": 250.0}

    def test_without_a_distance_of_its_size_it_takes_that_of_now(self):
        assert with_range(250.0, multiplier=2).levels(held(distance=None)).stop == 49500

    @pytest.mark.parametrize(
        ("given", "level"),
        [
            ({"best": 51000.0}, "50500"),  # 51,000 - 500
            ({"best": 50000.1}, "49500"),  # not worth a message
            ({"best": 50050.0}, "49500"),  # 50 is a tenth of 500, and no more
            ({"best": 50050.1}, "49550.1"),
            ({"best": 51000.0, "stop": "50600"}, "50600"),  # the stop of now is tighter
            ({"quantity": "-0.4", "best": 49000.0}, "49500"),
            ({"quantity": "-0.4", "best": 49000.0, "stop": "49400"}, "49400"),
        ],
    )
    def test_it_trails_the_best_price_and_never_loosens(self, given, level):
        assert with_range(250.0, multiplier=2).levels(held(**given)).stop == D(level)

    def test_without_a_step_it_follows_every_tick(self):
        assert with_range(250.0, multiplier=2, step=0).levels(held(best=50000.1)).stop == D("49500.1")

    def test_without_trailing_it_stays(self):
        stop = with_range(250.0, multiplier=2, trailing=False)
        assert stop.levels(held(best=51000.0)).stop == 49500

    def test_a_flat_market_gives_one_tick(self):
        assert with_range(0.0).distance(D(50000)) == BTC.tick

    def test_a_distance_beyond_the_price_is_none(self):
        assert with_range(250.0, multiplier=2).distance(D(500)) is None


class TestFixedStop:
    def test_the_distance_is_a_part_of_the_price_rounded_up(self):
        assert rule(FixedStop, part="0.02").distance(D(50000)) == 1000
        assert rule(FixedStop, part="0.02").distance(D("50000.1")) == D("1000.1")
        assert rule(FixedStop, part="0.0000001").distance(D(1)) == BTC.tick

    def test_its_stop(self):
        stop = rule(FixedStop, part="0.02")
        assert stop.levels(held(distance=None)).stop == 49000
        assert stop.levels(held("-0.4", distance=None)).stop == 51000
        assert stop.levels(held(distance="500", best=60000.0)).stop == 49500

    def test_it_trails_where_it_is_told_to(self):
        stop = rule(FixedStop, part="0.02", trailing=True)
        assert stop.levels(held(distance="1000", best=60000.0)).stop == 58800
        assert stop.levels(held(distance="1000", best=60000.0, stop="59000")).stop == 59000
        assert stop.levels(held("-0.4", distance="1000", best=40000.0)).stop == 40800

    def test_only_a_trailing_one_needs_bars(self):
        options = FixedStop.options_model.model_validate
        assert FixedStop.needs(options({"part": "0.02"})) == Needs()
        assert FixedStop.needs(options({"part": "0.02", "trailing": True})) == Needs((bars(MINUTE),))


def test_a_take_profit_is_a_multiple_of_the_risk():
    profit = rule(TakeProfit, reward_risk="1.5")
    assert profit.levels(held()) == Levels(take_profit=D(50750))
    assert profit.levels(held("-0.4")) == Levels(take_profit=D(49250))
    assert profit.levels(held(distance=None)) == Levels()
    assert rule(TakeProfit, reward_risk=200).levels(held("-0.4")) == Levels()
    assert profit.distance(D(50000)) is None


def test_a_time_stop_ends_a_while_after_the_opening():
    assert rule(TimeStop, after="4h").levels(held(since=MINUTE)) == Levels(until=241 * MINUTE)


@given(
    st.decimals("-5", "5", places=3).filter(bool),
    st.decimals(1000, 90000, places=1),
    st.lists(st.floats(0, 0.5), min_size=1, max_size=10),
)
def test_a_stop_only_ever_tightens(quantity, price, gains):
    stop = rule(FixedStop, part="0.02", trailing=True)
    way = 1 if quantity > 0 else -1
    before = None
    for gain in sorted(gains):
        best = float(price) * (1 + way * gain)
        level = stop.levels(Held("one", quantity, price, 0, stop.distance(price), before, best)).stop
        assert before is None or (level - before) * way >= 0
        assert (D(repr(best)) - level) * way > 0
        before = level


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (AtrStop, {"period": 0}),
        (AtrStop, {"multiplier": 0}),
        (AtrStop, {"interval": "0s"}),
        (FixedStop, {}),
        (FixedStop, {"part": 1}),
        (FixedStop, {"part": 0}),
        (TakeProfit, {}),
        (TakeProfit, {"reward_risk": 0}),
        (TimeStop, {}),
        (TimeStop, {"after": "0s"}),
    ],
)
def test_options_that_cannot_be_are_refused(kind, options):
    with pytest.raises(ValidationError):
        kind.options_model.model_validate(options)
