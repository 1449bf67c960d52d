"""A recipe test for each rule: that it sizes, protects, shrinks, refuses or stops as it is described.

Unless a test says otherwise, equity is 10,000 and 0.4 BTC are wanted at a price of 50,000: a leverage of 2.
"""

import pytest
import yaml
from pydantic import Field

from quantmind.events import Bar, Signal
from quantmind.kinds import Needs, Options, Strategy, bars
from quantmind.pipeline.recipe_test import run_test
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load

MINUTE = 60_000_000_000


class ScriptOptions(Options):
    directions: list[float | None] = Field(description="The direction at each bar; null says nothing.")


class Script(Strategy[ScriptOptions]):
    """Signals what it is told, bar by bar."""

    name = "script"

    @classmethod
    def needs(cls, options: ScriptOptions) -> Needs:
        return Needs((bars(MINUTE),))

    def start(self) -> None:
        self._rest = iter(self.options.directions)

    def on_bar(self, bar: Bar) -> Signal | None:
        direction = next(self._rest, None)
        return None if direction is None else self.signal(direction)


RULES = """
fixed_quantity:
  sizing: [{fixed_quantity: {quantity: 0.25}}]
  expect: {orders: [{side: buy, quantity: 0.25, filled: 0.25}], position: 0.25}

# 1 % of 10,000 is lost over a distance of 500: 100 / 500.
fixed_fraction:
  sizing: [{fixed_fraction: {fraction: 0.01}}]
  protection: [{fixed_stop: {part: 0.01}}]
  expect: {orders: [{quantity: 0.2, stop: 49500}]}
fixed_fraction without a stop:
  sizing: [{fixed_fraction: {fraction: 0.5}}]
  expect: {orders: [{quantity: 0.1, stop: null}]}

# 0.125 * 10,000 / 500 is 2.5, but twice the equity is 0.4; at the stop 200 are lost.
kelly:
  sizing: [{kelly: {win_rate: 0.55, reward_risk: 1.5, fraction: 0.5, cap: 2}}]
  protection: [{fixed_stop: {part: 0.01}}]
  close: [[50000, 3], 49500]
  expect: {orders: [{quantity: 0.4, stop: 49500}], position: 0, pnl: -200}
kelly below its cap:
  sizing: [{kelly: {win_rate: 0.55, reward_risk: 1.5, fraction: 0.5, cap: 20}}]
  protection: [{fixed_stop: {part: 0.01}}]
  expect: {orders: [{quantity: 2.5}]}
kelly without an edge:
  sizing: [{kelly: {win_rate: 0.4, reward_risk: 1.5, fraction: 0.5, cap: 2}}]
  protection: [{fixed_stop: {part: 0.01}}]
  expect: {signals: [1], orders: []}

# Returns of 0.1 % a minute are 73 to 77 % a year, whether the deviation is divided by n or n - 1.
volatility_target:
  sizing: [{volatility_target: {target: 0.2, interval: 1m, window: 10}}]
  close: [50000, 50050, 50000, 50050, 50000, 50050, 50000, 50050, 50000, 50050, 50000, 50000]
  directions: [null, null, null, null, null, null, null, null, null, null, 1]
  expect: {orders: [{quantity_above: 0.051, quantity_below: 0.056}]}

fixed_stop:
  protection: [{fixed_stop: {part: 0.01}}]
  close: [[50000, 3], 49600, 49400, 50000]
  expect:
    orders: [{side: buy, stop: 49500}, {purpose: stop, side: sell, trigger: 49500, state: filled}]
    fills: {exactly: [{price: 50000}, {price: 49400, purpose: stop}]}
    position: 0
fixed_stop of a short:
  protection: [{fixed_stop: {part: 0.01}}]
  close: [[50000, 3], 50600]
  directions: [-1]
  expect: {orders: [{side: sell, stop: 50500}], position: 0, pnl: -240}

# The true range is 100 in every bar; the stop follows 300 behind the best price and never goes back.
atr_stop:
  protection: [{atr_stop: {interval: 1m, period: 3, multiplier: 3}}]
  close: [50000, 50100, 50000, 50100, 50000, 50100, 50200, 50300, 50200, 50100, 50000, 49900]
  directions: [null, null, null, null, 1]
  expect:
    orders:
      exactly:
        - {side: buy, stop: 49800, stop_above: 49999.9}
        - {purpose: stop, trigger: 50000, state: filled}
    fills: {exactly: [{price: 50100}, {price: 50000}]}
atr_stop before there is one:
  protection: [{atr_stop: {interval: 1m, period: 3, multiplier: 3}}]
  expect: {orders: [], position: 0}

take_profit:
  protection: [{fixed_stop: {part: 0.01}}, {take_profit: {reward_risk: 1.5}}]
  close: [[50000, 3], 50700, 50800, 50000]
  expect:
    orders: [{stop: 49500, take_profit: 50750}, {purpose: take_profit, trigger: 50750, state: filled}]
    fills: {exactly: [{price: 50000}, {side: sell, price: 50800, purpose: take_profit}]}

# Filled 6 s into the second minute, at its first quote: three minutes later the price is 50,200.
time_stop:
  protection: [{time_stop: {after: 3m}}]
  close: [[50000, 3], 50100, 50200, 50300, 50400]
  expect: {fills: {exactly: [{side: buy, price: 50000}, {side: sell, price: 50200}]}, position: 0}

max_position:
  limits: [{max_position: {limit: 0.3}}]
  expect: {orders: {exactly: [{quantity: 0.3}]}, refusals: {exactly: [{code: max_position, quantity: 0.1}]}}

max_leverage:
  limits: [{max_leverage: {limit: 1}}]
  expect: {orders: {exactly: [{quantity: 0.2}]}, refusals: {exactly: [{code: max_leverage, quantity: 0.2}]}}

max_order_notional:
  limits: [{max_order_notional: {limit: 19999}}]
  expect: {orders: [], refusals: {exactly: [{code: max_order_notional, quantity: 0.4}]}}
max_order_notional lets an exit pass:
  limits: [{max_order_notional: {limit: 20000}}]
  close: [[50000, 3], [60000, 3]]
  directions: [1, null, null, 0]
  expect: {orders: {exactly: [buy, {side: sell, quantity: 0.4, reduce_only: true}]}, refusals: []}

max_exposure:
  limits: [{max_exposure: {gross: 1.5}}]
  expect: {orders: {exactly: [{quantity: 0.3}]}, refusals: [max_exposure]}
max_exposure of a symbol:
  limits: [{max_exposure: {per_symbol: 0.5}}]
  directions: [-1]
  expect: {orders: {exactly: [{side: sell, quantity: 0.1}]}, refusals: [max_exposure]}

# Both signals come at one close: the first order works when the second is judged.
max_open_orders:
  instruments: [BTC/USDT:USDT, ETH/USDT:USDT]
  limits: [{max_open_orders: {total: 1}}]
  given:
    bars:
      BTC/USDT:USDT: {interval: 1m, close: [[50000, 4]]}
      ETH/USDT:USDT: {interval: 1m, close: [[2500, 4]]}
  expect:
    orders: {exactly: [{symbol: BTC/USDT:USDT, quantity: 0.4}]}
    refusals: {exactly: [{code: max_open_orders, symbol: ETH/USDT:USDT}]}

order_rate:
  limits: [{order_rate: {orders: 2, per: 1h}}]
  directions: [1, 0, 1]
  close: [[50000, 5]]
  expect: {orders: {exactly: [buy, sell]}, refusals: {exactly: [order_rate]}, position: 0}

price_band:
  limits: [{price_band: {limit: 0.02}}]
  given: {bars: {interval: 1m, close: [[50000, 4]]}, marks: {price: [52000]}}
  expect: {orders: [], refusals: {exactly: [{code: price_band, side: buy}]}}
price_band near the mark:
  limits: [{price_band: {limit: 0.02}}]
  given: {bars: {interval: 1m, close: [[50000, 4]]}, marks: {price: [50500]}}
  expect: {orders: [buy], refusals: []}

# The only quote is from a minute before the bar, which has no trades and so no price of its time.
stale_data:
  limits: [{stale_data: {max_age: 30s}}]
  given: {bars: {interval: 1m, close: [50000], volume: [0]}, quotes: {bid: [50000]}}
  expect: {orders: [], refusals: {exactly: [stale_data]}}

# 0.4 * 300 is 1.2 % of the equity at the start of the day.
max_daily_loss:
  limits: [{max_daily_loss: {limit: 0.01, then: flatten}}]
  close: [[50000, 3], [49700, 4]]
  directions: [1, null, null, null, 0, -1]
  expect:
    latches: {exactly: [{name: max_daily_loss, level: flatten}]}
    orders: {exactly: [buy, {purpose: flatten, side: sell, reduce_only: true}]}
    refusals: [max_daily_loss]
    position: 0

max_drawdown:
  limits: [{max_drawdown: {limit: 0.1, then: flatten}}]
  close: [[50000, 3], 52500, 49700, [49700, 3]]
  directions: [1, null, null, null, null, null, -1]
  expect:
    latches: {exactly: [{name: max_drawdown, level: flatten}]}
    fills: {exactly: [buy, {side: sell, price: 49700, purpose: flatten}]}
    refusals: [max_drawdown]
    position: 0
    drawdown: 0.101818181818

loss_streak:
  limits: [{loss_streak: {losses: 1, then: reduce}}]
  close: [[50000, 2], 49900, 49900, 49900]
  directions: [1, 0, 1]
  expect: {latches: [loss_streak], orders: {exactly: [buy, sell]}, refusals: [loss_streak], pnl: -40}
loss_streak after a win:
  limits: [{loss_streak: {losses: 1, then: reduce}}]
  close: [[50000, 2], 50100, 50100, 50100]
  directions: [1, 0, 1]
  expect: {latches: [], orders: {exactly: [buy, sell, buy]}, refusals: []}

# (10,000 - 0.5 N) = 0.5 N * 0.004 gives N = 19,920.3.
liquidation_distance:
  limits: [{liquidation_distance: {limit: 0.5}}]
  expect: {orders: {exactly: [{quantity: 0.398}]}, refusals: [liquidation_distance]}

# 0.4 % of 12,500 is 0.5 % of 10,000.
margin_ratio:
  limits: [{margin_ratio: {limit: 0.005}}]
  expect: {orders: {exactly: [{quantity: 0.25}]}, refusals: [margin_ratio]}
"""
CASES = yaml.safe_load(RULES)
PLUGINS = Plugins(extra=[Script], environ={})


@pytest.mark.parametrize("name", CASES)
def test_a_rule_does_what_it_says(name, tmp_path):
    case = CASES[name]
    recipe = load(
        {
            "name": "rules",
            "instruments": case.get("instruments", ["BTC/USDT:USDT"]),
            "feeds": ["synthetic"],
            "strategies": [{"script": {"directions": case.get("directions", [1])}}],
            "allocator": "equal_weight",
            "risk": {
                "sizing": case.get("sizing", [{"fixed_quantity": {"quantity": 0.4}}]),
                "protection": case.get("protection", []),
                "limits": case.get("limits", []),
            },
            "executor": "paper",
            "tests": [
                {
                    "name": name,
                    "given": case.get("given", {"bars": {"interval": "1m", "close": case.get("close", [[50000, 4]])}}),
                    "expect": case["expect"],
                }
            ],
        },
        PLUGINS,
        Project(tmp_path),
        {},
    )
    assert run_test(recipe, recipe.tests[0], PLUGINS).told == ""


def test_every_rule_has_a_test():
    own = Plugins(only_own=True, environ={})
    rules = {row.name for row in own.all() if row.kind in {"sizing", "protection", "limit"}}
    assert rules == {name.split()[0] for name in CASES}
