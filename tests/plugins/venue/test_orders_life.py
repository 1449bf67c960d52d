"""The life of an order: how it is filled, changed, cancelled, and told of."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.market.book import Change


def executions(desk):
    return [(each["o"]["x"], each["o"]["X"]) for each in desk.events("ORDER_TRADE_UPDATE")]


class TestMarket:
    def test_with_result_the_answer_has_the_fill(self, desk):
        answer = desk.market()
        assert (answer["status"], answer["executedQty"], answer["avgPrice"]) == ("FILLED", "0.010", "50000.10000")
        assert D(answer["cumQuote"]) == D("500.001")
        kinds = [message["e"] for message in desk.told]
        assert kinds == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]

    def test_without_the_answer_is_new_and_the_fill_is_on_the_stream(self, desk):
        answer = desk.order(type="MARKET")
        assert (answer["status"], answer["executedQty"]) == ("NEW", "0.000")
        assert executions(desk) == [("NEW", "NEW"), ("TRADE", "FILLED")]

    def test_it_walks_the_book(self, desk):
        book = desk.board.pits["BTCUSDT"].book
        book.snapshot(desk.clock.ns(), 10, [(50_000.0, 5.0)], [(50_000.1, 0.02), (50_000.5, 0.01), (50_001.0, 9.0)])
        desk.quote(50_000.0, size=0.02)
        answer = desk.market(quantity="0.050")
        trades = desk.call("GET", "userTrades", symbol="BTCUSDT")
        assert [(each["price"], each["qty"]) for each in trades] == [
            ("50000.10", "0.020"),
            ("50000.50", "0.010"),
            ("50001.00", "0.020"),
        ]
        assert answer["status"] == "FILLED"
        # What is taken is gone for the next order, until the next quote shows what there is.
        desk.market()
        assert desk.call("GET", "userTrades", symbol="BTCUSDT")[-1]["price"] == "50001.00"
        desk.quote(50_000.0, size=0.02)
        desk.market()
        assert desk.call("GET", "userTrades", symbol="BTCUSDT")[-1]["price"] == "50000.10"

    def test_what_is_not_to_be_had_is_filled_later(self, desk):
        desk.quote(50_000.0, size=0.004)
        answer = desk.market()
        assert (answer["status"], answer["executedQty"]) == ("PARTIALLY_FILLED", "0.004")
        desk.quote(50_000.0, size=0.004)
        desk.quote(50_000.0, size=0.004)
        assert executions(desk)[-1] == ("TRADE", "FILLED")
        assert desk.position() == D("0.010")

    def test_one_that_can_no_longer_be_paid_expires(self, desk):
        desk.quote(50_000.0, size=0.0001)
        order = desk.order(type="MARKET", quantity="0.010")
        assert order["status"] == "NEW"
        assert len(desk.call("GET", "openOrders", symbol="BTCUSDT")) == 1


class TestLimit:
    def test_one_at_a_worse_price_fills_at_once_as_taker(self, desk):
        answer = desk.order(price="50100", newOrderRespType="RESULT")
        assert (answer["status"], answer["avgPrice"]) == ("FILLED", "50000.10000")
        assert desk.call("GET", "userTrades", symbol="BTCUSDT")[0]["maker"] is False

    def test_one_that_rests_fills_at_its_price_as_maker(self, desk):
        order = desk.order(price="49900")
        assert order["status"] == "NEW"
        desk.quote(49_899.9, 49_900.0, size=0.004)
        assert desk.call("GET", "order", symbol="BTCUSDT", orderId=order["orderId"])["status"] == "PARTIALLY_FILLED"
        desk.quote(49_850.0)
        found = desk.call("GET", "order", symbol="BTCUSDT", orderId=order["orderId"])
        assert (found["status"], found["avgPrice"]) == ("FILLED", "49900.00000")
        assert all(each["maker"] for each in desk.call("GET", "userTrades", symbol="BTCUSDT"))

    def test_immediate_or_cancel(self, desk):
        desk.quote(50_000.0, size=0.004)
        answer = desk.order(price="50000.1", timeInForce="IOC", newOrderRespType="RESULT")
        assert (answer["status"], answer["executedQty"]) == ("EXPIRED", "0.004")
        assert executions(desk)[-1] == ("EXPIRED", "EXPIRED")

    def test_fill_or_kill(self, desk):
        desk.quote(50_000.0, size=0.004)
        sent = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "price": "50000.1", "timeInForce": "FOK"}
        assert desk.refused("POST", "order", **sent, quantity="0.010") == -5021
        assert desk.call("POST", "order", **sent, quantity="0.004", newOrderRespType="RESULT")["status"] == "FILLED"

    def test_good_till_date(self, desk):
        until = desk.clock.now() + 700_000
        order = desk.order(price="49000", timeInForce="GTD", goodTillDate=str(until))
        desk.wait(600)
        assert desk.call("GET", "order", symbol="BTCUSDT", orderId=order["orderId"])["status"] == "NEW"
        desk.wait(100)
        assert desk.call("GET", "order", symbol="BTCUSDT", orderId=order["orderId"])["status"] == "EXPIRED"

    def test_a_reduce_only_order_ends_when_there_is_nothing_left_to_reduce(self, desk):
        desk.market()
        order = desk.order("SELL", price="51000", reduceOnly="true")
        desk.account.inject("change_position", symbol="BTCUSDT", quantity="0.004")
        desk.quote(51_000.0)
        found = desk.call("GET", "order", symbol="BTCUSDT", orderId=order["orderId"])
        assert (found["status"], found["executedQty"]) == ("EXPIRED", "0.004")
        assert desk.position() == 0


class TestChanges:
    def amend(self, desk, order, **more):
        sent = {"symbol": "BTCUSDT", "orderId": str(order["orderId"]), "side": "BUY", "quantity": "0.010"}
        return desk.call("PUT", "order", **(sent | more))

    def test_price_and_quantity(self, desk):
        order = desk.order(price="49000")
        changed = self.amend(desk, order, price="49100", quantity="0.020")
        assert (changed["price"], changed["origQty"], changed["modifyId"]) == ("49100.00", "0.020", 1)
        assert changed["orderId"] == order["orderId"]
        assert executions(desk)[-1] == ("AMENDMENT", "NEW")
        (row,) = desk.call("GET", "orderAmendment", symbol="BTCUSDT", orderId=str(order["orderId"]))
        assert row["amendment"]["price"] == {"before": "49000.00", "after": "49100.00"}

    def test_a_change_may_have_a_name(self, desk):
        order = desk.order(price="49000")
        assert self.amend(desk, order, price="49100", modifyId="77")["modifyId"] == 77
        assert desk.events("ORDER_TRADE_UPDATE")[-1]["o"]["M"] == "77"

    def test_one_that_crosses_is_filled_at_once(self, desk):
        order = desk.order(price="49000")
        assert self.amend(desk, order, price="50000.1")["status"] == "FILLED"

    def test_down_to_what_is_filled_it_is_cancelled(self, desk):
        order = desk.order(price="49900")
        desk.quote(49_899.9, 49_900.0, size=0.004)
        assert self.amend(desk, order, price="49900", quantity="0.004")["status"] == "CANCELED"

    def test_refusals(self, desk):
        order = desk.order(price="49000")
        sent = {"symbol": "BTCUSDT", "orderId": str(order["orderId"]), "side": "BUY", "quantity": "0.010"}
        assert desk.refused("PUT", "order", **sent, price="49000") == -5027
        assert desk.refused("PUT", "order", **sent) == -1102
        assert desk.refused("PUT", "order", **(sent | {"side": "SELL"}), price="49001") == -1130
        assert desk.refused("PUT", "order", **sent, price="60000") == -4016
        assert desk.call("GET", "order", symbol="BTCUSDT", orderId=str(order["orderId"]))["price"] == "49000.00"

    def test_one_that_finds_no_margin_has_ended(self, desk):
        order = desk.order(price="49000")
        sent = {"symbol": "BTCUSDT", "orderId": str(order["orderId"]), "side": "BUY"}
        assert desk.refused("PUT", "order", **sent, quantity="50", price="49000") == -2019
        assert desk.call("GET", "order", symbol="BTCUSDT", orderId=str(order["orderId"]))["status"] == "EXPIRED"

    def test_cancels(self, desk):
        orders = [desk.order(price=price) for price in ("49000", "49100", "49200")]
        answer = desk.call("DELETE", "order", symbol="BTCUSDT", orderId=str(orders[0]["orderId"]))
        assert answer["status"] == "CANCELED"
        assert len(desk.call("GET", "openOrders")) == 2
        desk.algo(triggerPrice="48000", quantity="0.010")
        desk.call("DELETE", "allOpenOrders", symbol="BTCUSDT")
        assert desk.call("GET", "openOrders") == []
        assert len(desk.call("GET", "openAlgoOrders")) == 1, "conditional orders are cancelled by themselves"

    def test_the_countdown_runs_by_the_venues_clock(self, desk):
        desk.order(price="49000")
        desk.algo(triggerPrice="48000", quantity="0.010")
        assert desk.call("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime="5000") == {
            "symbol": "BTCUSDT",
            "countdownTime": "5000",
        }
        desk.wait(4)
        desk.call("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime="5000")
        desk.wait(4)
        assert len(desk.call("GET", "openOrders")) == 1
        desk.wait(1)
        assert desk.call("GET", "openOrders") == []
        assert len(desk.call("GET", "openAlgoOrders")) == 1
        desk.order(price="49000")
        desk.call("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime="5000")
        desk.call("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime="0")
        desk.wait(60)
        assert len(desk.call("GET", "openOrders")) == 1


class TestBatches:
    def test_each_is_answered_by_itself(self, desk):
        good = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "timeInForce": "GTC"}
        orders = [good | {"price": "49000"}, good | {"price": "1.05"}, good | {"price": 49_100, "reduceOnly": False}]
        answers = desk.call("POST", "batchOrders", batchOrders=orders)
        assert [each.get("status", each.get("code")) for each in answers] == ["NEW", -4014, "NEW"]
        changes = [
            {
                "symbol": "BTCUSDT",
                "orderId": answers[0]["orderId"],
                "side": "BUY",
                "quantity": "0.02",
                "price": "49000",
            },
            {"symbol": "BTCUSDT", "orderId": 7, "side": "BUY", "quantity": "0.02", "price": "49000"},
        ]
        changed = desk.call("PUT", "batchOrders", batchOrders=changes)
        assert [each.get("origQty", each.get("code")) for each in changed] == ["0.020", -2013]
        numbers = [answers[0]["orderId"], answers[0]["orderId"], answers[2]["orderId"]]
        cancelled = desk.call("DELETE", "batchOrders", symbol="BTCUSDT", orderIdList=numbers)
        assert [each.get("status", each.get("code")) for each in cancelled] == ["CANCELED", -2011, "CANCELED"]

    @pytest.mark.parametrize(
        ("code", "orders"), [(-1130, "x"), (-1130, "{}"), (-1130, "[]"), (-1130, "[1]"), (-4082, str([{}] * 6))]
    )
    def test_refusals(self, desk, code, orders):
        assert desk.refused("POST", "batchOrders", batchOrders=orders) == code


class TestQueries:
    def test_pages(self, desk):
        made = [desk.market(side) for side in ("BUY", "SELL") * 3]
        orders = desk.call("GET", "allOrders", symbol="BTCUSDT", limit="2")
        assert [each["orderId"] for each in orders] == [each["orderId"] for each in made[-2:]]
        orders = desk.call("GET", "allOrders", symbol="BTCUSDT", orderId=str(made[1]["orderId"]), limit="2")
        assert [each["orderId"] for each in orders] == [each["orderId"] for each in made[1:3]]
        assert [each["id"] for each in desk.call("GET", "userTrades", symbol="BTCUSDT", fromId="3", limit="2")] == [
            3,
            4,
        ]
        one = desk.call("GET", "userTrades", symbol="BTCUSDT", orderId=str(made[2]["orderId"]))
        assert [each["orderId"] for each in one] == [made[2]["orderId"]]
        now = desk.clock.now()
        assert len(desk.call("GET", "userTrades", symbol="BTCUSDT", startTime=str(now), endTime=str(now))) == 6
        assert desk.call("GET", "userTrades", symbol="BTCUSDT", startTime=str(now + 1)) == []
        assert desk.refused("GET", "userTrades", symbol="BTCUSDT", startTime="2", endTime="1") == -1023
        assert desk.refused("GET", "allOrders", symbol="BTCUSDT", startTime="0", endTime=str(8 * 86_400_000)) == -4165
        assert desk.refused("GET", "allOrders", symbol="BTCUSDT", limit="1001") == -1130


def test_changes_of_the_book_are_what_the_market_order_meets(desk):
    book = desk.board.pits["BTCUSDT"].book
    book.snapshot(desk.clock.ns(), 10, [(50_000.0, 5.0)], [(50_000.1, 0.004), (50_010.0, 9.0)])
    book.update(Change(desk.clock.ns(), 11, 11, 10, [], [(50_005.0, 1.0)]))
    desk.quote(50_000.0, size=0.004)
    desk.market()
    assert desk.call("GET", "userTrades", symbol="BTCUSDT")[-1]["price"] == "50005.00"


def test_only_limit_orders_are_changed(desk):
    desk.quote(50_000.0, size=0.004)
    order = desk.market()
    sent = {"symbol": "BTCUSDT", "orderId": str(order["orderId"]), "side": "BUY", "quantity": "0.020"}
    assert desk.refused("PUT", "order", **sent, price="49000") == -1116
