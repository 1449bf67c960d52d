"""Order types against quotes, books and trades."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.events import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    Book,
    Cancel,
    Cancelled,
    CancelRejected,
    Executed,
    Mark,
    Rejected,
    Triggered,
)
from quantmind.kinds import BOOKS, TRADES
from quantmind.simulation.fees import Fees
from quantmind.simulation.slippage import Slippage

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000


def fills(events):
    return [(event.price, event.quantity, event.maker) for event in events if isinstance(event, Executed)]


def ends(events):
    return [(type(event), event.order, event.reason) for event in events if isinstance(event, Cancelled | Rejected)]


class TestLimit:
    def test_it_rests_and_fills_as_a_maker_at_its_own_price(self, quotes):
        venue = quotes(fees=Fees(D("0.0002"), D("0.0005")))
        order = venue.order("buy", type="limit", price="100")
        assert venue.answer == (Accepted(order, 0),)
        assert venue.quote(100.0, 101.0) == []
        assert venue.quote(99.9, 100.1) == []
        (executed,) = venue.quote(98.0, 99.0)
        assert executed == Executed(order, venue.now, "o1-1", D("100.0"), D(1), D("0.02"), True)
        assert not venue.engine.orders

    def test_one_that_crosses_takes_what_is_there(self, quotes):
        venue = quotes(fees=Fees(D("0.0002"), D("0.0005")))
        venue.order("buy", type="limit", price="102")
        (executed,) = venue.quote(100.0, 101.0)
        assert (executed.price, executed.maker, executed.fee) == (D("101.0"), False, D("0.0505"))

    @pytest.mark.parametrize(("force", "reason"), [("ioc", "ioc"), ("fok", "fok")])
    def test_what_may_not_rest_is_cancelled(self, quotes, force, reason):
        venue = quotes()
        order = venue.order("buy", type="limit", price="99", time_in_force=force)
        assert ends(venue.quote(100.0, 101.0)) == [(Cancelled, order, reason)]

    def test_ioc_takes_what_is_shown(self, quotes):
        venue = quotes(partial=True)
        order = venue.order("sell", "3", type="limit", price="99", time_in_force="ioc")
        events = venue.quote(100.0, 101.0, bid_size=1.25)
        assert fills(events) == [(D("100.0"), D("1.250"), False)]
        assert ends(events) == [(Cancelled, order, "ioc")]

    def test_fok_takes_all_or_nothing(self, quotes):
        venue = quotes(BOOKS, partial=True)
        venue.order("buy", "3", type="limit", price="101", time_in_force="fok")
        assert not fills(venue.show(Book(BTC, 1, ((99.0, 1.0),), ((100.0, 1.0), (101.0, 1.9), (102.0, 5.0)))))
        venue.order("buy", "3", type="limit", price="101", time_in_force="fok")
        events = venue.show(Book(BTC, 2, ((99.0, 1.0),), ((100.0, 1.0), (101.0, 2.0))))
        assert fills(events) == [(D("100.0"), D(1), False), (D("101.0"), D(2), False)]

    def test_post_only_never_takes(self, quotes):
        venue = quotes()
        order = venue.order("buy", type="limit", price="101", time_in_force="gtx")
        assert ends(venue.quote(100.0, 101.0)) == [(Cancelled, order, "post_only")]
        venue.order("buy", type="limit", price="100", time_in_force="gtx")
        venue.quote(100.0, 101.0)
        assert fills(venue.quote(98.0, 99.0)) == [(D("100.0"), D(1), True)]

    def test_trades_must_go_through_its_price(self, trades):
        venue = trades()
        venue.order("sell", type="limit", price="101")
        assert not venue.trade(100.0)
        assert not venue.trade(101.0)
        assert fills(venue.trade(101.1)) == [(D("101.0"), D(1), True)]

    def test_optimistic_a_touch_is_enough(self, trades):
        venue = trades(optimistic=True)
        venue.order("sell", type="limit", price="101")
        venue.trade(100.0)
        assert fills(venue.trade(101.0)) == [(D("101.0"), D(1), True)]

    def test_the_queue_ahead_trades_first(self, quotes):
        venue = quotes(TRADES, queue=True, partial=True)
        venue.order("buy", "1", type="limit", price="100")
        assert not venue.quote(100.0, 101.0, bid_size=2.0)
        assert not venue.trade(100.0, 1.5, side=-1)
        assert not venue.trade(100.0, 5.0, side=1)
        assert fills(venue.trade(100.0, 0.75, side=-1)) == [(D("100.0"), D("0.250"), True)]
        assert fills(venue.trade(100.0, 9.0, side=-1)) == [(D("100.0"), D("0.750"), True)]

    def test_without_the_queue_trades_beside_quotes_fill_nothing(self, quotes):
        venue = quotes(TRADES)
        venue.order("buy", "1", type="limit", price="100")
        venue.quote(100.0, 101.0)
        assert not venue.trade(90.0)


class TestMarket:
    def test_a_book_is_walked(self, quotes):
        venue = quotes(BOOKS, partial=True)
        venue.order("buy", "2.5")
        events = venue.show(Book(BTC, 1, ((99.0, 1.0),), ((100.0, 1.0), (101.0, 1.0))))
        assert fills(events) == [(D("100.0"), D(1), False), (D("101.0"), D(1), False)]
        assert fills(venue.quote(101.0, 102.0)) == [(D("102.0"), D("0.5"), False)]
        assert not venue.engine.orders

    def test_orders_of_one_event_share_the_size_shown(self, quotes):
        venue = quotes(partial=True)
        venue.order("buy", "0.6")
        venue.order("buy", "0.6")
        events = venue.quote(99.0, 100.0, ask_size=1.0)
        assert [executed.quantity for executed in events] == [D("0.6"), D("0.4")]
        (executed,) = venue.quote(99.0, 100.5)
        assert (executed.order, executed.quantity, executed.execution) == ("o2", D("0.2"), "o2-2")

    @pytest.mark.parametrize(("side", "price"), [("buy", "101.3"), ("sell", "98.7")])
    def test_slippage_and_impact_make_it_worse(self, quotes, side, price):
        """Two ticks, 0.1 % and 10 % * sqrt(0.01 / 1) of 100 make 0.2 + 0.1 + 1."""
        venue = quotes(slippage=Slippage(ticks=2, fraction=0.001, impact=0.1))
        venue.order(side, "0.01")
        (executed,) = venue.quote(100.0, 100.0, 1.0, 1.0)
        assert executed.price == D(price)

    def test_slippage_never_breaks_a_limit(self, quotes):
        venue = quotes(slippage=Slippage(fraction=0.5))
        venue.order("buy", type="limit", price="101")
        (executed,) = venue.quote(99.0, 100.0)
        assert executed.price == D("101.0")


class TestConditional:
    @pytest.mark.parametrize(
        ("side", "type", "trigger", "quiet", "touch", "price"),
        [
            ("sell", "stop_market", "95", (95.1, 95.2), (94.0, 94.5), "94.0"),
            ("buy", "stop_market", "105", (104.0, 104.9), (105.5, 106.0), "106.0"),
            ("sell", "take_profit_market", "105", (104.9, 105.0), (105.0, 105.1), "105.0"),
            ("buy", "take_profit_market", "95", (95.0, 95.1), (94.0, 94.5), "94.5"),
        ],
    )
    def test_it_waits_for_its_trigger(self, quotes, side, type, trigger, quiet, touch, price):
        venue = quotes()
        venue.order(side, type=type, trigger=trigger)
        assert not venue.quote(100.0, 100.1)
        assert not venue.quote(*quiet)
        assert fills(venue.quote(*touch)) == [(D(price), D(1), False)]

    def test_one_by_the_mark_ignores_the_last_price(self, marked):
        venue = marked()
        venue.order("sell", type="stop_market", trigger="95", trigger_by="mark")
        assert not venue.quote(90.0, 90.1)
        assert not venue.show(Mark(BTC, venue.now + MINUTE, 95.1))
        (triggered,) = venue.show(Mark(BTC, venue.now + MINUTE, 95.0))
        assert type(triggered) is Triggered
        assert fills(venue.quote(91.0, 91.1)) == [(D("91.0"), D(1), False)]

    def test_a_trailing_stop_follows_and_never_goes_back(self, quotes):
        venue = quotes()
        order = venue.order("sell", type="trailing_stop_market", callback="0.01")
        assert venue.quote(100.0, 100.1) == [Amended(order, venue.now, D(1), D("100.0"), D("99.0"))]
        assert venue.quote(110.0, 110.1) == [Amended(order, venue.now, D(1), D("110.0"), D("108.9"))]
        assert not venue.quote(109.0, 109.1)
        assert fills(venue.quote(108.9, 109.0)) == [(D("108.9"), D(1), False)]

    def test_a_trailing_stop_waits_for_its_activation(self, quotes):
        venue = quotes()
        order = venue.order("buy", type="trailing_stop_market", callback="0.1", trigger="90")
        assert not venue.quote(99.0, 100.0)
        assert not venue.quote(109.0, 200.0)
        assert venue.quote(79.0, 80.0) == [Amended(order, venue.now, D(1), D("80.0"), D("88.0"))]
        assert fills(venue.quote(88.0, 89.0)) == [(D("89.0"), D(1), False)]

    def test_one_that_lacks_its_trigger_is_rejected(self, quotes):
        venue = quotes()
        for kind in ("stop_market", "take_profit_market", "trailing_stop_market", "limit"):
            venue.order("sell", type=kind)
            assert isinstance(venue.answer[0], Rejected)


class TestReducing:
    def test_there_must_be_something_to_reduce(self, quotes):
        venue = quotes()
        order = venue.order("sell", reduce_only=True)
        assert ends(venue.quote(100.0, 100.1)) == [(Rejected, order, "reduce_only")]

    def test_it_is_clipped_to_the_position(self, quotes):
        venue = quotes()
        venue.order("buy", "1")
        venue.quote(100.0, 100.1)
        order = venue.order("sell", "3", reduce_only=True)
        events = venue.quote(100.0, 100.1)
        assert fills(events) == [(D("100.0"), D(1), False)]
        assert ends(events) == [(Cancelled, order, "reduce_only")]
        assert venue.position == 0

    def test_close_position_closes_what_is_held_when_it_triggers(self, quotes):
        venue = quotes()
        venue.order("buy", "1")
        venue.order("sell", "1", type="stop_market", trigger="90", close_position=True)
        venue.quote(120.0, 120.1)
        venue.order("buy", "2")
        venue.quote(120.0, 120.1)
        events = venue.quote(89.0, 89.1)
        assert fills(events) == [(D("89.0"), D(3), False)]
        assert not ends(events)
        assert venue.position == 0

    def test_close_position_rests_while_flat_and_is_cancelled_when_it_triggers(self, quotes):
        venue = quotes()
        order = venue.order("sell", type="stop_market", trigger="90", close_position=True)
        assert not venue.quote(100.0, 100.1)
        assert ends(venue.quote(89.0, 89.1)) == [(Cancelled, order, "reduce_only")]

    def test_close_position_of_less_than_its_quantity_says_that_it_is_over(self, quotes):
        venue = quotes()
        venue.order("buy", "1")
        stop = venue.order("sell", "5", type="stop_market", trigger="90", close_position=True)
        venue.quote(100.0, 100.1)
        assert ends(venue.quote(89.0, 89.1)) == [(Cancelled, stop, "close_position")]


class TestAmend:
    def test_a_stop_is_moved_in_place(self, quotes):
        venue = quotes()
        order = venue.order("sell", type="stop_market", trigger="90")
        venue.quote(100.0, 100.1)
        answer = venue.engine.amend(Amend(order, BTC, venue.now, trigger=D(95)))
        assert answer == (Amended(order, venue.now, D(1), None, D(95)),)
        assert fills(venue.quote(94.0, 94.1)) == [(D("94.0"), D(1), False)]

    def test_against_bars_the_bar_that_began_before_meets_the_old_figures(self, minutes):
        venue = minutes()
        order = venue.order("sell", type="stop_market", trigger="90")
        venue.flat_bar(100.0)
        assert venue.engine.amend(Amend(order, BTC, venue.now + MINUTE // 2, trigger=D(95))) == ()
        assert venue.bar(100.0, 100.0, 94.0, 100.0) == [Amended(order, venue.now - MINUTE // 2, D(1), None, D(95))]
        assert fills(venue.bar(100.0, 100.0, 94.0, 100.0)) == [(D("95.0"), D(1), False)]

    def test_it_takes_the_latency(self, quotes):
        venue = quotes(latency=2 * MINUTE)
        order = venue.order("buy", type="limit", price="90")
        for _ in range(3):
            venue.quote(100.0, 100.1)
        sent = venue.now
        assert venue.engine.amend(Amend(order, BTC, sent, quantity=D(2), price=D(95))) == ()
        assert not venue.quote(94.0, 94.1)
        events = venue.quote(94.0, 94.1)
        assert events[0] == Amended(order, sent + 2 * MINUTE, D(2), D(95), None)
        assert fills(events) == [(D("94.1"), D(2), False)]

    def test_what_cannot_be_changed_stays_as_it_was(self, quotes):
        venue = quotes(partial=True)
        order = venue.order("buy", "2", type="limit", price="100")
        venue.quote(99.0, 100.0, ask_size=1.0)
        for change in ({"quantity": D(1)}, {"trigger": D(5)}):
            assert isinstance(venue.engine.amend(Amend(order, BTC, venue.now, **change))[0], AmendRejected)
        assert isinstance(venue.engine.amend(Amend("x", BTC, venue.now, price=D(5)))[0], AmendRejected)


def test_of_an_order_that_ended_in_the_event_at_hand_the_news_is_on_its_way(quotes):
    """Between two events of one answer the Trader may cancel an order whose end comes next."""
    venue = quotes()
    venue.order("buy")
    second = venue.order("sell")
    assert len(venue.quote(100.0, 100.1)) == 2
    (late,) = venue.engine.cancel(Cancel(second, BTC, venue.now))
    assert isinstance(late, CancelRejected)
    assert venue.engine.query(second) == ()
    assert venue.engine.query("never")[0].order == "never"


def test_the_same_order_again_is_one_order(quotes):
    venue = quotes()
    order = venue.order("buy")
    venue.made = 0
    assert venue.order("buy") == order
    assert len(fills(venue.quote(100.0, 100.1))) == 1
