from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.events import Bar
from quantmind.kinds import bars
from quantmind.market.indicators import EMA, RSI
from quantmind_momentum.momentum import Momentum, MomentumOptions

MINUTE = 60_000_000_000
BTC = "BTC/USDT:USDT"


def signals(closes, **options):
    """Return (number of the bar, signal) for every signal."""
    strategy = Momentum(MomentumOptions.model_validate(options), "trend", [BTC])
    given = [
        (n, strategy.on_bar(Bar(BTC, n * MINUTE, MINUTE, close, close, close, close, 1.0)))
        for n, close in enumerate(closes)
    ]
    return [(n, signal) for n, signal in given if signal is not None]


def test_the_cross_of_the_example():
    # 40 bars of 100 are flat; 99 and 98 turn the averages down, 104 turns them up with an RSI of 78.
    crossed = signals([100.0] * 40 + [99.0, 98.0, 101.0, 104.0, 108.0])
    assert [(n, signal.direction) for n, signal in crossed] == [(40, -1.0), (42, 0.0), (43, 1.0)]
    long = crossed[-1][1]
    assert (long.symbol, long.strategy) == (BTC, "trend")
    assert long.confidence == pytest.approx(0.56, abs=0.01)


def test_a_flat_market_has_no_trend():
    assert signals([100.0] * 200) == []


def test_it_is_silent_until_every_indicator_is_ready():
    (first,) = signals([100.0 + n for n in range(60)], rsi=14, fast=12, slow=26)
    assert first[0] == 25
    (first,) = signals([100.0 + n for n in range(60)], rsi=40, fast=12, slow=26)
    assert first[0] == 40


@given(st.lists(st.floats(50, 150), max_size=80))
def test_the_direction_in_force_is_that_of_the_definition(closes):
    fast, slow, rsi = EMA(3), EMA(5), RSI(4)
    given_ = dict(signals(closes, rsi=4, fast=3, slow=5))
    in_force = 0.0
    for n, close in enumerate(closes):
        quick, calm, strength = fast.update(close), slow.update(close), rsi.update(close)
        if n in given_:
            assert given_[n].direction != in_force
            assert given_[n].confidence == abs(strength - 50) / 50
            assert 0 <= given_[n].confidence <= 1
            in_force = given_[n].direction
        if None in (quick, calm, strength):
            assert in_force == 0.0
        else:
            up, down = quick > calm and strength > 50, quick < calm and strength < 50
            assert in_force == up - down


def test_it_needs_bars_and_ten_times_its_longest_period():
    needs = Momentum.needs(MomentumOptions.model_validate({"interval": "5m", "slow": 30}))
    assert (needs.channels, needs.history) == ((bars(5 * MINUTE),), 300)
    assert Momentum.needs(MomentumOptions.model_validate({"rsi": 50})).history == 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fast": 26, "slow": 26}, r"fast must be below slow \(26\), was 26"),
        ({"rsi": 1}, "greater than or equal to 2"),
        ({"fast": 0}, "greater than or equal to 1"),
        ({"interval": "0s"}, "longer than nothing"),
        ({"period": 3}, "Extra inputs"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        MomentumOptions.model_validate(options)
