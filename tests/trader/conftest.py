"""A Trader on a journal of its own, and an executor that says what a test tells it to."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from quantmind.events import Accepted, Bar, Cancelled, Executed, Instruction, Quote, Share, Submit, Target, Upto
from quantmind.kinds import NoOptions, Options, SizingRule
from quantmind.market.instruments import KNOWN
from quantmind.trader.chronicle import Chronicle
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.rules import Rules
from quantmind.trader.trader import Trader

D = Decimal
BTC, ETH = KNOWN["BTC/USDT:USDT"], KNOWN["ETH/USDT:USDT"]


class Budget(Options):
    quantity: Decimal


class Fixed(SizingRule[Budget]):
    """Holds a fixed quantity."""

    name = "fixed"

    def budget(self, sizing):
        return self.options.quantity


class Desk:
    """Speaks to a Trader in a test's words."""

    def __init__(
        self,
        folder: Path,
        budget="0.4",
        limits=(),
        balance="10000",
        price=50_000.0,
        band="0.05",
        strategies=("momentum",),
        protection=None,
        entry=None,
    ):
        self.folder = folder
        self.settings = (budget, limits, balance, band)
        self.strategies = strategies
        self.protection = protection or {}
        self.entry = entry
        self.seq = self.ts = 0
        self.start()
        self.price(price)

    def start(self, new_epoch=False):
        budget, limits, balance, band = self.settings
        self.journal = Journal(self.folder, "paper-test", balance, durable=True)
        self.gate = Gate(limits)
        self.sizing = Fixed(Budget(quantity=D(budget)), BTC)
        rules = Rules({i.symbol: [self.sizing] for i in (BTC, ETH)}, self.protection, limits)
        self.trader = Trader(
            [BTC, ETH], self.strategies, rules, self.gate, self.journal, D(band), self.entry, new_epoch
        )

    def restart(self, new_epoch=False):
        """Die without a word, and come back."""
        self.journal.close()
        self.start(new_epoch)

    def halt_while_dead(self):
        """Die without a word; the operator halts the stopped account; come back."""
        self.journal.close()
        journal = Journal(self.folder, "paper-test", self.settings[2], durable=True)
        chronicle = Chronicle(journal, new_epoch=False)
        chronicle.latch("halted", "halt", "by the operator", 0)
        chronicle.commit()
        journal.close()
        self.start()

    def instruct(self, action, name=""):
        """Say an operator's word; returns the commands that came of it."""
        return self.commands(self.trader.on_instruction(Instruction(action, self.seq * 60, "", name)))

    def price(self, price, symbol=BTC.symbol):
        """Close a bar at a price; returns the commands that came of it."""
        self.seq += 1
        bar = Bar(symbol, self.seq * 60, 60, price, price, price, price, 1.0)
        return self.commands(self.trader.on_market(self.seq, bar))

    def quote(self, bid, ask, after=60):
        """Quote some time after the last event; returns the commands that came of it."""
        self.seq += 1
        self.ts = max(self.ts, self.seq * 60) + after
        return self.commands(self.trader.on_market(self.seq, Quote(BTC.symbol, self.ts, bid, ask, 1.0, 1.0)))

    def order_event(self, event):
        return self.commands(self.trader.on_order_event(event))

    def facts(self, kind):
        """Return the facts of a type since the start."""
        return [fact for fact in self.trader.chronicle.facts if type(fact) is kind]

    def target(self, value, symbol=BTC.symbol, shares=(("momentum", None),)):
        """Send a Target; returns the commands that came of it."""
        parts = tuple(Share(name, D(value if part is None else part)) for name, part in shares)
        ts = max(self.ts, self.seq * 60)
        target = Target(symbol, D(value), parts, ts, f"t{self.seq}-{value}", "s1")
        return self.commands(self.trader.on_upto(Upto(self.seq, (), (target,))))

    def commands(self, approved):
        self.trader.chronicle.commit()
        return [self.gate.spend(item) for item in approved]

    def accepted(self, order):
        return self.commands(self.trader.on_order_event(Accepted(order, self.seq)))

    def cancelled(self, order):
        return self.commands(self.trader.on_order_event(Cancelled(order, self.seq)))

    def executed(self, command, quantity, price, fee="0", execution=None):
        name = execution or f"x{command.order}-{quantity}-{price}"
        return self.commands(
            self.trader.on_order_event(Executed(command.order, self.seq, name, D(price), D(quantity), D(fee)))
        )

    def hold(self, quantity, price=50_000):
        """Get into a position, by a filled order."""
        budget = D(self.settings[0])
        (command,) = self.target(str(D(quantity) / budget))
        self.accepted(command.order)
        self.executed(command, abs(D(quantity)), price)
        assert self.position == D(quantity)
        return command

    @property
    def position(self):
        return self.trader.account.positions[BTC.symbol].quantity


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.journal.close()


@pytest.fixture
def make_desk(tmp_path):
    made = []

    def make(**settings):
        made.append(Desk(tmp_path, **settings))
        return made[-1]

    yield make
    for each in made:
        each.journal.close()


__all__ = ["BTC", "ETH", "D", "Desk", "NoOptions", "Submit"]
