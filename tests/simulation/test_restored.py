"""Orders taken back after a restart."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.events import Amend, Amended, Executed, FundingRate, Quote, Submit
from quantmind.kinds import FUNDING, QUOTES
from quantmind.ledger.positions import Position
from quantmind.market.instruments import KNOWN
from quantmind.simulation.latency import ConstantLatency
from quantmind.simulation.matching import Matching
from quantmind.simulation.terms import Terms

BTC = "BTC/USDT:USDT"
MS = 1_000_000
SECOND = 1000 * MS


class Market:
    """Shows quotes to an engine that may be put in place of itself."""

    def __init__(self, latency):
        self.terms = Terms(latency=ConstantLatency(latency))
        self.engine = self.fresh()
        self.seen, self.told = [], []

    def fresh(self):
        return Matching(KNOWN, {BTC: {QUOTES, FUNDING}}, self.terms, D(100_000))

    def quote(self, ts, bid):
        self.show(Quote(BTC, ts, bid, bid + 0.1, 1.0, 1.0))

    def show(self, event):
        self.seen.append(event)
        self.told.extend(self.engine.on_market(len(self.seen), event))

    def restart(self, *commands):
        wallet, position = self.engine.account.wallet, Position()
        held = self.engine.position(BTC)
        position.quantity, position.cost = held.quantity, held.cost
        self.engine = self.fresh()
        self.engine.restore_account(wallet, {BTC: position})
        for command in commands:
            self.engine.restore(command)
        for seq, event in enumerate(self.seen, 1):
            self.engine.remember(seq, event)


@pytest.mark.parametrize("latency", [0, 50 * MS])
def test_a_stop_is_amended_after_a_restart_as_without_one(latency):
    told = []
    for restarts in (False, True):
        market = Market(latency)
        market.engine.submit(Submit("entry", BTC, "buy", D("0.4"), False, 0, 0))
        market.quote(SECOND, 50_000.0)
        stop = Submit("stop", BTC, "sell", D("0.4"), True, SECOND, 1, "stop_market", trigger=D(49_500))
        market.engine.submit(stop)
        market.quote(2 * SECOND, 50_100.0)
        if restarts:
            market.restart(stop)
        amend = Amend("stop", BTC, 2 * SECOND, trigger=D(49_900), after=2)
        market.told.extend(market.engine.amend(amend))
        # It is at the new trigger, before the amend is there and after.
        market.quote(2 * SECOND + 20 * MS, 49_950.0)
        market.quote(3 * SECOND, 49_899.0)
        market.quote(4 * SECOND, 49_499.0)
        told.append(market.told)
    assert told[0] == told[1]
    assert [type(event) for event in told[0]] == [Executed, Amended, Executed]
    assert (told[0][1].trigger, told[0][1].ts) == (D(49_900), 2 * SECOND + latency)
    assert told[0][2].price == D("49899.0")


def test_a_trailing_stop_that_saw_no_price_before_the_restart_follows_the_next_one():
    told = []
    for restarts in (False, True):
        market = Market(0)
        market.engine.submit(Submit("entry", BTC, "buy", D("0.4"), False, 0, 0))
        market.quote(SECOND, 50_000.0)
        options = {"order_type": "trailing_stop_market", "callback": D("0.01")}
        trail = Submit("trail", BTC, "sell", D("0.4"), True, SECOND, 1, **options)
        market.engine.submit(trail)
        if restarts:
            market.restart(trail)
        # What is no price to it must not make it sleep.
        market.show(FundingRate(BTC, SECOND, 0.0001, 50_000.0))
        market.quote(2 * SECOND, 50_100.0)
        market.quote(3 * SECOND, 50_200.0)
        market.quote(4 * SECOND, 49_600.0)
        told.append(market.told)
    assert told[0] == told[1]
    assert told[0][-1].price == D("49600.0")
