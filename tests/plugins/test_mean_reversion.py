from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.events import Bar
from quantmind.kinds import bars
from quantmind.market.indicators import Bollinger
from quantmind_mean_reversion.mean_reversion import MeanReversion, MeanReversionOptions

MINUTE = 60_000_000_000
BTC = "BTC/USDT:USDT"
CALM = [100.0, 101.0] * 10


def signals(closes, **options):
    """Return (number of the bar, signal) for every signal."""
    strategy = MeanReversion(MeanReversionOptions.model_validate(options), "back", [BTC])
    given = [
        (n, strategy.on_bar(Bar(BTC, n * MINUTE, MINUTE, close, close, close, close, 1.0)))
        for n, close in enumerate(closes)
    ]
    return [(n, signal) for n, signal in given if signal is not None]


def directions(closes, **options):
    return [(n, signal.direction) for n, signal in signals(closes, **options)]


def test_long_below_the_lower_band_until_the_middle():
    assert directions([*CALM, 98.0, 99.0, 101.0]) == [(20, 1.0), (22, 0.0)]


def test_short_above_the_upper_band_until_the_middle():
    assert directions([*CALM, 103.0, 102.0, 100.0]) == [(20, -1.0), (22, 0.0)]


def test_from_band_to_band_without_a_stop_in_between():
    assert directions([*CALM, 96.0, 109.0]) == [(20, 1.0), (21, -1.0)]


def test_reaching_the_middle_exactly_is_enough():
    # The middle of 4, 4, 1, 3 is 3.
    fall = [4.0, 4.0, 4.0, 4.0, 1.0]
    assert directions([*fall, 3.0], window=4, width=1.0) == [(4, 1.0), (5, 0.0)]
    assert directions([*fall, 2.999], window=4, width=1.0) == [(4, 1.0)]
    rise = [-close for close in fall]
    assert directions([*rise, -3.0], window=4, width=1.0) == [(4, -1.0), (5, 0.0)]


def test_the_confidence_is_the_distance_and_at_most_one():
    (n, signal), *_ = signals([*CALM, 98.0])
    bands = Bollinger(20, 2.0)
    for close in [*CALM, 98.0]:
        bands.update(close)
    assert (n, signal.strategy, signal.symbol) == (20, "back", BTC)
    assert signal.confidence == pytest.approx(abs(98.0 - bands.middle) / bands.deviation / 4.0)
    ((_, far), *_) = signals([*CALM, 50.0], width=1.0)
    assert far.confidence == 1.0


def test_a_window_that_does_not_move_changes_nothing():
    assert signals([100.0] * 50) == []
    assert directions([*CALM, 98.0, *[98.0] * 40]) == [(20, 1.0)]


def test_it_is_silent_until_the_window_is_full():
    assert signals([100.0] * 18 + [50.0]) == []
    assert directions([100.0] * 19 + [50.0]) == [(19, 1.0)]


@given(st.lists(st.floats(50, 150), max_size=60))
def test_the_direction_in_force_is_that_of_the_definition(closes):
    bands = Bollinger(5, 1.2)
    made = dict(signals(closes, window=5, width=1.2))
    expected = 0.0
    in_force = 0.0
    for n, close in enumerate(closes):
        middle = bands.update(close)
        if n in made:
            assert made[n].direction != in_force
            assert 0 <= made[n].confidence <= 1
            in_force = made[n].direction
        if middle is None or bands.deviation == 0:
            assert n not in made
            continue
        distance = (close - middle) / bands.deviation
        if abs(distance) > 1.2:
            expected = -1.0 if distance > 0 else 1.0
        elif expected * distance >= 0:
            expected = 0.0
        assert in_force == expected


def test_it_needs_a_window_of_bars():
    needs = MeanReversion.needs(MeanReversionOptions.model_validate({"interval": "5m", "window": 30}))
    assert (needs.channels, needs.history) == ((bars(5 * MINUTE),), 30)


@pytest.mark.parametrize("options", [{"window": 1}, {"width": 0}, {"width": float("inf")}, {"interval": 0}, {"x": 1}])
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(ValidationError):
        MeanReversionOptions.model_validate(options)
