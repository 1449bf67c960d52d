"""Files of funding rates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from quantmind.data.funding import read_funding
from quantmind.errors import QuantMindError

START = datetime(2024, 1, 1, tzinfo=UTC)
NS = 1_704_067_200_000_000_000
HOUR = 3_600_000_000_000


def rows(rates=(0.0001, -0.0002), **columns):
    times = [START + timedelta(hours=8 * n) for n in range(len(rates))]
    return pl.DataFrame({"date": times, "rate": rates} | columns)


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.csv"])
@pytest.mark.parametrize("rate", ["rate", "funding_rate", "fundingRate", "last_funding_rate", "open"])
def test_the_rate_goes_by_several_names(saved, name, rate):
    path = saved(rows().rename({"rate": rate}), name)
    assert read_funding([path]).rows() == [(NS, 0.0001, 0.0), (NS + 8 * HOUR, -0.0002, 0.0)]


def test_the_history_that_the_venue_gives(saved):
    history = rows(symbol=["BTCUSDT"] * 2, markPrice=["42000.5", ""]).rename({"rate": "fundingRate"})
    history = history.with_columns(fundingTime=pl.Series([NS // 1_000_000 + 3, NS // 1_000_000])).drop("date")
    assert read_funding([saved(history, "a.csv")]).rows() == [(NS, -0.0002, 0.0), (NS + 3_000_000, 0.0001, 42000.5)]


@pytest.mark.parametrize("rate", [1.0, -1.5, float("nan"), None])
def test_what_is_no_rate_is_refused_with_its_time(saved, rate):
    with pytest.raises(QuantMindError, match=r"row of 2024-01-01T08:00:00Z: rate .* must be a number between -1 and 1"):
        read_funding([saved(rows((0.0001, rate)))])


def test_a_file_without_a_rate(saved):
    with pytest.raises(
        QuantMindError, match=r"has no column rate \(one of rate, funding_rate, .*\); its columns: date"
    ):
        read_funding([saved(rows().drop("rate"))])


def test_a_file_without_rows(saved):
    with pytest.raises(QuantMindError, match="has no rows"):
        read_funding([saved(rows().clear())])


def test_a_time_that_cannot_be_read(saved):
    with pytest.raises(QuantMindError, match="row 2 has no readable time"):
        read_funding([saved(rows(date=["2024-01-01", "soon"]), "a.csv")])


def test_real_rates(data):
    path = data / "binance_usdm_bars" / "ETH_USDT_USDT-8h-funding_rate.feather"
    found = read_funding([path])
    assert len(found) == 302
    # A settlement may be told some milliseconds late.
    assert found.row(301) == (1_749_945_600_005_000_000, 0.00001767, 0.0)
