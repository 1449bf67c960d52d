"""The check of protection rules finds each broken promise."""

from __future__ import annotations

from decimal import Decimal

import pytest

from quantmind.kinds import Levels, Needs, NoOptions, Protection, bars
from quantmind.market.instruments import KNOWN
from quantmind.testing import check_protection

BTC = KNOWN["BTC/USDT:USDT"]


class Reckless(Protection[NoOptions]):
    """A stop on the wrong side of a short position."""

    name = "reckless"

    def levels(self, held):
        return Levels(stop=held.average_price * Decimal("0.9"))


class NoDistance(Protection[NoOptions]):
    """A distance of nothing."""

    name = "no_distance"

    def distance(self, price):
        return Decimal(0)

    def levels(self, held):
        return Levels()


class Losing(Protection[NoOptions]):
    """Takes a loss for a profit."""

    name = "losing"

    def levels(self, held):
        return Levels(take_profit=held.average_price * Decimal("0.9"))


class Mute(Protection[NoOptions]):
    """Answers nothing."""

    name = "mute"

    def levels(self, held):
        return None


class Floating(Mute):
    """Answers in floats."""

    def levels(self, held):
        return Levels(stop=float(held.average_price) * 0.9)


class Past(Mute):
    """Ends before it begins."""

    def levels(self, held):
        return Levels(until=held.since - 1)


class Moody(Mute):
    """Answers as it did not before."""

    asked = 0

    def levels(self, held):
        self.asked += 1
        return Levels(until=held.since + self.asked)


class Counting(Mute):
    """Judges by what it has been asked, which a restart forgets."""

    bars = 0

    @classmethod
    def needs(cls, options):
        return Needs((bars(60_000_000_000),), history=5)

    def on_market(self, event):
        Counting.bars += 1
        self.seen = Counting.bars

    def levels(self, held):
        return Levels(until=held.since + getattr(self, "seen", 0))


class Unprotecting(Mute):
    """Promises a stop, and has none."""

    capabilities = frozenset({"protects"})

    @classmethod
    def needs(cls, options):
        return Needs((bars(60_000_000_000),), history=5)

    def on_market(self, event):
        pass

    def levels(self, held):
        return Levels()


class Vague(Mute):
    """Does not say whether there is news."""

    def has_news(self, side, best, stop):
        return None

    def levels(self, held):
        way = 1 if held.quantity > 0 else -1
        return Levels(stop=held.average_price * (1 - way * Decimal("0.1")))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Reckless, "losing side"),
        (NoDistance, "above 0, was 0"),
        (Losing, "winning side"),
        (Mute, "None, which is no Levels"),
        (Floating, "a stop is a Decimal"),
        (Past, "before it began"),
        (Moody, "asked twice"),
        (Counting, "a restart changed"),
        (Unprotecting, r"it promises a stop \(protects\), but has no distance after"),
        (Vague, "has_news answered None"),
    ],
)
def test_a_protection_that_does_not_conform_is_found_out(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_protection(lambda: kind(NoOptions(), BTC))
