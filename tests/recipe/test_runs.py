"""Recipe tests of strangers' rules: that they size, protect, shrink, refuse and stop, in the real Trader."""

from decimal import Decimal

import pytest
from pydantic import Field

from quantmind.errors import RecipeError
from quantmind.events import Quote, Signal
from quantmind.kinds import (
    QUOTES,
    Executor,
    Held,
    Increase,
    Levels,
    Limit,
    Needs,
    NoOptions,
    Options,
    Protection,
    Refused,
    Standing,
    Stop,
    Strategy,
)
from quantmind.pipeline.recipe_test import run_test
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load

BTC = "BTC/USDT:USDT"


class TapeOptions(Options):
    directions: list[float | None] = Field(description="The direction at each quote; null says nothing.")


class Tape(Strategy[TapeOptions]):
    """Signals what it is told, quote by quote."""

    name = "tape"

    @classmethod
    def needs(cls, options: TapeOptions) -> Needs:
        return Needs((QUOTES,))

    def start(self) -> None:
        self._at = -1

    def on_quote(self, quote: Quote) -> Signal | None:
        self._at += 1
        said = self.options.directions[self._at : self._at + 1]
        return self.signal(said[0]) if said and said[0] is not None else None


class Torn(Tape):
    """Raises."""

    name = "torn"

    def on_quote(self, quote: Quote) -> Signal | None:
        raise KeyError("nothing")


class TetherOptions(Options):
    distance: Decimal = Field(gt=0, description="Of the stop.")
    trail: bool = Field(default=False, description="Follow the best price.")
    reward: Decimal | None = Field(default=None, description="Of the take-profit.")


class Tether(Protection[TetherOptions]):
    """Stops at a distance."""

    name = "tether"
    capabilities = frozenset({"protects"})

    @classmethod
    def needs(cls, options: TetherOptions) -> Needs:
        return Needs((QUOTES,))

    def on_market(self, event: Quote) -> None:
        pass

    def distance(self, price: Decimal) -> Decimal | None:
        return self.options.distance

    def levels(self, held: Held) -> Levels:
        sign = 1 if held.quantity > 0 else -1
        best = Decimal(repr(held.best)) if self.options.trail else held.average_price
        reward = self.options.reward
        goal = None if reward is None else held.average_price + sign * reward
        return Levels(stop=best - sign * self.options.distance, take_profit=goal)


class Ban(Limit[NoOptions]):
    """Refuses all."""

    name = "ban"

    def check(self, increase: Increase) -> Refused:
        return Refused(self.name, "1 > 0")


class Tripwire(Limit[NoOptions]):
    """Flattens below 9,900."""

    name = "tripwire"

    def watch(self, standing: Standing) -> Stop | None:
        return Stop("flatten", f"equity {standing.equity:f} < 9900") if standing.equity_now < 9900 else None


class Venue(Executor[NoOptions]):
    """Trades at a venue that must not be called."""

    name = "venue"
    capabilities = frozenset({"live"})

    async def open(self) -> None:
        raise AssertionError("a test called the venue")


class Twin(Executor[NoOptions]):
    """Is simulated as well."""

    name = "twin"
    simulated = True


PLUGINS = Plugins(extra=[Venue, Tape, Torn, Tether, Ban, Tripwire], environ={})


def told(
    folder,
    directions,
    given,
    expect,
    *,
    protection=(),
    limits=(),
    entry="market",
    strategies=None,
    executor="paper",
    plugins=PLUGINS,
):
    """Return what the test finds different."""
    recipe = load(
        {
            "name": "runs",
            "instruments": [BTC],
            "feeds": ["synthetic"],
            "strategies": strategies or [{"tape": {"directions": directions}}],
            "allocator": "equal_weight",
            "risk": {"sizing": [{"fixed_quantity": {"quantity": 1}}], "protection": [*protection], "limits": [*limits]},
            "entry": entry,
            "executor": executor,
            "tests": [{"name": "x", "given": given, "expect": expect}],
        },
        plugins,
        Project(folder),
        {},
    )
    return run_test(recipe, recipe.tests[0], plugins).told


def quotes(*bids, spread=0):
    return {"quotes": {"bid": list(bids), "ask": [bid + spread for bid in bids]}}


def test_it_protects(tmp_path):
    expect = {
        "orders": {"exactly": [{"side": "buy", "stop": 950}, {"purpose": "stop", "side": "sell", "trigger": 950}]},
        "fills": {"exactly": [{"price": 1000}, {"price": 940, "purpose": "stop", "position": 0}]},
        "position": 0,
        "equity": 9940,
    }
    protection = [{"tether": {"distance": 50}}]
    assert told(tmp_path, [1], quotes(1000, 1000, 960, 940, 1000, 1000), expect, protection=protection) == ""


def test_a_stop_that_trails(tmp_path):
    expect = {
        "orders": [{"stop": 950, "stop_above": 1029}, {"purpose": "stop", "trigger": 1030, "state": "filled"}],
        "fills": {"exactly": [{"price": 1000}, {"price": 1020}]},
    }
    protection = [{"tether": {"distance": 50, "trail": True}}]
    assert told(tmp_path, [1], quotes(1000, 1000, 1080, 1040, 1020, 1000), expect, protection=protection) == ""


def test_it_takes_profit(tmp_path):
    expect = {
        "orders": [{"side": "sell", "stop": 1050, "take_profit": 900}, {"purpose": "take_profit", "state": "filled"}],
        "fills": {
            "exactly": [{"side": "sell", "price": 1000}, {"side": "buy", "price": 890, "purpose": "take_profit"}]
        },
        "pnl": 110,
    }
    protection = [{"tether": {"distance": 50, "reward": 100}}]
    assert told(tmp_path, [-1], quotes(1000, 1000, 950, 890, 1000), expect, protection=protection) == ""


def test_it_refuses(tmp_path):
    expect = {"orders": [], "refusals": {"exactly": [{"code": "ban", "side": "buy", "quantity": 1}]}, "position": 0}
    assert told(tmp_path, [1], quotes(1000, 1000), expect, limits=["ban"]) == ""


def test_it_stops_trading(tmp_path):
    expect = {
        "orders": ["buy", {"purpose": "flatten", "side": "sell", "reduce_only": True}],
        "latches": {"exactly": [{"name": "tripwire", "level": "flatten"}]},
        "refusals": ["tripwire"],
        "position": 0,
    }
    directions = [1, None, None, None, -1]
    assert told(tmp_path, directions, quotes(1000, 1000, 850, 850, 850, 850), expect, limits=["tripwire"]) == ""


def test_an_entry_at_a_limit(tmp_path):
    market = quotes(1000, 1000, 999.9, 1000, 1001, 1002, spread=0.5)
    entry = {"limit": {"offset_ticks": 2, "timeout": "2s"}}
    expect = {
        "orders": [{"type": "limit", "price": 999.8, "state": "cancelled"}, {"type": "market", "filled": 1}],
        "fills": {"exactly": [{"side": "buy", "price": 1001.5}]},
    }
    assert told(tmp_path, [1], market, expect, entry=entry) == ""
    given_up = {"orders": {"exactly": [{"type": "limit", "state": "cancelled"}]}, "fills": []}
    entry = {"limit": {"offset_ticks": 2, "timeout": "2s", "then": "cancel"}}
    assert told(tmp_path, [1], market, given_up, entry=entry) == ""


def test_opposed_strategies_pass_their_positions_to_each_other(tmp_path):
    strategies = [
        {"tape": {"directions": [0.8]}, "id": "up"},
        {"tape": {"directions": [-0.8]}, "id": "down"},
    ]
    expect = {"orders": [], "transfers": {"exactly": [{"price": 1000}]}, "position": {"up": 0.4, "down": -0.4}}
    assert told(tmp_path, [], quotes(1000, 1000), expect, strategies=strategies) == ""


def test_funding_is_settled(tmp_path):
    given = {
        **quotes(50500, 50500, 50500),
        "marks": {"price": [50500, 50500, 50500]},
        "funding": {"rate": [0.0001], "every": "3s"},
    }
    expect = {"funding": {"exactly": [{"amount": -5.05, "rate": 0.0001, "mark": 50500}]}, "pnl": -5.05}
    assert told(tmp_path, [1], given, expect) == ""


def test_what_is_not_there_is_told(tmp_path):
    assert told(tmp_path, [1], quotes(1000, 1000), {"position": 1}) == ""
    assert told(tmp_path, [None], quotes(1000, 1000), {"position": 1}) == "position: expected 1, came 0"
    found = told(tmp_path, [1], quotes(1000, 1000), {"fills": []})
    assert "no fills, came after 0:00:02 {symbol: BTC/USDT:USDT, side: buy" in found


def test_a_venue_is_replaced_by_the_simulated_executor(tmp_path):
    rules = {"protection": [{"tether": {"distance": 50}}], "limits": [{"max_leverage": {"limit": 3}}]}
    given = {**quotes(1000, 1000), "equity": 1000, "fee": 0.001}
    assert told(tmp_path, [1], given, {"position": 1, "equity": 999}, executor="venue", **rules) == ""
    several = Plugins(extra=[Tape, Tether, Venue, Twin], environ={})
    with pytest.raises(RecipeError, match=r"one simulated executor in place of venue; installed: paper, twin"):
        told(tmp_path, [1], given, {"position": 1}, executor="venue", plugins=several, **rules)


def test_a_component_that_fails_is_a_failure_of_the_test(tmp_path):
    strategies = [{"torn": {"directions": []}}]
    difference = told(tmp_path, [], quotes(1000), {"position": 0}, strategies=strategies)
    assert difference.startswith("the run failed: strategy torn failed on Quote(")
    assert "KeyError: 'nothing' (" in difference
