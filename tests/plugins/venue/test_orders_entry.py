"""What the venue does not take, and with which code it says so."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

GOOD = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.010",
    "price": "49000",
    "timeInForce": "GTC",
}
STOP = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_MARKET",
    "quantity": "0.010",
    "triggerPrice": "49000",
}


def changed(good, change):
    return {name: value for name, value in (good | change).items() if value is not None}


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (-1102, {"symbol": None}),
        (-1121, {"symbol": "NOPE"}),
        (-1102, {"side": None}),
        (-1117, {"side": "buy"}),
        (-1116, {"type": "ICEBERG"}),
        (-1102, {"quantity": None}),
        (-1105, {"quantity": ""}),
        (-1100, {"quantity": "1e3"}),
        (-1102, {"price": None}),
        (-1102, {"timeInForce": None}),
        (-1115, {"timeInForce": "DAY"}),
        (-1102, {"timeInForce": "GTD"}),
        (-1130, {"timeInForce": "GTD", "goodTillDate": "1"}),
        (-4003, {"quantity": "0"}),
        (-4003, {"quantity": "-1"}),
        (-1111, {"quantity": "0.0105"}),
        (-4005, {"quantity": "1000.001"}),
        (-4001, {"price": "0"}),
        (-4014, {"price": "49000.05"}),
        (-1111, {"price": "49000.001"}),
        (-4002, {"price": "1000000.10"}),
        (-4016, {"price": "52500.10"}),
        (-4024, {"side": "SELL", "price": "47499.90"}),
        (-4164, {"quantity": "0.002"}),
        (-4061, {"positionSide": "LONG"}),
        (-1130, {"positionSide": "UP"}),
        (-1130, {"priceMatch": "OPPONENT", "price": None}),
        (-1130, {"reduceOnly": "yes"}),
        (-1130, {"newOrderRespType": "FULL"}),
        (-1130, {"selfTradePreventionMode": "SOME"}),
        (-4015, {"newClientOrderId": "x" * 37}),
        (-1100, {"newClientOrderId": "a b"}),
        (-1105, {"newClientOrderId": ""}),
        (-1106, {"stopPrice": "1"}),
        (-1106, {"closePosition": "true"}),
        (-1106, {"type": "MARKET"}),
        (-1106, {"type": "MARKET", "price": None}),
        (-4005, {"type": "MARKET", "price": None, "timeInForce": None, "quantity": "120.001"}),
        (-2022, {"reduceOnly": "true"}),
        (-2022, {"side": "SELL", "price": "51000", "reduceOnly": "true"}),
        (-5022, {"timeInForce": "GTX", "price": "50000.1"}),
        (-5021, {"timeInForce": "FOK"}),
        (-2019, {"quantity": "5"}),
        *((-4120, {"type": kind}) for kind in ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET")),
        (-4120, {"type": "TRAILING_STOP_MARKET"}),
    ],
)
def test_an_order_that_is_refused_was_never_there(desk, code, change):
    assert desk.refused("POST", "order", **changed(GOOD, change)) == code
    assert desk.call("GET", "allOrders", symbol="BTCUSDT") == []
    assert not desk.told
    assert not desk.account.matching.orders


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (-1102, {"algoType": None}),
        (-1130, {"algoType": "VP"}),
        (-1116, {"type": "LIMIT"}),
        (-1102, {"triggerPrice": None}),
        (-1102, {"quantity": None}),
        (-2021, {"triggerPrice": "50000"}),
        (-2021, {"triggerPrice": "50100"}),
        (-2021, {"triggerPrice": "50000", "workingType": "MARK_PRICE"}),
        (-2021, {"side": "BUY"}),
        (-2021, {"type": "TAKE_PROFIT_MARKET"}),
        (-2021, {"type": "TAKE_PROFIT_MARKET", "side": "BUY", "triggerPrice": "50100"}),
        (-1130, {"workingType": "INDEX"}),
        (-4014, {"triggerPrice": "49000.05"}),
        (-1102, {"type": "STOP"}),
        (-1106, {"price": "49000"}),
        (-4137, {"closePosition": "true"}),
        (-1106, {"closePosition": "true", "quantity": None, "reduceOnly": "true"}),
        (-4136, {"type": "STOP", "closePosition": "true", "quantity": None, "price": "49000"}),
        (-4509, {"timeInForce": "GTE_GTC", "closePosition": "true", "quantity": None}),
        (-1115, {"timeInForce": "DAY"}),
        (-4164, {"quantity": "0.001"}),
        (-1106, {"callbackRate": "1"}),
        (-1102, {"type": "TRAILING_STOP_MARKET", "triggerPrice": None}),
        (-2007, {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "0.05"}),
        (-2007, {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "11"}),
        (
            -4135,
            {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "1", "activatePrice": "49000"},
        ),
    ],
)
def test_a_conditional_order_that_is_refused_was_never_there(desk, code, change):
    assert desk.refused("POST", "algoOrder", **changed(STOP, change)) == code
    assert desk.call("GET", "allAlgoOrders", symbol="BTCUSDT") == []
    assert not desk.told
    assert not desk.account.matching.orders


def test_a_client_id_is_unique_among_open_orders_only(desk):
    desk.order(price="49000", newClientOrderId="mine")
    assert desk.refused("POST", "order", **GOOD, newClientOrderId="mine") == -4116
    desk.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine")
    again = desk.order(price="49000", newClientOrderId="mine")
    assert desk.call("GET", "order", symbol="BTCUSDT", origClientOrderId="mine")["orderId"] == again["orderId"]
    desk.algo(**STOP, clientAlgoId="stop")
    assert desk.refused("POST", "algoOrder", **STOP, clientAlgoId="stop") == -4116


def test_a_market_order_sent_twice_is_executed_twice(desk):
    """Its id is free again once it is filled: whoever sends again without asking first pays twice."""
    for _ in range(2):
        desk.market(newClientOrderId="twice")
    assert desk.position() == D("0.020")


def test_counts_are_limited(desks):
    desk = desks("BTCUSDT", balance="10000000")
    desk.quote(50_000.0)
    for _ in range(200):
        desk.order(price="49000", quantity="0.003")
        desk.algo(**STOP)
    assert desk.refused("POST", "order", **GOOD) == -2025
    assert desk.refused("POST", "algoOrder", **STOP) == -4045
    desk.call("DELETE", "allOpenOrders", symbol="BTCUSDT")
    desk.order(price="49000")


def test_filters_may_change(desk):
    desk.listing.change("BTCUSDT", tick="1", step="0.01", min_notional="1000")
    assert desk.refused("POST", "order", **changed(GOOD, {"price": "49000.5"})) == -4014
    assert desk.refused("POST", "order", **changed(GOOD, {"quantity": "0.015"})) == -1111
    assert desk.refused("POST", "order", **GOOD) == -4164
    desk.listing.change("BTCUSDT", status="SETTLING")
    assert desk.refused("POST", "order", **changed(GOOD, {"quantity": "0.1"})) == -4140


def test_nothing_is_taken_at_market_before_there_is_a_price(desks):
    desk = desks()
    assert desk.refused("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1") == -4131


def test_a_reduce_only_order_is_exempt_from_the_smallest_notional(desk):
    desk.market(quantity="0.011")
    desk.market("SELL", "0.010")
    assert desk.refused("POST", "order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.001") == -4164
    assert desk.market("SELL", "0.001", reduceOnly="true")["status"] == "FILLED"


def test_reduce_only_orders_block_each_other(desk):
    desk.market(quantity="0.010")
    first = desk.order("SELL", price="51000", reduceOnly="true")
    full = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.010", "reduceOnly": "true"}
    assert desk.refused("POST", "order", **full) == -4118
    desk.call("DELETE", "order", symbol="BTCUSDT", orderId=first["orderId"])
    assert desk.call("POST", "order", **full, newOrderRespType="RESULT")["status"] == "FILLED"
    assert desk.refused("POST", "order", **full) == -2022


def test_the_position_has_a_bound_at_each_leverage(desks):
    desk = desks(balance="100000000")
    desk.quote(50_000.0, size=1000.0)
    desk.mark(50_000.0)
    desk.call("POST", "leverage", symbol="BTCUSDT", leverage=125)
    sent = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "newOrderRespType": "RESULT"}
    assert desk.refused("POST", "order", **sent, quantity="1.1") == -2027
    assert desk.call("POST", "order", **sent, quantity="0.9")["status"] == "FILLED"
    assert desk.refused("POST", "leverage", symbol="BTCUSDT", leverage=126) == -4028
    desk.call("POST", "leverage", symbol="BTCUSDT", leverage=20)
    desk.call("POST", "order", **sent, quantity="2")
    assert desk.refused("POST", "leverage", symbol="BTCUSDT", leverage=125) == -2028


def test_a_second_close_position_order_of_a_kind_is_refused(desk):
    desk.market()
    stop = {**STOP, "closePosition": "true"}
    del stop["quantity"]
    desk.call("POST", "algoOrder", **stop)
    assert desk.refused("POST", "algoOrder", **stop) == -4130
    profit = {**stop, "type": "TAKE_PROFIT_MARKET", "triggerPrice": "51000"}
    desk.call("POST", "algoOrder", **profit)
    assert desk.refused("POST", "algoOrder", **profit) == -4130


def test_unknown_orders(desk):
    assert desk.refused("GET", "order", symbol="BTCUSDT") == -1102
    assert desk.refused("GET", "order", symbol="BTCUSDT", orderId="5") == -2013
    assert desk.refused("GET", "openOrder", symbol="BTCUSDT", orderId="5") == -2013
    assert desk.refused("DELETE", "order", symbol="BTCUSDT", orderId="5") == -2011
    assert desk.refused("PUT", "order", symbol="BTCUSDT", orderId="5", side="BUY", quantity="1", price="1") == -2013
    assert desk.refused("DELETE", "algoOrder", algoId="5") == -2011
    assert desk.refused("GET", "algoOrder", clientAlgoId="x") == -2013
    done = desk.market()
    assert desk.refused("DELETE", "order", symbol="BTCUSDT", orderId=done["orderId"]) == -2011
    assert desk.refused("GET", "openOrder", symbol="BTCUSDT", orderId=done["orderId"]) == -2013
    assert desk.refused("GET", "order", symbol="ETHUSDT", orderId=done["orderId"]) == -2013


def test_switches_that_are_off_are_as_good_as_not_sent(desk):
    assert desk.order(price="49000", closePosition="false", reduceOnly="false")["status"] == "NEW"
    desk.market()
    algo = desk.algo(triggerPrice="49000", closePosition="true", reduceOnly="false")
    assert (algo["closePosition"], algo["reduceOnly"]) == (True, False)


@pytest.mark.parametrize("name", ["startTime", "endTime", "limit", "fromId"])
def test_a_number_that_is_empty_is_told_so(desk, name):
    assert desk.refused("GET", "aggTrades", symbol="BTCUSDT", **{name: ""}) == -1105
