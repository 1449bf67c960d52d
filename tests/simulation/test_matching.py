"""A market order is never filled at a price from before its decision."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.events import Accepted, Bar, Cancel, Cancelled, CancelRejected, Executed, Quote, Submit, Trade
from quantmind.kinds import QUOTES, TRADES, bars
from quantmind.market.instruments import KNOWN
from quantmind.simulation.fees import Fees
from quantmind.simulation.latency import ConstantLatency
from quantmind.simulation.matching import Matching
from quantmind.simulation.terms import Terms

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000


def matching(channel=None, latency=0):
    terms = Terms(fees=Fees(D("0.0002"), D("0.0005")), latency=ConstantLatency(latency))
    return Matching(KNOWN, dict.fromkeys(KNOWN, frozenset({channel or bars(MINUTE)})), terms, D(10_000))


def bar(symbol, minute, open_=100.0, length=1, volume=1.0):
    """A bar that closes at `minute`."""
    return Bar(symbol, minute * MINUTE, length * MINUTE, open_, open_ + 1, open_ - 1, open_ + 0.5, volume)


def buy(symbol, ts, seq, quantity="1"):
    return Submit("qm1", symbol, "buy", D(quantity), False, ts, seq)


class TestBars:
    def test_it_fills_at_the_open_of_the_next_bar(self):
        engine = matching()
        assert engine.submit(buy(BTC, 5 * MINUTE, 7)) == (Accepted("qm1", 5 * MINUTE),)
        (executed,) = engine.on_market(8, bar(BTC, 6, 101.0))
        assert executed == Executed("qm1", 5 * MINUTE, "qm1-1", D("101.0"), D(1), D("0.0505"))
        assert not engine.on_market(9, bar(BTC, 7))

    def test_the_same_close_of_another_symbol_does_not_fill_it(self):
        """The naive rule, the next bar of the symbol, takes an open from a minute before the decision."""
        engine = matching()
        engine.submit(buy(ETH, 5 * MINUTE, 7))
        assert not engine.on_market(8, bar(ETH, 5, 99.0))
        (executed,) = engine.on_market(9, bar(ETH, 6, 101.0))
        assert executed.price == D("101")

    def test_a_longer_bar_that_began_before_does_not_fill_it(self):
        engine = matching(bars(5 * MINUTE))
        engine.submit(buy(BTC, 3 * MINUTE, 7))
        assert not engine.on_market(8, bar(BTC, 5, 99.0, length=5))
        (executed,) = engine.on_market(9, bar(BTC, 10, 101.0, length=5))
        assert executed.ts == 5 * MINUTE

    def test_a_bar_of_another_interval_does_not_fill_it(self):
        engine = matching()
        engine.submit(buy(BTC, 5 * MINUTE, 7))
        assert not engine.on_market(8, bar(BTC, 10, 99.0, length=5))

    def test_latency_waits_for_a_bar_that_begins_after_it(self):
        engine = matching(latency=1)
        engine.submit(buy(BTC, 5 * MINUTE, 7))
        assert not engine.on_market(8, bar(BTC, 6, 101.0))
        (executed,) = engine.on_market(9, bar(BTC, 7, 102.0))
        assert executed.price == D("102")

    def test_a_bar_without_trades_has_no_price_of_its_own_time(self):
        engine = matching()
        engine.submit(buy(BTC, 5 * MINUTE, 7))
        assert not engine.on_market(8, bar(BTC, 6, 101.0, volume=0.0))
        assert engine.on_market(9, bar(BTC, 7, 102.0))

    def test_the_event_that_was_decided_on_cannot_fill_after_a_restart(self):
        engine = matching(QUOTES)
        engine.restore(buy(BTC, 100, 7))
        assert not engine.on_market(7, Quote(BTC, 100, 99.0, 99.5, 1.0, 1.0))
        assert engine.on_market(8, Quote(BTC, 100, 99.0, 99.5, 1.0, 1.0))


class TestQuotesAndTrades:
    def test_a_buyer_pays_the_ask_and_a_seller_gets_the_bid(self):
        engine = matching(QUOTES)
        engine.submit(buy(BTC, 100, 1))
        engine.submit(Submit("qm2", BTC, "sell", D(1), False, 100, 1))
        first, second = engine.on_market(2, Quote(BTC, 101, 99.0, 99.5, 1.0, 1.0))
        assert (first.price, second.price) == (D("99.5"), D("99.0"))

    def test_a_quote_that_is_older_than_the_decision_is_passed_over(self):
        """Live feeds can deliver a quote late; its price is from before."""
        engine = matching(QUOTES)
        engine.submit(buy(BTC, 100, 1))
        assert not engine.on_market(2, Quote(BTC, 99, 10.0, 10.1, 1.0, 1.0))
        assert engine.on_market(3, Quote(BTC, 100, 99.0, 99.5, 1.0, 1.0))

    def test_trades_do_not_fill_where_there_are_quotes(self):
        engine = matching(QUOTES)
        engine.submit(buy(BTC, 100, 1))
        assert not engine.on_market(2, Trade(BTC, 101, 10.0, 1.0, 1))

    def test_trades_fill_where_there_are_none(self):
        engine = matching(TRADES, latency=50)
        engine.submit(buy(BTC, 100, 1))
        assert not engine.on_market(2, Trade(BTC, 149, 10.0, 1.0, 1))
        (executed,) = engine.on_market(3, Trade(BTC, 150, 10.0, 1.0, 1))
        assert executed.ts == 150

    @pytest.mark.parametrize(("side", "price"), [("buy", "99.6"), ("sell", "99.5")])
    def test_a_price_between_ticks_goes_against_the_trader(self, side, price):
        engine = matching(TRADES)
        engine.submit(Submit("qm1", BTC, side, D(1), False, 100, 1))
        (executed,) = engine.on_market(2, Trade(BTC, 100, 99.55, 1.0, 1))
        assert executed.price == D(price)


def test_a_price_that_is_none_fills_nothing():
    engine = matching(QUOTES)
    engine.submit(buy(BTC, 100, 1))
    assert not engine.on_market(2, Quote(BTC, 101, 0.0, 0.0, 1.0, 1.0))
    assert not engine.on_market(3, Quote(BTC, 101, float("nan"), float("nan"), 1.0, 1.0))


class TestCancel:
    def test_against_bars_only_the_next_one_tells_whether_the_order_was_filled_first(self):
        engine = matching(bars(5 * MINUTE), latency=MINUTE // 2)
        engine.submit(buy(BTC, 19 * MINUTE, 1))
        assert engine.cancel(Cancel("qm1", BTC, 24 * MINUTE)) == ()
        assert not engine.on_market(2, bar(ETH, 25, length=5))
        (executed,) = engine.on_market(3, bar(BTC, 25, 101.0, length=5))
        assert executed.ts == 20 * MINUTE

    def test_against_bars_a_cancel_that_came_first_wins(self):
        engine = matching(bars(5 * MINUTE))
        engine.submit(buy(BTC, 19 * MINUTE, 1))
        assert engine.cancel(Cancel("qm1", BTC, 19 * MINUTE)) == ()
        assert engine.on_market(3, bar(BTC, 25, 101.0, length=5)) == [Cancelled("qm1", 19 * MINUTE)]

    def test_without_latency_it_is_confirmed_at_once(self):
        engine = matching(QUOTES)
        engine.submit(buy(BTC, 100, 1))
        assert engine.cancel(Cancel("qm1", BTC, 200)) == (Cancelled("qm1", 200),)
        assert not engine.on_market(2, bar(BTC, 6))

    def test_it_takes_the_latency_and_loses_against_a_fill_before_it(self):
        engine = matching(QUOTES, latency=50)
        engine.submit(buy(BTC, 100, 1))
        assert engine.cancel(Cancel("qm1", BTC, 120)) == ()
        (executed,) = engine.on_market(2, Quote(BTC, 160, 99.0, 99.5, 1.0, 1.0))
        assert isinstance(executed, Executed)
        (late,) = engine.cancel(Cancel("qm1", BTC, 200))
        assert isinstance(late, CancelRejected)

    def test_it_is_confirmed_by_any_event_after_the_latency(self):
        engine = matching(QUOTES, latency=50)
        engine.submit(buy(BTC, 100, 1))
        engine.cancel(Cancel("qm1", BTC, 120))
        assert list(engine.on_market(2, Quote(ETH, 175, 9.0, 9.5, 1.0, 1.0))) == [Cancelled("qm1", 170)]
