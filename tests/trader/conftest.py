"""A Trader on a journal of its own, and an executor that says what a test tells it to."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from quantmind.events import Accepted, Bar, Cancelled, Executed, Share, Submit, Target, Upto
from quantmind.kinds import NoOptions, Options, SizingRule
from quantmind.market.instruments import Instrument
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.trader import Trader

D = Decimal
BTC = Instrument("BTC/USDT:USDT", D("0.1"), D("0.001"), D(100))
ETH = Instrument("ETH/USDT:USDT", D("0.01"), D("0.001"), D(20))


class Budget(Options):
    quantity: Decimal


class Fixed(SizingRule[Budget]):
    """Holds a fixed quantity."""

    name = "fixed"

    def budget(self, sizing):
        return self.options.quantity


class Desk:
    """Speaks to a Trader in a test's words."""

    def __init__(self, folder: Path, budget="0.4", limits=(), balance="10000", price=50_000.0, band="0.05"):
        self.folder = folder
        self.settings = (budget, limits, balance, band)
        self.seq = 0
        self.start()
        self.price(price)

    def start(self, new_epoch=False):
        budget, limits, balance, band = self.settings
        self.journal = Journal(self.folder, "paper-test", balance, durable=True)
        self.gate = Gate(limits)
        self.sizing = Fixed(Budget(quantity=D(budget)))
        self.trader = Trader([BTC, ETH], [self.sizing], self.gate, self.journal, D(band), new_epoch)

    def restart(self, new_epoch=False):
        """Die without a word, and come back."""
        self.journal.close()
        self.start(new_epoch)

    def price(self, price, symbol=BTC.symbol):
        self.seq += 1
        self.trader.on_market(self.seq, Bar(symbol, self.seq * 60, 60, price, price, price, price, 1.0))

    def target(self, value, symbol=BTC.symbol, shares=(("momentum", None),)):
        """Send a Target; returns the commands that came of it."""
        parts = tuple(Share(name, D(value if part is None else part)) for name, part in shares)
        target = Target(symbol, D(value), parts, self.seq * 60, f"t{self.seq}-{value}", "s1")
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
