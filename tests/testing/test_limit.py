"""The check of limits finds each broken promise."""

from __future__ import annotations

import builtins
from decimal import Decimal

import pytest

from quantmind.kinds import ALLOWED, TRADES, Allowed, Limit, Needs, NoOptions, Refused, Shrunk, Stop
from quantmind.market.instruments import KNOWN
from quantmind.testing import check_limit

BTC = KNOWN["BTC/USDT:USDT"]


class Strange(Limit[NoOptions]):
    """A stranger's limit."""

    name = "strange"


class Greedy(Strange):
    """Enlarges."""

    def check(self, increase):
        return Shrunk(increase.quantity * 2, self.name, "more > less")


class Nameless(Strange):
    """Refuses with a code that no one could look for."""

    def check(self, increase):
        return Refused("Not today!", "too much")


class Silent(Strange):
    """Does not say why."""

    def check(self, increase):
        return Refused(self.name, " ")


class Wordy(Strange):
    """Says it in two lines."""

    def check(self, increase):
        return Refused(self.name, "much\nmore")


class Moody(Strange):
    """Answers as it did not before."""

    def __init__(self, options):
        super().__init__(options)
        self.asked = 0

    def check(self, increase):
        self.asked += 1
        return Refused(self.name, f"asked {self.asked}")


class Meddling(Strange):
    """Changes the account."""

    def check(self, increase):
        increase.standing.wallet += 1
        return ALLOWED


class Clearing(Strange):
    """Takes holdings away."""

    def watch(self, standing):
        standing.holdings.clear()


class Forgetful(Strange):
    """Does not save the peak that it judges by."""

    def __init__(self, options):
        super().__init__(options)
        self.peak = Decimal(0)

    def watch(self, standing):
        self.peak = max(self.peak, standing.equity)

    def check(self, increase):
        return ALLOWED if increase.equity > self.peak / 2 else Refused(self.name, "equity < half the peak")


class Panicking(Strange):
    """Stops at a level there is not."""

    def watch(self, standing):
        return Stop("panic", "a > b")


class Breaking(Strange):
    """Fails with equity 0 or less."""

    def check(self, increase):
        if increase.equity <= 0:
            raise ZeroDivisionError
        return ALLOWED


class Wanting(Strange):
    """Needs trades, and does not look at them."""

    @classmethod
    def needs(cls, options):
        return Needs((TRADES,))


class Undecided(Strange):
    """Needs something else each time."""

    count = 0

    @classmethod
    def needs(cls, options):
        Undecided.count += 1
        return Needs(history=cls.count)


class Binary(Strange):
    """Saves what is no text."""

    def save(self):
        return b"state"


class Figured(Strange):
    """Publishes what is no figure."""

    @property
    def figures(self):
        return {"mood": "good"}


class Infinite(Strange):
    """Shrinks to what is no quantity."""

    def check(self, increase):
        return Shrunk(Decimal("nan"), self.name, "nan > 1")


class Mute(Strange):
    """Answers nothing."""

    def check(self, increase):
        return None


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Greedy, "enlarges"),
        (Nameless, "a code has small letters"),
        (Silent, "figures are one line"),
        (Wordy, "figures are one line"),
        (Moody, "asked twice"),
        (Meddling, "changed the standing"),
        (Clearing, "changed the standing"),
        (Forgetful, "loaded from"),
        (Panicking, "no latch 'panic'"),
        (Mute, "no verdict"),
        (Wanting, "has no on_market: it would never see them"),
        (Undecided, "asked twice, needs answered"),
        (Binary, "saved b'state', which is no text"),
        (Figured, "figures has 'mood': 'good'"),
        (Infinite, "it enlarges .* to NaN"),
    ],
)
def test_a_limit_that_does_not_conform_is_found_out(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_limit(kind(NoOptions()))


def test_a_limit_that_raises_is_found_out_with_the_line_of_its_file():
    with pytest.raises(AssertionError, match=r"whatever the account: raised ZeroDivisionError \(test_limit.py:\d+\)"):
        check_limit(Breaking(NoOptions()))


def test_a_limit_that_allows_all_conforms():
    check_limit(Strange(NoOptions()))
    assert Strange(NoOptions()).check(None) == Allowed()


def test_the_gate_cuts_what_a_greedy_limit_answers():
    from quantmind.kinds import Standing
    from quantmind.trader.gate import Gate, Intent

    one, price = Decimal(1), Decimal(50_000)
    intent = Intent(BTC, "buy", one, Decimal(0), price, Decimal(0), Decimal(0), price, 0, 0, price, Standing(price, ()))
    assert Gate([Greedy(NoOptions())]).judge(intent) == (one, False, [])


def test_without_hypothesis_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("hypothesis"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match="pip install hypothesis"):
        check_limit(Strange(NoOptions()))
