"""What the tests of the simulation say in short."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.events import Bar, Quote, Submit, Trade
from quantmind.kinds import MARKS, QUOTES, TRADES, bars
from quantmind.market.instruments import KNOWN
from quantmind.simulation.fees import Fees
from quantmind.simulation.latency import ConstantLatency
from quantmind.simulation.matching import Matching
from quantmind.simulation.terms import Terms

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000


class Venue:
    """A venue of one symbol, with a clock of its own: each event comes a minute after the last."""

    def __init__(self, *channels, balance="1000000", **terms):
        terms.setdefault("fees", Fees(D("0"), D("0")))
        if "latency" in terms:
            terms["latency"] = ConstantLatency(terms["latency"])
        self.channels = dict.fromkeys(KNOWN, frozenset(channels))
        self.terms = Terms(**terms)
        self.engine = Matching(KNOWN, self.channels, self.terms, D(balance))
        self.seq = 0
        self.now = 0
        self.made = 0

    def order(self, side, quantity="1", type="market", symbol=BTC, **options):
        """Submit an order; returns its id."""
        self.made += 1
        for key in ("price", "trigger", "callback"):
            if options.get(key) is not None:
                options[key] = D(options[key])
        name = f"o{self.made}"
        reduce_only = options.pop("reduce_only", False)
        command = Submit(name, symbol, side, D(quantity), reduce_only, self.now, self.seq, order_type=type, **options)
        self.answer = self.engine.submit(command)
        return name

    def show(self, event):
        self.seq += 1
        self.now = event.ts
        return list(self.engine.on_market(self.seq, event))

    def quote(self, bid, ask, bid_size=1.0, ask_size=1.0, symbol=BTC):
        return self.show(Quote(symbol, self.now + MINUTE, bid, ask, bid_size, ask_size))

    def trade(self, price, size=1.0, side=1, symbol=BTC):
        return self.show(Trade(symbol, self.now + MINUTE, price, size, side))

    def bar(self, open_, high, low, close, volume=10.0, symbol=BTC):
        return self.show(Bar(symbol, self.now + MINUTE, MINUTE, open_, high, low, close, volume))

    def flat_bar(self, price):
        return self.bar(price, price, price, price)

    @property
    def position(self):
        return self.engine.position(BTC).quantity

    @property
    def wallet(self):
        return self.engine.account.wallet


@pytest.fixture
def quotes():
    def make(*more, **terms):
        return Venue(QUOTES, *more, **terms)

    return make


@pytest.fixture
def trades():
    def make(**terms):
        return Venue(TRADES, **terms)

    return make


@pytest.fixture
def minutes():
    def make(*more, **terms):
        return Venue(bars(MINUTE), *more, **terms)

    return make


@pytest.fixture
def marked():
    def make(**terms):
        return Venue(QUOTES, MARKS, **terms)

    return make
