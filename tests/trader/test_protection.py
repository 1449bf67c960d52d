"""Stops, take-profits, sub-positions, latches and limit entries, with the figures of the worked examples."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.errors import ComponentError
from quantmind.events import (
    Absent,
    Amend,
    Amended,
    AmendRejected,
    Bar,
    Cancel,
    Cancelled,
    CancelRejected,
    Executed,
    Fill,
    Funded,
    Funding,
    Latch,
    Liquidated,
    Rejected,
    Submit,
    Transfer,
    Triggered,
    Valuation,
)
from quantmind.kinds import Levels, Limit, Needs, NoOptions, Options, Protection, Stop, bars
from quantmind.market.instruments import KNOWN
from quantmind.trader.entry import LimitEntry

BTC = KNOWN["BTC/USDT:USDT"]


class Watchful(Limit[NoOptions]):
    """Stops trading when a test says so."""

    name = "watchful"
    says = None
    resets = 0

    def watch(self, standing):
        return self.says

    def reset(self, standing):
        self.resets += 1


class StopOptions(Options):
    distance: D | None = D(500)
    reward: D | None = None
    after: int | None = None


class Stopper(Protection[StopOptions]):
    """A stop at a fixed distance, that can be moved by a test."""

    name = "stopper"
    capabilities = frozenset({"protects"})

    def __init__(self, options, instrument=BTC):
        super().__init__(options, instrument)
        self.now = options.distance

    @classmethod
    def needs(cls, options):
        return Needs((bars(60),))

    def on_market(self, event):
        pass

    def distance(self, price):
        return self.now

    def levels(self, held):
        side = 1 if held.quantity > 0 else -1
        distance = held.distance or self.now
        target = None
        if self.options.reward is not None:
            target = held.average_price + side * distance * self.options.reward
        until = None if self.options.after is None else held.since + self.options.after
        trailed = D(repr(held.best)) - side * self.now
        stop = held.average_price - side * distance
        return Levels((max if side > 0 else min)(stop, trailed), target, until)


def figures(command):
    if isinstance(command, Cancel):
        return ("cancel", command.order)
    if isinstance(command, Amend):
        return ("amend", command.trigger)
    return (command.order_type, command.side, command.quantity, command.trigger or command.price)


@pytest.fixture
def protected(make_desk):
    def make(distance="500", reward=None, after=None, **settings):
        options = StopOptions(
            distance=None if distance is None else D(distance), reward=reward and D(reward), after=after
        )
        desk = make_desk(protection={BTC.symbol: [Stopper(options)]}, **settings)
        desk.rule = desk.protection[BTC.symbol][0]
        return desk

    return make


def entered(desk, value="1", quantity="0.400", price="50000", **shares):
    (buy,) = desk.target(value, **shares)
    desk.accepted(buy.order)
    commands = desk.executed(buy, quantity, price)
    for command in commands:
        if isinstance(command, Submit):
            desk.accepted(command.order)
    return commands


class TestStop:
    """Examples 1 and 8."""

    def test_a_stop_rests_below_the_fill_by_the_distance(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        assert figures(stop) == ("stop_market", "sell", D("0.400"), D("49500.0"))
        assert stop.close_position
        assert stop.reduce_only

    def test_it_covers_each_partial_fill_at_once(self, protected):
        desk = protected()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.150", "50000")
        assert stop.close_position
        desk.accepted(stop.order)
        assert desk.executed(buy, "0.250", "50000", execution="second") == []
        assert list(desk.trader._floor.desks[BTC.symbol].protective) == [stop.order]

    def test_it_only_ever_tightens(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        (amend,) = desk.price(50_400.0)
        assert figures(amend) == ("amend", D("49900.0"))
        desk.order_event(Amended(stop.order, 1, D("0.4"), None, D("49900.0")))
        assert desk.price(50_100.0) == []
        desk.rule.now = D(900)
        assert desk.price(50_400.0) == []
        assert desk.trader._floor.orders[stop.order].trigger == D("49900.0")

    def test_while_it_is_being_moved_it_is_not_moved_again(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        (_,) = desk.price(50_400.0)
        assert desk.price(50_500.0) == []
        (again,) = desk.order_event(Amended(stop.order, 1, D("0.4"), None, D("49900.0")))
        assert figures(again) == ("amend", D("50000.0"))

    def test_its_fill_zeroes_the_shares_until_the_strategy_changes_its_mind(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        assert desk.executed(stop, "0.400", "49500") == []
        assert desk.position == 0
        assert desk.target("0.9") == []
        desk.restart()
        desk.price(49_400.0)
        assert desk.target("1") == []
        assert desk.target("0") == []
        (buy,) = desk.target("1")
        assert figures(buy)[:3] == ("market", "buy", D("0.400"))

    def test_the_other_direction_is_open_at_once(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        desk.executed(stop, "0.400", "49500")
        (sell,) = desk.target("-1")
        assert figures(sell)[:3] == ("market", "sell", D("0.400"))

    def test_it_goes_with_the_position(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        (sell,) = desk.target("0")
        desk.accepted(sell.order)
        (cancel,) = desk.executed(sell, "0.400", "50100")
        assert figures(cancel) == ("cancel", stop.order)

    def test_a_reversal_places_the_new_stop_before_the_old_one_goes(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        (sell,) = desk.target("-1")
        desk.accepted(sell.order)
        new, cancel = desk.executed(sell, "0.800", "50000")
        assert figures(new) == ("stop_market", "buy", D("0.400"), D("50500.0"))
        assert figures(cancel) == ("cancel", stop.order)

    def test_without_a_distance_nothing_is_increased(self, protected):
        desk = protected(distance=None)
        assert desk.target("1") == []
        assert desk.trader.chronicle.refusals == {"unprotected": 1}

    def test_one_that_is_refused_twice_closes_the_position(self, protected):
        desk = protected()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.400", "50000")
        (again,) = desk.order_event(Rejected(stop.order, 1, "-2021"))
        assert again.order_type == "stop_market"
        commands = desk.order_event(Rejected(again.order, 1, "-2021"))
        assert ("market", "sell", D("0.400"), None) in [figures(command) for command in commands]

    def test_one_that_the_venue_took_away_is_placed_again(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        (again,) = desk.order_event(Cancelled(stop.order, 1, "expired"))
        assert figures(again) == figures(stop)

    def test_a_restart_finds_it_and_places_no_other(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        desk.restart()
        assert desk.commands(desk.trader.settle()) == []
        assert [order.id for order in desk.trader.acknowledged()] == [stop.order]

    def test_that_it_has_triggered_survives_a_restart(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        assert desk.order_event(Triggered(stop.order, 1)) == []
        desk.restart()
        (order,) = desk.trader.acknowledged()
        assert order.triggered

    def test_a_restart_that_finds_none_places_it(self, protected):
        desk = protected()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        desk.trader.on_order_event(Executed(buy.order, 1, "x", D(50000), D("0.4"), D(0)))
        desk.trader.chronicle.commit()
        stop = next(iter(desk.trader._floor.desks[BTC.symbol].protective))
        desk.restart()
        (again,) = desk.order_event(Absent(stop, 0))
        assert figures(again) == ("stop_market", "sell", D("0.400"), D("49500.0"))


class TestTakeProfit:
    def test_it_rests_at_the_reward_and_goes_with_the_stop(self, protected):
        desk = protected(reward="1.5")
        stop, take = entered(desk)
        assert figures(take) == ("take_profit_market", "sell", D("0.400"), D("50750.0"))
        (cancel,) = desk.executed(stop, "0.400", "49500")
        assert figures(cancel) == ("cancel", take.order)

    def test_time_is_up_before_the_first_event_after_it(self, protected):
        desk = protected(after=100)
        entered(desk)
        assert desk.price(50_000.0) == []
        commands = desk.price(50_000.0)
        assert figures(commands[0]) == ("market", "sell", D("0.400"), None)


OPPOSED = (("momentum", "0.4"), ("mean_reversion", "-0.4"))
BOTH = ("momentum", "mean_reversion")


class TestSubPositions:
    """Examples 4, 5, 9 and 11."""

    def test_opposed_strategies_pass_positions_to_each_other(self, make_desk):
        desk = make_desk(strategies=BOTH)
        assert desk.target("0", shares=OPPOSED) == []
        (transfer,) = desk.facts(Transfer)
        assert [(part.strategy, part.quantity, part.fee) for part in transfer.parts] == [
            ("momentum", D("0.160"), 0),
            ("mean_reversion", D("-0.160"), 0),
        ]
        assert transfer.price == 50_000
        assert desk.position == 0

    def test_the_stop_of_the_net_position_is_the_tightest_of_its_side(self, protected):
        desk = protected(strategies=BOTH)
        (buy,) = desk.target("0.5", shares=(("momentum", "0.5"), ("mean_reversion", "0")))
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.200", "50000")
        desk.accepted(stop.order)
        desk.rule.now = D(300)
        (more,) = desk.target("1", shares=(("momentum", "0.5"), ("mean_reversion", "0.5")))
        desk.accepted(more.order)
        (amend,) = desk.executed(more, "0.200", "50200")
        assert figures(amend) == ("amend", D("49900.0"))
        desk.order_event(Amended(stop.order, 1, D("0.4"), None, D("49900.0")))
        desk.executed(stop, "0.400", "49900")
        assert desk.position == 0
        fill = desk.facts(Fill)[-1]
        assert [part.quantity for part in fill.parts] == [D("-0.200"), D("-0.200")]
        assert desk.target("0.9", shares=(("momentum", "0.45"), ("mean_reversion", "0.45"))) == []

    def test_the_stop_of_the_other_side_zeroes_its_own_share_only(self, protected):
        desk = protected(strategies=BOTH)
        (buy,) = desk.target("0.5", shares=(("momentum", "0.75"), ("mean_reversion", "-0.25")))
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.200", "50000")
        assert figures(stop)[3] == D("49500.0")
        desk.accepted(stop.order)
        held = {name: p.quantity for name, p in desk.trader._floor.desks[BTC.symbol].subs.positions.items()}
        assert held == {"momentum": D("0.300"), "mean_reversion": D("-0.100")}
        commands = desk.price(50_600.0)
        assert ("market", "buy", D("0.100"), None) in [figures(command) for command in commands]

    def test_after_the_net_stop_the_other_side_stays(self, protected):
        desk = protected(strategies=BOTH)
        (buy,) = desk.target("0.5", shares=(("momentum", "0.75"), ("mean_reversion", "-0.25")))
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.200", "50000")
        desk.accepted(stop.order)
        (sell,) = desk.executed(stop, "0.200", "49500")
        assert figures(sell)[:3] == ("market", "sell", D("0.100"))
        desk.accepted(sell.order)
        desk.executed(sell, "0.100", "49500")
        held = {name: p.quantity for name, p in desk.trader._floor.desks[BTC.symbol].subs.positions.items()}
        assert held == {"momentum": D(0), "mean_reversion": D("-0.100")}

    def test_three_share_by_largest_remainder(self, make_desk):
        names = ("a", "b", "c")
        third = "0.333333333"
        desk = make_desk(strategies=names, budget="0.4")
        (buy,) = desk.target("1", shares=tuple((name, third) for name in names))
        desk.accepted(buy.order)
        desk.executed(buy, "0.400", "50000")
        assert [part.quantity for part in desk.facts(Fill)[-1].parts] == [D("0.134"), D("0.133"), D("0.133")]

    def test_funding_is_paid_by_each_on_its_own(self, make_desk):
        desk = make_desk(strategies=BOTH)
        (buy,) = desk.target("0.5", shares=(("momentum", "0.75"), ("mean_reversion", "-0.25")))
        desk.accepted(buy.order)
        desk.executed(buy, "0.200", "50000")
        event = Funded(BTC.symbol, 1, "u1", D("0.0001"), D(50500), D("0.200"), D("-1.01"))
        desk.order_event(event)
        desk.order_event(event)
        (fact,) = desk.facts(Funding)
        assert [(part.strategy, part.realised) for part in fact.parts] == [
            ("momentum", D("-1.515")),
            ("mean_reversion", D("0.505")),
        ]
        assert desk.trader.account.wallet == D("9998.99")

    def test_what_was_passed_on_is_protected_by_the_distance_of_now(self, protected):
        desk = protected(strategies=BOTH, reward="1.5")
        desk.target("0", shares=OPPOSED)
        guards = desk.trader._floor.desks[BTC.symbol].guards
        assert {name: (guard.stop, guard.take_profit) for name, guard in guards.items()} == {
            "momentum": (D("49500.0"), D("50750.0")),
            "mean_reversion": (D("50500.0"), D("49250.0")),
        }

    def test_flatten_ends_what_they_hold_against_each_other(self, make_desk):
        desk = make_desk(strategies=BOTH)
        desk.target("0", shares=OPPOSED)
        assert desk.instruct("flatten") == []
        positions = desk.trader._floor.desks[BTC.symbol].subs.positions
        assert {name: p.quantity for name, p in positions.items()} == {"momentum": 0, "mean_reversion": 0}

    def test_they_survive_a_restart(self, make_desk):
        desk = make_desk(strategies=BOTH)
        desk.target("0", shares=OPPOSED)
        desk.restart()
        positions = desk.trader._floor.desks[BTC.symbol].subs.positions
        assert {name: p.quantity for name, p in positions.items()} == {
            "momentum": D("0.160"),
            "mean_reversion": D("-0.160"),
        }


class TestDrawdown:
    """Example 6."""

    @pytest.fixture
    def fallen(self, protected):
        limit = Watchful(NoOptions())
        desk = protected(limits=[limit], reward="3", balance="12000", distance="3000")
        stop, take = entered(desk)
        return desk, limit, stop, take

    def test_entries_and_take_profits_go_the_position_is_sold_and_the_stop_goes_last(self, fallen):
        desk, limit, stop, take = fallen
        limit.says = Stop("flatten", "drawdown 0.1008 >= limit 0.1")
        cancel, sell = desk.price(46_975.0)
        assert figures(cancel) == ("cancel", take.order)
        assert figures(sell) == ("market", "sell", D("0.400"), None)
        assert sell.reduce_only
        desk.accepted(sell.order)
        desk.order_event(Cancelled(take.order, 1))
        (last,) = desk.executed(sell, "0.400", "46975")
        assert figures(last) == ("cancel", stop.order)

    def test_increases_are_refused_with_its_figures_over_restarts_until_a_reset(self, fallen):
        desk, limit, stop, take = fallen
        limit.says = Stop("flatten", "drawdown 0.1008 >= limit 0.1")
        _, sell = desk.price(46_975.0)
        desk.executed(sell, "0.400", "46975")
        desk.cancelled(take.order)
        desk.cancelled(stop.order)
        limit.says = None
        desk.restart()
        desk.price(47_000.0)
        assert desk.target("0.9") == []
        (refusal,) = [fact for fact in desk.trader.chronicle.facts if type(fact).__name__ == "Refusal"]
        assert (refusal.code, refusal.figures) == ("watchful", "drawdown 0.1008 >= limit 0.1")
        commands = desk.instruct("reset")
        assert limit.resets == 1
        assert figures(commands[0])[:3] == ("market", "buy", D("0.360"))
        assert [fact.level for fact in desk.facts(Latch)] == [None]

    def test_halt_cancels_entries_and_leaves_the_position(self, make_desk):
        desk = make_desk()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        desk.executed(buy, "0.150", "50000")
        (cancel,) = desk.instruct("halt")
        assert figures(cancel) == ("cancel", buy.order)
        assert desk.cancelled(buy.order) == []
        assert desk.position == D("0.150")
        (again,) = desk.instruct("resume")
        assert figures(again)[:3] == ("market", "buy", D("0.250"))

    def test_flatten_by_the_operator(self, make_desk):
        desk = make_desk()
        desk.hold("0.400")
        (sell,) = desk.instruct("flatten")
        assert figures(sell)[:3] == ("market", "sell", D("0.400"))
        desk.executed(sell, "0.400", "50000")
        assert desk.target("0.9") == []
        assert desk.trader.chronicle.refusals == {"flattened": 1}

    def test_what_fills_before_the_cancel_is_closed_too(self, make_desk):
        desk = make_desk()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (cancel,) = desk.instruct("flatten")
        assert figures(cancel) == ("cancel", buy.order)
        (sell,) = desk.executed(buy, "0.400", "50000")
        assert figures(sell)[:3] == ("market", "sell", D("0.400"))


class TestLimitEntry:
    """Example 13."""

    @pytest.fixture
    def patient(self, make_desk):
        desk = make_desk(entry=LimitEntry(1, 10_000, "market"))
        desk.quote(50_000.0, 50_000.1)
        return desk

    def test_it_bids_one_tick_below_the_bid(self, patient):
        (buy,) = patient.target("1")
        assert figures(buy) == ("limit", "buy", D("0.400"), D("49999.9"))

    def test_what_is_left_after_the_timeout_goes_at_market(self, patient):
        (buy,) = patient.target("1")
        patient.accepted(buy.order)
        patient.executed(buy, "0.150", "49999.9")
        assert patient.quote(50_000.0, 50_000.1, after=9_000) == []
        (cancel,) = patient.quote(50_000.0, 50_000.1, after=2_000)
        assert figures(cancel) == ("cancel", buy.order)
        (rest,) = patient.cancelled(buy.order)
        assert figures(rest) == ("market", "buy", D("0.250"), None)

    def test_at_market_goes_no_more_than_what_was_left(self, patient):
        (buy,) = patient.target("1")
        patient.accepted(buy.order)
        patient.sizing.budget = lambda _: D("0.8")
        (_,) = patient.quote(50_000.0, 50_000.1, after=11_000)
        (rest,) = patient.cancelled(buy.order)
        assert figures(rest) == ("market", "buy", D("0.400"), None)

    def test_then_cancel_leaves_it_at_that(self, make_desk):
        desk = make_desk(entry=LimitEntry(1, 10_000, "cancel"))
        desk.quote(50_000.0, 50_000.1)
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (_,) = desk.quote(50_000.0, 50_000.1, after=11_000)
        assert desk.cancelled(buy.order) == []

    def test_an_exit_does_not_wait(self, patient):
        (buy,) = patient.target("1")
        patient.accepted(buy.order)
        patient.executed(buy, "0.400", "49999.9")
        (sell,) = patient.target("0")
        assert figures(sell)[:3] == ("market", "sell", D("0.400"))

    def test_a_reversal_leaves_at_market_and_enters_at_its_price(self, patient):
        (buy,) = patient.target("1")
        patient.accepted(buy.order)
        patient.executed(buy, "0.400", "49999.9")
        leave, enter = patient.target("-1")
        assert figures(leave)[:3] == ("market", "sell", D("0.400"))
        assert leave.reduce_only
        assert figures(enter) == ("limit", "sell", D("0.400"), D("50000.2"))


def test_a_liquidation_is_booked_and_halts(make_desk):
    desk = make_desk()
    desk.hold("0.400")
    desk.order_event(Liquidated(BTC.symbol, 1, "l1", "sell", D(26_000), D("0.400"), D("52")))
    assert desk.position == 0
    assert desk.trader.account.wallet == 10_000 - D("0.4") * 24_000 - 52
    assert desk.trader.latches.set["liquidated"].level == "halt"
    assert desk.facts(Fill)[-1].order == "autoclose-l1"
    desk.restart()
    assert desk.trader.latches.set["liquidated"].level == "halt"


def test_more_than_the_venue_takes_at_once_goes_in_parts(make_desk):
    desk = make_desk(budget="300", balance="100000000")
    commands = desk.target("1")
    assert [command.quantity for command in commands] == [120, 120, 60]


def test_an_intent_is_not_split_without_end(make_desk):
    desk = make_desk(budget="3000", balance="1000000000")
    assert sum((command.quantity for command in desk.target("1")), D(0)) == 20 * 120
    assert desk.trader.chronicle.refusals == {"above_maximum_quantity": 1}


def test_a_stop_that_is_no_number_names_its_rule(protected):
    desk = protected()
    desk.rule.levels = lambda _: Levels(stop=D("NaN"))
    (buy,) = desk.target("1")
    with pytest.raises(ComponentError, match="protection stopper gave BTC/USDT:USDT"):
        desk.executed(buy, "0.400", "50000")


def test_the_largest_fall_counts_the_loss_that_closed_the_position_and_survives_a_restart(make_desk):
    desk = make_desk()
    desk.hold("0.400")
    (sell,) = desk.target("0")
    desk.executed(sell, "0.400", "47500")
    assert desk.trader.books.fall == pytest.approx(0.1)
    desk.restart()
    assert desk.trader.books.fall == pytest.approx(0.1)


def test_the_account_is_valued_every_four_hours_it_holds_something(make_desk):
    desk = make_desk()
    hours = 4 * 3_600_000_000_000
    desk.hold("0.400")
    desk.trader.on_market(desk.seq + 1, Bar(BTC.symbol, hours, 60, 50_100.0, 50_100.0, 50_100.0, 50_100.0, 1.0))
    desk.trader.on_market(desk.seq + 2, Bar(BTC.symbol, hours + 1, 60, 50_200.0, 50_200.0, 50_200.0, 50_200.0, 1.0))
    (value,) = desk.facts(Valuation)
    assert value.ts == hours
    assert value.prices == ((BTC.symbol, 50_100.0),)
    assert value.equity == 10_000 + D("0.4") * 100


class TestWhatTheVenueRefuses:
    """The same thing is said twice at most, then again after a while; nothing goes round for ever."""

    def test_a_refused_stop_is_not_sent_a_third_time_and_its_close_goes_on(self, protected):
        desk = protected()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.400", "50000")
        (again,) = desk.order_event(Rejected(stop.order, 1, "-2021"))
        (sell,) = desk.order_event(Rejected(again.order, 1, "-2021"))
        assert figures(sell) == ("market", "sell", D("0.400"), None)
        assert desk.target("0.9") == []

    def test_a_repeated_refusal_counts_once(self, protected):
        desk = protected()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.400", "50000")
        (_,) = desk.order_event(Rejected(stop.order, 1, "-2021"))
        assert desk.order_event(Rejected(stop.order, 1, "-2021")) == []

    def test_a_refused_move_is_not_asked_for_again(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        (_,) = desk.price(50_400.0)
        assert desk.order_event(AmendRejected(stop.order, 1, "the order is being filled")) == []
        (further,) = desk.price(50_500.0)
        assert figures(further) == ("amend", D("50000.0"))

    def test_an_exit_is_tried_twice_and_again_after_ten_seconds(self, protected):
        desk = protected()
        entered(desk)
        (sell,) = desk.target("0")
        (again,) = desk.order_event(Rejected(sell.order, 1, "-1001"))
        assert figures(again) == figures(sell)
        assert desk.order_event(Rejected(again.order, 1, "-1001")) == []
        (later,) = [c for c in desk.quote(50_000.0, 50_000.1, after=11_000_000_000) if c.order_type == "market"]
        assert figures(later) == figures(sell)

    def test_a_flatten_is_tried_twice(self, make_desk):
        desk = make_desk()
        desk.hold("0.400")
        (sell,) = desk.instruct("flatten")
        (again,) = desk.order_event(Rejected(sell.order, 1, "-2022"))
        assert desk.order_event(Rejected(again.order, 1, "-2022")) == []
        (later,) = desk.quote(50_000.0, 50_000.1, after=11_000_000_000)
        assert figures(later) == figures(sell)

    def test_of_a_refused_reversal_what_closes_goes_first(self, make_desk):
        desk = make_desk()
        desk.hold("0.400")
        (both,) = desk.target("-1")
        (leave,) = desk.order_event(Rejected(both.order, 1, "margin"))
        assert (figures(leave), leave.reduce_only) == (("market", "sell", D("0.400"), None), True)
        (enter,) = desk.executed(leave, "0.400", "50000")
        assert figures(enter) == ("market", "sell", D("0.400"), None)

    def test_a_cancel_that_was_refused_is_repeated_while_the_order_lives(self, make_desk):
        desk = make_desk(entry=LimitEntry(1, 10_000, "cancel"))
        desk.quote(50_000.0, 50_000.1)
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (_,) = desk.instruct("halt")
        assert desk.order_event(CancelRejected(buy.order, 1, "busy")) == []
        (cancel,) = desk.quote(50_000.0, 50_000.1, after=11_000_000_000)
        assert figures(cancel) == ("cancel", buy.order)


class TestWhatIsNotForgotten:
    def test_a_stop_that_fills_in_parts_after_the_position_grew_is_done_when_it_is_flat(self, protected):
        desk = protected()
        (buy,) = desk.target("1")
        desk.accepted(buy.order)
        (stop,) = desk.executed(buy, "0.150", "50000")
        desk.accepted(stop.order)
        assert desk.executed(buy, "0.250", "50000") == []
        assert desk.executed(stop, "0.250", "49500") == []
        assert desk.executed(stop, "0.150", "49500") == []
        assert desk.position == 0

    def test_a_strategy_that_has_turned_around_is_not_stopped_out_on_its_new_side(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        (sell,) = desk.target("-1")
        desk.executed(stop, "0.400", "49500")
        (enter,) = desk.order_event(Cancelled(sell.order, 1))
        assert figures(enter) == ("market", "sell", D("0.400"), None)

    def test_under_a_halt_the_exit_of_a_reversal_passes_still(self, make_desk):
        desk = make_desk()
        desk.hold("0.400")
        (both,) = desk.target("-1")
        desk.accepted(both.order)
        (cancel,) = desk.instruct("halt")
        assert figures(cancel) == ("cancel", both.order)
        (leave,) = desk.cancelled(both.order)
        assert (figures(leave), leave.reduce_only) == (("market", "sell", D("0.400"), None), True)

    def test_a_liquidation_is_booked_once_and_its_stop_goes(self, protected):
        desk = protected()
        (stop,) = entered(desk)
        event = Liquidated(BTC.symbol, 1, "l1", "sell", D(26_000), D("0.400"), D("52"))
        assert [figures(command) for command in desk.order_event(event)] == [("cancel", stop.order)]
        assert desk.order_event(event) == []
        desk.restart()
        assert desk.order_event(event) == []
        assert desk.position == 0

    def test_funding_that_comes_again_late_is_booked_once(self, make_desk):
        desk = make_desk()
        desk.hold("0.400")
        first, second = (Funded(BTC.symbol, 1, u, D("0.0001"), D(50500), D("0.400"), D("-2.02")) for u in "ab")
        for event in (first, second, first):
            desk.order_event(event)
        assert desk.trader.account.wallet == D("9995.96")

    def test_a_flatten_that_never_left_is_done_at_the_first_price(self, make_desk):
        desk = make_desk()
        desk.hold("0.400")
        (sell,) = desk.instruct("flatten")
        desk.restart(new_epoch=True)
        assert desk.order_event(Absent(sell.order, 0)) == []
        bar = Bar(BTC.symbol, 60, 60, 50_000.0, 50_000.0, 50_000.0, 50_000.0, 1.0)
        desk.trader.on_market(1, bar)
        (again,) = desk.commands(desk.trader.on_price(bar))
        assert figures(again) == figures(sell)

    def test_whose_an_entry_is_survives_a_restart(self, make_desk):
        desk = make_desk(strategies=BOTH)
        (buy,) = desk.target("0.5", shares=(("momentum", "0"), ("mean_reversion", "0.5")))
        desk.restart()
        desk.accepted(buy.order)
        desk.executed(buy, "0.200", "50000")
        assert [(part.strategy, part.quantity) for part in desk.facts(Fill)[-1].parts] == [
            ("mean_reversion", D("0.200"))
        ]

    def test_a_share_that_was_passed_on_is_guarded_at_once(self, protected):
        desk = protected(strategies=BOTH)
        assert desk.target("0", shares=OPPOSED) == []
        guards = desk.trader._floor.desks[BTC.symbol].guards
        assert {name: guard.stop for name, guard in guards.items()} == {
            "momentum": D("49500.0"),
            "mean_reversion": D("50500.0"),
        }
        desk.restart()
        assert desk.trader._floor.desks[BTC.symbol].guards == guards
