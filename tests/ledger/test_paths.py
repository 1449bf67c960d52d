"""Random paths of an account with sub-positions against an independent few-line accountant."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN
from decimal import Decimal as D
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantmind.events import Fill, Funding, Transfer, Valuation
from quantmind.ledger.accounts import Account
from quantmind.ledger.lines import lines, opening_lines
from quantmind.ledger.statement import statement
from quantmind.ledger.sub_positions import SubPositions

STEP = D("0.001")
BALANCE = D(10_000)
SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
STRATEGIES = ("momentum", "reversion", "carry")

quantity = st.integers(-900, 900)
KINDS = ("fill", "target", "target", "transfer", "fund", "liquidate")
moves = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 1),
    quantity,
    quantity,
    quantity,
    st.integers(1, 1_000_000),
)
paths = st.lists(moves, min_size=1, max_size=8)


class Accountant:
    """What cash, averages and incomes are, in a few lines of exact fractions."""

    def __init__(self):
        self.cash, self.fees, self.funding, self.realised = BALANCE, D(0), D(0), Fraction(0)
        self.held = dict.fromkeys(SYMBOLS, Fraction(0))
        self.average = dict.fromkeys(SYMBOLS, Fraction(0))

    def fill(self, symbol, quantity, price, fee):
        self.cash -= quantity * price + fee
        self.fees += fee
        held, q, p = self.held[symbol], Fraction(quantity), Fraction(price)
        if held * q < 0:
            closed = min(abs(held), abs(q)) * (1 if held > 0 else -1)
            self.realised += closed * (p - self.average[symbol])
            if abs(q) > abs(held):
                self.average[symbol] = p
        else:
            self.average[symbol] = (held * self.average[symbol] + q * p) / (held + q)
        self.held[symbol] = held + q

    def fund(self, amount):
        self.cash += amount
        self.funding += amount


class World:
    """An account, its sub-positions, and the facts of what happens to them."""

    def __init__(self):
        self.account = Account(BALANCE, SYMBOLS)
        self.subs = {symbol: SubPositions(STRATEGIES, STEP) for symbol in SYMBOLS}
        self.accountant = Accountant()
        self.facts = []

    def play(self, kind, place, a, b, c, tenths):
        symbol, price = SYMBOLS[place], D(tenths) / 10
        three = dict(zip(STRATEGIES, (D(n) / 1000 for n in (a, b, c)), strict=True))
        subs = self.subs[symbol]
        net = self.account.positions[symbol].quantity
        if kind == "fill" and a:
            self.fill(symbol, D(a) / 1000, price, {s: q for s, q in three.items() if q * a > 0})
        elif kind == "target":
            passed, rest = subs.plan(three, {})
            assert sum(passed.values()) == 0
            assert all(q > 0 for q in rest.values()) or all(q < 0 for q in rest.values())
            self.transfer(symbol, passed, price)
            # The order is filled in two parts.
            first = sum(rest.values(), D(0)) // 2 // STEP * STEP
            for part in (first, sum(rest.values(), D(0)) - first):
                if part:
                    rest = {s: q for s in rest if (q := three[s] - subs.positions[s].quantity)}
                    self.fill(symbol, part, price, rest)
            assert {s: p.quantity for s, p in subs.positions.items()} == three
        elif kind == "transfer":
            self.transfer(symbol, {"momentum": D(a) / 1000, "carry": -D(a) / 1000}, price)
        elif kind == "fund":
            rate = D(b) / 1_000_000
            amount = -(net * price * rate).quantize(D("1E-8"), ROUND_HALF_EVEN)
            self.account.fund(symbol, amount)
            self.accountant.fund(amount)
            parts = subs.fund(amount, price, rate)
            assert sum(part.realised for part in parts) == amount
            self.tell(Funding, "u", symbol, rate, price, net, amount, parts, 0, "", "x")
        elif kind == "liquidate" and net:
            closing = {s: -p.quantity for s, p in subs.positions.items() if p.quantity * net > 0}
            self.fill(symbol, -net, price, closing)
            passed, rest = subs.plan(dict.fromkeys(subs.positions, D(0)), {})
            assert not rest
            self.transfer(symbol, passed, price)
            assert not any(p.quantity for p in subs.positions.values())

    def fill(self, symbol, quantity, price, rest):
        fee = abs(quantity) * price * D("0.0005")
        realised = self.account.fill(symbol, quantity, price, fee)
        self.accountant.fill(symbol, quantity, price, fee)
        subs = self.subs[symbol]
        allotted = subs.allot(quantity, rest)
        assert sum(allotted.values()) == quantity
        assert all(part % STEP == 0 and part * quantity > 0 for part in allotted.values())
        if abs(sum(rest.values(), D(0))) >= abs(quantity):
            assert all(abs(part) <= abs(rest[s]) for s, part in allotted.items())
        parts = subs.fill(allotted, price, fee)
        assert sum(part.fee for part in parts) == fee
        position = self.account.positions[symbol]
        self.tell(
            Fill,
            "f",
            "o",
            symbol,
            "buy" if quantity > 0 else "sell",
            abs(quantity),
            price,
            fee,
            realised,
            position.quantity,
            position.average_price,
            0,
            "",
            "x",
            False,
            parts,
        )

    def transfer(self, symbol, changes, price):
        parts = self.subs[symbol].transfer(changes, price)
        if parts:
            self.tell(Transfer, "x", symbol, price, parts, 0, "")

    def tell(self, kind, *figures):
        self.facts.append(kind(len(self.facts) + 1, *figures))


def figures(subs):
    return {s: (p.quantity, p.cost, p.realised, p.fees, subs.funding[s]) for s, p in subs.positions.items()}


def check(path):
    world = World()
    for move in path:
        world.play(*move)
    check_accountant(world)
    check_double_entry(world)
    check_attribution(world, D(path[0][-1] * 3 % 1_000_003) / 10)
    check_restart(world, STRATEGIES)
    check_restart(world, ("other",))


def check_accountant(world):
    """Nothing appears, nothing is lost."""
    account, accountant = world.account, world.accountant
    assert account.wallet - sum(p.cost for p in account.positions.values()) == accountant.cash
    assert account.fees == accountant.fees
    assert account.funding == accountant.funding
    assert abs(Fraction(account.realised) - accountant.realised) < Fraction(1, 10**9)
    assert account.wallet == BALANCE + account.realised - account.fees + account.funding
    assert {s: Fraction(p.quantity) for s, p in account.positions.items()} == accountant.held


def check_double_entry(world):
    """The lines of each event sum to 0, and all of them to the balances."""
    balances = world.account.balances
    posted = dict.fromkeys(balances, D(0))
    for event in (opening_lines(BALANCE), *map(lines, world.facts)):
        assert sum(line.amount for line in event) == 0
        for line in event:
            posted[line.account] += line.amount
    assert posted == balances
    assert sum(balances.values()) == 0


def check_attribution(world, last):
    """Sub-positions sum to the net position, and their profits to the account's, at any price."""
    account = world.account
    profit = account.wallet - BALANCE
    attributed = D(0)
    for symbol, subs in world.subs.items():
        position = account.positions[symbol]
        profit += position.quantity * last - position.cost
        assert sum(p.quantity for p in subs.positions.values()) == position.quantity
        for s, p in subs.positions.items():
            attributed += p.realised + p.quantity * last - p.cost - p.fees + subs.funding[s]
    assert attributed == profit
    valuation = Valuation(len(world.facts) + 1, 0, D(0), tuple((symbol, float(last)) for symbol in SYMBOLS))
    told = statement(BALANCE, [*world.facts, valuation])
    assert told.total.pnl == sum(row.pnl for row in told.strategies) == profit
    assert told.equity == BALANCE + profit
    assert (told.total.realised, told.total.fees, told.total.funding) == (
        account.realised,
        account.fees,
        account.funding,
    )
    for row in told.strategies:
        p = world.subs[row.symbol].positions[row.strategy]
        assert (row.quantity, row.realised, row.fees) == (p.quantity, p.realised, p.fees)
        assert row.unrealised == p.quantity * last - p.cost
        assert row.funding == world.subs[row.symbol].funding[row.strategy]


def check_restart(world, strategies):
    """The facts book the same again, whoever the recipe now names."""
    booked = {symbol: SubPositions(strategies, STEP) for symbol in SYMBOLS}
    for fact in world.facts:
        booked[fact.symbol].book(fact)
    for symbol, subs in booked.items():
        live, again = figures(world.subs[symbol]), figures(subs)
        assert {s: again.get(s, (0, 0, 0, 0, 0)) for s in live} == live


@given(paths)
@settings(max_examples=200, deadline=None)
def test_nothing_appears_and_nothing_is_lost(path):
    check(path)


def drawn(seed):
    """A path of its own for each seed: hypothesis takes ten times as long to draw each move by itself."""
    random = Random(seed)
    size = random.choice((9, 900))  # small quantities close and turn around more often
    return [
        (
            random.choice(KINDS),
            random.randint(0, 1),
            *(random.randint(-size, size) for _ in range(3)),
            random.randint(1, 1_000_000),
        )
        for _ in range(random.randint(1, 12))
    ]


@pytest.mark.slow
@given(st.integers(0, 2**64))
@settings(max_examples=10_000, deadline=None)
def test_nothing_appears_and_nothing_is_lost_over_10_000_paths(seed):
    check(drawn(seed))
