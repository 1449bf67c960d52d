"""What holds whatever the market does and whatever is ordered."""

from __future__ import annotations

from decimal import Decimal as D

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from quantmind.events import (
    Accepted,
    Amend,
    Amended,
    Bar,
    Cancel,
    Cancelled,
    Executed,
    Funded,
    FundingRate,
    Liquidated,
    Quote,
    Rejected,
    Submit,
    Trade,
    Triggered,
)
from quantmind.kinds import FUNDING, QUOTES, TRADES, bars
from quantmind.market.instruments import KNOWN
from quantmind.simulation.latency import ConstantLatency, RandomLatency
from quantmind.simulation.matching import Matching
from quantmind.simulation.slippage import Slippage
from quantmind.simulation.terms import Terms

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
SOURCES = {"quote": QUOTES, "trade": TRADES, "bar": bars(MINUTE)}
BALANCE = D(10_000)

step = st.integers(-40, 40)
order = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["buy", "sell"]),
        "type": st.sampled_from(["market", "limit", "stop_market", "take_profit_market", "trailing_stop_market"]),
        "quantity": st.integers(1, 3000),
        "away": st.integers(-60, 60),
        "force": st.sampled_from(["gtc", "gtc", "ioc", "fok", "gtx"]),
        "reduce_only": st.booleans(),
        "close_position": st.booleans(),
    }
)
turn = st.fixed_dictionaries(
    {
        "moves": st.tuples(step, step, step),
        "size": st.integers(1, 5000),
        "orders": st.lists(order, max_size=2),
        "cancel": st.integers(0, 9),
        "amend": st.integers(0, 9),
        "fund": st.integers(0, 7),
    }
)
market = st.lists(turn, min_size=4, max_size=14)
terms = st.builds(
    Terms,
    partial=st.booleans(),
    participation=st.sampled_from([None, 0.5]),
    optimistic=st.booleans(),
    slippage=st.sampled_from([Slippage(), Slippage(1, 0.001, 0.01)]),
    margin=st.sampled_from(["cross", "isolated", "none"]),
    latency=st.sampled_from([ConstantLatency(), ConstantLatency(MINUTE), RandomLatency(0, 3 * MINUTE, 5)]),
)


class Run:
    """Plays a market to an engine, keeps what a Trader would know, and checks every fill."""

    def __init__(self, source, terms, shown=D("0.001")):
        self.source, self.terms, self.shown_size = source, terms, shown
        self.engine = self.fresh()
        self.seq = self.made = 0
        self.now = 0
        self.price = 10_000
        self.shown = []
        self.told = []
        self.commands, self.executed, self.cancels = {}, {}, {}
        self.triggered = set()
        self.position = self.cash = D(0)

    def fresh(self):
        return Matching(KNOWN, {BTC: {SOURCES[self.source], FUNDING}}, self.terms, BALANCE)

    def event(self, turn):
        self.seq += 1
        self.now += MINUTE
        size = float(turn["size"] * self.shown_size)
        prices = [self.price]
        for move in turn["moves"]:
            prices.append(max(prices[-1] + move, 100))
        self.price = prices[-1]
        prices = [price / 10 for price in prices]
        if self.source == "quote":
            return Quote(BTC, self.now, prices[-1], (self.price + 1) / 10, size, size)
        if self.source == "trade":
            return Trade(BTC, self.now, prices[-1], size, 1 if turn["moves"][0] > 0 else -1)
        return Bar(BTC, self.now, MINUTE, prices[0], max(prices), min(prices), prices[-1], size)

    def play(self, turns, amends=True):
        for turn in turns:
            self.show(self.event(turn))
            if not turn["fund"]:
                self.seq += 1
                self.show(FundingRate(BTC, self.now, 0.001, self.price / 10))
            self.command(turn, amends)
        return self

    def show(self, event):
        self.shown.append((self.seq, event))
        for answer in self.engine.on_market(self.seq, event):
            self.hear(answer, event)
        account = self.engine.account
        position = self.engine.position(BTC)
        assert position.quantity == self.position
        assert account.wallet - position.cost == BALANCE + self.cash

    def command(self, turn, amends):
        for wanted in turn["orders"]:
            self.submit(wanted)
        for chosen, act in ((turn["cancel"], self.cancel), (turn["amend"] if amends else 9, self.amend)):
            open_orders = [name for name in self.commands if name not in self.cancels]
            if chosen < len(open_orders):
                act(open_orders[chosen])

    def submit(self, wanted):
        self.made += 1
        kind, at = wanted["type"], D(self.price + wanted["away"]) / 10
        command = Submit(
            f"o{self.made}",
            BTC,
            wanted["side"],
            D(wanted["quantity"]) / 1000,
            wanted["reduce_only"],
            self.now,
            self.seq,
            kind,
            at if kind == "limit" else None,
            at if kind in {"stop_market", "take_profit_market"} else None,
            D("0.002") if kind == "trailing_stop_market" else None,
            wanted["force"] if kind == "limit" else "gtc",
            wanted["close_position"] and kind not in {"market", "limit"},
        )
        (answer,) = self.engine.submit(command)
        assert answer == Accepted(command.order, self.now)
        self.commands[command.order] = command
        self.executed[command.order] = []

    def cancel(self, id):
        self.cancels[id] = cancel = Cancel(id, BTC, self.now)
        for answer in self.engine.cancel(cancel):
            self.hear(answer, None)

    def amend(self, id):
        kind = self.commands[id].order_type
        price, trigger = None, None
        if kind == "limit":
            price = D(self.price + 7) / 10
        elif kind == "stop_market":
            trigger = D(self.price - 7) / 10
        for answer in self.engine.amend(Amend(id, BTC, self.now, price=price, trigger=trigger)):
            self.hear(answer, None)

    def hear(self, answer, event):
        self.told.append(answer)
        if isinstance(answer, Executed):
            self.check(answer, event)
            command = self.commands[answer.order]
            self.executed[answer.order].append(answer)
            filled = sum(executed.quantity for executed in self.executed[answer.order])
            if not command.close_position:
                assert filled <= command.quantity
            if answer.order not in self.engine.orders:
                self.over(answer.order)
        elif isinstance(answer, Cancelled | Rejected):
            assert isinstance(answer, Cancelled) or not self.executed[answer.order]
            self.over(answer.order)
        elif isinstance(answer, Amended):
            self.commands[answer.order] = msgspec.structs.replace(
                self.commands[answer.order], quantity=answer.quantity, price=answer.price, trigger=answer.trigger
            )
        elif isinstance(answer, Triggered):
            self.triggered.add(answer.order)
        elif isinstance(answer, Funded):
            self.cash += answer.amount
        elif isinstance(answer, Liquidated):
            quantity = answer.quantity if answer.side == "buy" else -answer.quantity
            assert self.position == -quantity
            self.book(quantity, answer)

    def over(self, id):
        self.commands.pop(id, None)
        self.cancels.pop(id, None)

    def book(self, quantity, fill):
        self.position += quantity
        self.cash -= quantity * fill.price + fill.fee

    def check(self, fill, event):
        command = self.commands[fill.order]
        buys = command.side == "buy"
        if command.reduce_only or command.close_position:
            assert self.position
            assert (self.position < 0) == buys
            assert fill.quantity <= abs(self.position)
        assert command.ts + self.terms.latency.of(fill.order) <= fill.ts <= event.ts
        assert fill.price % KNOWN[BTC].tick == 0
        assert fill.execution == f"{fill.order}-{len(self.executed[fill.order]) + 1}"
        if isinstance(event, Quote):
            best = event.ask if buys else event.bid
        elif isinstance(event, Trade):
            best = event.price
        else:
            best = event.low if buys else event.high
        # A maker gets its own price, which the market has come to.
        assert fill.price >= D(repr(best)) if buys else fill.price <= D(repr(best))
        if command.order_type == "limit":
            assert fill.price <= command.price if buys else fill.price >= command.price
        self.book(fill.quantity if buys else -fill.quantity, fill)

    def restart(self):
        """Go on with a new engine that knows what the journal does and is shown again what it had seen."""
        wallet, position = self.engine.account.wallet, self.engine.position(BTC)
        self.engine = self.fresh()
        self.engine.restore_account(wallet, {BTC: position})
        for name, command in self.commands.items():
            executed = self.executed[name]
            filled = sum((each.quantity for each in executed), D(0))
            triggered = name in self.triggered
            self.engine.restore(command, filled, len(executed), self.cancels.get(name), triggered=triggered)
        for seq, event in self.shown:
            self.engine.remember(seq, event)
        return self


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(SOURCES)), terms, market)
def test_every_fill_is_lawful_and_no_money_appears_or_is_lost(source, terms, market):
    Run(source, terms).play(market)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SOURCES)), terms, market)
def test_the_same_inputs_give_the_same_outputs(source, terms, market):
    assert Run(source, terms).play(market).told == Run(source, terms).play(market).told


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(SOURCES)), terms, market, st.data())
def test_a_restart_changes_nothing(source, terms, market, data):
    cut = data.draw(st.integers(1, len(market)))
    undisturbed = Run(source, terms).play(market, amends=False)
    restarted = Run(source, terms).play(market[:cut], amends=False).restart().play(market[cut:], amends=False)
    assert restarted.told == undisturbed.told


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(SOURCES)), terms, market)
def test_more_than_anybody_wants_is_any_size(source, terms, market):
    """Market orders alone take a shorter way where any size is to be had; where the size counts, they do not."""
    lots = D(10**6)
    anything = msgspec.structs.replace(terms, partial=False, participation=None)
    enough = msgspec.structs.replace(terms, partial=True, participation=1.0)
    assert Run(source, anything, lots).play(market).told == Run(source, enough, lots).play(market).told
