"""Recipes that are as hard to lint as they can be made: many of everything, long names, deep within each other."""

from __future__ import annotations

from quantmind.project import MOST as PROJECT_NODES
from quantmind.recipe.document import MAX_BYTES as BYTES
from quantmind.recipe.walk import MAX_NODES as NODES
from quantmind.recipe.walk import MAX_PATHS

LONG = BYTES - 500
"""Characters of one text at the most, in a recipe that has the other sections."""

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
    "aliases, quadratic": "a: &a [" + "x," * (NODES // 2) + "]\nb: [" + "*a," * (NODES // 2) + "]\n",
    "ten megabytes": "a: " + "x" * 10_000_000,
    "flow within flow": "a: " + "[" * (BYTES - 3),
    "mappings within mappings": "{a: " * (BYTES // 4),
    "lists within lists": "- " * (BYTES // 2),
    "keys within keys": "? " * (BYTES // 2),
    "long keys within each other": "".join("  " * at + "k" * 200 + ":\n" for at in range(48))
    + "  " * 48
    + f"[{'1, ' * (NODES - 100)}]",
    "comments": "#\n" * (BYTES // 2),
    "empty lines": "\n" * BYTES,
    "escapes": 'a: "' + "\\u0041" * (BYTES // 6 - 2) + '"\n',
    "one long text": "name: " + "x" * (BYTES - 10),
    "long paths": "".join("  " * at + "k" * 200 + ":\n" for at in range(48))
    + "  " * 48
    + f"[{'1, ' * (MAX_PATHS // 9_700 - 30)}]",
    "texts": "a: [" + f"{'x' * (BYTES // NODES - 3)}, " * (NODES - 5) + "]\n",
    "wide texts": "a: [" + ("\u00e9" * (BYTES // NODES // 2 - 6) + "\U0001f600, ") * (NODES - 5) + "]\n",
    "one long number": _changed("quantity: 0.1", "quantity: 0." + "1" * LONG),
    "one long duration": _changed("momentum: {}", "momentum: {interval: " + "9" * LONG + "w}"),
    "a huge number": _changed("quantity: 0.1", "quantity: 1e999999"),
    "unknown keys": "".join(f"key{number}: 1\n" for number in range(NODES - 10)),
    "long unknown keys": "".join(f"{'k' * (BYTES // NODES - 10)}{number:05}: 1\n" for number in range(NODES - 10)),
    "one key again": "a: 1\n" * (NODES - 10),
    "one long key again": "a:\n"
    + "".join(f"  a{number}: 1\n" for number in range(NODES // 2))
    + "a: 1\n" * (NODES // 2 - 10),
    "blank keys": "".join(f"? \n: {number}\n" for number in range(NODES - 10)),
    "anchors": "".join(f"a{number}: &x{number} 1\n" for number in range(NODES - 10)),
    "tags": "".join(f"a{number}: !!x{number} 1\n" for number in range(NODES - 10)),
    "documents": "---\na\n" * (BYTES // 6),
    "a long alias": "a: *" + "x" * (BYTES - 10),
    "a long anchor": "a: &" + "x" * (BYTES - 10) + " 1\n",
    "unclosed variables": _changed("account: demo", "account: '" + "${" * (LONG // 2) + "'"),
    "many variables": _changed(
        "account: demo", "account: '" + "".join(f"${{A{n:05}}}" for n in range(LONG // 9)) + "'"
    ),
    "one variable often": _changed("account: demo", "account: '" + "${PATH}" * (LONG // 7) + "'"),
    "dollars": _changed("account: demo", "account: '" + "$" * (LONG // 2 * 2 + 1) + "'"),
    "misspelt components": SOUND + "".join(f"  - consle{number}\n" for number in range(NODES - 40)),
    "misspelt options": _changed("- console", "- console: {" + ", ".join(f"k{n}: 1" for n in range(NODES - 40)) + "}"),
    "components": SOUND + "  - console\n" * (NODES - 40),
    "feeds": _changed("feeds:\n", "feeds:\n" + "  - synthetic\n" * (NODES - 40)),
    "one id again": _changed("  - momentum: {}\n", "  - momentum\n" * (NODES - 40)),
    "venue spellings": _changed("[BTC/USDT:USDT]", "[" + "BTCUSDT, " * (NODES - 40) + "]"),
    "a long symbol": _changed("BTC/USDT:USDT", "B" * LONG),
    "symbols": _changed("instruments: [BTC/USDT:USDT]", _symbols(NODES // 4 - 10)),
    "strategies": _changed("strategies:\n  - momentum: {}\n", _strategies(NODES // 4 - 10, "s")),
    "strategies by symbols": _many(NODES // 8 - 5, "s", NODES // 8 - 5),
    "strategies of nanoseconds by symbols": _many(15, "ns", NODES // 4 - 40),
    "feeds by symbols": _many(4, "s", NODES // 12).replace("feeds:\n", "feeds:\n" + "  - synthetic\n" * (NODES // 2)),
    "weights": _changed(
        "equal_weight", "{fixed_weight: {weights: {" + ", ".join(f"a{n}: 0" for n in range(NODES - 40)) + "}}}"
    ),
    "tests": SOUND + "tests:\n" + "".join(_TEST % (number, "[1, 100000]", "") for number in range(NODES // 11 - 5)),
    "tests of strategies": _changed("strategies:\n  - momentum: {}\n", _strategies(NODES // 8, "s"))
    + "tests:\n"
    + "".join(_TEST % (number, "1", "") for number in range(NODES // 20 - 5)),
    "tests of rules": SOUND.replace(
        "    - fixed_quantity: {quantity: 0.1}\n", "    - fixed_quantity: {quantity: 0.1}\n" * (NODES // 8)
    )
    + "tests:\n"
    + "".join(_TEST % (number, "1", "") for number in range(NODES // 20 - 5)),
    "prices that are none": SOUND + "tests:\n" + _TEST % (1, "x, " * (NODES - 60), ""),
    "pairs that are none": SOUND + "tests:\n" + _TEST % (1, "[x, y], " * (NODES // 3 - 30), ""),
    "expectations that are none": SOUND + "tests:\n" + _TEST % (1, "1", "{side: x}, " * (NODES // 2 - 30)),
}
"""Each by its name."""

PROJECT = "limits:\n" + "".join(f"  - max_position: {{limit: {number}}}\n" for number in range(1, PROJECT_NODES // 3))
PROJECT += "#" * (BYTES - len(PROJECT) - 1) + "\n"
"""A quantmind.yaml as large as one may be, which every recipe beside it inherits from."""
