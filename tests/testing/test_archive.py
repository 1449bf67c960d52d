"""The check of archives finds each broken promise."""

from __future__ import annotations

import asyncio
import socket

import pytest

from quantmind.errors import QuantMindError
from quantmind.events import Bar, Trade
from quantmind.kinds import TRADES, Archive, NoOptions, bars
from quantmind.testing import check_archive
from quantmind.testing.archive import PROMISES, ArchiveSubject
from quantmind.testing.proving.opening import Terms
from quantmind.testing.proving.promise import report

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000


def trade(number, symbol=BTC):
    return Trade(symbol, START + number, 100.0, 1.0, 1)


class Sound(Archive[NoOptions]):
    """Has trades and bars of one symbol."""

    name = "sound"
    venue = "somewhere"

    def channels(self, symbol):
        return frozenset({TRADES, bars(MINUTE)} if symbol == BTC else ())

    def all(self):
        return [
            trade(0),
            trade(5),
            trade(10**15),
            *(Bar(BTC, START + n * MINUTE, MINUTE, 1, 1, 1, 1, 1) for n in (0, 1, 2)),
        ]

    async def fetch(self, symbol, channel, start, end):
        if channel not in self.channels(symbol):
            raise QuantMindError(f"sound: there are no {channel} of {symbol}")
        for event in self.all():
            bar = isinstance(event, Bar)
            if bar == (channel != TRADES) and start <= event.ts - bar * MINUTE < end:
                yield [event]


def test_a_sound_archive_passes():
    check_archive(Sound(NoOptions()))
    check_archive(lambda: Sound(NoOptions()), symbol="ETH/USDT:USDT", span=(START, START + 5))


class Nameless(Sound):
    venue = ""


class Pathless(Sound):
    venue = "some/where"


class Hungry(Sound):
    @classmethod
    def reading(cls, path):
        return cls(NoOptions())


class Spoiling(Sound):
    @classmethod
    def reading(cls, path):
        path.write_text("mine")


class Listing(Sound):
    def channels(self, symbol):
        return [TRADES]


class Endless(Sound):
    async def fetch(self, symbol, channel, start, end):
        for event in self.all()[:3]:
            if channel == TRADES:
                yield [event]


class Confused(Sound):
    async def fetch(self, symbol, channel, start, end):
        yield [trade(1, "ETH/USDT:USDT")]


class Backwards(Sound):
    async def fetch(self, symbol, channel, start, end):
        if channel == TRADES:
            yield [trade(2), trade(1)]


class Once(Sound):
    count = 0

    async def fetch(self, symbol, channel, start, end):
        Once.count += 1
        if channel == TRADES:
            yield [trade(Once.count)]


class Blunt(Sound):
    async def fetch(self, symbol, channel, start, end):
        if symbol != BTC:
            raise KeyError(symbol)
        yield []


class Wordy(Sound):
    async def fetch(self, symbol, channel, start, end):
        raise QuantMindError("there are none;\ntry another")
        yield


class Inventing(Sound):
    async def fetch(self, symbol, channel, start, end):
        yield (
            [trade(1, symbol)]
            if channel == TRADES
            else [Bar(symbol, START + 7, 7, 1, 1, 1, 1, 1)] * (channel == bars(7))
        )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Nameless, ["venue answered '', which is no name"]),
        (Pathless, ["a venue names a folder", "'some/where'"]),
        (Hungry, ["reading takes a file of empty for a recording"]),
        (Spoiling, ["reading changed a file of empty"]),
        (Listing, ["channels answers a frozenset of channels, or None, was ["]),
        (Endless, ["asked for [1704067200000000000, 1704070800000000000), it gave Trade("]),
        (Confused, ["asked for bars of 1m of BTC/USDT:USDT, it gave Trade(symbol='ETH/USDT:USDT'"]),
        (Backwards, ["it goes back in time"]),
        (Once, ["fetches the same twice: of trades it gave 1 events, and the second time 1 others"]),
        (Blunt, ["what it has not, or gives nothing: raised KeyError", "(test_archive.py:"]),
        (Wordy, ["an error is one line"]),
        (Inventing, ["of bars of 7ns of BTC/USDT:USDT it gave Bar("]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_broken_promise_is_found(kind, words, broken):
    broken(lambda: check_archive(kind(NoOptions())), "sound", *words)


class Fetching(Sound):
    """Asks a server, again and again."""

    port = 0

    async def fetch(self, symbol, channel, start, end):
        while True:
            try:
                await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(3600)
        yield []


def test_one_that_connects_is_left_out_at_once(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(Fetching, "port", server.getsockname()[1])
        subject = ArchiveSubject(lambda: Fetching(NoOptions()), Terms(live=False, strict=False))
        told = list(report(PROMISES, subject))
        assert not any(promise.fault for promise in told)
        assert f"it connects to 127.0.0.1:{Fetching.port}: live lets it" in {promise.left_out for promise in told}
