"""No order is filled at a price from before its decision, whatever led to it: bars, other symbols, fills."""

from __future__ import annotations

import json
import random

import pytest

from quantmind.events import Bar
from quantmind.kinds import Needs, NoOptions, Strategy, bars
from quantmind.simulation import path
from quantmind.testing import run_recipe

SYMBOLS = ("ETH/USDT:USDT", "BTC/USDT:USDT", "SOL/USDT:USDT")
MINUTE = 60_000_000_000


class Anywhere(Strategy[NoOptions]):
    """Trades any symbol on any event, fills too."""

    name = "anywhere"
    scope = "universe"

    @classmethod
    def needs(cls, options):
        return Needs((bars(MINUTE), bars(5 * MINUTE)), fills=True)

    def start(self):
        self.random = random.Random(5)

    def turn(self, _):
        if self.random.random() < 0.6:
            return None
        return self.signal(self.random.choice([-1.0, 0.0, 1.0]), 1.0, self.random.choice(self.symbols))

    on_bar = on_fill = turn


def market(minutes):
    walk = random.Random(9)
    events = []
    for minute in range(1, minutes + 1):
        for symbol in SYMBOLS:
            open_, close = (round(walk.uniform(90, 110), 1) for _ in range(2))
            high, low = max(open_, close) + 1, min(open_, close) - 1
            volume = walk.choice([0.0, 1.0, 1.0])
            events.append(Bar(symbol, minute * MINUTE, MINUTE, open_, high, low, close, volume))
    return events


def trades(folder, latency):
    steps = {"tick": 0.1, "step": 0.001, "min_notional": 0}
    recipe = {
        "name": "anywhere",
        "instruments": [{symbol: steps} for symbol in SYMBOLS],
        "strategies": ["anywhere"],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 1}}]},
        "executor": {"paper": {"latency": latency}},
    }
    events = market(240)
    outcome = run_recipe(recipe, folder, events=events, components=[Anywhere])
    known = [event.ts for event in outcome.events if type(event) is Bar]
    lines = [json.loads(line) for line in outcome.export]
    orders = {line["id"]: line for line in lines if line["type"] == "order"}
    fills = [line for line in lines if line["type"] == "fill"]
    assert len(fills) > 100
    opens = {(bar.symbol, bar.ts - bar.interval): bar.open for bar in events if bar.volume}
    for fill in fills:
        order = orders[fill["order"]]
        yield (
            order["ts"],
            known[order["after"] - 1],
            fill["ts"],
            float(fill["price"]),
            opens.get((fill["symbol"], fill["ts"])),
        )


@pytest.mark.parametrize(("latency", "delay"), [("0s", 0), ("30s", 30_000_000_000), ("90s", 90_000_000_000)])
def test_every_fill_is_at_a_price_of_after_its_decision(tmp_path, latency, delay):
    for ordered, known, filled, price, opened in trades(tmp_path, latency):
        assert ordered >= known
        assert filled >= ordered + delay
        assert price == opened


def test_the_naive_rule_would_be_caught(tmp_path, monkeypatch):
    """The next bar of the symbol, whenever it began."""

    monkeypatch.setattr(path, "in_force", lambda order, seq, _: order.after < seq)
    assert any(filled < ordered for ordered, _, filled, _, _ in trades(tmp_path, "0s"))
