import gzip
import itertools
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Bar, Mark, Quote, Trade
from quantmind.kinds.channel import MARKS, TRADES, bars
from quantmind.market.bars import NEVER, BarBuilder, Built

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
BTC = "BTC/USDT:USDT"
ETH = "ETH/USDT:USDT"


def trade(ts, price, size=1.0, symbol=BTC):
    return Trade(symbol, ts, price, size, 1)


def bar(ts, *prices, volume=1.0, interval=10, symbol=BTC):
    first, high, low, last = prices * 4 if len(prices) == 1 else prices
    return Bar(symbol, ts, interval, first, high, low, last, volume)


def replay(builder, events, end=None):
    """Drive the builder as a feed stage does."""
    out = []
    for event in events:
        if event.ts > builder.due:
            out += builder.close(event.ts)
        builder.add(event)
    return out + builder.flush(events[-1].ts if end is None else end)


def naive(built, events, end):
    """Aggregate all events of one planned bar with hindsight."""
    parts = {}
    for event in events:
        if event.symbol != built.symbol:
            continue
        if isinstance(event, Trade) and built.source == TRADES:
            first, start = event.ts, event.ts // built.interval
            row = (event.price, event.price, event.price, event.price, event.size)
        elif isinstance(event, Bar) and built.source == bars(event.interval):
            first, start = event.ts - event.interval, (event.ts - 1) // built.interval
            row = (event.open, event.high, event.low, event.close, event.volume)
        else:
            continue
        parts.setdefault(start, []).append((first, row))
    if not parts:
        return
    begin = min(parts)
    last = None
    for number in range(begin, end // built.interval):
        rows = [row for _, row in parts.get(number, ())] or [(last, last, last, last, 0.0)]
        last = rows[-1][3]
        volume = 0.0
        for row in rows:
            volume += row[4]
        if number > begin or parts[number][0][0] % built.interval == 0:
            high, low = max(row[1] for row in rows), min(row[2] for row in rows)
            close = (number + 1) * built.interval
            yield Bar(built.symbol, close, built.interval, rows[0][0], high, low, last, volume)


def expected(plan, events, end):
    made = [(each.ts, rank, each) for rank, built in enumerate(plan) for each in naive(built, events, end)]
    return [each for _, _, each in sorted(made, key=lambda row: row[:2])]


figures = st.integers(1, 20).map(lambda tenths: tenths / 10)
PLAN = [
    Built(BTC, 10, TRADES),
    Built(ETH, 10, TRADES),
    Built(ETH, 15, bars(5)),
    Built(ETH, 20, bars(5)),
    Built(ETH, 20, TRADES),
    Built(BTC, 20, bars(10)),
    Built(BTC, 30, TRADES),
]


@st.composite
def markets(draw):
    symbol = draw(st.sampled_from([BTC, ETH]))
    kind = draw(st.sampled_from(["trade", "bar", "quote", "mark"]))
    ts = draw(st.integers(1, 150))
    if kind == "trade":
        return trade(ts, draw(figures), draw(figures), symbol)
    if kind == "quote":
        return Quote(symbol, ts, 1.0, 1.1, 1.0, 1.0)
    if kind == "mark":
        return Mark(symbol, ts, 1.0)
    interval = draw(st.sampled_from([5, 10]))
    low, first, last, high = sorted(draw(st.tuples(figures, figures, figures, figures)))
    return bar(
        -(-ts // interval) * interval,
        first,
        high,
        low,
        last,
        volume=draw(figures),
        interval=interval,
        symbol=symbol,
    )


@given(st.lists(markets(), min_size=1, max_size=80), st.integers(0, 60))
def test_bars_are_those_of_a_naive_aggregator(events, silence):
    events.sort(key=lambda event: event.ts)
    end = events[-1].ts + silence
    builder = BarBuilder(PLAN)
    assert replay(builder, events, end) == expected(PLAN, events, end)
    assert builder.late == 0
    assert builder.due > end


@given(st.lists(markets(), min_size=1, max_size=40), st.data())
def test_when_close_is_called_changes_nothing(events, draws):
    events.sort(key=lambda event: event.ts)
    builder, often = BarBuilder(PLAN), BarBuilder(PLAN)
    out, before = [], 0
    for event in events:
        for clock in sorted(draws.draw(st.lists(st.integers(before, event.ts), max_size=3))):
            out += often.close(clock)
        out += often.close(event.ts)
        often.add(event)
        before = event.ts
    assert out + often.flush(before) == replay(builder, events)


def test_a_trade_at_the_boundary_begins_the_next_bar_while_the_last_waits():
    builder = BarBuilder([Built(BTC, 10, TRADES)])
    for ts, price in [(10, 1.0), (14, 3.0), (19, 2.0), (20, 7.0), (20, 8.0)]:
        assert ts <= builder.due
        builder.add(trade(ts, price))
    assert builder.due == 20
    assert builder.close(20) == []
    assert builder.close(21) == [bar(20, 1.0, 3.0, 1.0, 2.0, volume=3.0)]
    assert builder.due == 30
    assert builder.flush(29) == []
    assert builder.flush(30) == [bar(30, 7.0, 8.0, 7.0, 8.0, volume=2.0)]


def test_a_shorter_bar_at_the_boundary_belongs_to_the_bar_that_closes_there():
    builder = BarBuilder([Built(BTC, 20, bars(10))])
    events = [bar(10, 1.0, 4.0, 0.5, 2.0), bar(20, 2.0, 3.0, 1.0, 2.5), bar(30, 9.0)]
    assert replay(builder, events) == [bar(20, 1.0, 4.0, 0.5, 2.5, volume=2.0, interval=20)]


def test_a_silence_gives_an_empty_bar_for_each_interval_in_order():
    builder = BarBuilder([Built(BTC, 10, TRADES), Built(ETH, 10, TRADES), Built(BTC, 20, TRADES)])
    builder.add(trade(0, 5.0))
    builder.add(trade(0, 6.0, symbol=ETH))
    out = builder.close(41)
    assert [(each.ts, each.interval, each.symbol) for each in out] == [
        (10, 10, BTC),
        (10, 10, ETH),
        (20, 10, BTC),
        (20, 10, ETH),
        (20, 20, BTC),
        (30, 10, BTC),
        (30, 10, ETH),
        (40, 10, BTC),
        (40, 10, ETH),
        (40, 20, BTC),
    ]
    assert out[2:4] == [bar(20, 5.0, volume=0.0), bar(20, 6.0, volume=0.0, symbol=ETH)]
    assert out[-1] == bar(40, 5.0, volume=0.0, interval=20)


def test_bars_that_were_not_collected_in_time_are_kept():
    builder = BarBuilder([Built(BTC, 10, TRADES)])
    builder.add(trade(0, 5.0))
    builder.add(trade(30, 6.0))
    assert builder.due == 10
    assert [each.ts for each in builder.close(30)] == [10, 20]
    assert builder.due == 30
    assert [each.ts for each in builder.close(41)] == [30, 40]


def test_an_empty_bar_does_not_reach_into_the_prices_of_the_next():
    builder = BarBuilder([Built(BTC, 10, TRADES)])
    assert replay(builder, [trade(0, 5.0), trade(21, 9.0), trade(22, 8.0)], end=30) == [
        bar(10, 5.0),
        bar(20, 5.0, volume=0.0),
        bar(30, 9.0, 9.0, 8.0, 8.0, volume=2.0),
    ]


def test_order_within_a_close_is_the_plans_whichever_symbol_traded_first():
    builder = BarBuilder([Built(BTC, 10, TRADES), Built(ETH, 10, TRADES)])
    for ts in (0, 10):
        builder.add(trade(ts, 2.0, symbol=ETH))
        builder.add(trade(ts, 1.0, symbol=BTC))
    assert [each.symbol for each in builder.close(11)] == [BTC, ETH]


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [(TRADES, trade(3, 1.0), trade(13, 2.0)), (bars(5), bar(10, 1.0, interval=5), bar(20, 2.0, interval=5))],
)
def test_the_interval_in_which_data_begin_is_not_given_out(source, first, second):
    builder = BarBuilder([Built(BTC, 10, source)])
    assert replay(builder, [first, second], end=20) == [bar(20, 2.0)]


def test_nothing_is_due_before_the_first_event():
    builder = BarBuilder([Built(BTC, 10, TRADES)])
    assert builder.due == NEVER
    assert builder.close(1_000) == builder.flush(2_000) == []
    builder.add(Mark(BTC, 5, 1.0))
    builder.add(trade(5, 1.0, symbol=ETH))
    builder.add(bar(10, 1.0, interval=5))
    assert builder.due == NEVER
    builder.add(trade(2_005, 1.0))
    assert builder.due == 2_010


def test_a_late_trade_is_dropped_and_counted_once():
    builder = BarBuilder([Built(BTC, 10, TRADES), Built(BTC, 20, TRADES), Built(BTC, 40, TRADES)])
    for event in (trade(0, 1.0), trade(20, 2.0)):
        builder.add(event)
    builder.add(trade(19, 9.0))
    assert builder.late == 1
    assert builder.close(41) == [
        bar(10, 1.0),
        bar(20, 1.0, volume=0.0),
        bar(20, 1.0, interval=20),
        bar(30, 2.0),
        bar(40, 2.0, volume=0.0),
        bar(40, 2.0, interval=20),
        bar(40, 1.0, 9.0, 1.0, 9.0, volume=3.0, interval=40),
    ]


@pytest.mark.parametrize(
    ("interval", "source"),
    [(0, TRADES), (10, bars(10)), (10, bars(3)), (10, bars(20)), (10, bars(0)), (10, MARKS)],
)
def test_a_bar_that_cannot_be_built_is_refused(interval, source):
    with pytest.raises(ValueError, match=r"^BTC/USDT:USDT: cannot build bars of \w+ from .*; give "):
        BarBuilder([Built(BTC, interval, source)])


def recorded(data, symbol, name, interval):
    frame = pl.read_ipc(data / "binance_usdm_bars" / f"{symbol[:3]}_USDT_USDT-{name}-futures.feather")
    columns = [
        frame["date"].dt.epoch("ns"),
        *(frame[key] for key in ("open", "high", "low", "close", "volume")),
    ]
    return [Bar(symbol, start + interval, interval, *row) for start, *row in zip(*columns, strict=True)]


def prices(each):
    return each.symbol, each.ts, each.interval, each.open, each.high, each.low, each.close


def test_real_hours_from_five_minutes_are_the_recorded_ones(data):
    short = [recorded(data, symbol, "5m", 5 * MINUTE) for symbol in (BTC, ETH)]
    plan = [Built(symbol, HOUR, bars(5 * MINUTE)) for symbol in (BTC, ETH)]
    events = sorted(itertools.chain(*short), key=lambda each: each.ts)
    hours = {(each.symbol, each.ts): each for each in replay(BarBuilder(plan), events)}
    compared = 0
    for symbol in (BTC, ETH):
        for hour in recorded(data, symbol, "1h", HOUR):
            ours = hours[symbol, hour.ts]
            assert prices(ours) == prices(hour)
            assert ours.volume == pytest.approx(hour.volume, rel=1e-12)
            compared += 1
    assert compared == 2 * 719


def test_real_five_minutes_and_hours_from_minutes_are_the_naive_ones(data):
    minutes = sorted(
        itertools.chain(*(recorded(data, symbol, "1m", MINUTE) for symbol in (BTC, ETH))),
        key=lambda each: each.ts,
    )
    plan = [Built(symbol, length, bars(MINUTE)) for length in (5 * MINUTE, HOUR) for symbol in (BTC, ETH)]
    out = replay(BarBuilder(plan), minutes)
    assert out == expected(plan, minutes, minutes[-1].ts)
    assert len(out) > 22_000


def test_real_trades_give_the_bars_polars_groups(data):
    rows = []
    with gzip.open(data / "binance_usdm_raw" / "btcusdt_20240808.gz", "rt") as lines:
        for line in lines:
            if '"e":"trade"' in line:
                each = json.loads(line.split(" ", 1)[1])["data"]
                rows.append((each["T"] * 1_000_000, float(each["p"]), float(each["q"])))
    assert len(rows) == 21_313
    rows.sort(key=lambda row: row[0])
    builder = BarBuilder([Built(BTC, SECOND, TRADES), Built(BTC, MINUTE, TRADES)])
    out = replay(builder, [trade(*row) for row in rows])
    assert builder.late == 0

    frame = pl.DataFrame(rows, schema=["ts", "price", "size"], orient="row")
    for interval in (SECOND, MINUTE):
        groups = frame.group_by((pl.col("ts") // interval + 1) * interval, maintain_order=True).agg(
            pl.col("price").first().alias("open"),
            pl.col("price").max().alias("high"),
            pl.col("price").min().alias("low"),
            pl.col("price").last().alias("close"),
            pl.col("size").sum().alias("volume"),
        )
        whole = groups.slice(1, groups.height - 2)
        traded = [each for each in out if each.interval == interval and each.volume]
        assert [prices(each) for each in traded] == [
            (BTC, row["ts"], interval, row["open"], row["high"], row["low"], row["close"])
            for row in whole.iter_rows(named=True)
        ]
        assert [each.volume for each in traded] == pytest.approx(whole["volume"].to_list(), rel=1e-12)
        closes = [each.ts for each in out if each.interval == interval]
        assert closes == list(range(closes[0], closes[-1] + 1, interval))


def test_a_bar_whose_begin_is_vouched_for_is_whole():
    builder = BarBuilder([Built(BTC, 10, TRADES), Built(BTC, 30, TRADES), Built(ETH, 10, TRADES)])
    builder.begin(BTC, 40)
    given = replay(builder, [trade(43, 5.0), trade(44, 6.0, symbol=ETH), trade(61, 7.0)])
    # Nothing of 30, which began before, and of the other symbol not what it begins in.
    assert given == [bar(50, 5.0), bar(60, 5.0, volume=0.0), bar(60, 6.0, volume=0.0, symbol=ETH)]
