"""Conditional orders: what triggers them, what they become, and what keeps them from it."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

LIFE = ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]


def closing(desk, side="SELL", **more):
    return desk.algo(side, closePosition="true", **more)


class TestTriggers:
    def test_a_stop_closes_the_position_at_market(self, desk):
        desk.market()
        algo = closing(desk, triggerPrice="49900", clientAlgoId="stop")
        desk.quote(49_900.1)
        assert desk.algo_states() == ["NEW"]
        desk.quote(49_900.0)
        assert desk.position() == 0
        # That it has finished is told some time after the trade, though it can be asked for at once.
        assert desk.algo_states() == LIFE[:-1]
        desk.wait(0.009)
        assert desk.algo_states() == LIFE[:-1]
        desk.wait(0.001)
        assert desk.algo_states() == LIFE
        found = desk.call("GET", "algoOrder", algoId=str(algo["algoId"]))
        assert (found["algoStatus"], found["actualPrice"], found["actualQty"]) == ("FINISHED", "49900.00000", "0.010")
        order = desk.call("GET", "order", symbol="BTCUSDT", orderId=found["actualOrderId"])
        assert (order["clientOrderId"], order["origType"], order["type"]) == ("stop", "STOP_MARKET", "MARKET")
        assert (order["closePosition"], order["stopPrice"]) == (True, "49900.00")

    def test_by_the_mark_price_it_is_filled_at_the_present_one(self, desk):
        desk.market()
        closing(desk, triggerPrice="49900", workingType="MARK_PRICE")
        desk.quote(49_800.0)
        assert desk.algo_states() == ["NEW"]
        desk.mark(49_900.0)
        desk.wait(0.01)
        assert desk.algo_states() == LIFE
        assert desk.call("GET", "userTrades", symbol="BTCUSDT")[-1]["price"] == "49800.00"

    def test_a_stop_with_a_price_becomes_a_limit_order(self, desk):
        desk.market()
        algo = desk.algo(type="STOP", triggerPrice="49900", price="49890", quantity="0.010", reduceOnly="true")
        desk.quote(49_880.0)
        assert desk.algo_states() == ["NEW", "TRIGGERING", "TRIGGERED"]
        (order,) = desk.call("GET", "openOrders", symbol="BTCUSDT")
        assert (order["type"], order["origType"], order["price"]) == ("LIMIT", "STOP", "49890.00")
        assert order["orderId"] == int(desk.call("GET", "algoOrder", algoId=str(algo["algoId"]))["actualOrderId"])
        desk.quote(49_890.0)
        desk.wait(0.01)
        assert desk.algo_states()[-1] == "FINISHED"
        assert desk.call("GET", "userTrades", symbol="BTCUSDT")[-1]["maker"] is True

    def test_take_profits(self, desk):
        desk.market(quantity="0.020")
        desk.algo(type="TAKE_PROFIT_MARKET", triggerPrice="50100", quantity="0.010", reduceOnly="true")
        desk.algo(type="TAKE_PROFIT", triggerPrice="50200", price="50200", quantity="0.010", reduceOnly="true")
        desk.quote(50_099.9)
        assert desk.position() == D("0.020")
        desk.quote(50_100.0)
        assert desk.position() == D("0.010")
        desk.quote(50_200.0)
        assert desk.position() == 0

    def test_it_may_open_a_position(self, desk):
        desk.algo("BUY", triggerPrice="50100", quantity="0.010")
        desk.quote(50_100.0)
        assert desk.position() == D("0.010")

    def test_a_trailing_stop_follows(self, desk):
        desk.market()
        algo = desk.algo(type="TRAILING_STOP_MARKET", callbackRate="1", quantity="0.010", reduceOnly="true")
        assert algo["callbackRate"] == "1"
        desk.quote(51_000.0)
        found = desk.call("GET", "algoOrder", algoId=str(algo["algoId"]))
        assert found["triggerPrice"] == "50490.00"
        desk.quote(50_500.0)
        assert desk.position() == D("0.010")
        desk.quote(50_490.0)
        assert desk.position() == 0
        told = desk.events("ALGO_UPDATE")[0]["o"]
        assert told["cr"] == "1"

    def test_a_trailing_stop_waits_for_its_activation(self, desk):
        desk.market()
        desk.algo(
            type="TRAILING_STOP_MARKET", callbackRate="1", activatePrice="51000", quantity="0.010", reduceOnly="true"
        )
        desk.quote(49_000.0)
        assert desk.position() == D("0.010")
        desk.quote(51_000.0)
        desk.quote(50_490.0)
        assert desk.position() == 0

    def test_one_that_the_book_cannot_fill_waits_on(self, desk):
        desk.market()
        closing(desk, triggerPrice="49900", workingType="MARK_PRICE")
        desk.quote(49_900.0, size=0.004)
        desk.mark(49_900.0)
        assert desk.algo_states()[-1] == "TRIGGERED"
        assert desk.position() == D("0.006")
        desk.quote(49_890.0)
        assert desk.position() == 0
        desk.wait(0.01)
        assert desk.algo_states()[-1] == "FINISHED"


class TestQueries:
    def test_of_trailing_they_tell_only_with_an_order_that_trails(self, desk):
        """A client that finds the field reads a number from it."""
        trailing = {"activatePrice", "callbackRate"}
        desk.market()
        placed = desk.algo(triggerPrice="49000", quantity="0.010")
        assert {placed[name] for name in trailing} == {""}
        desk.algo(type="TRAILING_STOP_MARKET", callbackRate="1", quantity="0.010", reduceOnly="true")
        for rows in (desk.call("GET", "openAlgoOrders"), desk.call("GET", "allAlgoOrders", symbol="BTCUSDT")):
            stop, trail = rows
            assert not trailing & stop.keys()
            assert trail["callbackRate"] == "1"
        assert not trailing & desk.call("GET", "algoOrder", algoId=str(placed["algoId"])).keys()


class TestEnds:
    def test_cancelled(self, desk):
        algo = desk.algo(triggerPrice="49000", quantity="0.010", clientAlgoId="stop")
        answer = desk.call("DELETE", "algoOrder", clientAlgoId="stop")
        assert answer == {"algoId": algo["algoId"], "clientAlgoId": "stop", "code": "200", "msg": "success"}
        assert desk.algo_states() == ["NEW", "CANCELED"]
        assert desk.refused("DELETE", "algoOrder", clientAlgoId="stop") == -2011
        desk.algo(triggerPrice="49000", quantity="0.010")
        desk.algo("BUY", triggerPrice="51000", quantity="0.010")
        desk.call("DELETE", "algoOpenOrders", symbol="BTCUSDT")
        assert desk.call("GET", "openAlgoOrders") == []
        assert len(desk.call("GET", "allAlgoOrders", symbol="BTCUSDT")) == 3

    def test_margin_is_asked_for_at_the_trigger_only(self, desk):
        desk.algo("BUY", triggerPrice="50100", quantity="50", clientAlgoId="large")
        desk.quote(50_100.0)
        assert desk.algo_states() == ["NEW", "TRIGGERING", "REJECTED"]
        told = desk.events("ALGO_UPDATE")[-1]["o"]
        assert (told["rm"], told["ai"]) == ("Margin is insufficient.", "")
        assert desk.call("GET", "allOrders", symbol="BTCUSDT") == []

    def test_a_stop_refused_at_its_trigger(self, desk):
        desk.market()
        desk.account.inject("reject_stop")
        closing(desk, triggerPrice="49900", clientAlgoId="first")
        desk.quote(49_900.0)
        assert desk.algo_states("first") == ["NEW", "TRIGGERING", "REJECTED"]
        assert desk.position() == D("0.010")
        closing(desk, triggerPrice="49800", clientAlgoId="second")
        desk.quote(49_800.0)
        desk.wait(0.01)
        assert desk.algo_states("second") == LIFE

    def test_both_legs_in_one_event_close_once(self, desk):
        desk.market()
        desk.algo(triggerPrice="49900", quantity="0.010", reduceOnly="true", clientAlgoId="quantity")
        closing(desk, triggerPrice="49950", clientAlgoId="closing")
        desk.quote(49_000.0)
        assert desk.position() == 0
        desk.wait(0.01)
        states = {name: desk.algo_states(name)[-1] for name in ("quantity", "closing")}
        assert states == {"quantity": "FINISHED", "closing": "EXPIRED"}

    def test_nothing_to_reduce(self, desk):
        desk.algo(triggerPrice="49900", quantity="0.010", reduceOnly="true")
        desk.quote(49_900.0)
        assert desk.algo_states() == ["NEW", "TRIGGERING", "REJECTED"]
        assert desk.events("ALGO_UPDATE")[-1]["o"]["rm"] == "ReduceOnly Order is rejected."

    def test_what_is_good_with_a_position_expires_with_it(self, desk):
        desk.market()
        closing(desk, triggerPrice="49900", timeInForce="GTE_GTC")
        desk.market("SELL", reduceOnly="true")
        assert desk.algo_states() == ["NEW", "EXPIRED"]
        assert not desk.account.matching.orders

    def test_stop_and_take_profit_do_not_cancel_each_other(self, desk):
        """There is no OCO: whoever closes by one has the other still there."""
        desk.market()
        closing(desk, triggerPrice="49900")
        closing(desk, type="TAKE_PROFIT_MARKET", triggerPrice="50100")
        desk.quote(50_100.0)
        assert desk.position() == 0
        (left,) = desk.call("GET", "openAlgoOrders", symbol="BTCUSDT")
        assert left["orderType"] == "STOP_MARKET"

    @pytest.mark.parametrize(("force", "state"), [("IOC", "EXPIRED"), ("FOK", "EXPIRED"), ("GTX", "EXPIRED")])
    def test_a_limit_that_finds_nobody_at_its_trigger(self, desk, force, state):
        desk.market()
        price = "49890" if force == "GTX" else "49910"
        desk.algo(type="STOP", triggerPrice="49900", price=price, quantity="0.010", timeInForce=force)
        desk.quote(49_895.0)
        desk.wait(0.01)
        assert desk.algo_states() == LIFE
        assert desk.events("ORDER_TRADE_UPDATE")[-1]["o"]["X"] == state
        assert desk.position() == D("0.010")


def test_partial_fills(desk):
    desk.account.inject("partial_fills", size="0.003")
    answer = desk.market()
    assert (answer["status"], answer["executedQty"]) == ("PARTIALLY_FILLED", "0.003")
    for _ in range(3):
        desk.quote(50_000.0)
    sizes = [each["qty"] for each in desk.call("GET", "userTrades", symbol="BTCUSDT")]
    assert sizes == ["0.003", "0.003", "0.003", "0.001"]
    desk.account.inject("partial_fills")
    assert desk.market()["status"] == "FILLED"
