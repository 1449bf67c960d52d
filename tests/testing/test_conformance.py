"""Every built-in risk rule conforms, and what does not is found out."""

from __future__ import annotations

import builtins
from decimal import Decimal

import pytest

from quantmind.kinds import (
    ALLOWED,
    Allowed,
    Levels,
    Limit,
    NoOptions,
    Protection,
    Refused,
    Shrunk,
    SizingRule,
    Stop,
)
from quantmind.market.instruments import KNOWN
from quantmind.plugins import Plugins
from quantmind.testing import check_limit, check_protection, check_sizing

BTC = KNOWN["BTC/USDT:USDT"]
OWN = Plugins(only_own=True, environ={})
FOUND = [row for row in OWN.all() if row.kind in {"limit", "protection", "sizing"}]
GIVEN = {
    "atr_stop": [{}, {"trailing": False, "period": 1, "multiplier": "0.1"}],
    "fixed_stop": [{"part": "0.02"}, {"part": "0.02", "trailing": True}],
    "take_profit": [{"reward_risk": "1.5"}],
    "time_stop": [{"after": "4h"}],
    "max_position": [{"limit": "2"}],
    "max_leverage": [{"limit": 3}],
    "max_order_notional": [{"limit": 20000}],
    "max_exposure": [{"gross": 3}, {"net": 1, "per_symbol": "0.5"}],
    "max_open_orders": [{"total": 3, "per_symbol": 2}],
    "order_rate": [{"orders": 3, "per": "10m"}],
    "price_band": [{"limit": "0.01"}],
    "stale_data": [{"max_age": "10s"}],
    "max_drawdown": [{"limit": "0.1"}],
    "max_daily_loss": [{"limit": "0.05"}],
    "loss_streak": [{"losses": 2}],
    "liquidation_distance": [{"limit": "0.1", "then": "flatten"}],
    "margin_ratio": [{"limit": "0.5", "then": "reduce"}],
    "fixed_quantity": [{"quantity": "0.1"}],
    "fixed_fraction": [{"fraction": "0.01", "cap": 2}],
    "volatility_target": [{"target": "0.2", "window": 10}],
    "kelly": [
        {"win_rate": "0.55", "reward_risk": "1.5"},
        {"measured": {"wins": 11, "losses": 9, "reward_risk": "1.2"}},
        {"returns": {"interval": "1h", "window": 30}},
    ],
}
"""Options of each rule; one that is not named is tried with its defaults."""


def cases(kind):
    return [
        pytest.param(OWN.find(kind, row.name), options, id=f"{row.name}-{index}")
        for row in FOUND
        if row.kind == kind
        for index, options in enumerate(GIVEN.get(row.name, [{}]))
    ]


@pytest.mark.parametrize(("kind", "options"), cases("limit"))
def test_a_built_in_limit_conforms(kind, options):
    check_limit(lambda: kind(kind.options_model.model_validate(options)))


@pytest.mark.parametrize(("kind", "options"), cases("protection"))
def test_a_built_in_protection_conforms(kind, options):
    check_protection(kind(kind.options_model.model_validate(options), BTC))


@pytest.mark.parametrize(("kind", "options"), cases("sizing"))
def test_a_built_in_sizing_rule_conforms(kind, options):
    check_sizing(kind(kind.options_model.model_validate(options), BTC))


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
    ],
)
def test_a_limit_that_does_not_conform_is_found_out(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_limit(kind(NoOptions()))


def test_a_limit_that_raises_is_found_out():
    with pytest.raises(ZeroDivisionError):
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


@pytest.mark.parametrize(
    ("kind", "said"), [(Reckless, "losing side"), (NoDistance, "above 0, was 0"), (Losing, "winning side")]
)
def test_a_protection_that_does_not_conform_is_found_out(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_protection(lambda: kind(NoOptions(), BTC))


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


@pytest.mark.parametrize(("kind", "said"), [(Borrowing, "not below 0"), (Floating, "is a Decimal")])
def test_a_sizing_rule_that_does_not_conform_is_found_out(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_sizing(kind(NoOptions(), BTC))


def test_without_hypothesis_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("hypothesis"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match="pip install hypothesis"):
        check_limit(Strange(NoOptions()))
