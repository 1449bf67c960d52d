"""Data files, found by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantmind.backtest.library import Library, named
from quantmind.errors import UsageError

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000
HOURS = 60 * MINUTE


@pytest.mark.parametrize(
    ("name", "letters", "content", "interval"),
    [
        ("BTC_USDT_USDT-1m-futures.feather", "BTCUSDTUSDT", "bars", MINUTE),
        ("BTC_USDT_USDT-8h-funding_rate.feather", "BTCUSDTUSDT", "funding", 8 * HOURS),
        ("BTC_USDT_USDT-8h-mark.feather", "BTCUSDTUSDT", "marks", 8 * HOURS),
        ("BTCUSDT-1m.parquet", "BTCUSDT", "bars", MINUTE),
        ("BTCUSDT-1m-2024-01.csv", "BTCUSDT", "bars", MINUTE),
        ("BTCUSDT-5m-2024-01-31.csv.gz", "BTCUSDT", "bars", 5 * MINUTE),
        ("btcusdt-1h.CSV", "BTCUSDT", "bars", HOURS),
        ("BTCUSDT-fundingRate-2024-01.csv", "BTCUSDT", "funding", 0),
        ("BTCUSDT-1m-markPrice.parquet", "BTCUSDT", "marks", MINUTE),
        ("1000SHIB_USDT_USDT-15m-futures.feather", "1000SHIBUSDTUSDT", "bars", 15 * MINUTE),
    ],
)
def test_names_tell_symbol_content_and_interval(name, letters, content, interval):
    file = named(Path(name))
    assert (file.letters, file.content, file.interval) == (letters, content, interval)


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "README.md",
        "notes.csv",
        "BTCUSDT.parquet",
        "BTCUSDT-trades-2024-01.csv",
        "BTCUSDT-1m-premiumIndex.csv",
        "BTC_USDT-1M.feather",
        "-1m.csv",
    ],
)
def test_other_names_tell_nothing(name):
    assert named(Path(name)) is None


@pytest.fixture
def folder(tmp_path):
    names = [
        "BTC_USDT_USDT-1m-futures.feather",
        "BTC_USDT_USDT-5m-futures.feather",
        "BTC_USDT_USDT-8h-funding_rate.feather",
        "more/ETHUSDT-5m-2024-01.csv",
        "more/ETHUSDT-5m-2024-02.csv",
        "more/ETHUSDT-1h.parquet",
        "LICENSE",
    ]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_a_folder_is_looked_through_and_no_file_opened(folder):
    library = Library.of([folder])
    assert library.intervals(BTC, "bars") == [MINUTE, 5 * MINUTE]
    assert library.intervals(ETH, "bars") == [5 * MINUTE, HOURS]
    assert library.common([BTC, ETH]) == [5 * MINUTE]
    assert [path.name for path in library.pick(ETH, "bars", 5 * MINUTE)] == [
        "ETHUSDT-5m-2024-01.csv",
        "ETHUSDT-5m-2024-02.csv",
    ]
    assert library.intervals(ETH, "funding") == []


def test_a_file_that_is_named_twice_counts_once(folder):
    file = folder / "BTC_USDT_USDT-1m-futures.feather"
    library = Library.of([file, folder, file])
    assert len(library.pick(BTC, "bars", MINUTE)) == 1


def test_no_bars_of_a_symbol(folder):
    with pytest.raises(UsageError) as error:
        Library.of([folder / "more"]).common([BTC, ETH])
    assert str(error.value).startswith(f"there are no bars of BTC/USDT:USDT in {folder / 'more'}; files are found by")


def test_a_store_in_place_of_files_is_told_with_what_it_has(tmp_path):
    def store(*channels):
        for channel in channels:
            (tmp_path / "venue=paper" / f"channel={channel}" / "symbol=BTC-USDT-USDT").mkdir(parents=True)
        with pytest.raises(UsageError) as error:
            Library.of([tmp_path]).common([BTC])
        return str(error.value)

    told = store("quote", "trade")
    assert told == (
        f"there are no bars of BTC/USDT:USDT in {tmp_path}; {tmp_path} is a store, of quote, trade of paper: it is "
        f"played by the feed `replay: {{store: {tmp_path}, venue: paper}}` of a recipe, with `quantmind run`"
    )
    assert f"`quantmind data convert {tmp_path} --channels bar --to FILE` writes its bars to a file" in store("bar-1m")


def test_no_interval_for_all(folder):
    paths = [folder / "BTC_USDT_USDT-1m-futures.feather", folder / "more"]
    with pytest.raises(UsageError, match="for every instrument: BTC/USDT:USDT has 1m; ETH/USDT:USDT has 5m, 1h"):
        Library.of(paths).common([BTC, ETH])


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="none: no such file or folder"):
        Library.of([tmp_path / "none"])


def test_a_named_file_whose_name_tells_nothing(folder):
    with pytest.raises(UsageError, match="LICENSE: its name does not tell what it holds; files are found by names"):
        Library.of([folder / "LICENSE"])


def test_real_files(data):
    library = Library.of([data / "binance_usdm_bars"])
    for symbol in (BTC, ETH):
        assert library.intervals(symbol, "bars") == [MINUTE, 5 * MINUTE, HOURS]
        assert library.intervals(symbol, "funding") == library.intervals(symbol, "marks") == [8 * HOURS]
