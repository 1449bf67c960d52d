"""The check of feeds finds each broken promise."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events import Bar, Quote, Trade
from quantmind.kinds import QUOTES, TRADES, Feed, NoOptions, Options, bars
from quantmind.market.instruments import KNOWN
from quantmind.testing import ListFeed, check_feed
from quantmind.testing.feed import PROMISES, FeedSubject
from quantmind.testing.proving.opening import Terms
from quantmind.testing.proving.promise import report

BTC, ETH = KNOWN
INSTRUMENTS = tuple(KNOWN.values())
MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000


def quote(number, symbol=BTC):
    return Quote(symbol, START + number, 100.0, 100.1, 1.0, 1.0)


class Sound(Feed[NoOptions]):
    """Gives quotes and trades of two instruments."""

    name = "sound"
    gives = (
        quote(1),
        Trade(BTC, START + 1, 100.0, 1.0, 1),
        quote(2, ETH),
        Trade(ETH, START + 3, 100.0, 1.0, -1),
    )
    past = (quote(-2), quote(-1), quote(-1, ETH))

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({QUOTES, TRADES}) for symbol in symbols}

    def wants(self, event):
        return (QUOTES if isinstance(event, Quote) else TRADES) in self.wanted.get(event.symbol, ())

    async def events(self):
        yield []
        for event in self.gives:
            if self.wants(event):
                yield [event]

    async def history(self, symbol, channel, count):
        return [event for event in self.past if event.symbol == symbol and channel == QUOTES][-count:]


class Endless(Sound):
    """Never ends, and is no generator."""

    def events(self):
        return self

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        self.count = getattr(self, "count", 0) + 1
        return [event for event in (quote(1_000 * self.count + n) for n in range(1_000)) if self.wants(event)]


class Live(Sound):
    live = True

    async def events(self):
        async for batch in super().events():
            yield batch
        await asyncio.sleep(3600)


@pytest.mark.parametrize("kind", [Sound, Endless])
def test_a_sound_feed_passes(kind, monkeypatch):
    monkeypatch.setattr("quantmind.testing.feed.MOST", 1_500)
    check_feed(kind(NoOptions(), INSTRUMENTS))
    check_feed(lambda: kind(NoOptions(), INSTRUMENTS[:1]))


def test_the_list_feed_passes():
    options = ListFeed.options_model(events=Sound.gives, history=Sound.past)
    check_feed(ListFeed(options, INSTRUMENTS))


def test_a_live_feed_is_left_out_until_it_may_connect(monkeypatch):
    subject = FeedSubject(lambda: Live(NoOptions(), INSTRUMENTS), Terms(live=False, strict=False))
    told = list(report(PROMISES, subject))
    assert not any(promise.fault for promise in told)
    assert "it is live: live lets it connect" in {promise.left_out for promise in told}
    monkeypatch.setattr("quantmind.testing.feed.SECONDS", 0.2)
    subject = FeedSubject(lambda: Live(NoOptions(), INSTRUMENTS), Terms(live=True, strict=False))
    told = list(report(PROMISES, subject))
    assert not any(promise.fault for promise in told)
    assert {promise.left_out for promise in told} == {"", "live events come as they arrive", "live events come once"}


class Unheard(Live):
    gives = ()


def test_a_live_feed_of_which_nothing_comes_has_kept_nothing(monkeypatch):
    monkeypatch.setattr("quantmind.testing.feed.SECONDS", 0.2)
    subject = FeedSubject(lambda: Unheard(NoOptions(), INSTRUMENTS), Terms(live=True, strict=False))
    told = {promise.words: promise for promise in report(PROMISES, subject)}
    assert not any(promise.fault for promise in told.values())
    for words in ("gives events of the wanted channels only", "gives figures that can be true"):
        assert told[words].left_out == "no event came within 0.2 s: is its server there?"


class Fickle(Sound):
    asked = 0

    @classmethod
    def offers(cls, options, symbols):
        cls.asked += 1
        return {symbol: frozenset({QUOTES, bars(cls.asked)}) for symbol in symbols}


class Pushy(Sound):
    @classmethod
    def offers(cls, options, symbols):
        return {BTC: frozenset({QUOTES}), "SOL/USDT:USDT": frozenset({QUOTES})}


class Listing(Sound):
    @classmethod
    def offers(cls, options, symbols):
        return {symbol: [QUOTES] for symbol in symbols}


class Jealous(Sound):
    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({QUOTES} if len(symbols) > 1 else {TRADES}) for symbol in symbols}


class Asking(Sound):
    @classmethod
    def offers(cls, options, symbols):
        Path("/etc/hostname").read_text()
        return super().offers(options, symbols)


class Nameless(Sound):
    @classmethod
    def venue(cls, options):
        return ""


class Still(Sound):
    speed = 0.0


class Hurried(Live):
    speed = 2.0


class Loud(Sound):
    def wants(self, event):
        return True

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({QUOTES}) for symbol in symbols}


class Strange(Sound):
    gives = ("quote",)

    def wants(self, event):
        return True


class Crossed(Sound):
    gives = (Quote(BTC, START, 100.2, 100.1, 1.0, 1.0),)


class Nan(Sound):
    gives = (Trade(BTC, START, float("nan"), 1.0, 1),)


class Sideless(Sound):
    gives = (Trade(BTC, START, 1.0, 1.0, 0),)


class Timeless(Sound):
    gives = (Trade(BTC, 0, 1.0, 1.0, 1),)


class Impossible(Sound):
    gives = (Bar(BTC, START, MINUTE, 1.0, 2.0, 1.5, 1.7, 1.0),)

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({bars(MINUTE)}) for symbol in symbols}

    def wants(self, event):
        return True


class Backwards(Sound):
    gives = (quote(2), quote(1))


class Longer(Impossible):
    gives = tuple(Bar(BTC, START, interval, 1.0, 1.0, 1.0, 1.0, 1.0) for interval in (2 * MINUTE, MINUTE))

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({bars(MINUTE), bars(2 * MINUTE)}) for symbol in symbols}

    def wants(self, event):
        return bars(event.interval) in self.wanted.get(event.symbol, ())


class Once(Sound):
    runs = 0

    async def events(self):
        Once.runs += 1
        yield [quote(Once.runs)]


class Dependent(Sound):
    async def events(self):
        some = self.wanted.get(BTC, frozenset())
        yield [event for event in (quote(1 if TRADES in some else 2), Trade(BTC, START + 3, 1.0, 1.0, 1))
               if self.wants(event)]  # fmt: skip


class Prophetic(Sound):
    past = (quote(5),)


class Generous(Sound):
    async def history(self, symbol, channel, count):
        return [event for event in self.past if event.symbol == symbol and channel == QUOTES]


class Confused(Sound):
    async def history(self, symbol, channel, count):
        return [quote(-1)]


class Shuffled(Sound):
    past = (quote(-1), quote(-2))


class Blunt(Sound):
    def ailments(self):
        return "well"


class Clinging(Sound):
    async def close(self):
        raise RuntimeError("it cannot be closed")


class Missing(Sound):
    async def open(self):
        raise QuantMindError("sound: ticks.csv: no such file")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Fickle, ["asked twice, offers answered"]),
        (Pushy, ["it offers SOL/USDT:USDT, which it was not asked for"]),
        (Listing, ["which is no frozenset of channels"]),
        (Jealous, ["of BTC/USDT:USDT alone it offers", "and beside others"]),
        (Asking, ["they are for lint, which opens nothing, but it reads /etc/hostname"]),
        (Nameless, ["venue answered '', which is no name"]),
        (Still, ["a speed is above 0, or None, was 0.0"]),
        (Hurried, ["what is live has no speed, was 2.0"]),
        (Loud, ["it gives Trade(", "which nobody wanted"]),
        (Strange, ["which is no market event"]),
        (Crossed, ["a bid is not above the ask: Quote("]),
        (Nan, ["figures are finite and not below 0: Trade("]),
        (Sideless, ["a side is 1 or -1: Trade("]),
        (Timeless, ["a time is in ns UTC, was 0"]),
        (Impossible, ["a bar's open and close are between its low and its high: Bar("]),
        (Backwards, ["it goes back in time: after Quote(", "comes Quote("]),
        (Longer, ["of one moment the shorter bar comes first"]),
        (Once, ["gives the same events twice: the first time it gave", "and the second time"]),
        (Dependent, ["with only quotes wanted it gives"]),
        (Prophetic, ["history is of before the first event at"]),
        (Generous, ["asked for 1 quotes of before, it gave 2"]),
        (Confused, ["asked for trades of BTC/USDT:USDT from before, it gave Quote("]),
        (Shuffled, ["is not in order"]),
        (Blunt, ["ailments answers a reason for each symbol, was 'well'"]),
        (Clinging, ["raised RuntimeError: it cannot be closed (test_feed.py:"]),
        (Missing, ["raised QuantMindError: sound: ticks.csv: no such file"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_broken_promise_is_found(kind, words, broken):
    broken(lambda: check_feed(kind(NoOptions(), INSTRUMENTS)), "sound", *words)


def test_a_feed_that_hangs_is_found(monkeypatch, broken):
    class Hanging(Sound):
        async def close(self):
            await asyncio.sleep(3600)

    monkeypatch.setattr("quantmind.testing.proving.opening.PATIENCE", 0.1)
    broken(lambda: check_feed(Hanging(NoOptions(), INSTRUMENTS)), "close took more than 0.1 s")


def told(kind, options=None):
    subject = FeedSubject(lambda: kind(options or NoOptions(), INSTRUMENTS), Terms(live=False, strict=False))
    return list(report(PROMISES, subject))


def test_what_its_options_name_may_be_missing_where_they_are_made_up():
    faults = {promise.fault for promise in told(Missing)}
    left_out = {promise.left_out for promise in told(Missing)}
    assert faults == {""}
    assert left_out == {"", "it cannot be opened with these options: sound: ticks.csv: no such file"}


class PortOptions(Options):
    port: int = Field(description="Where it connects.")


class Connecting(Feed[PortOptions]):
    """Connects, again and again."""

    name = "connecting"
    offers = Sound.offers

    async def events(self):
        while True:
            try:
                await asyncio.open_connection("127.0.0.1", self.options.port)
            except OSError:
                await asyncio.sleep(3600)
            yield []


def test_a_replay_that_connects_is_left_out_at_once_and_nothing_is_connected_to():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        left_out = {promise.left_out for promise in told(Connecting, PortOptions(port=port))}
        assert f"it connects to 127.0.0.1:{port}: live lets it" in left_out
        with pytest.raises(TimeoutError):
            server.accept()


async def test_inside_an_event_loop_it_says_how_to_call_it():
    with pytest.raises(RuntimeError, match="call it from a test that is not async, or in a thread"):
        check_feed(Sound(NoOptions(), INSTRUMENTS))
    await asyncio.to_thread(check_feed, Sound(NoOptions(), INSTRUMENTS))
