"""The check of executors finds each broken promise."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from quantmind.events import Absent, Accepted, Cancelled, CancelRejected, Executed
from quantmind.kinds import Executor, NoOptions
from quantmind.market.instruments import KNOWN
from quantmind.testing import check_executor
from quantmind.testing.executor import PROMISES, ExecutorSubject
from quantmind.testing.proving.promise import report
from quantmind_paper import Paper
from quantmind_paper.executor import PaperOptions

INSTRUMENTS = tuple(KNOWN.values())


class Sound(Paper):
    """Fills as the simulation does, without its short way around its own methods."""

    name = "sound"

    def prepare(self, channels):
        super().prepare(channels)
        del self.on_market

    def on_market(self, seq, event):
        return self._matching.on_market(seq, event)


@pytest.mark.parametrize("options", [{}, {"latency": "250ms", "partial_fills": True}], ids=["plain", "late"])
def test_a_sound_executor_passes(options):
    check_executor(Sound(PaperOptions.model_validate(options), INSTRUMENTS), examples=30)


class Venue(Executor[NoOptions]):
    """Trades somewhere."""

    name = "venue"

    @classmethod
    def account(cls, options):
        return "venue-1"

    def submit(self, command):
        return ()

    amend = cancel = query = listen = submit


def test_of_one_that_trades_at_a_venue_the_rest_is_left_out():
    told = list(report(PROMISES, ExecutorSubject(lambda: Venue(NoOptions(), INSTRUMENTS))))
    assert not any(promise.fault for promise in told)
    assert [promise.left_out for promise in told].count("it trades at a venue: only its own tests can say") == 8
    check_executor(Venue(NoOptions(), INSTRUMENTS))


class Half(Venue):
    query = Executor.query


class Changing(Sound):
    asked = 0

    @classmethod
    def account(cls, options):
        cls.asked += 1
        return f"paper-{cls.asked}"


class Pathless(Sound):
    @classmethod
    def account(cls, options):
        return "../paper"


class Greedy(Sound):
    @classmethod
    def wants(cls, options, offered):
        return super().wants(options, offered | super().wants(options, frozenset())) if offered else frozenset("x")


class Asking(Sound):
    @classmethod
    def account(cls, options):
        Path("/etc/hostname").read_text()
        return "paper"


class Owing(Sound):
    balance = Decimal(-1)


class Moving(Sound):
    """Puts another object in the place of `waiting`."""

    def prepare(self, channels):
        self.waiting = {"one"}
        super().prepare(channels)


class Hasty(Sound):
    """Fills as it is asked."""

    def submit(self, command):
        told = super().submit(command)
        return (
            *told,
            Executed(command.order, command.ts, f"now-{command.order}", Decimal(100), command.quantity, Decimal(0)),
        )


def told_by(change):
    """Return an executor that changes what it tells."""

    class Changed(Sound):
        def on_market(self, seq, event):
            return [each for one in super().on_market(seq, event) for each in change(one)]

    return Changed


def executions(make):
    return told_by(lambda event: make(event) if isinstance(event, Executed) else [event])


Twice = executions(lambda event: [event, event])
More = executions(lambda event: [msgspec.structs.replace(event, quantity=event.quantity * 2)])
Early = executions(lambda event: [msgspec.structs.replace(event, ts=1)])
Odd = executions(lambda event: [msgspec.structs.replace(event, price=event.price + Decimal("0.001"))])
Nothing = executions(lambda event: [msgspec.structs.replace(event, quantity=Decimal(0))])
Undead = executions(lambda event: [Cancelled(event.order, event.ts, "odd"), event])
Silent = executions(lambda event: [])
Foreign = executions(lambda event: [event, Accepted("another", event.ts)])


class Unaccepting(Sound):
    def submit(self, command):
        return [event for event in super().submit(command) if not isinstance(event, Accepted)]


class Increasing(Sound):
    """Forgets that an order only reduces."""

    def submit(self, command):
        reduces = command.reduce_only and not command.close_position and command.order_type == "market"
        return super().submit(msgspec.structs.replace(command, reduce_only=False) if reduces else command)


class Forgetful(Sound):
    def query(self, query):
        return (Absent(query.order, 0),)


class Sure(Sound):
    def cancel(self, command):
        unknown = command.order not in self.known
        return [
            Cancelled(e.order, e.ts) if isinstance(e, CancelRejected) and unknown else e
            for e in super().cancel(command)
        ]

    def submit(self, command):
        self.known.add(command.order)
        return super().submit(command)

    def prepare(self, channels):
        self.known = set()
        super().prepare(channels)


class Doubling(Sound):
    """Takes an order that is sent again for another one."""

    def submit(self, command):
        if command.order in self._matching.orders:
            super().submit(msgspec.structs.replace(command, order=command.order + "b"))
            return ()
        return super().submit(command)

    def on_market(self, seq, event):
        return [msgspec.structs.replace(e, order=e.order.rstrip("b")) if isinstance(e, Executed) else e
                for e in super().on_market(seq, event)]  # fmt: skip


class Moody(Sound):
    count = 0

    def on_market(self, seq, event):
        told = []
        for each in super().on_market(seq, event):
            Moody.count += isinstance(each, Executed)
            told.append(msgspec.structs.replace(each, fee=Decimal(Moody.count)) if isinstance(each, Executed) else each)
        return told


class Dozing(Sound):
    """Says that it waits for nothing while orders are on their way."""

    def __init__(self, options, instruments):
        super().__init__(options, instruments)
        self.waiting = ()


class Unstopped(Sound):
    """Closes half of a position."""

    def submit(self, command):
        if command.close_position:
            command = msgspec.structs.replace(command, close_position=False, quantity=command.quantity / 2)
        return super().submit(command)


class Amnesic(Sound):
    def restore(self, orders, account):
        pass

    def remember(self, seq, event):
        pass


class Reluctant(Sound):
    """Waits for a price that does not come."""

    def submit(self, command):
        if command.order_type == "market" and command.side == "buy":
            tick = KNOWN[command.symbol].tick
            command = msgspec.structs.replace(command, order_type="limit", price=tick)
        return super().submit(command)


class Shifted(Sound):
    """Takes orders back with other figures."""

    def restore(self, orders, account):
        for order in orders:
            if order.price is not None:
                order.price -= 50
        super().restore(orders, account)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Changing, ["account changed its answer: its journal and its lock would be lost"]),
        (Pathless, ["the key of an account names a folder", "'../paper'"]),
        (Greedy, ["where nothing is offered, it wants something"]),
        (Asking, ["opens nothing", "it reads /etc/hostname"]),
        (Owing, ["a balance is a Decimal not below 0, was Decimal('-1')"]),
        (Moving, ["prepare put another in its place"]),
        (Hasty, ["it is filled as it is placed, by a price of before"]),
        (Twice, ["the id of an execution is its own"]),
        (More, ["it filled"]),
        (Early, ["but it is filled at 1"]),
        (Odd, ["a price is a whole number of ticks"]),
        (Nothing, ["a fill has a quantity and a price above 0"]),
        (Undead, ["after Cancelled("]),
        (Silent, ["order o", "is open, but waiting is empty: it would be shown nothing more"]),
        (Reluctant, ["fills a market order", "a market order of 0.010 was filled to 0 in a lively market"]),
        (Foreign, ["nobody placed the order of Accepted("]),
        (Unaccepting, ["it was never accepted, and then comes Executed("]),
        (Increasing, ["it only reduces, but took the position from"]),
        (Forgetful, ["it has the order, and says Absent("]),
        (Sure, ["cancel of an order that it never had is CancelRejected"]),
        (Doubling, ["takes an order that is sent twice once: of 0.010 it filled 0.020"]),
        (Moody, ["and the second time Executed("]),
        (Dozing, ["is open, but waiting is empty"]),
        (Unstopped, ["a stop that closes the position left"]),
        (Amnesic, ["goes on after a restart as without one: "]),
        (Shifted, ["without a restart it tells", "and with one"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_broken_promise_is_found(kind, words, broken):
    options = PaperOptions(margin="none")
    broken(lambda: check_executor(lambda: kind(options, INSTRUMENTS), examples=60), "sound", *words)


def test_what_a_venue_must_have_is_missed(broken):
    broken(lambda: check_executor(Half(NoOptions(), INSTRUMENTS)), "venue", "it has no query")
