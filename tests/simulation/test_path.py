"""Inside one bar the order that is worse for the account goes first."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.events import Cancelled, Executed

LONG = {"type": "stop_market", "trigger": "95", "close_position": True}


def fills(events):
    return [(event.order, event.price, event.quantity) for event in events if isinstance(event, Executed)]


def entered(venue, side="buy"):
    venue.order(side, "1")
    venue.flat_bar(100.0)
    return venue


def test_a_stop_goes_before_a_take_profit(minutes):
    venue = entered(minutes())
    profit = venue.order("sell", "1", type="take_profit_market", trigger="105", reduce_only=True)
    stop = venue.order("sell", "1", **LONG)
    events = venue.bar(100.0, 106.0, 94.0, 105.0)
    assert fills(events) == [(stop, D("95.0"), D(1))]
    assert Cancelled(profit, venue.now, "reduce_only") in events
    assert (venue.engine.decided, venue.engine.fills) == (1, 2)


def test_of_a_short_too(minutes):
    venue = entered(minutes(), "sell")
    venue.order("buy", "1", type="limit", price="95", reduce_only=True)
    stop = venue.order("buy", "1", type="stop_market", trigger="105", close_position=True)
    assert fills(venue.bar(100.0, 106.0, 94.0, 96.0)) == [(stop, D("105.0"), D(1))]


def test_a_bar_that_reaches_one_of_them_decides_nothing(minutes):
    venue = entered(minutes())
    profit = venue.order("sell", "1", type="take_profit_market", trigger="105", reduce_only=True)
    venue.order("sell", "1", **LONG)
    assert fills(venue.bar(100.0, 106.0, 95.5, 100.0)) == [(profit, D("105.0"), D(1))]
    assert venue.engine.decided == 0


@pytest.mark.parametrize(("open_", "price"), [(94.0, "94.0"), (95.0, "95.0"), (99.0, "95.0")])
def test_a_stop_fills_at_its_trigger_or_at_the_open_beyond_it(minutes, open_, price):
    venue = entered(minutes())
    venue.order("sell", "1", **LONG)
    assert fills(venue.bar(open_, 99.0, 90.0, 91.0))[0][1] == D(price)


@pytest.mark.parametrize("open_", [103.0, 107.0])
def test_a_take_profit_fills_no_better_than_its_trigger(minutes, open_):
    venue = entered(minutes())
    venue.order("sell", "1", type="take_profit_market", trigger="105", reduce_only=True)
    assert fills(venue.bar(open_, 110.0, 102.0, 108.0))[0][1] == D("105.0")


def test_a_limit_order_needs_a_low_below_its_price(minutes):
    venue = minutes()
    order = venue.order("buy", "1", type="limit", price="95")
    assert not venue.bar(100.0, 101.0, 95.0, 96.0)
    assert fills(venue.bar(96.0, 101.0, 94.9, 96.0)) == [(order, D("95.0"), D(1))]


def test_optimistic_it_need_only_touch(minutes):
    venue = minutes(optimistic=True)
    order = venue.order("buy", "1", type="limit", price="95")
    assert fills(venue.bar(100.0, 101.0, 95.0, 96.0)) == [(order, D("95.0"), D(1))]


def test_a_resting_limit_order_that_is_gapped_through_gets_its_own_price(minutes):
    venue = minutes()
    order = venue.order("buy", "1", type="limit", price="95")
    venue.flat_bar(100.0)
    assert fills(venue.bar(90.0, 91.0, 89.0, 90.0)) == [(order, D("95.0"), D(1))]


def test_an_entry_and_its_stop_in_one_bar_lose(minutes):
    venue = minutes()
    entry = venue.order("buy", "1", type="stop_market", trigger="103")
    stop = venue.order("sell", "1", **LONG)
    assert fills(venue.bar(100.0, 106.0, 94.0, 105.0)) == [(entry, D("103.0"), D(1)), (stop, D("95.0"), D(1))]
    assert venue.engine.decided == 2


def test_a_trailing_stop_may_follow_the_high_first(minutes):
    venue = entered(minutes())
    venue.order("sell", "1", type="trailing_stop_market", callback="0.05", reduce_only=True)
    (filled,) = fills(venue.bar(100.0, 110.0, 97.0, 109.0))
    assert filled[1] == D("104.5")


def test_participation_leaves_the_rest_to_the_next_bars(minutes):
    venue = minutes(participation=0.1)
    order = venue.order("buy", "2.5")
    prices = [fills(venue.bar(100.0 + n, 101.0 + n, 99.0 + n, 100.0 + n, volume=10.0)) for n in range(3)]
    assert prices == [
        [(order, D("100.0"), D(1))],
        [(order, D("101.0"), D(1))],
        [(order, D("102.0"), D("0.5"))],
    ]


def test_a_bar_without_trades_triggers_nothing(minutes):
    venue = entered(minutes())
    venue.order("sell", "1", **LONG)
    assert not venue.bar(90.0, 90.0, 90.0, 90.0, volume=0.0)
