"""The check of strategies finds each broken promise."""

from __future__ import annotations

import datetime as dt
import random
import time
from pathlib import Path
from time import time as now
from typing import Literal

import pytest
from pydantic import Field

from quantmind.events import Signal, WakeAt
from quantmind.kinds import (
    BOOKS,
    FUNDING,
    MARKS,
    QUOTES,
    TRADES,
    Interval,
    Needs,
    NoOptions,
    Options,
    Strategy,
    bars,
)
from quantmind.testing import check_strategy
from quantmind.testing.strategy import PROMISES

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000
SECOND = 1_000_000_000


class Sound(Strategy[NoOptions]):
    """Is long above the last price."""

    name = "sound"

    @classmethod
    def needs(cls, options):
        return Needs((bars(MINUTE),), history=20)

    def start(self):
        self.last = 0.0

    def on_bar(self, bar):
        last, self.last = self.last, bar.close
        return self.signal(1.0 if bar.close > last else -1.0, min(1.0, abs(bar.close - last) / bar.close))


class Talkative(Sound):
    """Uses all that a strategy may: fills, clocks, several signals at once."""

    scope = "universe"

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES, TRADES), fills=True)

    def start(self):
        self.held = {}

    def on_fill(self, fill):
        self.held[fill.symbol] = fill.position
        return WakeAt(fill.ts + SECOND // 2)

    def on_quote(self, quote):
        yield self.signal(0.5, 1, quote.symbol)
        yield WakeAt(quote.ts)

    def on_trade(self, trade):
        return [self.signal(float(trade.side), 1.0, symbol) for symbol in self.symbols]

    def on_clock(self, clock):
        return self.signal(0.0)

    on_bar = Strategy.on_bar


@pytest.mark.parametrize(("kind", "symbols"), [(Sound, [BTC]), (Talkative, [BTC, ETH]), (Sound, ["DOGE/USDT:USDT"])])
def test_a_sound_strategy_passes(kind, symbols):
    check_strategy(kind(NoOptions(), "one", symbols), examples=20)
    check_strategy(lambda: kind(NoOptions(), "one", symbols), examples=5)


class Undecided(Sound):
    asked = 0

    @classmethod
    def needs(cls, options):
        cls.asked += 1
        return Needs((bars(MINUTE),), history=cls.asked)


class Needless(Sound):
    @classmethod
    def needs(cls, options):
        return [bars(MINUTE)]


class Curious(Sound):
    @classmethod
    def needs(cls, options):
        Path("/etc/hostname").read_text()
        return Needs((bars(MINUTE),))


class Deaf(Sound):
    @classmethod
    def needs(cls, options):
        return Needs((bars(MINUTE), QUOTES))


class Unheard(Sound):
    def on_trade(self, trade):
        return self.signal(1.0)


class Unfilled(Sound):
    def on_fill(self, fill):
        pass


class Waiting(Sound):
    @classmethod
    def needs(cls, options):
        return Needs((bars(MINUTE),), fills=True)


class Idle(Sound):
    on_bar = Strategy.on_bar

    @classmethod
    def needs(cls, options):
        return Needs()


class Dividing(Sound):
    def on_bar(self, bar):
        return self.signal((bar.close - bar.low) / (bar.high - bar.low))


class Loud(Sound):
    def on_bar(self, bar):
        return self.signal(2.0)


class Nan(Sound):
    def on_bar(self, bar):
        return self.signal(1.0, float("nan"))


class Sure(Sound):
    def on_bar(self, bar):
        return self.signal(1.0, -0.1)


class Foreign(Sound):
    def on_bar(self, bar):
        return self.signal(1.0, symbol=ETH)


class Posing(Sound):
    def on_bar(self, bar):
        return Signal(self.symbol, "another", 1.0, 1.0)


class Wordy(Sound):
    def on_bar(self, bar):
        return ["buy"]


class Single(Sound):
    def on_bar(self, bar):
        return Float32(0.5).as_signal(self)


class Float32:
    """A number that is no float, as those of numpy."""

    def __init__(self, value):
        self.value = value

    def as_signal(self, strategy):
        return strategy.signal(self)

    def __repr__(self):
        return f"float32({self.value})"


class Numbered(Sound):
    def on_bar(self, bar):
        return 1


class Worded(Sound):
    def on_bar(self, bar):
        return "buy"


class Awaiting(Sound):
    async def on_bar(self, bar):
        return self.signal(1.0)


class Yielding(Sound):
    async def on_bar(self, bar):
        yield self.signal(1.0)


class Sleeping(Sound):
    def on_bar(self, bar):
        time.sleep(0.0001)
        return self.signal(1.0)


class Unwoken(Sound):
    def on_bar(self, bar):
        return WakeAt(bar.ts + 1)


class Unbracketed(Sound):
    @classmethod
    def needs(cls, options):
        return Needs(bars(MINUTE))


class Unneeding(Strategy[NoOptions]):
    """Does not say what it needs."""

    name = "sound"
    on_bar = Sound.on_bar


class Late(Sound):
    def on_bar(self, bar):
        return WakeAt(bar.ts - 1)


class Sleepless(Sound):
    def on_bar(self, bar):
        return WakeAt(bar.ts + 1)

    def on_clock(self, clock):
        return WakeAt(clock.ts + 1)


class Moody(Sound):
    def start(self):
        self.draw = random.Random()

    def on_bar(self, bar):
        return self.signal(self.draw.random())


class Drawing(Sound):
    def on_bar(self, bar):
        random.seed(3) if self.last == 0.0 and random.random() > 2 else None
        self.last = 1.0
        return self.signal(random.random())


class Daily(Sound):
    def on_bar(self, bar):
        return self.signal(1.0 if time.localtime().tm_yday % 2 else 0.5, 0.001 * time.localtime().tm_hour)


class Hourly(Sound):
    def on_bar(self, bar):
        return self.signal(int(now() / 100_000) % 97 / 97)


class Dated(Sound):
    def on_bar(self, bar):
        return self.signal(dt.datetime.now(tz=dt.UTC).month / 12)


class Shared(Sound):
    closes = []  # noqa: RUF012 - just that is the fault

    def start(self):
        self.mine = 0

    def on_bar(self, bar):
        self.mine += 1
        if self.mine == 1:
            self.closes.clear()
        self.closes.append(bar.close)
        return self.signal(1.0 / len(self.closes))


class Reading(Sound):
    def on_bar(self, bar):
        with Path("/etc/hostname").open():
            return


class Writing(Sound):
    def on_bar(self, bar):
        with Path("/dev/shm/quantmind-check").open("a"):
            return


class Tampering(Sound):
    def on_bar(self, bar):
        import msgspec

        msgspec.structs.force_setattr(bar, "close", 1.0)


class ListOptions(Options):
    seen: list = Field(default=[], description="What was seen.")


class Remembering(Strategy[ListOptions]):
    """Keeps its state in its options."""

    name = "remembering"

    @classmethod
    def needs(cls, options):
        return Needs((bars(MINUTE),))

    def on_bar(self, bar):
        self.options.seen.append(bar.close)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Undecided, ["answers `needs` the same", "and then", "history="]),
        (Needless, ["which is no Needs"]),
        (Curious, ["opens nothing for it: needs is for lint, which opens nothing, but it reads /etc/hostname"]),
        (Deaf, ["it needs quotes, but has no on_quote: it would never see them"]),
        (Unheard, ["it has on_trade, but needs no trade channel: it would never be called"]),
        (Unfilled, ["it has on_fill, but needs no fills"]),
        (Waiting, ["it needs fills, but has no on_fill"]),
        (Idle, ["it needs no channel"]),
        (Dividing, ["never raises, whatever the market: raised ZeroDivisionError", "(test_strategy.py:"]),
        (Loud, ["a direction is in [-1, 1], was 2.0"]),
        (Nan, ["a confidence is in [0, 1], was nan"]),
        (Sure, ["a confidence is in [0, 1], was -0.1"]),
        (Foreign, ["it signals ETH/USDT:USDT, but trades BTC/USDT:USDT"]),
        (Posing, ["it signals as 'another', but is 'one'"]),
        (Wordy, ["a handler answers signals, WakeAt or None, was 'buy'"]),
        (Single, ["a direction is in [-1, 1], a float, was float32(0.5) of Float32"]),
        (Numbered, ["a handler answers signals, WakeAt or None, was 1"]),
        (Worded, ["a handler answers signals, WakeAt or None, was 'buy'"]),
        (Awaiting, ["on_bar is async: write `def on_bar`, it is called and not awaited"]),
        (Yielding, ["on_bar is async: write `def on_bar`, it is called and not awaited"]),
        (Sleeping, ["it sleeps for 0.0001 s, and the market waits: answer WakeAt to be called at a time"]),
        (Unwoken, ["it asks to be woken, but has no on_clock"]),
        (Unbracketed, ["channels is a tuple of channels, as in Needs((QUOTES, bars(interval))), was Channel("]),
        (Unneeding, ["opens nothing for it: it has no `needs`, which every component of its kind must have"]),
        (Late, ["it asked to be woken at", "which is not later"]),
        (Sleepless, ["it asks to be woken more than 1000 times between two events"]),
        (Moody, ["says the same to the same market: to the same market it said", "the second time"]),
        (Hourly, ["looks at no clock on the wall", "on another day"]),
        (Daily, ["looks at no clock on the wall", "on another day"]),
        (Dated, ["looks at no clock on the wall", "on another day"]),
        (Shared, ["shares nothing with its other instances", "beside another instance"]),
        (Reading, ["while events are handled, it reads /etc/hostname"]),
        (Writing, ["while events are handled, it writes /dev/shm/quantmind-check"]),
        (Tampering, ["it changed Bar(", "which others are shown as well"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_broken_promise_is_found(kind, words, broken):
    said = broken(lambda: check_strategy(kind(NoOptions(), "one", [BTC]), examples=30), "sound", *words)
    assert len(said) < 1_000


class FilterOptions(Options):
    depth: int = Field(default=1, ge=1, description="Levels that are looked at.")


class OptionalOptions(Options):
    by: Literal["bars", "quotes"] = Field(default="bars", description="What it decides by.")
    marks: bool = Field(default=False, description="Whether mark prices count.")
    rates: float | None = Field(default=None, gt=0.5, lt=0.75, description="The funding rate to keep away from.")
    trades: Interval | None = Field(default=None, description="How long trades are remembered.")
    book: FilterOptions | None = Field(default=None, description="The filter by the book.")
    fills: int = Field(default=0, ge=0, description="Fills that are waited for.")


class Optional(Strategy[OptionalOptions]):
    """Needs by default less than it can handle."""

    name = "optional"

    @classmethod
    def needs(cls, options):
        more = {FUNDING: options.rates, TRADES: options.trades, MARKS: options.marks, BOOKS: options.book}
        first = bars(MINUTE) if options.by == "bars" else QUOTES
        return Needs((first, *(channel for channel, wanted in more.items() if wanted)), fills=options.fills > 0)

    def on_bar(self, bar):
        return self.signal(1.0)

    on_quote = on_mark = on_funding = on_trade = on_book = on_fill = on_bar


def test_a_channel_that_other_options_need_may_be_handled(broken):
    check_strategy(Optional(OptionalOptions(), "one", [BTC]), examples=5)
    check_strategy(Optional(OptionalOptions(by="quotes", marks=True), "one", [BTC]), examples=5)

    class More(Optional):
        def on_ticker(self, ticker):
            return self.signal(1.0)

    broken(lambda: check_strategy(More(OptionalOptions(), "one", [BTC])), "it has on_ticker, but needs no ticker")


BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Dating(Sound):
    """Asks what is a datetime."""

    def start(self):
        self.last = BEGINNING

    def on_bar(self, bar):
        now = dt.datetime.fromtimestamp(bar.ts / 1e9, tz=dt.UTC)
        for each in (self.last, now):
            if not isinstance(each, dt.datetime):
                raise TypeError(each)
        since, self.last = now - self.last, now
        return self.signal(1.0 if since > dt.timedelta(minutes=1) else -1.0)


def test_a_datetime_of_any_make_is_one_on_another_day():
    check_strategy(Dating(NoOptions(), "one", [BTC]), examples=10)


class Slow(Sound):
    calls = 0

    def on_bar(self, bar):
        type(self).calls += 1
        return self.signal(1.0)


def test_a_slow_strategy_is_tried_on_fewer_markets(monkeypatch):
    check_strategy(Slow(NoOptions(), "one", [BTC]))
    whole, Slow.calls = Slow.calls, 0
    monkeypatch.setattr("quantmind.testing.proving.drawing._SECONDS", 0.0)
    check_strategy(Slow(NoOptions(), "one", [BTC]))
    assert 0 < Slow.calls < whole / 2


def test_of_a_slow_strategy_the_fault_that_was_found_first_is_told(monkeypatch, broken):
    monkeypatch.setattr("quantmind.testing.proving.drawing._SECONDS", 0.0)
    broken(lambda: check_strategy(Loud(NoOptions(), "one", [BTC])), "a direction is in [-1, 1], was 2.0")


def test_a_drawn_number_is_found_though_it_is_the_same_twice(broken):
    class Seeded(Sound):
        def start(self):
            self.draws = random.Random(random.getstate()[1][3])

        def on_bar(self, bar):
            return self.signal(self.draws.random())

    broken(
        lambda: check_strategy(lambda: Seeded(NoOptions(), "one", [BTC])),
        "draws no unseeded random number",
        "on another",
    )


def test_options_that_are_changed_are_found(broken):
    broken(lambda: check_strategy(Remembering(ListOptions(), "one", [BTC])), "it changed its options from")


HASHING = """
from quantmind.kinds import TRADES, Needs, NoOptions, Strategy


class Hashing(Strategy[NoOptions]):
    '''Goes through a set.'''

    name = "hashing"
    scope = "universe"

    @classmethod
    def needs(cls, options):
        return Needs((TRADES,))

    def on_trade(self, trade):
        return [self.signal(0.5, 1.0, symbol) for symbol in {*self.symbols, "A", "B", "C", "D"} if "USDT" in symbol]
"""


def test_what_depends_on_hashes_is_found(module, broken):
    kind = module("hashing_strategy", HASHING).Hashing
    broken(
        lambda: check_strategy(kind(NoOptions(), "one", [BTC, ETH])),
        "hashing says the same in another process, where hashes are others: in another process it says",
        "does it go through a set",
    )


def test_what_cannot_be_made_in_another_process_is_left_out_there():
    from quantmind.testing.proving.promise import report
    from quantmind.testing.strategy import StrategySubject

    class Local(Sound):
        pass

    told = list(report(PROMISES, StrategySubject(lambda: Local(NoOptions(), "one", [BTC]), 5)))
    assert [promise.fault for promise in told] == [""] * len(PROMISES)
    (left_out,) = (promise.left_out for promise in told if promise.left_out)
    assert "Local is not found by its module's name" in left_out
