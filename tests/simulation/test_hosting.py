"""What a venue with clients asks of the engine: an answer at once, settings per symbol, orders of its own."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.events import (
    Accepted,
    Amend,
    Amended,
    Book,
    Cancelled,
    Executed,
    Liquidated,
    Mark,
    Quote,
    Rejected,
    Submit,
    Triggered,
)
from quantmind.market.instruments import KNOWN
from quantmind.simulation.fees import Fees
from quantmind.simulation.hosting import Hosting

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def hosting(make):
    """Let what is made have the engine of a venue."""

    def made(**options):
        venue = make(**options)
        venue.engine = Hosting(KNOWN, venue.channels, venue.terms, venue.wallet)
        return venue

    return made


@pytest.fixture
def quotes(quotes):
    return hosting(quotes)


@pytest.fixture
def marked(marked):
    return hosting(marked)


def kinds(events):
    return [type(event) for event in events]


class TestShow:
    def test_one_order_meets_the_present_price_and_no_other_does(self, quotes):
        venue = quotes(partial=True)
        resting = venue.order("buy", "5", "limit", price="100")
        venue.quote(99.9, 100.1, 1.0, 1.0)
        venue.quote(99.9, 100.0, 1.0, 2.0)
        assert venue.position == 2
        order = venue.order("buy", "3")
        present = Book(BTC, venue.now, ((99.9, 1.0),), ((100.0, 1.0), (100.5, 9.0)))
        events = venue.engine.show(order, present)
        assert [(event.order, event.price, event.quantity) for event in events] == [
            (order, D("100.0"), D("1.000")),
            (order, D("100.5"), D("2.000")),
        ]
        assert set(venue.engine.orders) == {resting}
        assert not venue.engine.show(order, present)
        assert venue.engine.fills == 3

    def test_what_is_refused_is_refused_at_once(self, quotes):
        venue = quotes(balance="1000", leverage=D(10))
        venue.quote(100.0, 100.1)
        present = Quote(BTC, venue.now, 100.0, 100.1, 1.0, 1.0)
        for side, quantity, options, reason in (
            ("buy", "1000", {}, "margin"),
            ("sell", "1", {"reduce_only": True}, "reduce_only"),
        ):
            order = venue.order(side, quantity, **options)
            assert venue.engine.show(order, present) == [Rejected(order, venue.now, reason)]
        order = venue.order("buy", "1", "limit", price="100.1", time_in_force="gtx")
        assert venue.engine.show(order, present) == [Cancelled(order, venue.now, "post_only")]

    def test_a_change_that_was_on_its_way_comes_first(self, quotes):
        venue = quotes()
        order = venue.order("buy", "1", "limit", price="99")
        assert not venue.engine.amend(Amend(order, BTC, venue.now, D("0.5"), D("101"), after=venue.seq))
        events = venue.engine.show(order, Quote(BTC, venue.now, 100.0, 100.1, 1.0, 1.0))
        assert kinds(events) == [Amended, Executed]
        assert events[1].quantity == D("0.5")

    def test_what_a_mark_triggered_needs_no_further_quote(self, marked):
        venue = marked()
        venue.order("buy", "1")
        venue.quote(100.0, 100.1)
        order = venue.order("sell", "1", "stop_market", trigger="95", trigger_by="mark", reduce_only=True)
        venue.quote(99.0, 99.1)
        assert kinds(venue.show(Mark(BTC, venue.now + 1, 95.0))) == [Triggered]
        assert kinds(venue.engine.show(order, Quote(BTC, venue.now, 99.0, 99.1, 1.0, 1.0))) == [Executed]
        assert venue.position == 0


class TestStopsWithAPrice:
    def stop(self, venue, **options):
        options = {"trigger": "95", "price": "94.5", "reduce_only": True} | options
        return venue.order("sell", "1", "stop_market", **options)

    def test_they_become_limit_orders(self, quotes):
        venue = quotes()
        venue.order("buy", "1")
        venue.quote(100.0, 100.1)
        order = self.stop(venue)
        assert kinds(venue.quote(94.0, 94.1)) == [Triggered]
        assert not venue.quote(94.4, 94.6)
        (filled,) = venue.quote(94.6, 94.7)
        assert (filled.order, filled.price, filled.maker) == (order, D("94.5"), True)

    def test_they_are_filled_at_once_where_the_price_allows(self, quotes):
        venue = quotes()
        venue.order("buy", "1")
        venue.quote(100.0, 100.1)
        self.stop(venue)
        (filled,) = venue.quote(94.8, 94.9)
        assert (filled.price, filled.maker) == (D("94.8"), False)

    def test_their_price_may_be_changed_once_they_rest(self, quotes):
        venue = quotes()
        venue.order("buy", "1")
        venue.quote(100.0, 100.1)
        order = self.stop(venue)
        venue.quote(94.0, 94.1)
        (changed,) = venue.engine.amend(Amend(order, BTC, venue.now, price=D("94"), after=venue.seq))
        assert changed.price == 94
        assert kinds(venue.quote(94.0, 94.1)) == [Executed]

    def test_one_that_was_triggered_before_a_restart_is_a_limit_order_after_it(self, quotes):
        venue = quotes()
        command = Submit("o", BTC, "sell", D(1), False, 0, 0, "stop_market", D("94.5"), D("95"))
        venue.engine.restore(command, triggered=True)
        assert not venue.quote(94.0, 94.1)
        assert kinds(venue.quote(94.6, 94.7)) == [Executed]


class TestClosing:
    def test_what_is_closed_is_settled_at_the_trigger(self, quotes):
        """A position that grows afterwards is not the order's."""
        venue = quotes(partial=True)
        venue.order("buy", "2")
        venue.quote(100.0, 100.1, 9.0, 9.0)
        venue.order("sell", "0", "stop_market", trigger="95", close_position=True)
        venue.quote(94.0, 94.1, 1.0, 1.0)
        assert venue.position == 1
        venue.order("buy", "4")
        venue.quote(94.0, 94.1, 0.5, 9.0)
        venue.quote(94.0, 94.1, 9.0, 9.0)
        assert venue.position == 4
        assert not venue.engine.orders

    def test_triggers_may_be_refused(self, quotes):
        venue = quotes()
        venue.order("buy", "1")
        venue.quote(100.0, 100.1)
        first = venue.order("sell", "1", "stop_market", trigger="95", reduce_only=True)
        second = venue.order("sell", "1", "stop_market", trigger="94", reduce_only=True)
        venue.engine.refuse(1)
        assert venue.quote(95.0, 95.1) == [Rejected(first, venue.now, "margin")]
        (filled,) = venue.quote(94.0, 94.1)
        assert filled.order == second


class TestOrdersOfTheVenue:
    def test_it_closes_what_it_likes(self, quotes):
        venue = quotes(fees=Fees(D(0), D(0)))
        venue.order("buy", "2")
        venue.quote(100.0, 100.0)
        resting = venue.order("sell", "1", "limit", price="120")
        cancelled, closed = venue.engine.close(BTC, D(90), 7, D("0.5"), D(0))
        assert cancelled == Cancelled(resting, 7, "liquidated")
        assert (closed.side, closed.price, closed.quantity, closed.fee) == ("sell", D("90.0"), D("0.5"), 0)
        (rest,) = venue.engine.close(BTC, D(90), 8)
        assert (rest.quantity, rest.fee) == (D("1.5"), D(135) * D("0.0125"))
        assert venue.position == 0
        assert venue.wallet == D(1_000_000) - 20 - rest.fee
        assert not venue.engine.close(BTC, D(90), 9)


class TestSettings:
    def test_leverage_is_each_symbols_own(self, quotes):
        venue = quotes(balance="1000", leverage=D(10))
        venue.engine.set_leverage(ETH, D(2))
        venue.order("buy", "20", symbol=ETH)
        assert kinds(venue.quote(100.0, 100.0, symbol=ETH)) == [Executed]
        # That asked for all the margin: nothing is left for the other.
        venue.order("buy", "1")
        assert kinds(venue.quote(100.0, 100.0)) == [Rejected]
        venue.engine.set_leverage(ETH, D(4))
        venue.order("buy", "50")
        venue.order("buy", "1")
        assert kinds(venue.quote(100.0, 100.0)) == [Executed, Rejected]

    def test_one_symbol_may_be_isolated(self, marked):
        venue = marked(balance="100000", leverage=D(10))
        venue.engine.set_margin(ETH, "isolated")
        for symbol in (BTC, ETH):
            venue.order("buy", "100", symbol=symbol)
            venue.quote(100.0, 100.0, symbol=symbol)
            venue.show(Mark(symbol, venue.now + 1, 100.0))
        isolated, cross = (venue.engine.liquidation_price(symbol) for symbol in (ETH, BTC))
        # 100 * p - 10,000 + 1,000 = 100 * p * 0.004
        assert isolated == pytest.approx(D(9000) / D("99.6"))
        assert cross is None
        (closed,) = venue.show(Mark(ETH, venue.now + 1, 90.0))
        assert isinstance(closed, Liquidated)
        assert closed.symbol == ETH
        # The other one is backed by all that is left, and it is much.
        assert venue.wallet >= 99_000
        assert venue.position == 100

    def test_what_backs_an_isolated_position_backs_no_other(self, marked):
        venue = marked(balance="2000", leverage=D(10))
        venue.engine.set_margin(ETH, "isolated")
        venue.order("buy", "100", symbol=ETH)
        venue.quote(100.0, 100.0, symbol=ETH)
        venue.order("buy", "50")
        venue.quote(100.0, 100.0)
        # 50 * p - 5,000 + (2,000 - 1,000) = 50 * p * 0.004
        assert venue.engine.liquidation_price(BTC) == pytest.approx(D(4000) / D("49.8"))
        told = []
        for price in (90.0, 81.0, 80.0):
            told += venue.show(Mark(BTC, venue.now + 1, price))
        assert kinds(told) == [Liquidated]

    def test_figures(self, marked):
        venue = marked()
        assert venue.engine.valued(BTC) is None
        venue.order("buy", "1", "limit", price="99")
        venue.order("sell", "2", "limit", price="110")
        venue.order("sell", "2", "limit", price="110", reduce_only=True)
        venue.quote(100.0, 101.0)
        assert venue.engine.valued(BTC) == D("100.5")
        assert venue.engine.reserved(BTC) == (D(99), D(220))
        assert venue.engine.liquidation_price(BTC) is None

    def test_an_order_that_waits_is_asked_for_once(self, quotes):
        venue = quotes()
        order = venue.order("buy")
        assert kinds(venue.engine.query(order)) == [Accepted]
