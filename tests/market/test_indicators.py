import itertools
import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from quantmind.market.indicators import ATR, EMA, RSI, SMA, Bollinger

PART = 1e-12
PERIODS = [1, 2, 5, 14, 20, 200]

prices = st.floats(1e-9, 1e9)
near = st.tuples(st.floats(1e-3, 1e6), st.floats(1e-9, 0.1)).flatmap(
    lambda level: st.lists(st.floats(-1, 1).map(lambda move: level[0] * (1 + level[1] * move)), min_size=1, max_size=60)
)
series = st.one_of(st.lists(prices, min_size=1, max_size=60), near)
periods = st.integers(1, 25)


@pytest.fixture(scope="module", params=["BTC", "ETH"])
def candles(request, data):
    frame = pl.read_ipc(data / "binance_usdm_bars" / f"{request.param}_USDT_USDT-1m-futures.feather")
    assert frame.height > 43_000
    return {name: frame[name].to_numpy() for name in ("high", "low", "close")}


def follow(indicator, *columns):
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return np.array([indicator.update(*row) for row in rows], dtype=float)


def assert_same(ours, theirs, tolerance):
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    apart = np.abs(ours - theirs)
    assert not (apart > tolerance).any(), np.nanmax(apart / tolerance)


def real(x):
    return Fraction(x)


def mean(values):
    return sum(values, Fraction(0)) / len(values)


def wilder(values, period):
    average = mean(values[:period])
    yield average
    for value in values[period:]:
        average += (value - average) / period
        yield average


@pytest.mark.parametrize("period", PERIODS)
def test_sma_is_talibs_on_real_bars(candles, period):
    close = candles["close"]
    assert_same(follow(SMA(period), close), talib.SMA(close, period) if period > 1 else close, PART * close)


@pytest.mark.parametrize("period", PERIODS)
def test_ema_is_talibs_on_real_bars(candles, period):
    close = candles["close"]
    assert_same(follow(EMA(period), close), talib.EMA(close, period) if period > 1 else close, PART * close)


@pytest.mark.parametrize("period", [2, 5, 14, 200])
def test_rsi_is_talibs_on_real_bars(candles, period):
    close = candles["close"]
    assert_same(follow(RSI(period), close), talib.RSI(close, period), PART * 100)


@pytest.mark.parametrize("period", PERIODS)
def test_atr_is_talibs_on_real_bars(candles, period):
    columns = candles["high"], candles["low"], candles["close"]
    assert_same(follow(ATR(period), *columns), talib.ATR(*columns, period), PART * candles["close"])


@pytest.mark.parametrize(("window", "width"), [(5, 1.0), (20, 2.0), (200, 2.5)])
def test_bollinger_is_talibs_on_real_bars(candles, window, width):
    close = candles["close"]
    bands = Bollinger(window, width)
    rows = []
    for x in close.tolist():
        middle = bands.update(x)
        assert middle == bands.middle == bands.value
        rows.append((bands.upper, bands.middle, bands.lower, bands.deviation))
    theirs = (*talib.BBANDS(close, window, width, width), talib.STDDEV(close, window))
    for ours, expected in zip(np.array(rows, dtype=float).T, theirs, strict=True):
        assert_same(ours, expected, PART * close)


@given(series, periods)
def test_sma_is_the_exact_mean_of_its_window(xs, period):
    sma = SMA(period)
    for end, x in enumerate(xs, 1):
        value = sma.update(x)
        assert value == sma.value
        if end < period:
            assert value is None
        else:
            window = xs[end - period : end]
            assert abs(real(value) - mean([real(each) for each in window])) <= PART * max(window)


@given(series, periods)
def test_ema_is_the_exact_recursion(xs, period):
    ema, exact = EMA(period), None
    for end, x in enumerate(xs, 1):
        value = ema.update(x)
        assert value == ema.value
        if end < period:
            assert value is None
            continue
        seeded = exact is not None
        exact = exact + (real(x) - exact) * Fraction(2, period + 1) if seeded else mean([*map(real, xs[:end])])
        assert abs(real(value) - exact) <= PART * max(xs[:end])


@given(series, periods)
def test_rsi_is_the_exact_recursion(xs, period):
    rsi = RSI(period)
    values = [rsi.update(x) for x in xs]
    assert values[:period] == [None] * min(period, len(xs))
    changes = [real(after) - real(before) for before, after in itertools.pairwise(xs)]
    if len(changes) < period:
        return
    gains = wilder([max(change, Fraction(0)) for change in changes], period)
    losses = wilder([max(-change, Fraction(0)) for change in changes], period)
    for x, value, gain, loss in zip(xs[period:], values[period:], gains, losses, strict=True):
        if gain + loss > 1e-15 * x:
            assert abs(real(value) - 100 * gain / (gain + loss)) <= PART * 100
        assert 0 <= value <= 100


@given(st.lists(st.tuples(prices, prices, prices), min_size=1, max_size=60), periods)
def test_atr_is_the_exact_recursion(triples, period):
    bars = [(high, low, close) for low, close, high in map(sorted, triples)]
    atr = ATR(period)
    values = [atr.update(*bar) for bar in bars]
    assert values[:period] == [None] * min(period, len(bars))
    ranges = [
        max(real(high) - real(low), abs(real(high) - real(before[2])), abs(real(low) - real(before[2])))
        for before, (high, low, _) in itertools.pairwise(bars)
    ]
    if len(ranges) < period:
        return
    highest = max(bar[0] for bar in bars)
    for value, exact in zip(values[period:], wilder(ranges, period), strict=True):
        assert abs(real(value) - exact) <= PART * highest


@given(series, periods)
def test_bollinger_is_the_exact_deviation_of_its_window(xs, window):
    bands = Bollinger(window, 2.0)
    for end, x in enumerate(xs, 1):
        value = bands.update(x)
        if end < window:
            assert value is bands.middle is bands.deviation is bands.upper is bands.lower is None
            continue
        exact = [real(each) for each in xs[end - window : end]]
        middle = mean(exact)
        variance = mean([(each - middle) ** 2 for each in exact])
        part = PART * max(xs[end - window : end])
        assert abs(real(bands.middle) - middle) <= part
        assert abs(bands.deviation - math.sqrt(variance)) <= part
        assert bands.upper == bands.middle + 2.0 * bands.deviation
        assert bands.lower == bands.middle - 2.0 * bands.deviation


@given(st.floats(1e-3, 1e6), st.lists(st.floats(1e-3, 1e6), max_size=60), periods)
def test_a_flat_market_has_its_price_as_average_and_no_deviation(price, before, period):
    sma, bands = SMA(period), Bollinger(period, 2.0)
    for x in [*before, *[price] * period]:
        sma.update(x)
        bands.update(x)
    assert sma.value == price
    assert (bands.middle, bands.upper, bands.lower, bands.deviation) == (price, price, price, 0.0)


@given(prices, periods)
def test_a_market_that_never_moved_crosses_nothing(price, period):
    ema, rsi, atr = EMA(period), RSI(period), ATR(period)
    for _ in range(period + 5):
        ema.update(price)
        rsi.update(price)
        atr.update(price, price, price)
    assert (ema.value, rsi.value, atr.value) == (price, 50.0, 0.0)


def test_rsi_of_a_market_that_stopped_moving_keeps_its_value_and_ends_at_50():
    rsi = RSI(14)
    for x in [100.0, 101.0, *[103.0] * 113]:
        rsi.update(x)
    assert rsi.value == 100.0
    for _ in range(1_000):
        rsi.update(103.0)
    assert rsi.value == 50.0


def test_sma_forgets_a_price_that_left_its_window():
    sma = SMA(3)
    for x in [1e15, 0.1, 0.2, 0.4]:
        sma.update(x)
    assert sma.value == pytest.approx(0.7 / 3, rel=1e-15)


@pytest.mark.parametrize("make", [SMA, EMA, RSI, ATR, lambda count: Bollinger(count, 2.0)])
def test_a_period_below_one_is_refused(make):
    with pytest.raises(ValueError, match=r"^\w+\.(period|window): must be at least 1, was 0$"):
        make(0)


@pytest.mark.parametrize("width", [0.0, -2.0, math.nan, math.inf])
def test_a_width_that_is_no_positive_number_is_refused(width):
    with pytest.raises(ValueError, match=r"^Bollinger\.width: must be a number above 0, was "):
        Bollinger(20, width)
