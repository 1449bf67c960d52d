"""The check of strategies finds each broken promise."""

from __future__ import annotations

import datetime as dt
import random
import time
from pathlib import Path
from time import time as now

import pytest
from pydantic import Field

from quantmind.events import Signal, WakeAt
from quantmind.kinds import QUOTES, TRADES, Needs, NoOptions, Options, Strategy, bars
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
        (Unheard, ["it has on_trade, but with these options it needs no trade channel: it would never be called"]),
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
    from quantmind.testing.promise import report
    from quantmind.testing.strategy import StrategySubject

    class Local(Sound):
        pass

    told = list(report(PROMISES, StrategySubject(lambda: Local(NoOptions(), "one", [BTC]), 5)))
    assert [promise.fault for promise in told] == [""] * len(PROMISES)
    (left_out,) = (promise.left_out for promise in told if promise.left_out)
    assert "Local is not found by its module's name" in left_out
