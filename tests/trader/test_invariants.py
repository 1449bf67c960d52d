"""What must hold of orders, positions and money after every step, whatever the venue, the market and crashes do."""

from __future__ import annotations

import tempfile
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantmind.events import (
    Absent,
    Accepted,
    Amended,
    AmendRejected,
    Bar,
    Cancelled,
    CancelRejected,
    Executed,
    Funded,
    Instruction,
    Liquidated,
    Mark,
    OrderState,
    Quote,
    Rejected,
    Share,
    Target,
    Upto,
)
from quantmind.kinds import (
    ALLOWED,
    Executor,
    Levels,
    Limit,
    Needs,
    NoOptions,
    Protection,
    Shrunk,
    SizingRule,
    Stop,
    bars,
)
from quantmind.market.instruments import KNOWN
from quantmind.pipeline.executing import Executing
from quantmind.trader.entry import LimitEntry
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.rules import Rules
from quantmind.trader.trader import Trader

BTC, ETH = KNOWN["BTC/USDT:USDT"], KNOWN["ETH/USDT:USDT"]
INSTRUMENTS = (BTC, ETH)
BALANCE = D(1_000_000)
BUDGET = D("0.4")
BAND = D("0.05")
CAP = D("0.5")
START = {BTC.symbol: 50_000.0, ETH.symbol: 30_000.0}
NAMES = ("a", "b", "c")
SHARES = ("0", "0.2", "-0.2", "0.333333333", "-0.333333333", "0.003", "0.1", "-0.15")
SECOND = 1_000_000_000


class Crash(BaseException):
    """The process dies here."""


class Budget(SizingRule[NoOptions]):
    """Holds a fixed quantity."""

    name = "budget"

    def budget(self, sizing):
        return BUDGET


class Trail(Protection[NoOptions]):
    """A stop 500 below the best price, a take-profit 900 above the average."""

    name = "trail"
    capabilities = frozenset({"protects"})

    @classmethod
    def needs(cls, options):
        return Needs((bars(60),))

    def on_market(self, event):
        pass

    def distance(self, price):
        return D(500)

    def levels(self, held):
        side = 1 if held.quantity > 0 else -1
        best = D(repr(held.best)) - side * D(500)
        stop = held.average_price - side * D(500)
        stop = max(stop, best) if side > 0 else min(stop, best)
        return Levels(stop, held.average_price + side * D(900), held.since + 3_000 * SECOND)


class Cap(Limit[NoOptions]):
    """No more than a quantity on one side; stops trading when the test says so."""

    name = "cap"
    says = None

    def check(self, increase):
        left = CAP - increase.held
        return ALLOWED if increase.quantity <= left else Shrunk(max(left, D(0)), "cap", "too much")

    def watch(self, standing):
        return self.says


class Placed:
    """An order as the venue has it."""

    def __init__(self, command):
        self.command = command
        self.filled = D(0)
        self.trigger = command.trigger
        self.live = True
        self.fills = 0
        self.end = None
        """What it ended with, if not with a fill."""

    @property
    def sign(self):
        return 1 if self.command.side == "buy" else -1


class Venue(Executor[NoOptions]):
    """Holds orders and positions, and answers later: what it has to say waits in `outbox`."""

    name = "venue"
    simulated = False

    def __init__(self, world):
        super().__init__(NoOptions(), INSTRUMENTS)
        self.world = world

    def submit(self, command):
        world = self.world
        world.dies("before")
        world.check_submit(command)
        world.orders[command.order] = placed = Placed(command)
        if world.refuse > 0:
            world.refuse -= 1
            placed.live, placed.end = False, Rejected(command.order, world.ts, "refused")
            world.refused = True
            answers = [placed.end]
        else:
            answers = [Accepted(command.order, world.ts)]
        world.dies("after")
        if world.prompt:
            return answers
        world.outbox += answers
        return ()

    def amend(self, command):
        world = self.world
        world.dies("before")
        placed = world.orders.get(command.order)
        if placed is None or not placed.live or placed.filled or world.refuse > 0:
            world.refuse = max(0, world.refuse - 1)
            answer = AmendRejected(command.order, world.ts, "not possible")
        else:
            placed.trigger = command.trigger
            answer = Amended(command.order, world.ts, placed.command.quantity, None, command.trigger)
        if world.prompt:
            return (answer,)
        world.outbox.append(answer)
        return ()

    def cancel(self, command):
        world = self.world
        world.dies("before")
        placed = world.orders.get(command.order)
        if placed is None or not placed.live:
            return (CancelRejected(command.order, world.ts, "not open"),)
        if world.prompt:
            placed.live, placed.end = False, Cancelled(command.order, world.ts)
            world.dies("after")
            return (placed.end,)
        world.cancels.append(command.order)
        return ()

    def query(self, query):
        world = self.world
        placed = world.orders.get(query.order)
        if placed is None:
            return (Absent(query.order, world.ts),)
        said = [e for e in world.outbox if isinstance(e, Executed) and e.order == query.order]
        for event in said:
            world.count(event)
        if placed.live:
            return (Accepted(query.order, world.ts), *said)
        return (*said, *([placed.end] if placed.end else ()))


class World:
    """A Trader, its venue and its market; every method is one step."""

    def __init__(self, folder, symbols, strategies, protected, entry):
        self.instruments = INSTRUMENTS[:symbols]
        self.symbols = [instrument.symbol for instrument in self.instruments]
        self.folder, self.strategies, self.protected, self.entry = folder, NAMES[:strategies], protected, entry
        self.orders = {}
        self.outbox = []
        self.cancels = []
        self.positions = dict.fromkeys(self.symbols, D(0))
        self.booked = dict.fromkeys(self.symbols, D(0))
        self.cash = BALANCE
        self.heard = set()
        self.prices = dict(START)
        self.events = []
        self.seq = self.upto = 0
        self.ts = 1_000 * SECOND
        self.executions = 0
        self.refuse = 0
        self.refused = False
        self.prompt = False
        self.death = None
        self.crashes = 0
        self.limit = Cap(NoOptions())
        self.open(new_epoch=False)
        for symbol in self.symbols:
            self.price(symbol, 0.0)

    # The process.

    def open(self, *, new_epoch):
        self.journal = Journal(self.folder, "paper-test", str(BALANCE), durable=False)
        # Commits as often as a live account, but does not wait for the disk.
        self.journal.durable = True
        gate = Gate((self.limit,))
        protection = {i.symbol: [Trail(NoOptions(), i)] for i in self.instruments} if self.protected else {}
        rules = Rules({i.symbol: [Budget(NoOptions(), i)] for i in self.instruments}, protection, (self.limit,))
        self.trader = Trader(self.instruments, self.strategies, rules, gate, self.journal, BAND, self.entry, new_epoch)
        self.executing = Executing(self.trader, Venue(self), self.journal)

    def dies(self, when):
        if self.death is not None and self.death[0] == when:
            self.death = (when, self.death[1] - 1)
            if self.death[1] < 0:
                self.death = None
                raise Crash

    def step(self, call, *args):
        """Do something, or die of it; then everything must be in order."""
        try:
            call(*args)
            self.executing.commit()
        except Crash:
            self.restart(new_epoch=False)
            return
        self.check()

    def restart(self, *, new_epoch):
        self.crashes += 1
        self.executing.commit()
        before = self.snapshot()
        self.check_numbers()
        self.journal.close()
        self.death = None
        if new_epoch:
            self.events, self.seq, self.upto = [], 0, 0
        self.open(new_epoch=new_epoch)
        after = self.snapshot()
        assert after == before
        self.begin(new_epoch)
        self.check()

    def restart_now(self, new_epoch):
        """Die without a word, and come back."""
        self.restart(new_epoch=new_epoch)

    def begin(self, new_epoch):
        self.executing.start()
        if not new_epoch:
            resumed = self.executing.resumed_at
            for seq, event in enumerate(self.events[:resumed], 1):
                self.executing.market(seq, event)
            # What was not on record comes again.
            for seq, event in enumerate(self.events[resumed:], resumed + 1):
                self.executing.market(seq, event)
        self.executing.commit()

    def snapshot(self):
        floor = self.trader._floor
        made = {"wallet": self.trader.account.wallet, "latches": dict(self.trader.latches.set)}
        for symbol, desk in floor.desks.items():
            made[symbol] = {
                "position": (desk.position.quantity, desk.position.cost, desk.position.realised, desk.position.fees),
                "subs": {n: (p.quantity, p.cost, p.realised, p.fees) for n, p in desk.subs.positions.items()},
                "funding": {n: amount for n, amount in desk.subs.funding.items() if amount},
                "blocked": dict(desk.blocked),
                "desired": dict(desk.desired),
                "guards": {
                    n: (g.side, g.since, g.distance, g.stop, g.take_profit, g.until) for n, g in desk.guards.items()
                },
                "orders": {
                    o.id: (o.state, o.filled, o.trigger, o.moving, o.purpose, tuple(o.executions))
                    for o in (*desk.orders.values(), *desk.protective.values())
                },
            }
        return made

    # What happens.

    def market(self, event):
        self.seq += 1
        self.events.append(event)
        self.executing.market(self.seq, event)

    def price(self, symbol, change, kind=0):
        self.ts += 20 * SECOND
        price = self.prices[symbol] = max(100.0, self.prices[symbol] + change)
        if kind == 0:
            self.market(Bar(symbol, self.ts, 60, price, price, price, price, 1.0))
        elif kind == 1:
            self.market(Quote(symbol, self.ts, price - 0.1, price + 0.1, 1.0, 1.0))
        else:
            self.market(Mark(symbol, self.ts, price))

    def target(self, symbol, picks):
        shares = tuple(
            Share(name, D(SHARES[pick % len(SHARES)])) for name, pick in zip(self.strategies, picks, strict=False)
        )
        value = sum((share.value for share in shares), D(0))
        self.upto += 1
        target = Target(symbol, value, shares, self.ts, f"t{self.upto}", "s")
        self.executing.decided(Upto(self.seq, (), (target,)))

    def fill(self, index, part):
        fillable = [o for o in self.orders.values() if o.live and self.room(o)]
        if not fillable:
            return
        placed = fillable[index % len(fillable)]
        room = self.room(placed)
        self.execute(placed, {0: room, 1: room, 2: BTC.quantity(room / 2), 3: BTC.step}[part % 4] or room)

    def execute(self, placed, quantity):
        command = placed.command
        price = D(repr(self.prices[command.symbol])) if placed.trigger is None else placed.trigger
        placed.filled += quantity
        placed.fills += 1
        self.positions[command.symbol] += placed.sign * quantity
        self.executions += 1
        executed = Executed(
            command.order, self.ts, f"x{self.executions}", price, quantity, D("0.0005") * quantity * price
        )
        rest = command.quantity - placed.filled
        if command.close_position:
            if not self.room(placed):
                placed.live = False
                if placed.filled < command.quantity:
                    placed.end = Cancelled(command.order, self.ts, "close_position")
        elif not rest:
            placed.live = False
        if self.prompt:
            self.hear(executed)
        else:
            self.outbox.append(executed)
        if placed.end is not None:
            self.outbox.append(placed.end)

    def room(self, placed):
        """What of an order may fill now."""
        command, held = placed.command, self.positions[placed.command.symbol]
        closable = abs(held) if held * placed.sign < 0 else D(0)
        if command.close_position:
            return closable
        left = command.quantity - placed.filled
        return min(left, closable) if command.reduce_only else left

    def hear(self, event):
        self.count(event)
        self.executing.order_event(event)

    def count(self, event):
        """Keep books of what the Trader is told, each thing once."""
        key = (event.__class__, getattr(event, "execution", None))
        money = isinstance(event, Executed | Funded | Liquidated)
        if money and key not in self.heard:
            self.heard.add(key)
            if isinstance(event, Funded):
                self.cash += event.amount
            else:
                symbol = event.symbol if isinstance(event, Liquidated) else self.orders[event.order].command.symbol
                side = event.side if isinstance(event, Liquidated) else self.orders[event.order].command.side
                signed = event.quantity if side == "buy" else -event.quantity
                self.booked[symbol] += signed
                self.cash -= signed * event.price + event.fee

    def deliver(self, index, again):
        if not self.outbox:
            return
        index %= len(self.outbox)
        event = self.outbox[index] if again else self.outbox.pop(index)
        self.hear(event)

    def answer_cancels(self, index):
        if not self.cancels:
            return
        order = self.cancels.pop(index % len(self.cancels))
        placed = self.orders[order]
        if placed.live:
            placed.live, placed.end = False, Cancelled(order, self.ts)
            self.outbox.append(placed.end)
        else:
            self.outbox.append(CancelRejected(order, self.ts, "not open"))

    def take_away(self, index):
        live = [o for o in self.orders.values() if o.live]
        if live:
            placed = live[index % len(live)]
            placed.live, placed.end = False, Cancelled(placed.command.order, self.ts, "expired")
            self.refused = True
            self.outbox.append(placed.end)

    def fund(self, symbol):
        held, mark = self.booked[symbol], D(repr(self.prices[symbol]))
        self.executions += 1
        rate = D("0.0001")
        self.outbox.append(Funded(symbol, self.ts, f"u{self.executions}", rate, mark, held, -held * mark * rate))

    def liquidate(self, symbol, part):
        held = self.positions[symbol]
        if held:
            quantity = abs(held) if part else max(BTC.quantity(abs(held) / 2), BTC.step)
            side = "sell" if held > 0 else "buy"
            self.positions[symbol] -= quantity if held > 0 else -quantity
            self.executions += 1
            price = D(repr(self.prices[symbol]))
            self.outbox.append(Liquidated(symbol, self.ts, f"l{self.executions}", side, price, quantity, D(1)))

    def instruct(self, action):
        self.executing.instruct(Instruction(action, self.ts, "", ""))

    def drain(self):
        """Let everything be answered that waits for an answer."""
        for _ in range(60):
            self.death = None
            while self.outbox:
                self.deliver(0, again=False)
            for placed in list(self.orders.values()):
                command = placed.command
                if placed.live and command.close_position and placed.filled and self.room(placed):
                    self.execute(placed, self.room(placed))
                begun = command.order_type == "market" or (command.close_position and placed.filled)
                if placed.live and command.reduce_only and begun and not self.room(placed):
                    placed.live, placed.end = False, Cancelled(placed.command.order, self.ts, "reduce_only")
                    self.outbox.append(placed.end)
            while self.cancels:
                self.answer_cancels(0)
            if not self.outbox:
                return
        raise AssertionError("there is no end to it")

    # What must hold.

    def check_submit(self, command):
        """I1, I12, I17 and the limits, when an order leaves."""
        trader = self.trader
        instrument = KNOWN[command.symbol]
        assert command.order not in self.orders, "I1: sent twice"
        assert command.quantity > 0, "I12"
        assert command.quantity % instrument.step == 0, "I12"
        for price in (command.price, command.trigger):
            assert price is None or (price > 0 and price % instrument.tick == 0), "I12"
        if command.order_type == "market" and instrument.max_quantity is not None:
            assert command.quantity <= instrument.max_quantity, "I12"
        if command.reduce_only or command.close_position:
            return
        price = command.price or D(repr(self.prices[command.symbol]))
        # It was judged at the price of before this event.
        assert command.quantity * price * 2 >= instrument.min_notional, "I12"
        assert not trader.latches.cancelling, "I17"
        desk = trader._floor.desks[command.symbol]
        assert abs(desk.effective()) <= CAP, "limits"

    def check(self):
        trader = self.trader
        account = trader.account
        for symbol, desk in trader._floor.desks.items():
            position = desk.position
            assert position.quantity == self.booked[symbol], "the account is what was executed"
            assert sum((p.quantity for p in desk.subs.positions.values()), D(0)) == position.quantity, "sub-positions"
            parts = sum((p.realised - p.cost for p in desk.subs.positions.values()), D(0))
            assert parts == position.realised - position.cost, "what strategies earned"
            assert sum((p.fees for p in desk.subs.positions.values()), D(0)) == position.fees
            self.check_protection(desk)
            for order in desk.orders.values():
                assert order.filled <= order.quantity, "I1"
        if not any(isinstance(event, Executed | Liquidated) for event in self.outbox):
            assert self.booked == self.positions
        assert sum(account.balances.values(), D(0)) == 0, "double entry"
        assert account.wallet - sum((p.cost for p in account.positions.values()), D(0)) == self.cash, "cash"
        self.executing.take_facts()

    def check_numbers(self):
        numbers = [fact.number for _, fact in self.journal.facts()]
        assert numbers == list(range(1, len(numbers) + 1)), "numbers of facts"

    def check_protection(self, desk):
        """I3, I4 and I6."""
        held = desk.position.quantity
        if not held or not self.protected or not self.trader.ready or desk.last is None:
            return
        side = "sell" if held > 0 else "buy"
        live = (OrderState.INTENT, OrderState.ACCEPTED)
        if any(o.purpose == "stop" and o.side == side and o.state in live for o in desk.protective.values()):
            return
        closing = sum((o.quantity - o.filled for o in desk.orders.values() if o.side == side), D(0))
        closing += sum((abs(held) for o in desk.protective.values() if o.side == side and o.filled), D(0))
        assert closing >= abs(held) or self.trader.waits(desk.instrument.symbol), "I3"

    def check_quiet(self):
        """I5 and nothing forgotten, once everything is answered."""
        for _ in range(2):
            self.drain()
            self.executing.commit()
            self.check()
            for symbol in self.symbols:
                self.price(symbol, 0.0, 1)
        self.drain()
        self.check()
        self.check_numbers()
        trader = self.trader
        assert trader.ready
        known = set(trader._floor.orders)
        assert known == {o.command.order for o in self.orders.values() if o.live}, "the venue's orders are ours"
        for desk in trader._floor.desks.values():
            if not desk.position.quantity:
                assert not desk.protective, "I5"

    def check_nothing_forgotten(self):
        """What the Targets want is held in the end, where neither the venue nor a latch was against it."""
        for _ in range(4):
            for placed in list(self.orders.values()):
                if placed.live and placed.command.order_type == "market" and self.room(placed):
                    self.execute(placed, self.room(placed))
            self.drain()
            for symbol in self.symbols:
                self.ts += 100 * SECOND
                self.price(symbol, 0.0, 1)
            self.drain()
        self.executing.commit()
        self.check()
        if self.refused or self.trader.latches.set:
            return
        for symbol, desk in self.trader._floor.desks.items():
            wanted = desk.instrument.quantity(desk.shares()[0] * BUDGET)
            held = desk.position.quantity
            missing = abs(wanted - held)
            small = missing < BAND * BUDGET or missing * D(repr(self.prices[symbol])) < desk.instrument.min_notional
            given_up = self.entry is not None and self.entry.then == "cancel" and abs(wanted) > abs(held)
            assert (wanted and small) or given_up or not missing, "forgotten"


OPS = (
    *("target", "fill", "fill", "deliver", "deliver", "price", "quote"),
    *("target", "fill", "deliver", "cancels", "drain", "mode", "rare"),
)


def play(steps, symbols, strategies, protected, entry):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), symbols, strategies, protected, entry)
        try:
            world.executing.start()
            for op, x, y in steps:
                symbol = world.symbols[x % symbols]
                if op == "target":
                    world.step(world.target, symbol, (x // 2, y, y // 8))
                elif op == "price":
                    world.step(world.price, symbol, (y - 32) * 25.0, 0)
                elif op == "quote":
                    world.step(world.price, symbol, (y - 32) * 5.0, 1 + y % 2)
                elif op == "fill":
                    world.step(world.fill, x, y)
                elif op == "deliver":
                    world.step(world.deliver, x, y % 4 == 0)
                elif op == "cancels":
                    world.step(world.answer_cancels, x)
                elif op == "drain":
                    world.step(world.drain)
                elif op == "mode":
                    world.prompt = bool(x % 2)
                    world.refuse = (y % 16) // 4
                    world.death = ("before" if y % 2 else "after", x % 3) if y > 48 else None
                else:
                    rare(world, symbol, x, y)
            world.refuse = 0
            world.step(world.check_quiet)
            world.step(world.check_nothing_forgotten)
        finally:
            world.journal.close()
        return world


def rare(world, symbol, x, y):
    what = y % 10
    if what == 0:
        world.step(world.restart_now, x % 2 == 0)
    elif what == 1:
        world.step(world.fund, symbol)
    elif what == 2:
        world.step(world.liquidate, symbol, x % 4 < 2)
    elif what in {3, 4}:
        world.step(world.take_away, x)
    elif what == 5:
        world.step(world.instruct, ("halt", "flatten")[x % 2])
    elif what in {6, 7}:
        world.limit.says = None
        world.step(world.instruct, ("resume", "reset")[x % 2])
    elif what == 8:
        level = ("reduce", "flatten", "halt", None)[x % 4]
        world.limit.says = None if level is None else Stop(level, "says the test")
    else:
        world.ts += 20_000 * SECOND
        world.step(world.price, symbol, 0.0, 1)


STEP = st.tuples(st.sampled_from(OPS), st.integers(0, 15), st.integers(0, 63))
STEPS = st.lists(STEP, min_size=10, max_size=80)
ENTRIES = st.sampled_from((None, LimitEntry(1, 60 * SECOND, "market"), LimitEntry(3, 60 * SECOND, "cancel")))
WORLDS = {
    "steps": STEPS,
    "symbols": st.integers(1, 2),
    "strategies": st.integers(1, 3),
    "protected": st.booleans(),
    "entry": ENTRIES,
}
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=600)


@QUICK
@given(**WORLDS)
def test_invariants_hold_after_every_step(steps, symbols, strategies, protected, entry):
    play(steps, symbols, strategies, protected, entry)


@pytest.mark.slow
@LONG
@given(**WORLDS)
def test_invariants_hold_after_every_step_of_many(steps, symbols, strategies, protected, entry):
    play(steps, symbols, strategies, protected, entry)
