"""The archive of Binance's public data, against a site of our own that fails in every way."""

import asyncio
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from pydantic import ValidationError

from quantmind.errors import QuantMindError
from quantmind.events import Bar, FundingRate, Mark, Quote, Trade
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TRADES, bars
from quantmind_binance.archive import BinanceArchive, BinanceArchiveOptions
from quantmind_binance.public_files import files

MINUTE, DAY = 60_000_000_000, 86_400_000_000_000
BTC = "BTC/USDT:USDT"
UM = "data/futures/um"
HEAD = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


def ns(*date):
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000_000


def candles(begin, count, *, header=True, unit=1_000_000):
    lines = [HEAD] if header else []
    for n in range(count):
        opens = (begin + n * MINUTE) // unit
        lines.append(f"{opens},{100 + n / 8},{101 + n / 8},{99 + n / 8},{100.5 + n / 8},{n},{opens + 59999},1,1,1,1,0")
    return lines


class Site:
    """A tree of files with checksums; `faults` are what becomes of the next requests of a path."""

    def __init__(self):
        self.files = {}
        self.asked = []
        self.faults = {}
        self.together = self.most_together = 0
        self.url = ""

    def put(self, path, lines, *, checksum=None):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.rpartition("/")[2].replace(".zip", ".csv"), "\n".join(lines) + "\n")
        self.files[path] = content.getvalue()
        told = checksum or hashlib.sha256(content.getvalue()).hexdigest()
        self.files[f"{path}.CHECKSUM"] = f"{told}  {path.rpartition('/')[2]}\n".encode()

    def daily(self, *date, count=1440, **options):
        day = datetime(*date, tzinfo=UTC)
        path = f"{UM}/daily/klines/BTCUSDT/1m/BTCUSDT-1m-{day:%Y-%m-%d}.zip"
        self.put(path, candles(ns(*date), count, **options))
        return path

    async def answer(self, request):
        path = request.path.lstrip("/")
        self.asked.append((path, request.headers.get("Range")))
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        try:
            await asyncio.sleep(0.01)
            fault = self.faults.get(path, [])
            if fault and (found := await fault.pop(0)(request)) is not None:
                return found
            if path not in self.files:
                return web.Response(status=404)
            return await self.give(request, self.files[path])
        finally:
            self.together -= 1

    async def give(self, request, content, cut=None):
        begins = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        response = web.StreamResponse(status=206 if begins else 200)
        response.content_length = len(content) - begins
        await response.prepare(request)
        await response.write(content[begins:] if cut is None else content[begins : begins + cut])
        if cut is not None:
            await asyncio.sleep(0.02)
            request.transport.abort()
        return response

    def cut(self, after):
        async def fault(request):
            return await self.give(request, self.files[request.path.lstrip("/")], after)

        return fault

    @staticmethod
    def busy(status, **headers):
        async def fault(_):
            return web.Response(status=status, headers={name.replace("_", "-"): str(v) for name, v in headers.items()})

        return fault


@pytest.fixture
async def site():
    made = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
def fetch(site, tmp_path, monkeypatch):
    monkeypatch.setattr("quantmind_binance.site._FIRST_WAIT", 0.01)

    async def events(channel, start, end, symbol=BTC, **options):
        archive = BinanceArchive(BinanceArchiveOptions(base_url=site.url, folder=tmp_path / "cache", **options))
        async with archive:
            archive._site._wait = 0.01
            return [event async for batch in archive.fetch(symbol, channel, start, end) for event in batch]

    return events


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("unit", [1_000_000, 1_000])
async def test_bars_with_and_without_names_in_ms_and_us(site, fetch, header, unit, tmp_path):
    site.daily(2024, 8, 8, header=header, unit=unit)
    begin = ns(2024, 8, 8)
    found = await fetch(bars(MINUTE), begin, begin + DAY)
    assert len(found) == 1440
    assert found[8] == Bar(BTC, begin + 9 * MINUTE, MINUTE, 101.0, 102.0, 100.0, 101.5, 8.0)
    assert list((tmp_path / "cache").iterdir()) == []


async def test_a_span_has_the_bars_that_open_in_it(site, fetch):
    for day in (8, 9):
        site.daily(2024, 8, day)
    begin = ns(2024, 8, 8)
    found = await fetch(bars(MINUTE), begin + 1439 * MINUTE, begin + DAY + 2 * MINUTE)
    assert [bar.ts - MINUTE for bar in found] == [begin + n * MINUTE for n in (1439, 1440, 1441)]


async def test_marks_funding_trades_and_quotes(site, fetch):
    begin = ns(2024, 8, 1)
    ms = begin // 1_000_000
    site.put(f"{UM}/daily/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2024-08-01.zip", candles(begin, 3))
    site.put(
        f"{UM}/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-08.zip",
        ["calc_time,funding_interval_hours,last_funding_rate", f"{ms + 3},8,0.0001", f"{ms + 28_800_000},8,-0.00002"],
    )
    site.put(
        f"{UM}/daily/trades/BTCUSDT/BTCUSDT-trades-2024-08-01.zip",
        [
            "id,price,qty,quote_qty,time,is_buyer_maker",
            f"7,100.5,0.25,25,{ms + 1},true",
            f"8,100.6,0.5,50,{ms + 2},false",
            f"9,0,0.5,0,{ms + 2},false",
        ],
    )
    site.put(
        f"{UM}/daily/bookTicker/BTCUSDT/BTCUSDT-bookTicker-2024-08-01.zip",
        [
            "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time",
            f"11,100.1,1,100.2,2,{ms + 5},{ms + 9}",
        ],
    )
    end = begin + DAY
    assert await fetch(MARKS, begin, end) == [Mark(BTC, begin + n * MINUTE, 100 + n / 8) for n in range(3)]
    assert await fetch(FUNDING, begin, begin + DAY // 4) == [FundingRate(BTC, begin, 0.0001)]
    assert len(await fetch(FUNDING, begin, end)) == 2
    assert await fetch(TRADES, begin, end) == [
        Trade(BTC, begin + 1_000_000, 100.5, 0.25, -1, 7),
        Trade(BTC, begin + 2_000_000, 100.6, 0.5, 1, 8),
    ]
    assert await fetch(QUOTES, begin, end) == [Quote(BTC, begin + 5_000_000, 100.1, 100.2, 1.0, 2.0, 0, 11)]


def test_whole_months_come_as_one_file_and_days_at_the_edges():
    paths = [file.name for file in files(BTC, bars(MINUTE), MINUTE, ns(2024, 6, 29), ns(2024, 8, 2))]
    assert paths == [
        "BTCUSDT-1m-2024-06-29.zip",
        "BTCUSDT-1m-2024-06-30.zip",
        "BTCUSDT-1m-2024-07.zip",
        "BTCUSDT-1m-2024-08-01.zip",
    ]
    assert [f.name for f in files(BTC, TRADES, 0, ns(2024, 2, 1), ns(2024, 3, 1))][
        -1
    ] == "BTCUSDT-trades-2024-02-29.zip"
    assert [f.name for f in files(BTC, FUNDING, 0, ns(2024, 12, 31), ns(2025, 1, 2))] == [
        "BTCUSDT-fundingRate-2024-12.zip",
        "BTCUSDT-fundingRate-2025-01.zip",
    ]


async def test_where_the_file_of_a_month_lacks_its_days_are_taken(site, fetch):
    begin = datetime(2024, 2, 1, tzinfo=UTC)
    for n in range(29):
        site.daily(2024, 2, (begin + timedelta(n)).day, count=2)
    found = await fetch(bars(MINUTE), ns(2024, 2, 1), ns(2024, 3, 1))
    assert len(found) == 58
    assert found == sorted(found, key=lambda bar: bar.ts)
    assert site.asked[0][0].endswith("monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-02.zip.CHECKSUM")


async def test_a_day_that_lacks_is_no_success(site, fetch, tmp_path):
    site.daily(2024, 8, 8)
    archive = BinanceArchive(BinanceArchiveOptions(base_url=site.url, folder=tmp_path))
    got = []
    async with archive:

        async def take():
            async for batch in archive.fetch(BTC, bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 10)):
                got.extend(batch)

        with pytest.raises(QuantMindError, match=r"BTCUSDT-1m-2024-08-09\.zip: is not there.*none before the listing"):
            await take()
    assert len(got) == 1440


async def test_a_connection_that_is_cut_is_resumed_where_it_broke_off(site, fetch):
    path = site.daily(2024, 8, 8)
    site.faults[path] = [site.cut(1_000), site.cut(2_000)]
    assert len(await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9))) == 1440
    ranges = [asked for name, asked in site.asked if name == path]
    assert ranges == [None, "bytes=1000-", "bytes=3000-"]


async def test_what_an_earlier_try_left_is_resumed(site, fetch, tmp_path):
    path = site.daily(2024, 8, 8)
    (tmp_path / "cache").mkdir()
    partial = tmp_path / "cache" / "BTCUSDT-1m-2024-08-08.zip.partial"
    partial.write_bytes(site.files[path][:500])
    assert len(await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9))) == 1440
    assert [asked for name, asked in site.asked if name == path] == ["bytes=500-"]
    # What was left of another file is found out by the checksum, and fetched again from the beginning.
    site.asked.clear()
    partial.write_bytes(b"x" * 500)
    assert len(await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9))) == 1440
    assert [asked for name, asked in site.asked if name == path] == ["bytes=500-", None]


async def test_a_wrong_checksum_is_no_success(site, fetch, tmp_path):
    site.put(f"{UM}/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-08-08.zip", candles(ns(2024, 8, 8), 5), checksum="0" * 64)
    with pytest.raises(QuantMindError, match=r"its sha256 is [0-9a-f]{64}, its checksum says 0{64}"):
        await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9))
    assert list((tmp_path / "cache").iterdir()) == []


async def test_a_busy_site_is_left_alone_for_as_long_as_it_says(site, fetch):
    path = site.daily(2024, 8, 8)
    loop = asyncio.get_running_loop()
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    site.faults[path] = [site.busy(429, Retry_After=1), site.busy(503, Retry_After=soon), site.busy(500)]
    began = loop.time()
    assert len(await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9))) == 1440
    assert loop.time() - began >= 1


async def test_it_gives_up_and_says_why(site, fetch):
    path = site.daily(2024, 8, 8)
    site.faults[path] = [site.busy(503)] * 3
    with pytest.raises(QuantMindError, match="cannot be fetched, after 3 tries: the site answers 503"):
        await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9), retries=2)
    site.faults[path] = [site.busy(403)]
    with pytest.raises(QuantMindError, match="the site answers 403 Forbidden"):
        await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9), retries=2)
    site.url = "http://127.0.0.1:9"
    with pytest.raises(QuantMindError, match="cannot be fetched, after 2 tries: ConnectError"):
        await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9), retries=1)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["1723075200000,1,2"], r"BTCUSDT-1m-2024-08-08\.zip: has 3 columns, not 12"),
        (["1723075200000,abc,2,1,1,1,0,0,0,0,0,0"], r"BTCUSDT-1m-2024-08-08\.zip: .*no readable open, but 'abc'"),
    ],
)
async def test_rows_that_cannot_be_read_are_named(site, fetch, lines, fault):
    site.put(f"{UM}/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-08-08.zip", lines)
    with pytest.raises(QuantMindError, match=fault):
        await fetch(bars(MINUTE), ns(2024, 8, 8), ns(2024, 8, 9))


async def test_what_it_has_not_is_said_before_anything_is_asked(site, fetch):
    begin = ns(2024, 8, 8)
    for channel, symbol, fault in [
        (BOOKS, BTC, "no books"),
        (bars(7 * MINUTE), BTC, "no bars of 7m; they have 1m"),
        (bars(MINUTE), "BTC/USDT", "no linear perpetual"),
    ]:
        with pytest.raises(QuantMindError, match=fault):
            await fetch(channel, begin, begin + DAY, symbol)
    assert site.asked == []
    with pytest.raises(ValidationError):
        BinanceArchiveOptions(base_url="ftp://x")


@pytest.mark.parametrize("parallel", [1, 3])
async def test_several_files_come_at_once_but_not_more(site, tmp_path, parallel):
    for day in range(1, 7):
        site.daily(2024, 8, day, count=3)
    archive = BinanceArchive(BinanceArchiveOptions(base_url=site.url, folder=tmp_path, parallel=parallel, keep=True))

    async def one(day):
        begin = ns(2024, 8, day)
        return [event async for batch in archive.fetch(BTC, bars(MINUTE), begin, begin + DAY) for event in batch]

    async with archive:
        found = await asyncio.gather(*map(one, range(1, 7)))
    assert [len(some) for some in found] == [3] * 6
    assert site.most_together == parallel
    assert len(list(tmp_path.glob("*.zip"))) == 6


async def quantmind(*arguments, folder):
    """Run the command in a process of its own, while the site goes on in this one."""
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "quantmind", *arguments, cwd=folder, stdout=-1, stderr=-1
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode(), errors.decode()


async def test_a_download_is_resumed_and_tells_the_days_that_lack(site, tmp_path):
    pytest.importorskip("quantmind_binance")
    for day in (1, 2, 4):
        site.daily(2024, 8, day)
    site.put(f"{UM}/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-07.zip", candles(ns(2024, 7, 1), 31 * 1440))
    (tmp_path / "quantmind.yaml").write_text("state: state\n")
    call = ("data", "download", "binance_archive", BTC, "--start", "2024-07-01", "--end", "2024-08-05", "--json")
    call = (*call, "--set", f"base_url={site.url}", "--set", f"folder={tmp_path / 'cache'}")
    code, output, errors = await quantmind(*call, folder=tmp_path)
    told = json.loads(output)
    assert (code, errors) == (1, "")
    (stream,) = told["streams"]
    assert (stream["fetched"], stream["lacking"], told["complete"]) == (34 * 1440, ["2024-08-03"], False)
    assert "BTCUSDT-1m-2024-08-03.zip: is not there" in stream["failures"][0]
    site.daily(2024, 8, 3, count=1400)
    site.asked.clear()
    code, output, _ = await quantmind(*call, folder=tmp_path)
    (stream,) = json.loads(output)["streams"]
    assert [path.rpartition("/")[2] for path, _ in site.asked] == [
        "BTCUSDT-1m-2024-08-03.zip.CHECKSUM",
        "BTCUSDT-1m-2024-08-03.zip",
    ]
    # The file came, but it has not all: that is no success either.
    assert (code, stream["lacking"], stream["missing"]) == (1, [], 40)
    assert stream["gaps"] == ["2024-08-03T23:20:00Z to 2024-08-04T00:00:00Z"]
    site.asked.clear()
    code, output, errors = await quantmind(*call[:-5], *call[-4:], "--end", "2024-08-03", folder=tmp_path)
    assert (code, output, site.asked) == (0, "binanceusdm BTC/USDT:USDT bar-1m: 0 events fetched, complete\n", [])
    code, output, _ = await quantmind("data", "check", "state/data", folder=tmp_path)
    assert code == 1
    assert output.endswith("gap: 2024-08-03T23:19:00Z: 40 bars lack before 2024-08-04T00:00:00Z\n")
