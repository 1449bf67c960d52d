from __future__ import annotations

import gzip
import itertools
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from quantmind.data.bars import read_bars
from quantmind.data.rows import span
from quantmind.errors import QuantMindError
from quantmind.events import Bar

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000
START = datetime(2024, 1, 1, tzinfo=UTC)
START_NS = 1_704_067_200_000_000_000


def frame(count=5, first=0, price=100.0, **columns):
    """Make rows one minute apart; `columns` replace whole columns."""
    closes = [price + first + n for n in range(count)]
    rows = {
        "date": [START + timedelta(minutes=first + n) for n in range(count)],
        "open": closes,
        "high": [close + 1 for close in closes],
        "low": [close - 1 for close in closes],
        "close": closes,
        "volume": [2.5] * count,
    }
    return pl.DataFrame(rows | columns)


def saved(folder, rows, name="bars.parquet"):
    path = folder / name
    if path.suffix == ".parquet":
        rows.write_parquet(path)
    elif path.suffix == ".csv":
        rows.write_csv(path)
    else:
        rows.write_ipc(path, compression="lz4")
    return path


def read(*paths, interval=MINUTE, **limits):
    table = read_bars({BTC: paths}, interval, **limits)
    bars = [bar for batch in table.batches() for bar in batch]
    assert len(table) == len(bars)
    return bars


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.arrow", "a.csv"])
def test_each_format_gives_the_same_bars_that_close_an_interval_after_they_open(tmp_path, name):
    bars = read(saved(tmp_path, frame(2), name))
    assert bars == [
        Bar(BTC, START_NS + MINUTE, MINUTE, 100.0, 101.0, 99.0, 100.0, 2.5),
        Bar(BTC, START_NS + 2 * MINUTE, MINUTE, 101.0, 102.0, 100.0, 101.0, 2.5),
    ]
    assert [type(figure) for figure in (bars[0].ts, bars[0].open, bars[0].volume)] == [int, float, float]


def test_compressed_csv(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(saved(tmp_path, frame(3), "a.csv").read_bytes()))
    assert read(path) == read(tmp_path / "a.csv")


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_integers_tell_their_unit_by_their_size(tmp_path, unit, name):
    times = [(START_NS + n * MINUTE) // 1_000_000_000 * unit for n in range(3)]
    path = saved(tmp_path, frame(3, date=times).rename({"date": "open_time"}), name)
    assert [bar.ts for bar in read(path)] == [START_NS + n * MINUTE for n in (1, 2, 3)]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_datetimes_of_any_unit_and_zone(tmp_path, unit, zone):
    times = frame(3)["date"].dt.cast_time_unit(unit)
    times = times.dt.replace_time_zone(None) if zone is None else times.dt.convert_time_zone(zone)
    bars = read(saved(tmp_path, frame(3).with_columns(times.alias("date"))))
    assert [bar.ts for bar in bars] == [START_NS + n * MINUTE for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T00:00:00Z",
        "2024-01-01 00:00:00+00:00",
        "2024-01-01 00:00:00",
        "2024-01-01T00:00",
        "2024-01-01",
    ],
)
def test_iso_text(tmp_path, text):
    (bar,) = read(saved(tmp_path, frame(1, date=[text]), "a.csv"))
    assert bar.ts == START_NS + MINUTE


def test_dates_are_midnight_utc(tmp_path):
    day = 24 * 60 * MINUTE
    days = [(START + timedelta(days=n)).date() for n in range(3)]
    bars = read(saved(tmp_path, frame(3, date=days)), interval=day)
    assert [bar.ts for bar in bars] == [START_NS + n * day for n in (1, 2, 3)]


def test_columns_in_any_case_and_order_with_others_beside_them(tmp_path):
    rows = frame(2).select(
        pl.lit("x").alias("Symbol"), *(pl.col(n).alias(n.title()) for n in reversed(frame().columns))
    )
    assert read(saved(tmp_path, rows)) == read(saved(tmp_path, frame(2), "b.parquet"))


def test_whole_numbers_are_figures_too(tmp_path):
    rows = frame(2).cast({"open": pl.Int64, "volume": pl.Int32, "close": pl.String})
    assert read(saved(tmp_path, rows)) == [
        Bar(BTC, START_NS + (n + 1) * MINUTE, MINUTE, 100.0 + n, 101.0 + n, 99.0 + n, 100.0 + n, 2.0) for n in range(2)
    ]


def test_unsorted_rows_and_several_files_come_in_order_each_row_once(tmp_path):
    rows = frame(10)
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    first, second = saved(tmp_path, shuffled[:7], "1.parquet"), saved(tmp_path, shuffled[4:], "2.feather")
    assert read(first, second) == read(second, first) == read(saved(tmp_path, rows))


def test_start_is_inclusive_and_end_exclusive_by_open_time(tmp_path):
    path = saved(tmp_path, frame(10))
    bars = read(path, start=START_NS + 2 * MINUTE, end=START_NS + 5 * MINUTE)
    assert [bar.close for bar in bars] == [102.0, 103.0, 104.0]
    assert [bar.close for bar in read(path, end=START_NS + 5 * MINUTE, last=2)] == [103.0, 104.0]


def test_symbols_are_merged_by_time_then_by_their_order(tmp_path):
    files = {
        ETH: [saved(tmp_path, frame(3, price=10.0), "eth.parquet")],
        BTC: [saved(tmp_path, frame(3, first=1), "btc.parquet")],
    }
    table = read_bars(files, MINUTE)
    merged = [bar for batch in table.batches(2) for bar in batch]
    assert [(bar.symbol, (bar.ts - START_NS) // MINUTE) for bar in merged] == [
        (ETH, 1), (ETH, 2), (BTC, 2), (ETH, 3), (BTC, 3), (BTC, 4),
    ]  # fmt: skip
    assert merged[2].close == 101.0


def test_a_random_split_over_files_merges_to_the_same_bars(tmp_path):
    draw = random.Random(3)
    rows = frame(200)
    parts = [draw.randrange(3) for _ in range(200)]
    paths = [
        saved(tmp_path, rows.filter(pl.Series([p == part for p in parts])), f"{part}.parquet") for part in range(3)
    ]
    assert read(*paths) == read(saved(tmp_path, rows))


@pytest.fixture(scope="module")
def long_rows():
    return frame(250_000)


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        ({}, 250_000),
        ({"start": START_NS + 99_999 * MINUTE, "end": START_NS + 200_001 * MINUTE}, 100_002),
        ({"start": START_NS + 150_000 * MINUTE, "last": 3}, 3),
        ({"end": START_NS + 100_001 * MINUTE, "last": 100_001}, 100_001),
        ({"start": START_NS + 250_000 * MINUTE}, 0),
    ],
)
def test_a_long_file_is_the_same_however_much_of_it_is_held(tmp_path, long_rows, limits, count):
    a_window_at_a_time = read(saved(tmp_path, long_rows), **limits)
    as_a_whole = read(saved(tmp_path, long_rows, "bars.feather"), **limits)
    assert a_window_at_a_time == as_a_whole
    assert len(as_a_whole) == count


def test_disorder_far_into_a_long_file_is_put_right(tmp_path, long_rows):
    turned = pl.concat([long_rows[100_000:], long_rows[:100_000]])
    assert read(saved(tmp_path, turned)) == read(saved(tmp_path, long_rows, "b.parquet"))


def test_a_bad_row_far_into_a_long_file_is_found_before_the_first_bar(tmp_path, long_rows):
    bad = long_rows.with_columns(high=pl.when(pl.int_range(pl.len()) == 234_567).then(0.5).otherwise(pl.col("high")))
    with pytest.raises(QuantMindError, match=r"row of 2024-06-11T21:27:00Z: high 0.5 is below low"):
        read_bars({BTC: [saved(tmp_path, bad)]}, MINUTE)


def test_batches_are_no_larger_than_asked_for(tmp_path):
    table = read_bars({BTC: [saved(tmp_path, frame(25))]}, MINUTE)
    assert [len(batch) for batch in table.batches(10)] == [10, 10, 5]


def test_nothing_to_read_is_no_bars():
    table = read_bars({}, MINUTE)
    assert (len(table), list(table.batches())) == (0, [])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"close": [100.0, float("nan")]}, "close is nan"),
        ({"open": [100.0, float("inf")]}, "open is inf"),
        ({"volume": [1.0, None]}, "volume is missing or no number"),
        ({"high": [101.0, 90.0]}, "high 90.0 is below low 100.0"),
        ({"low": [99.0, 0.0]}, "low 0.0 is not above 0"),
        ({"close": [100.0, -1.0]}, "close -1.0 is not above 0"),
        ({"volume": [1.0, -1.0]}, "volume -1.0 is below 0"),
        ({"close": [100.0, 103.0]}, "close 103.0 is outside low 100.0 to high 102.0"),
        ({"open": [100.0, 99.5]}, "open 99.5 is outside low 100.0 to high 102.0"),
    ],
)
def test_a_row_that_cannot_be_true_is_named(tmp_path, changes, fault):
    path = saved(tmp_path, frame(2, **changes))
    with pytest.raises(QuantMindError) as error:
        read(path)
    assert str(error.value) == f"{path}: row of 2024-01-01T00:01:00Z: {fault}; correct or remove it"


def test_text_that_is_no_number_is_named(tmp_path):
    path = saved(tmp_path, frame(2, close=["100", "1oo"]), "a.csv")
    with pytest.raises(QuantMindError, match="row of 2024-01-01T00:01:00Z: close is missing or no number"):
        read(path)


@pytest.mark.parametrize("limits", [{}, {"start": START_NS}, {"end": START_NS + 9 * MINUTE}])
def test_a_row_without_a_readable_time_is_named_whatever_is_asked_for(tmp_path, limits):
    path = saved(tmp_path, frame(3, date=["2024-01-01", "soon", "2024-01-01T00:02:00Z"]), "a.csv")
    with pytest.raises(QuantMindError, match=r"a.csv: row 2 has no readable time; correct or remove it"):
        read(path, **limits)


def test_rows_outside_the_span_are_not_judged(tmp_path):
    path = saved(tmp_path, frame(3, high=[101.0, 102.0, 1.0]))
    assert len(read(path, end=START_NS + 2 * MINUTE)) == 2


def test_contradicting_rows_name_both_files_and_the_time(tmp_path):
    one, other = (
        saved(tmp_path, frame(3), "1.parquet"),
        saved(tmp_path, frame(2, first=2, volume=[9.0, 9.0]), "2.parquet"),
    )
    with pytest.raises(QuantMindError) as error:
        read(one, other)
    assert str(error.value) == (
        f"{other}: two different rows for 2024-01-01T00:02:00Z, the other is in {one}; keep one of them"
    )


def test_contradicting_rows_of_one_file(tmp_path):
    path = saved(tmp_path, pl.concat([frame(2), frame(1, volume=[9.0])]))
    with pytest.raises(QuantMindError, match=r"two different rows for 2024-01-01T00:00:00Z; keep one of them"):
        read(path)


@pytest.mark.parametrize(("interval", "wanted"), [(5 * MINUTE, "5m"), (MINUTE // 2, "30s")])
def test_rows_that_are_not_the_interval_apart_are_refused(tmp_path, interval, wanted):
    with pytest.raises(QuantMindError, match=f"the rows are 1m apart, not {wanted}; set `interval`"):
        read(saved(tmp_path, frame(5)), interval=interval)


def test_a_gap_is_no_fault(tmp_path):
    assert len(read(saved(tmp_path, pl.concat([frame(2), frame(2, first=7)])))) == 4


def test_a_missing_file(tmp_path):
    with pytest.raises(QuantMindError, match=r"none.parquet: no such file; data files are looked up from"):
        read(tmp_path / "none.parquet")


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    saved(tmp_path, frame(2))
    assert len(read(Path("~/bars.parquet"))) == 2


def test_an_ending_of_no_known_format(tmp_path):
    with pytest.raises(QuantMindError, match=r"bars.xls: must end with one of .parquet, .feather"):
        read(tmp_path / "bars.xls")


@pytest.mark.parametrize(("name", "format"), [("a.parquet", "parquet"), ("a.feather", "feather")])
def test_a_file_that_is_something_else(tmp_path, name, format):
    path = tmp_path / name
    path.write_bytes(b"certainly neither of the two" * 10)
    with pytest.raises(QuantMindError, match=f"{name}: cannot be read as {format}: ") as error:
        read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "date,open,high,low,close,volume\n"])
def test_an_empty_csv(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(QuantMindError, match=r"a.csv: (has no rows|cannot be read as csv)"):
        read(path)


def test_the_span_of_rows_whose_times_cannot_be_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("date,open,high,low,close,volume\nsoon,1,1,1,1,1\n")
    with pytest.raises(QuantMindError, match=r"a.csv: row 1 has no readable time; correct or remove it"):
        span([path])


def test_a_file_without_rows(tmp_path):
    with pytest.raises(QuantMindError, match="has no rows"):
        read(saved(tmp_path, frame(1).clear()))


def test_missing_columns_are_named_with_those_there_are(tmp_path):
    path = saved(tmp_path, frame(2).drop("date", "volume"))
    with pytest.raises(QuantMindError) as error:
        read(path)
    assert str(error.value) == (
        f"{path}: has no column time (one of date, ts, timestamp, time, open_time, datetime), volume; "
        "its columns: open, high, low, close"
    )


def test_a_time_column_of_floats_is_refused(tmp_path):
    with pytest.raises(QuantMindError, match="the time column holds Float64; it must hold times"):
        read(saved(tmp_path, frame(2, date=[1.5, 2.5])))


def recorded(name):
    folder = Path(os.environ.get("QUANTMIND_TEST_DATA", Path(__file__).parents[3] / "shared/data"))
    path = folder / "binance_usdm_bars" / name
    if not path.is_file():
        pytest.skip("no recorded data: set QUANTMIND_TEST_DATA")
    return path


def test_recorded_bars_of_a_venue():
    bars = read(recorded("BTC_USDT_USDT-1m-futures.feather"))
    assert len(bars) == 43_199
    assert bars[0] == Bar(BTC, 1_746_372_840_000_000_000, MINUTE, 95505.4, 95505.5, 95502.7, 95502.7, 16.536)
    assert {later.ts - bar.ts for bar, later in itertools.pairwise(bars)} == {MINUTE}


def test_recorded_bars_of_another_interval_are_not_taken_for_minutes():
    with pytest.raises(QuantMindError, match="the rows are 5m apart, not 1m"):
        read(recorded("BTC_USDT_USDT-5m-futures.feather"))
