"""`quantmind data list`, `check`, `convert` and `download`, as a user calls them."""

import json
import sys

import polars as pl
import pytest

from quantmind.data.bars import read_bars
from quantmind.data.store import Store, Writer
from quantmind.events import Bar, Book, FundingRate, Mark, Quote, Trade
from quantmind.kinds import TRADES, bars

MINUTE, DAY = 60_000_000_000, 86_400_000_000_000
T = 20_000 * DAY
BTC = "BTC/USDT:USDT"

ARCHIVE = """
from quantmind.errors import QuantMindError
from quantmind.events import Bar, Trade
from quantmind.hookspecs import hookimpl
from quantmind.kinds import TRADES, Archive, Options, bars
from pydantic import Field

MINUTE, DAY = 60_000_000_000, 86_400_000_000_000

class LibraryOptions(Options):
    lacking: list[int] = Field(default=[], description="Days, since 1970, that it does not have.")
    silent: list[int] = Field(default=[], description="Days of which it gives nothing.")
    hour: int = Field(default=-1, description="An hour that it does not have.")
    log: str = Field(default="asked.txt", description="Where it notes what it is asked for.")

class Library(Archive[LibraryOptions]):
    '''Has a bar each hour, and a trade.'''

    name = "library"
    venue = "elsewhere"

    @classmethod
    def reading(cls, path):
        return cls(LibraryOptions()) if path.read_bytes().startswith(b"LIB") else None

    def channels(self, symbol):
        return frozenset({bars(60 * MINUTE), TRADES})

    async def fetch(self, symbol, channel, start, end):
        with open(self.options.log, "a") as log:
            print(channel.kind, start // DAY, end // DAY, file=log)
        if end == 1 << 62:
            start, end = 20_000 * DAY, 20_001 * DAY
        for day in range(start // DAY, -(-end // DAY)):
            if day in self.options.lacking:
                raise QuantMindError(f"day {day} was lost")
            if day in self.options.silent:
                continue
            opens = [day * DAY + n * 60 * MINUTE for n in range(24) if n != self.options.hour]
            kept = [at for at in opens if start <= at < end]
            if channel.kind == "bar":
                yield [Bar(symbol, at + 60 * MINUTE, 60 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0) for at in kept]
            else:
                yield [Trade(symbol, at, 1.0, 1.0, 1, at // (60 * MINUTE)) for at in kept]

@hookimpl
def register_components():
    return [Library]
"""


@pytest.fixture
def library(folder, tmp_path_factory, monkeypatch):
    """An archive of a third party, and what it was asked for."""
    site = tmp_path_factory.mktemp("site")
    info = site / "library-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: library\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quantmind]\nlibrary = library_archive\n")
    (site / "library_archive.py").write_text(ARCHIVE)
    monkeypatch.syspath_prepend(str(site))

    def asked():
        log = folder / "asked.txt"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    yield asked
    sys.modules.pop("library_archive", None)


def bar(n, **more):
    figures = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": 1.0, **more}
    return Bar(BTC, T + (n + 1) * MINUTE, MINUTE, *figures.values())


def fill(place, *events):
    with Writer(place) as writer:
        writer.write("v", events)


def write_bars(path, rows):
    names = ("date", "open", "high", "low", "close", "volume")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row")
    frame = frame.with_columns(pl.col("date").cast(pl.Int64))
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_ipc(path)


def test_list_shows_what_is_there_and_what_lacks(quantmind, folder):
    assert quantmind("data", "list", "none")[::2] == (
        1,
        f"error: none: there is no such folder; folders are looked up from {folder}\n",
    )
    fill(folder / "s", *(bar(n) for n in (0, 1, 3)), bar(1440 * 2), Quote(BTC, T, 1.0, 2.0, 1.0, 1.0))
    code, output, _ = quantmind("data", "list", "s")
    assert code == 0
    head, bars_, quotes = (line.split() for line in output.splitlines())
    assert head == ["VENUE", "CHANNEL", "SYMBOL", "DAYS", "ROWS", "FROM", "TO", "COMPLETE", "GAPS"]
    assert bars_[:5] == ["v", "bar-1m", BTC, "2", "4"]
    assert bars_[5:] == ["2024-10-04T00:00:00Z", "2024-10-06T00:00:00Z", "0.13", "%", "2", "(1", "day", "absent)"]
    assert quotes[-2:] == ["-", "-"]
    (row, _) = json.loads(quantmind("data", "list", "s", "--json")[1])
    assert (row["rows"], row["missing"], row["gaps"], row["absent_days"]) == (4, 2877, 2, 1)
    assert row["completeness"] == pytest.approx(4 / 2881)


def test_check_of_a_sound_store_finds_nothing(quantmind, folder):
    events = [bar(n) for n in range(3000)]
    events += [FundingRate(BTC, T + n * DAY // 3, 0.0001) for n in range(6)]
    events += [Mark(BTC, T + n * MINUTE, 100.0) for n in range(3000)]
    events += [Quote(BTC, T + n * MINUTE, 100.0, 100.1, 1.0, 1.0, 0, n) for n in range(3000)]
    events += [Trade(BTC, T + n * MINUTE, 100.0, 1.0, 1, n + 7) for n in range(3000)]
    events += [Book(BTC, T + n * MINUTE, ((1.0, 1.0), (0.9, 1.0)), ((1.1, 1.0), (1.2, 1.0))) for n in range(1500)]
    events += [Book(BTC, T, (), ((1.1, 1.0),))]
    fill(folder / "s", *events)
    assert quantmind("data", "check", "s") == (0, "s: ok\n", "")
    assert quantmind("data", "check", "s", "--json") == (0, "[]\n", "")


@pytest.mark.parametrize(
    ("events", "kind", "message"),
    [
        ([bar(0), bar(1), bar(4)], "gap", "2 bars lack before 2024-10-04T00:04:00Z"),
        ([bar(0), bar(0, close=99.5)], "duplicate", "1 bars of one time"),
        ([bar(0, high=98.0)], "bar", "high 98.0 is below low 99.0"),
        ([bar(0, close=float("nan"))], "bar", "close is nan"),
        ([bar(n, volume=0.0) for n in range(12)], "volume", "12 bars in a row have no volume"),
        ([Quote(BTC, T, 2.0, 2.0, 1.0, 1.0)], "crossed", "bid 2.0 is not below ask 2.0"),
        ([Quote(BTC, T, 0.0, 2.0, 1.0, 1.0)], "price", "cannot be true: bid 0.0"),
        ([Quote(BTC, T + n * DAY // 2, 1.0, 2.0, 1.0, 1.0) for n in range(2)], "silence", "nothing for 43,200 s"),
        ([Mark(BTC, T + n, 1.0) for n in (0, 10**9, 10**12)], "silence", "nothing for 999 s"),
        ([Mark(BTC, T, 1.0), Mark(BTC, T + 2 * DAY, 1.0)], "gap", "nothing of 2024-10-05"),
        ([Trade(BTC, T + n, 1.0, 1.0, 1, n) for n in (1, 2, 5)], "gap", "ids 3 to 4"),
        ([Trade(BTC, T + n, 1.0, 1.0, 1, 3) for n in (1, 2)], "duplicate", "1 trades of one id"),
        ([Trade(BTC, T, -1.0, 1.0, 1)], "price", "price -1.0"),
        ([Book(BTC, T, ((2.0, 1.0),), ((1.9, 1.0),))], "crossed", "best bid 2.0 is not below best ask 1.9"),
        ([Book(BTC, T, ((2.0, 1.0), (2.1, 1.0)), ())], "price", "its levels are not sorted"),
        ([FundingRate(BTC, T, 1.5)], "price", "rate 1.5"),
        (
            [FundingRate(BTC, T + n * DAY // 3, 0.1) for n in (0, 1, 2, 5)],
            "gap",
            "1d without a settlement, they were 8h apart",
        ),
        ([FundingRate(BTC, T + n, 0.1) for n in (0, 5_000_000)], "duplicate", "within a minute"),
    ],
)
def test_check_finds_what_is_wrong(quantmind, folder, events, kind, message):
    fill(folder / "s", *events)
    code, output, errors = quantmind("data", "check", "s")
    assert (code, errors) == (1, "")
    (line,) = output.splitlines()
    assert line.startswith("s/venue=v/channel=")
    assert f": {kind}: " in line
    assert message in line
    (row,) = json.loads(quantmind("data", "check", "s", "--json")[1])
    assert row["kind"] == kind


def test_check_names_damaged_files_and_wrong_manifests(quantmind, folder):
    fill(folder / "s", bar(0))
    fill(folder / "s", Trade(BTC, T, 1.0, 1.0, 1, 1))
    manifest = next((folder / "s" / ".store").rglob("channel=trade/**/*.json"))
    manifest.write_text(manifest.read_text().replace('"rows":1', '"rows":5'))
    part = next((folder / "s").glob("*/channel=bar-1m/*/*/*.parquet"))
    part.write_bytes(part.read_bytes()[:50])
    code, output, _ = quantmind("data", "check", "s")
    assert code == 1
    assert ["part-000001.parquet: damaged: " in output, "manifest: tells of 5 rows in part-000001" in output] == [
        True
    ] * 2


def test_check_reads_files_of_bars_and_trades(quantmind, folder):
    rows = [[T / 1e6 + n * 60_000, 100, 101, 99, 100, 1] for n in (0, 1, 2, 5, 4, 4)]
    write_bars(folder / "BTCUSDT-1m.csv", rows)
    code, output, _ = quantmind("data", "check", "BTCUSDT-1m.csv")
    assert code == 1
    assert output.splitlines() == [
        "BTCUSDT-1m.csv: duplicate: 1 bars of one time",
        "BTCUSDT-1m.csv: order: 1 rows are before the row above them",
        "BTCUSDT-1m.csv: gap: 2024-10-04T00:02:00Z: 1 bar lacks before 2024-10-04T00:04:00Z",
    ]
    (folder / "trades.csv").write_text(
        "id,price,qty,time\n1,5,1,1723075200000\n2,5,1,1723075200001\n4,0,1,1723075200002\n"
    )
    code, output, _ = quantmind("data", "check", "trades.csv")
    assert ("ids 3 to 3" in output, "price 0.0" in output, len(output.splitlines())) == (True, True, 2)
    (folder / "x.csv").write_text("a,b\n1,2\n")
    assert quantmind("data", "check", "x.csv")[0] == 1
    assert "has no column" in quantmind("data", "check", "x.csv")[2]
    (folder / "empty").mkdir()
    assert quantmind("data", "check", "empty")[0] == 2
    missing = quantmind("data", "check", "none")
    assert missing == (2, "", f"error: none: there is no such file or folder; looked up from {folder}\n")


@pytest.mark.parametrize(
    "name", ["BTC_USDT_USDT-1m-futures.feather", "BTC_USDT_USDT-1m.csv", "BTC_USDT_USDT-1m-futures.json"]
)
def test_files_of_bars_are_converted_once_and_come_out_again(quantmind, folder, name):
    rows = [[T / 1e6 + n * 60_000, 100 + n / 8, 101 + n / 8, 99 + n / 8, 100 + n / 8, n] for n in range(3000)]
    path = folder / name
    path.write_text(json.dumps([[int(at), *rest] for at, *rest in rows])) if "json" in name else write_bars(path, rows)
    for _ in range(2):
        code, output, errors = quantmind("data", "convert", name, "--venue", "v", "--to", "s")
        assert (code, errors) == (0, "")
        assert output == f"{name}: 3,000 events of bars of 1m of {BTC} of v\n"
    store = Store(folder / "s")
    found = [event for batch in store.read("v", [BTC], [bars(MINUTE)]) for event in batch]
    assert found == [
        Bar(BTC, T + (n + 1) * MINUTE, MINUTE, 100 + n / 8, 101 + n / 8, 99 + n / 8, 100 + n / 8, float(n))
        for n in range(3000)
    ]
    for out in ("out.csv", "out.feather", "out.parquet"):
        code, output, errors = quantmind("data", "convert", "s", "--to", out, "--channels", "bar", "--symbol", BTC)
        assert (code, errors) == (0, "")
        table = read_bars({BTC: [folder / out]}, MINUTE)
        assert [event for batch in table.batches() for event in batch] == found
    error = quantmind("data", "convert", "s", "--to", "out.csv")
    assert error[::2] == (2, "error: out.csv is there already: nothing is overwritten, name another file with --to\n")
    assert quantmind("data", "convert", "s", "--to", "none.csv", "--start", "2030-01-01")[0] == 2
    assert not (folder / "none.csv").exists()


def test_real_files_are_converted(quantmind, folder, data):
    some = [data / "binance_usdm_bars" / f"BTC_USDT_USDT-{end}.feather" for end in ("8h-funding_rate", "8h-mark")]
    assert quantmind("data", "convert", *some, "--venue", "v", "--to", "s")[0] == 0
    raw = data / "binance_usdm_raw" / "btcusdt_20240808.gz"
    code, output, _ = quantmind("data", "convert", raw, "--symbol", BTC, "--channels", "trade", "--to", "s", "--json")
    (row,) = json.loads(output)
    assert (code, row["events"]) == (0, 21_313)
    listed = json.loads(quantmind("data", "list", "s", "--json")[1])
    assert {row["channel"]: (row["rows"], row["completeness"]) for row in listed} == {
        "funding": (266, None),
        "mark": (267, None),
        "trade": (21_313, 1.0),
    }


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["none.csv"], "none.csv: there is no such file"),
        (["bars.csv"], "bars.csv: does not tell its venue; give --venue"),
        (["bars.csv", "--venue", "v"], "bars.csv: its name does not tell the symbol; give --symbol"),
        (["bars.csv", "--venue", "v", "--symbol", BTC], "bars.csv: its name does not tell the length"),
        (["bars.csv", "--venue", "v", "--symbol", "BTCUSDT"], "BTCUSDT is not a unified symbol; did you mean " + BTC),
        (["bars.csv", "--venue", "", "--symbol", BTC], "--venue: must not be empty"),
        (["a.bin", "--symbol", "btc"], "btc is not a unified symbol; write it as BASE/QUOTE:SETTLE"),
        (["a.bin"], "a.bin: give --symbol"),
        (["a.bin", "--symbol", BTC], "a.bin: must end with .feather, .parquet, .csv or .json, or be a recording"),
        (["bars.csv", "--venue", "v", "--start", "2024-01-01"], "--start and --end are for a store"),
    ],
)
def test_what_cannot_be_converted_is_told_on_one_line(quantmind, folder, arguments, fault):
    (folder / "bars.csv").write_text("x\n")
    (folder / "a.bin").write_text("x\n")
    code, output, errors = quantmind("data", "convert", *arguments, "--to", "s")
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert fault in errors
    assert not (folder / "s").exists()


def test_a_channel_that_a_store_lacks_is_told_with_those_that_it_has(quantmind, folder):
    call = ("data", "convert", "s", "--channels", "bar-1m", "--to", "x.csv")
    (folder / "s").mkdir()
    code, _, errors = quantmind(*call)
    assert (code, errors) == (
        2,
        "error: s: has nothing; is it the folder of a store, as `data record --to` names it?\n",
    )
    for channel in ("quote", "trade"):
        (folder / "s" / "venue=v" / f"channel={channel}" / "symbol=BTC-USDT-USDT").mkdir(parents=True)
    code, _, errors = quantmind(*call)
    assert (code, errors.count("\n")) == (2, 1)
    assert f"s has nothing of the kind, but v {BTC} quote; v {BTC} trade: name one with --venue, --symbol" in errors
    assert "the feed `replay: {store: s, venue: v}` is played by `quantmind run`" in errors


def test_a_recording_is_read_by_whichever_archive_knows_it(quantmind, folder, library):
    (folder / "x.lib").write_bytes(b"LIB")
    code, output, errors = quantmind("data", "convert", "x.lib", "--symbol", BTC, "--to", "s")
    assert (code, errors) == (0, "")
    assert output == f"x.lib: 48 events of bars of 1h, trades of {BTC} of elsewhere\n"


def test_a_download_takes_months_and_days_and_nothing_twice(quantmind, folder, library):
    call = ("data", "download", "library", BTC, "--interval", "1h", "--to", "s", "--start", "2024-10-30")
    end = "2024-12-02"
    code, output, errors = quantmind(*call, "--end", end)
    assert (code, errors) == (0, "")
    assert output == f"elsewhere {BTC} bar-1h: 792 events fetched, complete\n"
    first = T // DAY + 26
    assert sorted(library()) == [
        f"bar {first} {first + 1}",
        f"bar {first + 1} {first + 2}",
        f"bar {first + 2} {first + 32}",
        f"bar {first + 32} {first + 33}",
    ]
    assert quantmind(*call, "--end", end)[0] == 0
    assert library() == []
    code, output, _ = quantmind(*call, "--end", "2024-12-02T12:00", "--channels", "bars,trades", "--json")
    told = json.loads(output)
    assert (code, told["complete"], [row["fetched"] for row in told["streams"]]) == (0, True, [12, 804])
    found = [e for b in Store(folder / "s").read("elsewhere", [BTC], [bars(60 * MINUTE), TRADES]) for e in b]
    assert len(found) == 2 * 804


def test_a_month_of_which_a_day_lacks_comes_day_by_day(quantmind, folder, library):
    lost = T // DAY + 28 + 10
    call = ("data", "download", "library", BTC, "--interval", "1h", "--to", "s", "--start", "2024-11-01")
    call = (*call, "--end", "2024-12-01")
    code, output, errors = quantmind(*call, "--set", f"lacking=[{lost}]")
    assert (code, errors) == (1, "")
    assert output.splitlines() == [
        f"elsewhere {BTC} bar-1h: {29 * 24} events fetched",
        f"elsewhere {BTC} bar-1h: failed: 2024-11-11: day {lost} was lost",
        f"elsewhere {BTC} bar-1h: is lacking: 2024-11-11",
    ]
    library()
    assert quantmind(*call)[:2] == (0, f"elsewhere {BTC} bar-1h: 24 events fetched, complete\n")
    assert library() == [f"bar {lost} {lost + 1}"]


def test_bars_of_which_nothing_came_are_asked_for_again(quantmind, folder, library):
    call = ("data", "download", "library", BTC, "--interval", "1h", "--to", "s", "--start", "2024-11-01")
    call = (*call, "--end", "2024-11-03")
    silent = T // DAY + 29
    code, output, errors = quantmind(*call, "--set", f"silent=[{silent}]")
    assert (code, errors) == (1, "")
    assert output.splitlines() == [
        f"elsewhere {BTC} bar-1h: 24 events fetched",
        f"elsewhere {BTC} bar-1h: failed: 2024-11-02: the archive gave no bar",
        f"elsewhere {BTC} bar-1h: is lacking: 2024-11-02",
    ]
    library()
    assert quantmind(*call)[:2] == (0, f"elsewhere {BTC} bar-1h: 24 events fetched, complete\n")


def test_bars_that_lack_in_the_source_are_not_called_complete(quantmind, folder, library):
    call = ("data", "download", "library", BTC, "--interval", "1h", "--to", "s", "--start", "2024-11-01")
    code, output, _ = quantmind(*call, "--end", "2024-11-02", "--set", "hour=5")
    assert code == 1
    assert output.splitlines()[0] == f"elsewhere {BTC} bar-1h: 23 events fetched"
    assert "1 bar missing in the source" in output


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["librari", BTC], "no archive is called librari; did you mean library?"),
        (["library", "BTCUSDT"], "BTCUSDT is not a unified symbol; did you mean BTC/USDT:USDT?"),
        (["library", BTC, "--set", "laking=1"], "--set laking: is not known; did you mean lacking?"),
        (["library", BTC, "--set", "lacking=x"], "--set lacking: must be a list, was x"),
        (["library", BTC, "--set", "lacking"], "--set lacking: must be KEY=VALUE"),
        (["library", BTC, "--channels", "marks"], "library has no marks of BTC/USDT:USDT; it has bar-1h, trade"),
        (["library", BTC, "--interval", "1h", "--end", "2024-01-01"], "--end must be after --start"),
    ],
)
def test_a_wrong_download_is_told_before_anything_is_fetched(quantmind, folder, library, arguments, fault):
    code, output, errors = quantmind("data", "download", *arguments, "--start", "2024-11-01", "--to", "s")
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert fault in errors
    assert library() == []


def test_subcommands_are_named_and_a_misspelt_one_is_guessed(quantmind):
    code, output, _ = quantmind("data", "--help")
    assert code == 0
    assert [name in output for name in ("record", "download", "list", "check", "convert")] == [True] * 5
    assert "did you mean download?" in quantmind("data", "donload")[2]
    for name in ("record", "download", "list", "check", "convert"):
        assert "Example" in quantmind("data", name, "--help")[1]
