"""How what is expected is compared with what came."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import (
    Fill,
    Funding,
    Latch,
    OrderState,
    OrderUpdate,
    Part,
    Refusal,
    Share,
    Signal,
    Target,
    Transfer,
    Valuation,
)
from quantmind.pipeline.recipe_outcome import came
from quantmind.pipeline.summary import Summary
from quantmind.recipe.document import Document
from quantmind.recipe.expecting import Known, read_expect
from quantmind.recipe.findings import Findings
from quantmind.recipe.interpolate import Interpolation

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def summary(equity="10000", pnl="0", fees="0"):
    return Summary("x", 0, 0, 0, 0, {}, 0, D(equity), D(pnl), D(fees), {}, {}, {})


def read(expect, symbols=(BTC,), strategies=None):
    findings = Findings(Document("", None), Interpolation({}))
    made = read_expect(expect, Known(symbols, strategies), "tests[0].expect", findings)
    assert findings.problems == []
    return made


def faults(expect, symbols=(BTC,), strategies=None):
    findings = Findings(Document("", None), Interpolation({}))
    assert read_expect(expect, Known(symbols, strategies), "e", findings) is None
    return [str(problem) for problem in findings.problems]


def told(expect, *events, symbols=(BTC,), **figures):
    return "; ".join(map(str, differences(expect, *events, symbols=symbols, **figures)))


def differences(expect, *events, symbols=(BTC,), **figures):
    return read(expect, symbols).differences(came(events, summary(**figures), 0))


def signal(direction, confidence=1.0, strategy="m"):
    return Signal(BTC, strategy, direction, confidence)


def order(id, side="buy", quantity="0.4", state="accepted", **more):
    more = {"filled": D(0), "reduce_only": False, "ts": 0, "cause": "", **more}
    return OrderUpdate(0, id, more.pop("symbol", BTC), side, D(quantity), state=OrderState(state), **more)


def stop(id, trigger, side="sell", purpose="stop", **more):
    kind = "stop_market" if purpose == "stop" else "take_profit_market"
    return order(id, side, order_type=kind, purpose=purpose, trigger=D(trigger), **more)


def fill(order, position, side="buy", price="50000", parts=(), quantity="0.4", **more):
    held = D(position)
    return Fill(
        0,
        "",
        order,
        more.pop("symbol", BTC),
        side,
        D(quantity),
        D(price),
        D("10"),
        D(0),
        held,
        D(price),
        0,
        "",
        "",
        parts=parts,
        **more,
    )


class TestLists:
    def test_entries_came_in_order_and_others_may_be_between(self):
        came = (signal(-1.0), signal(0.0), signal(1.0, 0.55))
        assert told({"signals": [-1, 1]}, *came) == ""
        assert told({"signals": [{"strategy": "m", "direction": 1}]}, *came) == ""
        assert told({"signals": [1, -1]}, *came) == ("signals[1]: expected {direction: -1}, came no more signals")

    def test_two_entries_need_two_events(self):
        assert told({"signals": [1, 1]}, signal(1.0), signal(1.0)) == ""
        assert told({"signals": [1, 1]}, signal(1.0)) == "signals[1]: expected {direction: 1}, came no more signals"

    def test_the_nearest_is_told(self):
        difference = told(
            {"signals": [{"strategy": "m", "direction": 1, "confidence_above": 0.6}]}, signal(-1.0), signal(1.0, 0.5)
        )
        assert difference == (
            "signals[0]: expected {strategy: m, direction: 1, confidence_above: 0.6}, came after 0:00:00 {strategy: m, "
            "symbol: BTC/USDT:USDT, direction: 1.0, confidence: 0.5}: confidence was 0.5 (the nearest of 2)"
        )

    def test_exactly_allows_no_others(self):
        came = (signal(-1.0), signal(1.0))
        assert told({"signals": {"exactly": [-1, 1]}}, *came) == ""
        assert [each.path for each in differences({"signals": {"exactly": [1]}}, *came)] == [
            "signals.exactly[0]",
            "signals.exactly",
        ]
        assert told({"signals": {"exactly": [-1]}}, *came) == (
            "signals.exactly: expected exactly 1 signals, not 2, came after 0:00:00 {strategy: m, symbol: "
            "BTC/USDT:USDT, direction: 1.0, confidence: 1.0}"
        )
        assert told({"signals": {"exactly": [-1, 1, 0]}}, *came) == (
            "signals.exactly[2]: expected {direction: 0}, came no more signals"
        )

    def test_everything_that_is_not_as_expected_is_told(self):
        came = [signal(1.0, confidence / 10) for confidence in range(1, 6)]
        found = differences({"signals": [-1, 1, 0, {"confidence": 0.2}], "targets": [0.5], "fees": 1}, *came)
        assert [each.path for each in found] == ["signals[0]", "signals[2]", "targets[0]", "fees"]
        assert [(len(each.came), each.count) for each in found] == [(3, 5), (3, 4), (1, 0), (1, 1)]
        assert found[2].came == ("no targets",)

    def test_what_was_not_wanted_is_counted(self):
        (found,) = differences({"signals": []}, *(signal(1.0) for _ in range(5)))
        assert (found.unwanted, len(found.came), found.count) == (True, 3, 5)
        assert str(found).endswith("(the first of 5)")

    def test_an_empty_list_means_none(self):
        refusal = Refusal(1, BTC, "buy", D("0.2"), "max_leverage", "leverage 4 > limit 3", 0, "")
        assert told({"refusals": []}) == ""
        assert told({"refusals": []}, refusal) == (
            "refusals: expected no refusals, came after 0:00:00 {code: max_leverage, symbol: BTC/USDT:USDT, side: buy, "
            "quantity: 0.2, figures: leverage 4 > limit 3}"
        )
        assert told({"refusals": ["max_leverage"]}, refusal) == ""
        assert told({"refusals": [{"code": "max_leverage", "quantity": 0.2, "side": "buy"}]}, refusal) == ""
        assert told({"refusals": ["max_position"]}, refusal).endswith("code was max_leverage")

    def test_floats_are_compared_to_nine_digits_and_money_exactly(self):
        assert told({"signals": [{"confidence": 0.55350066}]}, signal(1.0, 0.5535006600000001)) == ""
        assert told({"signals": [{"confidence": 0.5535}]}, signal(1.0, 0.55350066)) != ""
        assert told({"equity": 10000.01}, equity="10000.01") == ""
        assert told({"equity": 10000.01}, equity="10000.0100000001") == (
            "equity: expected 10000.01, came 10000.0100000001"
        )

    def test_targets_funding_transfers_and_latches(self):
        came = (
            Target(BTC, D("0.5"), (Share("m", D("0.5")),), 0, "", ""),
            Funding(1, "", BTC, D("0.0001"), D(50500), D("0.4"), D("-2.02"), (), 0, "", ""),
            Transfer(2, "", BTC, D(50500), (Part("m", D("0.16"), D(0)), Part("r", D("-0.16"), D(0))), 0, ""),
            Latch(3, "max_drawdown", "flatten", "drawdown 0.1008 >= 0.1", 0, ""),
            Latch(4, "max_drawdown", None, "", 0, ""),
        )
        assert told({"targets": [0.5], "funding": [-2.02], "transfers": [{"price": 50500}]}, *came) == ""
        assert told({"latches": ["max_drawdown", {"name": "max_drawdown", "level": None}]}, *came) == ""
        assert told({"latches": [{"level": "flatten"}, {"level": None}]}, *came) == ""
        assert "level was flatten (the nearest of 2)" in told({"latches": [{"level": "halt"}]}, *came)


directions = st.lists(st.sampled_from([-1, 0, 1]), max_size=8)


@given(directions, directions)
def test_entries_are_found_if_they_are_a_part_of_what_came_in_its_order(wanted, came):
    rest = iter(came)
    held = all(direction in rest for direction in wanted) if wanted else not came
    signals = [signal(float(direction)) for direction in came]
    assert (told({"signals": wanted}, *signals) == "") == held
    assert (told({"signals": {"exactly": wanted}}, *signals) == "") == (wanted == came)


class TestOrders:
    def test_an_order_is_as_it_was_at_the_end(self):
        updates = (
            order("o1", state="intent"),
            order("o1"),
            order("o1", state="filled", filled=D("0.4")),
            order("o2", "sell", "0.1", state="rejected", reason="no", order_type="limit", price=D(7)),
        )
        assert (
            told({"orders": {"exactly": [{"side": "buy", "filled": 0.4, "state": "filled"}, "sell"]}}, *updates) == ""
        )
        assert told({"orders": [{"type": "limit", "price": 7, "reason": "no"}]}, *updates) == ""
        assert told({"orders": [{"quantity": 0.400, "reduce_only": False}]}, *updates) == ""

    def test_orders_are_those_of_targets_unless_another_purpose_is_named(self):
        updates = (order("o1"), fill("o1", "0.4"), stop("o2", "49500"), stop("o3", "60000", purpose="take_profit"))
        assert told({"orders": [{"side": "sell"}]}, *updates) != ""
        assert told({"orders": [{"purpose": "stop", "side": "sell", "trigger": 49500.0}]}, *updates) == ""
        assert told({"orders": {"exactly": ["buy"]}}, *updates) == ""
        assert told({"orders": {"exactly": ["buy", {"purpose": "stop"}]}}, *updates) == ""
        assert told({"orders": {"exactly": [{"purpose": "stop"}]}}, *updates) == ""
        assert "of 3)" in told({"orders": []}, *updates)

    def test_its_stops_are_those_of_the_position_that_it_led_to(self):
        updates = (
            order("o1"),
            fill("o1", "0.4"),
            stop("o2", "107.1"),
            stop("o2", "107.6"),
            stop("o3", "120", purpose="take_profit"),
            order("o4", "sell"),
            fill("o4", "0", "sell"),
            order("o5", "sell"),
            fill("o5", "-0.4", "sell"),
            stop("o6", "109", side="buy"),
        )
        assert told({"orders": [{"side": "buy", "stop_below": 107.2}]}, *updates) == ""
        assert told({"orders": [{"side": "buy", "stop": 107.6, "take_profit": 120}]}, *updates) == ""
        assert "stop was 107.1, 107.6 (the nearest" in told({"orders": [{"side": "buy", "stop": 109}]}, *updates)
        assert told({"orders": [{"side": "sell", "stop_above": 108, "take_profit": None}]}, *updates) == ""
        assert told({"orders": [{"side": "buy", "stop": None}]}, *updates) != ""

    def test_without_a_stop_nothing_is_below(self):
        updates = (order("o1"), fill("o1", "0.4"))
        assert told({"orders": [{"side": "buy", "stop": None}]}, *updates) == ""
        assert told({"orders": [{"stop_below": 108}]}, *updates).endswith("stop was none")

    def test_stops_and_take_profits_are_lists_of_their_own(self):
        updates = (
            order("o1"),
            fill("o1", "0.4"),
            stop("o2", "107.1"),
            stop("o3", "120", purpose="take_profit"),
            stop("o2", "107.6"),
            stop("o2", "107.6", state="filled", filled=D("0.4")),
            stop("o3", "120", purpose="take_profit", state="cancelled", reason="done"),
            stop("o4", "99", side="buy", symbol=ETH),
        )
        assert told({"stops": {"exactly": [107.6, 99]}, "take_profits": {"exactly": [120]}}, *updates) == ""
        assert (
            told(
                {
                    "stops": [
                        {"symbol": BTC, "side": "sell", "first_trigger": 107.1, "trigger_above": 107.5},
                        {"symbol": ETH, "side": "buy", "quantity": 0.4, "filled": 0, "state": "accepted"},
                    ],
                    "take_profits": [{"state": "cancelled", "reason": "done", "trigger_below": 121}],
                },
                *updates,
            )
            == ""
        )
        assert "trigger was 107.6" in told({"stops": [{"side": "sell", "trigger": 107.1}]}, *updates)
        assert "no take_profits, came after 0:00:00 {symbol" in told({"take_profits": []}, *updates)
        assert told({"stops": [], "take_profits": []}, order("o1"), fill("o1", "0.4")) == ""

    def test_a_stop_covers_all_that_the_position_was_made_of(self):
        updates = (order("o1"), fill("o1", "0.4"), order("o2"), fill("o2", "0.8"), stop("o3", "99"))
        assert told({"orders": [{"stop": 99}, {"stop": 99}]}, *updates) == ""

    def test_a_reversal_has_its_own_stop(self):
        updates = (
            order("o1"),
            fill("o1", "0.4"),
            stop("o2", "99"),
            order("o3", "sell", "0.8"),
            fill("o3", "0.1", "sell", quantity="0.3"),
            stop("o2", "98"),
            fill("o3", "-0.4", "sell", quantity="0.5"),
            stop("o4", "105", side="buy"),
        )
        assert told({"orders": [{"stop": 98}, {"side": "sell", "stop": 105}]}, *updates) == ""
        assert "stop was 105 (the nearest" in told({"orders": [{"side": "sell", "stop_below": 105}]}, *updates)

    def test_stops_of_another_symbol_are_not_its_own(self):
        updates = (order("o1"), fill("o1", "0.4"), stop("o2", "99", symbol=ETH))
        assert told({"orders": [{"stop": None}]}, *updates) == ""


class TestTheEnd:
    def test_the_position_is_the_last_one(self):
        fills = (fill("o1", "0.4"), fill("o2", "0.15", "sell"))
        assert told({"position": 0.15}, *fills) == ""
        assert told({"position": {BTC: "0.150"}}, *fills) == ""
        assert told({"position": 0}, *fills) == "position: expected 0, came 0.15"
        assert told({"position_above": 0.1, "position_below": {BTC: 0.2}}, *fills) == ""
        assert told({"position": 0}) == ""

    def test_a_position_may_be_by_strategy(self):
        parts = (Part("m", D("0.3"), D(0)), Part("r", D("0.1"), D(0)))
        transfer = Transfer(2, "", BTC, D(1), (Part("m", D("0.2"), D(0)), Part("r", D("-0.2"), D(0))), 0, "")
        events = (fill("o1", "0.4", parts=parts), transfer)
        assert told({"position": {"m": 0.5, "r": -0.1}}, *events) == ""
        assert told({"position": {BTC: {"m": 0.3}}}, *events) == f"position.{BTC}.m: expected 0.3, came 0.5"

    def test_figures_of_the_end(self):
        assert told({"equity_above": 9999, "pnl_below": 0, "fees": 10}, pnl="-1", fees="10") == ""
        assert told({"equity_above": 10000, "fees": 10}, fees="10") == (
            "equity_above: expected above 10000, came 10000"
        )

    def test_profit_and_fees_may_be_by_strategy_and_by_symbol(self):
        parts = (Part("m", D("0.3"), D(0), D(6)), Part("r", D("0.1"), D(0), D(4)))
        events = (
            fill("o1", "0.4", parts=parts),
            fill("o2", "0.4", parts=(Part("m", D("0.4"), D(0), D(10)),), symbol=ETH, price="100"),
            Valuation(9, 0, 0.0, ((BTC, 50100.0), (ETH, 90.0))),
        )
        figures = {"pnl": "16", "fees": "20", "symbols": (BTC, ETH)}
        earned = {BTC: {"m": 24, "r": 6}, ETH: {"m": -14}}
        assert told({"pnl": earned, "fees": {BTC: 10, ETH: {"m": 10}}}, *events, **figures) == ""
        assert told({"pnl": {BTC: 30, ETH: -14}}, *events, **figures) == ""
        assert told({"pnl": {"m": 10, "r": 6}, "fees": {"m": 16}}, *events, **figures) == ""
        assert told({"pnl": 16, "pnl_above": {"m": 9, "r": 5}, "pnl_below": {ETH: 0}}, *events, **figures) == ""
        assert told({"pnl_above": {"m": 10, "r": 7}}, *events, **figures) == (
            "pnl_above.m: expected above 10, came 10.00; pnl_above.r: expected above 7, came 6.00"
        )

    def test_who_did_not_trade_has_earned_nothing(self):
        assert told({"pnl": {"m": 0}, "fees": {BTC: {"m": 0}}}) == ""


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ({}, "e: must be a mapping of at least one of signals,"),
        ([], "e: must be a mapping of at least one of"),
        ({"order": []}, "e.order: is not known; did you mean orders? known: signals, targets, orders"),
        ({"orders": 5}, "e.orders: must be a list, or exactly: and a list, was 5"),
        ({"orders": {"exact": []}}, "e.orders: must be a list, or exactly: and a list, was a mapping"),
        ({"orders": {"exactly": 5}}, "e.orders.exactly: must be a list, or exactly: and a list, was 5"),
        ({"orders": [{"sid": "buy"}]}, "e.orders[0].sid: is not known; did you mean side? known: purpose, side,"),
        ({"orders": [{"stop_beneath": 1}]}, "e.orders[0].stop_beneath: is not known; did you mean stop_below?"),
        ({"orders": ["hold"]}, "e.orders[0].side: must be one of 'buy' or 'sell'"),
        ({"orders": {"exactly": [{"quantity": "x"}]}}, "e.orders.exactly[0].quantity: must be a number, was x"),
        ({"refusals": [{"cod": "x"}]}, "e.refusals[0].cod: is not known; did you mean code?"),
        ({"equity": "x"}, "e.equity: must be a number, was x"),
        ({"position": "x"}, "e.position: must be a number or a mapping, was x"),
        ({"position": True}, "e.position: must be a number or a mapping, was true"),
        ({"pnl": None}, "e.pnl: must be a number or a mapping, was null"),
        ({"pnl": {}}, "e.pnl: must be a number, or one by strategy, was an empty mapping"),
        ({"pnl_above": {"m": "x"}}, "e.pnl_above.m: must be a number, was x"),
        ({"pnl": {BTC: {"m": True}}}, f"e.pnl.{BTC}.m: must be a number, was true"),
        ({"fees": {BTC: 1, "m": 1}}, f"e.fees.m: is not known; known: {BTC}"),
        ({"equity": {"m": 1}}, "e.equity: must be a number, was a mapping"),
        ({"stops": [{"triger": 1}]}, "e.stops[0].triger: is not known; did you mean trigger?"),
        ({"position": {ETH: 1}}, f"e.position.{ETH}: is not known; "),
    ],
)
def test_a_fault_is_told_at_its_place(expect, problem):
    (found,) = faults(expect)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("expect", "place"),
    [
        ({"pnl": {"momentun": 0}}, "e.pnl.momentun"),
        ({"position": {BTC: {"momentun": 0}}}, f"e.position.{BTC}.momentun"),
        ({"signals": [{"strategy": "momentun"}]}, "e.signals[0].strategy"),
    ],
)
def test_a_strategy_that_the_recipe_does_not_have_is_told(expect, place):
    (found,) = faults(expect, strategies=["momentum", "other"])
    assert found == f"{place}: is not known; did you mean momentum? known: momentum, other"


def test_with_several_instruments_a_position_is_by_symbol():
    (found,) = faults({"position": 1}, (BTC, ETH))
    assert found == f"e.position: must be by symbol, {{{BTC}: ...}}: there are several"
    assert told({"position": {BTC: 0.4, ETH: 0}}, fill("o1", "0.4"), symbols=(BTC, ETH)) == ""
