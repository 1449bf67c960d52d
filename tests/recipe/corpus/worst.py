"""Recipes that are as hard to lint as they can be made: many of everything, long names, deep within each other."""

from __future__ import annotations

SOUND = """\
name: worst
instruments: [BTC/USDT:USDT]
feeds:
  - synthetic: {}
strategies:
  - momentum: {}
allocator: equal_weight
risk:
  sizing:
    - fixed_quantity: {quantity: 0.1}
executor:
  paper: {account: demo}
sinks:
  - console
"""
STEPS = "{tick: 1, step: 1}"


def _changed(old: str, new: str) -> str:
    assert old in SOUND
    return SOUND.replace(old, new)


def _symbols(count: int) -> str:
    return "instruments: [" + ", ".join(f"{{A{number}/USDT:USDT: {STEPS}}}" for number in range(count)) + "]"


def _strategies(count: int, unit: str) -> str:
    return "strategies:\n" + "".join(
        f"  - momentum: {{interval: {number}{unit}}}\n    id: a{number}\n" for number in range(1, count + 1)
    )


def _many(count: int, unit: str, symbols: int) -> str:
    text = _changed("instruments: [BTC/USDT:USDT]", _symbols(symbols))
    return text.replace("strategies:\n  - momentum: {}\n", _strategies(count, unit))


EVERY_COMPONENT = """\
name: every
instruments: [BTC/USDT:USDT]
feeds:
  - synthetic: {live: true}
  - ccxt: {exchange: binanceusdm}
transport: nats
strategies: [momentum, mean_reversion]
allocator: {fixed_weight: {weights: {momentum: 0.5, mean_reversion: 0.5}}}
risk:
  sizing:
    - fixed_quantity: {quantity: 1}
    - kelly: {win_rate: 0.55, reward_risk: 1.5}
    - volatility_target: {target: 0.2}
    - fixed_fraction: {fraction: 0.01}
  protection:
    - atr_stop: {multiplier: 3}
    - fixed_stop: {part: 0.1}
    - take_profit: {reward_risk: 2}
    - time_stop: {after: 1h}
  limits:
    - liquidation_distance: {limit: 0.1}
    - loss_streak: {losses: 5}
    - margin_ratio: {limit: 0.5}
    - max_daily_loss: {limit: 0.05}
    - max_drawdown: {limit: 0.1}
    - max_exposure: {gross: 3}
    - max_leverage: {limit: 3}
    - max_open_orders: {total: 5}
    - max_order_notional: {limit: 20000}
    - max_position: {limit: 0.5}
    - order_rate: {orders: 10}
    - price_band: {limit: 0.02}
    - stale_data: {max_age: 5s}
executor: paper
sinks: [console, jsonl, redis, sqlite]
"""

_BOMB = "l0: &l0 [x]\n" + "".join(
    f"l{number}: &l{number} [{', '.join([f'*l{number - 1}'] * 9)}]\n" for number in range(1, 30)
)
_TEST = "  - {name: t%d, given: {bars: {interval: 1m, close: [%s]}}, expect: {orders: [%s]}}\n"

WORST = {
    "every component": EVERY_COMPONENT,
    "alias bomb": _BOMB,
    "aliases, quadratic": "a: &a [" + "x," * 5_000 + "]\nb: [" + "*a," * 5_000 + "]\n",
    "ten megabytes": "a: " + "x" * 10_000_000,
    "flow within flow": "a: " + "[" * 500_000,
    "mappings within mappings": "{a: " * 250_000,
    "lists within lists": "- " * 500_000,
    "keys within keys": "? " * 500_000,
    "long keys within each other": "".join("  " * at + "k" * 200 + ":\n" for at in range(48))
    + "  " * 48
    + f"[{'1, ' * 9_900}]",
    "comments": "#\n" * 500_000,
    "empty lines": "\n" * 1_000_000,
    "escapes": 'a: "' + "\\u0041" * 160_000 + '"\n',
    "one long text": "name: " + "x" * 1_000_000,
    "one long number": _changed("quantity: 0.1", "quantity: 0." + "1" * 1_000_000),
    "one long duration": _changed("momentum: {}", "momentum: {interval: " + "9" * 1_000_000 + "w}"),
    "a huge number": _changed("quantity: 0.1", "quantity: 1e999999"),
    "unknown keys": "".join(f"key{number}: 1\n" for number in range(9_990)),
    "long unknown keys": "".join(f"{'k' * 100}{number:05}: 1\n" for number in range(9_000)),
    "one key again": "a: 1\n" * 9_000,
    "one long key again": "a:\n" + "".join(f"  a{number}: 1\n" for number in range(3_000)) + "a: 1\n" * 3_000,
    "blank keys": "".join(f"? \n: {number}\n" for number in range(4_000)),
    "anchors": "".join(f"a{number}: &x{number} 1\n" for number in range(9_000)),
    "tags": "".join(f"a{number}: !!x{number} 1\n" for number in range(9_000)),
    "documents": "---\na\n" * 150_000,
    "a long alias": "a: *" + "x" * 1_000_000,
    "a long anchor": "a: &" + "x" * 1_000_000 + " 1\n",
    "unclosed variables": _changed("account: demo", "account: '" + "${" * 400_000 + "'"),
    "many variables": _changed("account: demo", "account: '" + "".join(f"${{A{n}}}" for n in range(100_000)) + "'"),
    "one variable often": _changed("account: demo", "account: '" + "${PATH}" * 100_000 + "'"),
    "dollars": _changed("account: demo", "account: '" + "$" * 900_001 + "'"),
    "misspelt components": SOUND + "".join(f"  - consle{number}\n" for number in range(9_000)),
    "misspelt options": _changed("- console", "- console: {" + ", ".join(f"k{n}: 1" for n in range(4_500)) + "}"),
    "components": SOUND + "  - console\n" * 9_000,
    "feeds": _changed("feeds:\n", "feeds:\n" + "  - synthetic\n" * 5_000),
    "one id again": _changed("  - momentum: {}\n", "  - momentum\n" * 5_000),
    "venue spellings": _changed("[BTC/USDT:USDT]", "[" + "BTCUSDT, " * 9_000 + "]"),
    "a long symbol": _changed("BTC/USDT:USDT", "B" * 1_000_000),
    "symbols": _changed("instruments: [BTC/USDT:USDT]", _symbols(1_600)),
    "strategies": _changed("strategies:\n  - momentum: {}\n", _strategies(1_800, "s")),
    "strategies by symbols": _many(700, "s", 700),
    "strategies of nanoseconds by symbols": _many(21, "ns", 700),
    "feeds by symbols": _many(4, "s", 700).replace("feeds:\n", "feeds:\n" + "  - synthetic\n" * 700),
    "weights": _changed(
        "equal_weight", "{fixed_weight: {weights: {" + ", ".join(f"a{n}: 0" for n in range(4_000)) + "}}}"
    ),
    "tests": SOUND + "tests:\n" + "".join(_TEST % (number, "[1, 100000]", "") for number in range(600)),
    "prices that are none": SOUND + "tests:\n" + _TEST % (1, "x, " * 9_000, ""),
    "expectations that are none": SOUND + "tests:\n" + _TEST % (1, "1", "{side: x}, " * 3_000),
}
"""Each by its name."""
