"""The worked examples of what a signal becomes, with their figures."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.errors import ComponentError
from quantmind.events import Absent, Accepted, Bar, Cancel, Fill, OrderState, Query, Submit
from quantmind.kinds import ALLOWED, Limit, NoOptions, Refused, Shrunk


def figures(command):
    return (command.side, command.quantity, command.reduce_only)


class NothingMore(Limit[NoOptions]):
    """Refuses every increase."""

    name = "nothing_more"

    def check(self, increase):
        return Refused("nothing_more", f"asked for {increase.quantity}")


class Looker(Limit[NoOptions]):
    """Lets everything pass and remembers what it was asked."""

    name = "recorder"

    def __init__(self):
        super().__init__(NoOptions())
        self.seen = []

    def check(self, increase):
        self.seen.append(increase)
        return ALLOWED


class TestInFlight:
    """Example 2."""

    def test_a_working_order_is_not_sent_again(self, desk):
        (buy,) = desk.target("1")
        assert figures(buy) == ("buy", D("0.400"), False)
        assert desk.target("1") == []
        desk.accepted(buy.order)
        assert desk.target("1") == []

    def test_target_0_cancels_first_and_then_has_nothing_to_do(self, desk):
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (cancel,) = desk.target("0")
        assert isinstance(cancel, Cancel)
        assert cancel.order == buy.order
        assert desk.cancelled(buy.order) == []
        assert desk.position == 0

    def test_what_filled_meanwhile_is_sold_reduce_only(self, desk):
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (_,) = desk.target("0")
        assert desk.executed(buy, "0.150", "50000") == []
        (sell,) = desk.cancelled(buy.order)
        assert figures(sell) == ("sell", D("0.150"), True)

    def test_a_fill_of_all_of_it_before_the_cancel_is_sold_too(self, desk):
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (_,) = desk.target("0")
        (sell,) = desk.executed(buy, "0.400", "50000")
        assert figures(sell) == ("sell", D("0.400"), True)

    def test_a_target_that_comes_back_while_cancelling_is_bought_after_the_confirmation(self, desk):
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (_,) = desk.target("0")
        assert desk.target("1") == []
        (again,) = desk.cancelled(buy.order)
        assert figures(again) == ("buy", D("0.400"), False)


class TestReversal:
    """Example 3."""

    def test_one_order_of_which_limits_judge_the_increase_only(self, make_desk):
        recorder = Looker()
        desk = make_desk(limits=[recorder])
        desk.hold("0.400")
        (sell,) = desk.target("-1")
        assert figures(sell) == ("sell", D("0.800"), False)
        assert [i.quantity for i in recorder.seen] == [D("0.400"), D("0.400")]
        assert recorder.seen[-1].held == 0

    def test_a_refused_increase_leaves_the_reduction(self, make_desk):
        desk = make_desk()
        desk.hold("0.400")
        desk.gate._limits = (NothingMore(NoOptions()),)
        (sell,) = desk.target("-1")
        assert figures(sell) == ("sell", D("0.400"), True)
        assert desk.trader.chronicle.refusals == {"nothing_more": 1}


def test_opposed_strategies_make_no_order(desk):
    """Example 4: the shares are there, the Target is 0."""
    assert desk.target("0", shares=(("momentum", "0.4"), ("mean_reversion", "-0.4"))) == []
    assert desk.trader.chronicle.counts["targets"] == 1


class TestRefusedExitDoesNotExist:
    """Example 7."""

    def test_a_halt_in_the_journal_refuses_increases_and_lets_exits_pass(self, desk):
        desk.hold("0.400")
        desk.halt_while_dead()
        desk.price(50_000.0)
        assert desk.target("2") == []
        assert desk.trader.chronicle.refusals["halted"] == 1
        (sell,) = desk.target("0")
        assert figures(sell) == ("sell", D("0.400"), True)

    def test_a_reversal_under_halt_only_closes(self, desk):
        desk.hold("0.400")
        desk.instruct("halt")
        (sell,) = desk.target("-1")
        assert figures(sell) == ("sell", D("0.400"), True)


def test_partial_fills_pay_their_fees(desk):
    """Example 8."""
    (buy,) = desk.target("1")
    desk.accepted(buy.order)
    fee = D("0.0005")
    desk.executed(buy, "0.150", "50000", D("0.150") * 50000 * fee)
    position = desk.trader.account.positions["BTC/USDT:USDT"]
    assert position.fees == D("3.75")
    assert (position.quantity, position.average_price) == (D("0.150"), 50000)
    desk.executed(buy, "0.250", "50000", D("0.250") * 50000 * fee)
    assert position.quantity == D("0.400")
    assert position.fees == D("10")
    fills = [fact for fact in desk.trader.chronicle.facts if isinstance(fact, Fill)]
    assert [fill.position for fill in fills] == [D("0.150"), D("0.400")]
    assert desk.trader.account.wallet == D("9990")


class TestRounding:
    """Example 9, without the shares by remainder."""

    def test_the_difference_is_exact(self, make_desk):
        desk = make_desk(budget="1")
        desk.hold("0.1")
        (buy,) = desk.target("0.3")
        assert buy.quantity == D("0.2")

    def test_a_target_of_45_hundredths(self, desk):
        (buy,) = desk.target("0.45")
        assert buy.quantity == D("0.180")

    @pytest.mark.parametrize(("value", "quantity"), [("0.4999", "0.199"), ("-0.4999", "0.199")])
    def test_the_wanted_quantity_is_rounded_towards_zero(self, desk, value, quantity):
        (order,) = desk.target(value)
        assert order.quantity == D(quantity)


class TestTooSmall:
    """Example 10."""

    def test_below_the_minimum_notional_nothing_is_sent(self, make_desk):
        desk = make_desk(budget="0.010")
        assert desk.target("0.1") == []
        assert desk.trader.chronicle.refusals == {"below_minimum_notional": 1}

    def test_the_same_size_that_closes_is_sent_reduce_only(self, make_desk):
        desk = make_desk(budget="0.010")
        desk.price(200_000.0)
        (buy,) = desk.target("0.1")
        desk.executed(buy, "0.001", "200000")
        desk.price(50_000.0)
        (sell,) = desk.target("0")
        assert figures(sell) == ("sell", D("0.001"), True)

    def test_inside_the_band_nothing_is_sent(self, desk):
        desk.hold("0.400")
        assert desk.target("0.96") == []
        assert desk.trader.chronicle.refusals == {}
        (sell,) = desk.target("0.95")
        assert figures(sell) == ("sell", D("0.020"), True)


class TestRestart:
    """Example 14."""

    def test_what_is_in_flight_counts_as_working_until_it_is_answered(self, desk):
        (buy,) = desk.target("1")
        desk.restart()
        assert not desk.trader.ready
        assert desk.trader.in_flight() == [Query(buy.order, buy.symbol)]
        desk.price(50_000.0)
        assert desk.target("0.5") == []
        assert desk.trader.on_order_event(Accepted(buy.order, 0)) != []
        assert desk.trader.ready

    def test_an_order_that_is_found_is_not_sent_again(self, desk):
        (buy,) = desk.target("1")
        desk.restart()
        assert desk.accepted(buy.order) == []
        assert desk.trader.ready
        assert desk.target("1") == []

    def test_an_absent_order_is_sent_again_when_nothing_has_happened_since(self, desk):
        (buy,) = desk.target("1")
        desk.restart()
        assert desk.commands(desk.trader.on_order_event(Absent(buy.order, 0))) == [buy]

    def test_an_absent_order_of_before_is_given_up_and_computed_anew(self, desk):
        (buy,) = desk.target("1")
        desk.restart()
        desk.price(50_000.0)
        (again,) = desk.commands(desk.trader.on_order_event(Absent(buy.order, 0)))
        assert isinstance(again, Submit)
        assert again.order != buy.order
        assert figures(again) == figures(buy)
        assert desk.journal.find_order(buy.order).state is OrderState.NOT_PLACED

    def test_positions_targets_and_the_wallet_come_back(self, desk):
        desk.hold("0.400")
        wallet = desk.trader.account.wallet
        desk.restart()
        assert desk.position == D("0.400")
        assert desk.trader.account.wallet == wallet
        desk.price(51_000.0)
        assert desk.target("1") == []


class TestLimitsInTheGate:
    def test_a_shrunk_increase_is_rounded_down_again(self, make_desk):
        class Third(Limit[NoOptions]):
            """Lets a third pass."""

            name = "third"

            def check(self, increase):
                return Shrunk(increase.quantity / 3, "third", "a third")

        desk = make_desk(limits=[Third(NoOptions())])
        (buy,) = desk.target("1")
        assert buy.quantity == D("0.133")
        assert desk.trader.chronicle.refusals == {"third": 1}

    def test_a_limit_cannot_enlarge(self, make_desk):
        class Greedy(Limit[NoOptions]):
            """Answers with more than it was asked."""

            name = "greedy"

            def check(self, increase):
                return Shrunk(increase.quantity * 10, "greedy", "more")

        desk = make_desk(limits=[Greedy(NoOptions())])
        (buy,) = desk.target("1")
        assert buy.quantity == D("0.400")

    def test_intents_of_one_event_see_those_before(self, make_desk):
        recorder = Looker()
        desk = make_desk(limits=[recorder])
        desk.price(2_000.0, "ETH/USDT:USDT")
        desk.target("1")
        desk.target("1", "ETH/USDT:USDT")
        assert recorder.seen[-1].gross == D("0.400") * 50_000


def test_a_duplicated_execution_is_booked_once(desk):
    (buy,) = desk.target("1")
    desk.accepted(buy.order)
    desk.executed(buy, "0.150", "50000", execution="venue-7")
    desk.executed(buy, "0.150", "50000", execution="venue-7")
    assert desk.position == D("0.150")


def test_a_fill_after_the_cancel_still_counts(desk):
    (buy,) = desk.target("1")
    desk.accepted(buy.order)
    desk.target("0")
    desk.cancelled(buy.order)
    (sell,) = desk.executed(buy, "0.400", "50000")
    assert desk.position == D("0.400")
    assert figures(sell) == ("sell", D("0.400"), True)


def test_an_order_that_was_given_up_and_fills_after_all_is_corrected(desk):
    (buy,) = desk.target("1")
    desk.restart()
    desk.price(50_000.0)
    (again,) = desk.commands(desk.trader.on_order_event(Absent(buy.order, 0)))
    desk.accepted(again.order)
    desk.executed(again, "0.400", "50000")
    (sell,) = desk.executed(buy, "0.400", "50000")
    assert desk.position == D("0.800")
    assert figures(sell) == ("sell", D("0.400"), True)


def test_a_halt_set_while_the_process_was_dead_stops_what_was_in_flight(desk):
    (buy,) = desk.target("1")
    desk.halt_while_dead()
    desk.trader.remember(Bar(buy.symbol, 60, 60, 50_000.0, 50_000.0, 50_000.0, 50_000.0, 1.0))
    assert desk.commands(desk.trader.on_order_event(Absent(buy.order, 0))) == []
    assert desk.journal.find_order(buy.order).state is OrderState.NOT_PLACED
    assert desk.trader.chronicle.refusals == {"halted": 1}


def test_an_exit_that_never_arrived_is_not_forgotten_by_a_second_crash(desk):
    desk.hold("0.400")
    desk.price(50_000.0)
    (exit_,) = desk.target("0")
    for _ in range(3):
        desk.restart(new_epoch=True)
        assert desk.trader.in_flight() == [Query(exit_.order, exit_.symbol)]
        assert desk.commands(desk.trader.on_order_event(Absent(exit_.order, 0))) == []
    desk.seq += 1
    bar = Bar(exit_.symbol, desk.seq * 60, 60, 50_000.0, 50_000.0, 50_000.0, 50_000.0, 1.0)
    desk.trader.on_market(desk.seq, bar)
    (again,) = desk.commands(desk.trader.on_price(bar))
    assert figures(again) == ("sell", D("0.400"), True)
    assert desk.journal.find_order(exit_.order).state is OrderState.NOT_PLACED


def test_a_cancel_of_an_order_that_was_never_acknowledged_asks_for_it_after_a_restart(desk):
    (buy,) = desk.target("1")
    (_,) = desk.target("0")
    desk.restart()
    query, cancel = desk.trader.in_flight()
    assert query == Query(buy.order, buy.symbol)
    assert not desk.trader.ready
    desk.price(50_000.0)
    desk.commands(desk.trader.on_order_event(Absent(buy.order, 0)))
    assert desk.gate.spend(cancel).order == buy.order
    (again,) = desk.target("1")
    assert figures(again) == ("buy", D("0.400"), False)


def test_inside_the_band_a_working_order_is_left_alone(desk):
    (buy,) = desk.target("1")
    desk.accepted(buy.order)
    assert desk.target("0.98") == []
    assert desk.journal.find_order(buy.order).state is OrderState.ACCEPTED


def test_a_negative_budget_is_no_budget(make_desk):
    desk = make_desk(budget="-0.4")
    assert desk.target("1") == []


@pytest.mark.parametrize("answer", [D("NaN"), 0.4, None])
def test_a_budget_must_be_a_finite_decimal(desk, answer):
    desk.sizing.budget = lambda _: answer
    with pytest.raises(ComponentError, match="sizing fixed"):
        desk.target("1")


def test_a_position_without_a_price_counts_at_cost(make_desk):
    looker = Looker()
    desk = make_desk(limits=[looker])
    desk.hold("0.400")
    desk.restart(new_epoch=True)
    desk.price(2_000.0, "ETH/USDT:USDT")
    desk.target("1", "ETH/USDT:USDT")
    assert looker.seen[-1].gross == D("0.400") * 50_000


def test_every_symbol_waits_until_the_account_is_ready(desk):
    """Not the symbol alone whose order was in flight."""
    (buy,) = desk.target("1")
    desk.restart()
    desk.price(50_000.0)
    desk.price(2_000.0, "ETH/USDT:USDT")
    assert desk.target("1", "ETH/USDT:USDT") == []
    (eth,) = desk.accepted(buy.order)
    assert (eth.symbol, eth.side, eth.quantity) == ("ETH/USDT:USDT", "buy", D("0.400"))


def test_a_target_before_any_price_waits_for_one(desk):
    assert desk.target("1", "ETH/USDT:USDT") == []
    bar = Bar("ETH/USDT:USDT", 1, 60, 2_000.0, 2_000.0, 2_000.0, 2_000.0, 1.0)
    desk.trader.on_market(9, bar)
    assert desk.trader.unpriced == {"ETH/USDT:USDT"}
    (buy,) = desk.commands(desk.trader.on_price(bar))
    assert (buy.symbol, buy.quantity) == ("ETH/USDT:USDT", D("0.400"))
    assert not desk.trader.unpriced


def test_what_a_fill_leads_to_cannot_be_filled_by_the_event_of_that_fill(desk):
    (buy,) = desk.target("1")
    desk.accepted(buy.order)
    desk.target("0")
    desk.trader.on_arrival(desk.seq + 1, 9_999)
    (sell,) = desk.executed(buy, "0.400", "50000")
    assert sell.after == desk.seq + 1
    assert sell.ts == 9_999


@pytest.mark.parametrize("again", ["execution", "acknowledgement"])
def test_what_was_known_already_changes_nothing(desk, again):
    """A repeated fill, or an acknowledgement that comes after it, is no reason to compute the intent anew."""
    (buy,) = desk.target("1")
    desk.executed(buy, "0.400", "50000", execution="venue-7")
    desk.sizing.budget = lambda _: D("0.2")
    if again == "execution":
        assert desk.executed(buy, "0.400", "50000", execution="venue-7") == []
    else:
        assert desk.accepted(buy.order) == []
    assert desk.position == D("0.400")
