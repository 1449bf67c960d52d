"""Raw recordings of Binance's streams: what is read of them, and the real one proven by itself."""

from __future__ import annotations

import gzip
import json

import pytest

from quantmind.errors import QuantMindError
from quantmind.events import Book, FundingRate, Mark, Quote, Trade
from quantmind.kinds import BOOKS, QUOTES, bars
from quantmind_binance.raw import BinanceRaw, BinanceRawOptions
from quantmind_binance.recording import CHANNELS, Recording

BTC = "BTC/USDT:USDT"
MS = 1_000_000
EARLIEST, LATEST = 0, 2**62


def ticker(u, bid, ask, ms=1000, symbol="BTCUSDT"):
    sizes = {"B": "1.0", "A": "2.0"}
    return {
        "e": "bookTicker",
        "u": u,
        "s": symbol,
        "b": str(bid),
        "a": str(ask),
        "T": ms,
        "E": ms,
        "ps": "new",
        **sizes,
    }


def trade(number, price="100.5", ms=1000, maker=False):
    return {
        "e": "trade",
        "E": ms,
        "T": ms,
        "s": "BTCUSDT",
        "t": number,
        "p": price,
        "q": "0.5",
        "X": "MARKET",
        "m": maker,
    }


def depth(first, last, previous, bids=(), asks=(), ms=1000):
    return {
        "e": "depthUpdate",
        "E": ms,
        "T": ms,
        "s": "BTCUSDT",
        "U": first,
        "u": last,
        "pu": previous,
        "b": bids,
        "a": asks,
    }


def mark(price, ms, rate="0.0001", due=5000):
    return {"e": "markPriceUpdate", "E": ms, "s": "BTCUSDT", "p": price, "i": price, "r": rate, "T": due}


SNAPSHOT = {"lastUpdateId": 10, "E": 900, "T": 900, "bids": [["100.0", "1"]], "asks": [["101.0", "2"]]}


@pytest.fixture
def write(tmp_path):
    def write(*messages, zipped=False):
        path = tmp_path / "recording.gz"
        lines = [
            f"{1_723_161_255_000_000_000 + n} "
            + json.dumps(m if "lastUpdateId" in m else {"stream": "btcusdt@x", "data": m}, separators=(",", ":"))
            for n, m in enumerate(messages)
        ]
        text = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(text) if zipped else text)
        return path

    return write


def read(path, channels=CHANNELS, levels=5, gaps=None):
    return [e for batch in Recording(path).batches(BTC, channels, levels, gaps) for e in batch]


@pytest.mark.parametrize("zipped", [True, False])
def test_each_message_is_an_event(write, zipped):
    path = write(
        depth(5, 8, 4),
        SNAPSHOT,
        depth(9, 12, 8, bids=[["100.5", "3"]]),
        ticker(12, 100.5, 101.0),
        {"e": "forceOrder", "E": 1},
        trade(77, maker=True),
        mark("100.7", 1001),
        zipped=zipped,
    )
    received = 1_723_161_255_000_000_000
    assert read(path) == [
        Book(BTC, 1000 * MS, ((100.0, 1.0),), ((101.0, 2.0),), received + 1, 10),
        Book(BTC, 1000 * MS, ((100.5, 3.0), (100.0, 1.0)), ((101.0, 2.0),), received + 2, 12),
        Quote(BTC, 1000 * MS, 100.5, 101.0, 1.0, 2.0, received + 3, 12),
        Trade(BTC, 1000 * MS, 100.5, 0.5, -1, 77, received + 5),
        Mark(BTC, 1001 * MS, 100.7, received + 6),
    ]
    assert Recording(path).symbols() == {BTC}


def test_the_messages_of_other_symbols_are_passed_over(write):
    path = write(ticker(12, 1, 2), ticker(13, 7, 8, symbol="ETHUSDT"), trade(77))
    assert [event.symbol for event in read(path)] == [BTC, BTC]
    assert Recording(path).symbols() == {BTC, "ETH/USDT:USDT"}


def test_time_never_goes_back(write):
    events = read(write(trade(1, ms=1005), ticker(2, 1, 2, ms=1003), trade(2, ms=1006)))
    assert [event.ts // MS for event in events] == [1005, 1005, 1006]


def test_time_does_not_go_back_behind_a_snapshot(write):
    snapshot = {**SNAPSHOT, "T": 1007}
    for channels in (CHANNELS, {"trade"}):
        events = read(write(trade(1, ms=1000), snapshot, trade(2, ms=1003)), channels)
        assert [event.ts // MS for event in events] == sorted(event.ts // MS for event in events)
        assert events[-1].ts == 1007 * MS


def test_what_is_wanted_changes_no_time(write):
    path = write(trade(1, ms=1005), ticker(2, 1, 2, ms=1003), trade(2, ms=1006), ticker(3, 1, 2, ms=1004))
    assert [event.ts // MS for event in read(path, {"quote"})] == [1005, 1006]


def test_a_lost_change_is_told_and_no_book_is_given_out_until_the_next_snapshot(write):
    gaps = []
    later = {**SNAPSHOT, "lastUpdateId": 30}
    path = write(SNAPSHOT, depth(9, 12, 8), depth(20, 22, 19), depth(23, 31, 22, asks=[["101.0", "5"]]), later)
    events = read(path, gaps=gaps.append)
    assert [book.update for book in events] == [10, 12, 31]
    assert (gaps[0].expected, gaps[0].got) == (12, 20)


def test_funding_is_given_out_when_it_is_settled(write):
    path = write(mark("100", 4000), mark("101", 4999, rate="0.0002"), mark("102", 5001, rate="0.0003", due=9000))
    (rate,) = [event for event in read(path) if isinstance(event, FundingRate)]
    assert (rate.rate, rate.mark, rate.ts) == (0.0002, 101.0, 5000 * MS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello\n", "line 1 is no message of a recording"),
        (b'1723161255000000000 {"stream":"x","data":{"e":"trade","s":1}}\n', "line 1 is no message"),
        (b"\x1f\x8bbroken", "cannot be read"),
    ],
)
def test_what_is_no_recording_is_told_by_its_line(tmp_path, content, message):
    path = tmp_path / "recording.gz"
    path.write_bytes(content)
    with pytest.raises(QuantMindError, match=message):
        read(path)
    assert BinanceRaw.reading(path) is None or b"stream" in content


def test_a_zipped_recording_that_is_damaged_further_on_is_told(write):
    path = write(*(trade(n, price=str(n)) for n in range(1, 20_000)), zipped=True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 50] = b"\xff" * 50
    path.write_bytes(content)
    with pytest.raises(QuantMindError, match=r"line \d+ cannot be read"):
        read(path)
    content[20:100] = b"\xff" * 80
    path.write_bytes(content)
    assert BinanceRaw.reading(path) is None


def test_contracts_that_are_no_perpetuals_are_passed_over(write):
    path = write(ticker(1, 7, 8, symbol="BTCUSDT_241227"), ticker(2, 7, 8))
    assert Recording(path).symbols() == {BTC}
    assert [quote.update for quote in read(path)] == [2]


def test_streams_of_all_symbols_at_once_are_passed_over(write):
    path = write(ticker(1, 7, 8))
    every = '1723161256000000000 {"stream":"!markPrice@arr@1s","data":[{"e":"markPriceUpdate","s":"BTCUSDT"}]}\n'
    path.write_text(path.read_text() + every)
    assert [quote.update for quote in read(path)] == [1]


@pytest.mark.parametrize("snapshot_first", [True, False])
def test_no_book_is_taken_from_a_snapshot_that_may_be_of_another_symbol(write, snapshot_first):
    other = {**depth(13, 14, 12), "s": "ETHUSDT"}
    path = write(*([SNAPSHOT, other] if snapshot_first else [other, SNAPSHOT]), depth(9, 12, 8))
    with pytest.raises(QuantMindError, match="whose order book"):
        read(path)
    assert read(path, {"quote", "trade"}) == []


def test_a_book_needs_a_snapshot(write):
    path = write(depth(9, 12, 8), trade(1))
    with pytest.raises(QuantMindError, match="no snapshot that they follow"):
        read(path)
    assert len(read(path, {"trade"})) == 1


async def test_the_archive_reads_it(write):
    path = write(SNAPSHOT, depth(9, 12, 8), ticker(12, 100.5, 101.0, ms=1000), ticker(13, 100.5, 101.0, ms=2000))
    archive = BinanceRaw.reading(path)
    assert archive is not None
    assert archive.channels(BTC) >= {QUOTES, BOOKS}
    assert archive.channels("ETH/USDT:USDT") == frozenset()
    found = [e async for batch in archive.fetch(BTC, QUOTES, EARLIEST, 2000 * MS) for e in batch]
    assert [quote.update for quote in found] == [12]
    with pytest.raises(QuantMindError, match="has no bars of 1m"):
        [e async for e in archive.fetch(BTC, bars(60_000_000_000), EARLIEST, LATEST)]
    assert BinanceRaw(BinanceRawOptions(file=path)).venue == "binanceusdm"


def test_the_book_of_the_real_recording_is_that_of_the_best_bid_and_ask(data):
    """The facts of the recording's notes: 629 of 629 shared update ids, no gap, no crossed book, every trade once."""
    gaps = []
    events = read(data / "binance_usdm_raw" / "btcusdt_20240808.gz", gaps=gaps.append)
    quotes = {e.update: ((e.bid, e.bid_size), (e.ask, e.ask_size)) for e in events if isinstance(e, Quote)}
    books = {e.update: (e.bids[0], e.asks[0]) for e in events if isinstance(e, Book)}
    shared = books.keys() & quotes.keys()
    assert len(shared) == 629
    assert all(books[update] == quotes[update] for update in shared)
    assert not gaps
    assert all(bid[0] < ask[0] for bid, ask in books.values())
    ids = [e.id for e in events if isinstance(e, Trade)]
    assert ids == list(range(ids[0], ids[0] + 21_313))
