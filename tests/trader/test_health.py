"""Time and health where the market is silent."""

from __future__ import annotations

from decimal import Decimal as D

from quantmind.events import Health, Refusal
from quantmind.trader.entry import LimitEntry

SILENT = "market data: nothing for 12 s"


def say(desk, *reasons):
    return desk.commands(desk.trader.on_health(Health(desk.seq * 60, reasons)))


def test_while_something_ails_nothing_is_increased_and_then_what_was_refused_is(desk):
    assert say(desk, SILENT) == []
    assert desk.target("1") == []
    (refusal,) = desk.facts(Refusal)
    assert (refusal.code, refusal.figures, refusal.quantity) == ("stale", SILENT, D("0.4"))
    say(desk, SILENT)
    assert len(desk.facts(Refusal)) == 1
    (command,) = say(desk)
    assert (command.side, command.quantity) == ("buy", D("0.4"))
    assert say(desk) == []


def test_what_reduces_passes(desk):
    desk.hold("0.4")
    say(desk, SILENT)
    (command,) = desk.target("0")
    assert (command.quantity, command.reduce_only) == (D("0.4"), True)


def test_what_was_refused_is_ordered_after_a_restart(desk):
    say(desk, SILENT)
    desk.target("1")
    desk.restart(new_epoch=True)
    desk.seq = 0
    desk.price(50_000.0)
    assert desk.trader.unpriced


def test_an_entry_has_its_time_by_the_clock(make_desk):
    desk = make_desk(entry=LimitEntry(1, 1_000, "market"))
    desk.quote(49_999.9, 50_000.1)
    (entry,) = desk.target("1")
    desk.accepted(entry.order)
    due = desk.ts + 1_000
    assert desk.trader.next_alarm == due
    assert not desk.commands(desk.trader.on_clock(due - 1))
    (cancel,) = desk.commands(desk.trader.on_clock(due))
    assert cancel.order == entry.order
    assert not desk.commands(desk.trader.on_clock(due - 500))
    assert desk.trader.now == due


def test_one_symbol_may_ail_alone(desk):
    book = "the order book is not proven"
    ails = Health(desk.seq * 60, (), (("BTC/USDT:USDT", book),))
    other = Health(desk.seq * 60, (), (("ETH/USDT:USDT", book),))
    assert desk.commands(desk.trader.on_health(ails)) == []
    assert desk.target("1") == []
    (refusal,) = desk.facts(Refusal)
    assert (refusal.code, refusal.figures) == ("stale", book)
    (command,) = desk.commands(desk.trader.on_health(other))
    assert command.side == "buy"
