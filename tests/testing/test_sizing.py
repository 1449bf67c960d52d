"""The check of sizing rules finds each broken promise."""

from __future__ import annotations

from decimal import Decimal

import pytest

from quantmind.kinds import Needs, NoOptions, SizingRule
from quantmind.market.instruments import KNOWN
from quantmind.testing import check_sizing

BTC = KNOWN["BTC/USDT:USDT"]


class Borrowing(SizingRule[NoOptions]):
    """Goes below 0 with the equity."""

    name = "borrowing"

    def budget(self, sizing):
        return sizing.equity / sizing.price


class Floating(SizingRule[NoOptions]):
    """Answers in floats."""

    name = "floating"

    def budget(self, sizing):
        return 0.1


class Moody(Borrowing):
    """Answers as it did not before."""

    asked = 0

    def budget(self, sizing):
        self.asked += 1
        return Decimal(self.asked)


class Forgetful(Borrowing):
    """Does not save what it was told before the restart."""

    loads = 0

    def load(self, state):
        self.loads = 1

    def budget(self, sizing):
        return Decimal(self.loads)


class Undecided(Borrowing):
    """Says a history that cannot be."""

    @classmethod
    def needs(cls, options):
        return Needs(history=-1)


class Breaking(Borrowing):
    """Cannot do without a stop."""

    def budget(self, sizing):
        return max(sizing.equity, Decimal(0)) / sizing.stop_distance


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Borrowing, "not below 0"),
        (Floating, "is a Decimal"),
        (Moody, "asked twice, it answered 1, and then 2"),
        (Forgetful, "a restart changed 0 to 1"),
        (Undecided, "a history of -1 events cannot be had"),
        (Breaking, r"whatever the account: raised TypeError: .* \(test_sizing.py:\d+\)"),
    ],
)
def test_a_sizing_rule_that_does_not_conform_is_found_out(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_sizing(kind(NoOptions(), BTC))
