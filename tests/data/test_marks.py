"""Files of mark prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from quantmind.data.marks import read_marks
from quantmind.errors import QuantMindError

START = datetime(2024, 1, 1, tzinfo=UTC)
NS = 1_704_067_200_000_000_000
HOUR = 3_600_000_000_000


def rows(*bars):
    """Make hourly bars of (hours since the start, open, close)."""
    return pl.DataFrame(
        {
            "date": [START + timedelta(hours=at) for at, _, _ in bars],
            "open": [opened for _, opened, _ in bars],
            "high": [1e9] * len(bars),
            "low": [1e-9] * len(bars),
            "close": [closed for _, _, closed in bars],
        }
    )


def known(*paths):
    return [((time - NS) / HOUR, price) for time, price in read_marks(paths).iter_rows()]


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.csv"])
def test_the_open_is_known_when_the_bar_begins_and_the_last_close_at_its_end(saved, name):
    path = saved(rows((0, 100.0, 109.0), (1, 110.0, 119.0), (2, 120.0, 129.0)), name)
    assert known(path) == [(0, 100.0), (1, 110.0), (2, 120.0), (3, 129.0)]


def test_the_close_before_a_gap_is_known_at_the_end_of_its_bar(saved):
    path = saved(rows((0, 100.0, 109.0), (1, 110.0, 119.0), (5, 150.0, 159.0)))
    assert known(path) == [(0, 100.0), (1, 110.0), (2, 119.0), (5, 150.0), (6, 159.0)]


def test_of_one_row_the_end_is_not_known(saved):
    assert known(saved(rows((3, 130.0, 139.0)))) == [(3, 130.0)]


def test_files_are_merged_and_duplicates_dropped(saved):
    first = saved(rows((1, 110.0, 119.0), (2, 120.0, 129.0)), "b.parquet")
    second = saved(rows((0, 100.0, 109.0), (1, 110.0, 119.0)), "a.csv")
    assert known(first, second) == [(0, 100.0), (1, 110.0), (2, 120.0), (3, 129.0)]


def test_rows_that_contradict_each_other(saved):
    paths = [saved(rows((1, 110.0, 119.0)), "a.csv"), saved(rows((1, 111.0, 119.0)), "b.csv")]
    with pytest.raises(QuantMindError, match=r"a.csv, .*b.csv: two different rows for 2024-01-01T01:00:00Z"):
        read_marks(paths)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), None])
def test_what_is_no_price_is_refused_with_its_time(saved, price):
    path = saved(rows((0, 100.0, 109.0), (1, 110.0, price)))
    with pytest.raises(QuantMindError, match=r"rows.parquet: row of 2024-01-01T01:00:00Z: open 110.0 and close"):
        read_marks([path])


def test_columns_that_are_missing(saved):
    with pytest.raises(QuantMindError, match=r"has no column close; its columns: date, open"):
        read_marks([saved(rows((0, 1.0, 1.0)).select("date", "open"))])


def test_real_marks(data):
    path = data / "binance_usdm_bars" / "BTC_USDT_USDT-8h-mark.feather"
    marks = read_marks([path])
    assert len(marks) == 266 + 1
    assert marks.row(0) == (1_741_276_800_000_000_000, 90776.94748889)
    assert marks["price"][-1] == 105134.3
    assert marks["time"].diff().drop_nulls().unique().to_list() == [8 * HOUR]
