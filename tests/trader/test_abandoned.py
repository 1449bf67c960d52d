"""A live account whose process dies at any commit, and whatever it says then: nothing is lost or done twice."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal as D

import pytest

from quantmind.events import Fill, Instruction, OrderUpdate, Quote, Share, Target, Upto
from quantmind.kinds import MARKS, QUOTES, Levels, Needs, NoOptions, Protection, SizingRule, bars
from quantmind.market.instruments import KNOWN
from quantmind.pipeline.executing import Executing
from quantmind.trader.entry import LimitEntry
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.rules import Rules
from quantmind.trader.trader import Trader
from quantmind_paper.executor import Paper, PaperOptions

BTC = KNOWN["BTC/USDT:USDT"]
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
WANTED = ("0", "1", "1", "0.4", "-1", "-1", "0", "0.7", "-0.3", "0.5")


class Died(BaseException):
    """The process is gone."""


class Half(SizingRule[NoOptions]):
    """Holds half a coin."""

    name = "half"

    def budget(self, sizing):
        return D("0.5")


class Near(Protection[NoOptions]):
    """A stop 60 away that follows the price, and an end after 7 s."""

    name = "near"
    capabilities = frozenset({"protects"})

    @classmethod
    def needs(cls, options):
        return Needs((bars(60),))

    def on_market(self, event):
        pass

    def distance(self, price):
        return D(60)

    def levels(self, held):
        side = 1 if held.quantity > 0 else -1
        return Levels(D(repr(held.best)) - side * D(60), None, held.since + 7 * SECOND)


class Mortal(Journal):
    """Dies at one of its commits: before it, or when it is on the disk."""

    dies_at = -1
    after = False
    commits = 0

    def commit(self, progress, states):
        self.commits += 1
        dies = self.commits == self.dies_at
        if dies and not self.after:
            raise Died
        super().commit(progress, states)
        if dies:
            raise Died


class Account:
    """A paper account that is live, in one process after the other."""

    def __init__(self, folder):
        self.folder = folder
        self.told = []
        self.round = 0
        self.events = market()
        self.at = 0
        self.journal = None
        self.dies_at, self.after = -1, False
        self.commits = 0

    def open(self):
        self.journal = Mortal(self.folder, "paper-live", "1000000", durable=False)
        self.journal.durable = True
        self.journal.dies_at, self.journal.after = self.dies_at, self.after
        rules = Rules({BTC.symbol: [Half(NoOptions(), BTC)]}, {BTC.symbol: [Near(NoOptions(), BTC)]}, ())
        entry = LimitEntry(0, 2 * SECOND, "market")
        self.trader = Trader((BTC,), ("a",), rules, Gate(()), self.journal, D("0.05"), entry, new_epoch=True)
        options = PaperOptions.model_validate({"balance": "1000000", "latency": "300ms", "partial_fills": True})
        self.paper = Paper(options, [BTC])
        self.paper.prepare({BTC.symbol: frozenset({QUOTES, MARKS})})
        self.executing = Executing(self.trader, self.paper, self.journal)
        self.seq = 0

    def live(self):
        """Live until the market ends, or the process dies; says whether it died."""
        try:
            self.open()
            self.executing.start()
            self.tell()
            while self.at < len(self.events):
                self.step()
            self.executing.end()
            self.tell()
        except Died:
            return True
        finally:
            self.commits = self.journal.commits
            self.journal.close()
        return False

    def step(self):
        at, executing = self.at, self.executing
        self.at += 1
        event = self.events[at]
        if event is not None:
            self.seq += 1
            heard = executing.market(self.seq, event)
            executing.commit()
            self.told += heard
        else:
            executing.clock(START + at * SECOND // 2)
        if at % 12 == 0:
            value = D(WANTED[at // 12 % len(WANTED)])
            target = Target(BTC.symbol, value, (Share("a", value),), START + at * SECOND // 2, f"t{at}", "s")
            executing.targeted(Upto(at, (), (target,)))
        if at in {66, 90}:
            action = "flatten" if at == 66 else "resume"
            executing.instruct(Instruction(action, START + at * SECOND // 2))
        self.tell()
        self.check()

    def tell(self):
        facts = self.executing.take_facts()
        self.executing.commit()
        self.told += facts

    def check(self):
        trader = self.trader
        position = trader.account.positions[BTC.symbol].quantity
        assert position == sum((f.quantity if f.side == "buy" else -f.quantity for f in self.journal.fills()), D(0))
        assert position == self.paper._matching.position(BTC.symbol).quantity
        assert trader.account.wallet == self.paper._matching.account.wallet
        open_orders = set(trader._floor.orders)
        desk = trader._floor.desk(BTC.symbol)
        # What never arrived is given up at the first price.
        open_orders -= {order.id for order in desk.absent}
        assert open_orders == set(self.paper._matching.orders), "orders of the venue and ours"
        if not position or desk.last is None:
            return
        side = "sell" if position > 0 else "buy"
        stops = [o for o in desk.protective.values() if o.side == side and o.close_position]
        closing = [o for o in desk.orders.values() if o.side == side]
        assert stops or closing, "unprotected"
        assert len([o for o in stops if o.moving is None and o.state.value != "cancelling"]) <= 1


def market():
    """Return quotes of two a second, with silences in which only the clock goes on."""
    events = []
    price = 50_000.0
    for n in range(150):
        price += ((n * 7919) % 41 - 20) * 1.5
        bid = round(price, 1)
        quote = Quote(BTC.symbol, START + n * SECOND // 2, bid, round(bid + 0.1, 1), 0.3, 0.3)
        events.append(None if n % 30 in range(20, 28) else quote)
    return events


def undisturbed(folder):
    account = Account(folder)
    assert not account.live()
    return account


def test_the_market_leads_to_all_that_can_happen(tmp_path):
    account = undisturbed(tmp_path)
    assert account.commits > 50
    assert Counter(type(fact) for fact in account.told)[Fill] > 5
    purposes = {fact.purpose for fact in account.told if isinstance(fact, OrderUpdate)}
    assert purposes == {"target", "stop", "flatten"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.slow
def test_killed_at_every_commit(tmp_path, after):
    (tmp_path / "whole").mkdir()
    whole = undisturbed(tmp_path / "whole").commits
    for step in range(1, whole + 1, 3):
        folder = tmp_path / f"{step}"
        folder.mkdir()
        account = Account(folder)
        account.dies_at, account.after = step, after
        assert account.live(), step
        # Once more, soon after.
        account.dies_at = 3 + step % 11
        account.live()
        account.dies_at = -1
        assert not account.live()
        check_whole(account, folder)


def check_whole(account, folder):
    journal = Journal(folder, "paper-live", "1000000", durable=False)
    try:
        facts = [fact for _, fact in journal.facts()]
        assert [fact.number for fact in facts] == list(range(1, len(facts) + 1))
        for start in (1, len(facts) // 2, len(facts) - 3, len(facts) + 1):
            assert [fact for _, fact in journal.facts(start)] == facts[start - 1 :]
        fills = [fact for fact in facts if isinstance(fact, Fill)]
        assert len({fill.execution for fill in fills}) == len(fills)
        assert len({fill.id for fill in fills}) == len(fills)
        on_record = {fact.number: fact for fact in facts}
        for fact in account.told:
            assert on_record[fact.number] == fact, "told, and not on record"
        orders = [order.id for *_, order in journal.records("orders")]
        assert len(set(orders)) == len(orders)
        targets = [target for *_, decision in journal.records("decisions") for target in decision.targets]
        for one, next_one in itertools.pairwise(targets):
            assert one.value != next_one.value, "an equal Target was recorded again"
    finally:
        journal.close()
