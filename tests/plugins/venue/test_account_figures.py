"""The account's figures, its settings, and what befalls it."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.market.instruments import KNOWN
from quantmind.simulation.liquidation import liquidation_price


class TestFigures:
    def test_a_position_is_valued_at_the_mark(self, desk):
        desk.market(quantity="0.100")
        desk.mark(51_000.0)
        (risk,) = desk.call("GET", "v3/positionRisk", symbol="BTCUSDT")
        assert (risk["positionAmt"], risk["entryPrice"]) == ("0.100", "50000.10000000")
        assert D(risk["unRealizedProfit"]) == D("99.99")
        assert D(risk["notional"]) == 5100
        assert D(risk["positionInitialMargin"]) == 255
        assert D(risk["maintMargin"]) == D("20.4")
        (balance,) = desk.call("GET", "v3/balance")
        wallet = 10_000 - D("5000.01") * D("0.0005")
        assert D(balance["balance"]) == wallet
        assert D(balance["availableBalance"]) == wallet + D("99.99") - 255
        account = desk.call("GET", "v3/account")
        assert D(account["totalMarginBalance"]) == wallet + D("99.99")

    def test_break_even_pays_the_fees(self, desk):
        desk.market("SELL", quantity="0.100")
        (risk,) = desk.call("GET", "v2/positionRisk", symbol="BTCUSDT")
        assert D(risk["breakEvenPrice"]) == 50_000 - D("2.5") / D("0.1")

    def test_resting_orders_ask_for_margin(self, desk):
        desk.order(price="49000", quantity="0.100")
        desk.order("SELL", price="51000", quantity="0.050")
        account = desk.call("GET", "v3/account")
        assert D(account["totalOpenOrderInitialMargin"]) == (4900 + 2550) / D(20)
        desk.market(quantity="0.010")
        account = desk.call("GET", "v3/account")
        assert D(account["totalOpenOrderInitialMargin"]) == 4900 / D(20)

    def test_the_liquidation_price_is_the_venues_formula(self, desk):
        """LP = (WB - TMM + UPNL + cum - side*pos*entry) / (pos*MMR - side*pos)."""
        desk.market(quantity="1.500")
        desk.quote(3000.0, symbol="ETHUSDT")
        desk.mark(3000.0, symbol="ETHUSDT")
        desk.market("SELL", "2.000", symbol="ETHUSDT")
        wallet = desk.account.ledger.wallet
        eth_cost = D("-6000")
        other = -(KNOWN["ETH/USDT:USDT"].maintenance(D(6000))) + (D("-6000") - eth_cost)
        rate, amount = D("0.005"), D("50")
        expected = (wallet + other + amount - D("1.5") * D("50000.1")) / (D("1.5") * rate - D("1.5"))
        (risk,) = desk.call("GET", "v2/positionRisk", symbol="BTCUSDT")
        assert abs(D(risk["liquidationPrice"]) - expected) < D("1E-7")

    def test_an_isolated_position_is_backed_by_its_own_margin(self, desk):
        desk.call("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
        desk.call("POST", "leverage", symbol="BTCUSDT", leverage=50)
        desk.market(quantity="0.100")
        (risk,) = desk.call("GET", "v2/positionRisk", symbol="BTCUSDT")
        cost = D("5000.01")
        assert (risk["marginType"], D(risk["isolatedWallet"])) == ("isolated", cost / 50)
        expected = liquidation_price(KNOWN["BTC/USDT:USDT"], D("0.1"), cost, cost / 50)
        assert abs(D(risk["liquidationPrice"]) - expected) < D("1E-7")
        (balance,) = desk.call("GET", "v2/balance")
        assert D(balance["crossWalletBalance"]) == D(balance["balance"]) - cost / 50
        desk.mark(float(expected) - 1)
        assert desk.position() == 0
        assert desk.account.ledger.wallet >= 10_000 - cost / 50 - cost * D("0.0005")

    def test_funding(self, desk):
        desk.market(quantity="0.100")
        before = desk.account.ledger.wallet
        desk.board.settle("BTCUSDT", 0.0001, desk.clock.now(), 51_000.0)
        assert desk.account.ledger.wallet == before - D("0.51")
        told = desk.events("ACCOUNT_UPDATE")[-1]["a"]
        assert (told["m"], told["P"], told["S"], D(told["B"][0]["bc"])) == ("FUNDING_FEE", [], "BTCUSDT", D("-0.51"))
        (income,) = desk.call("GET", "income", incomeType="FUNDING_FEE")
        assert D(income["income"]) == D("-0.51")

    def test_incomes_add_up_to_the_wallet(self, desk):
        desk.market(quantity="0.100")
        desk.quote(50_100.0)
        desk.market("SELL", quantity="0.060")
        rows = desk.call("GET", "income")
        assert [row["incomeType"] for row in rows] == ["TRANSFER", "COMMISSION", "REALIZED_PNL", "COMMISSION"]
        assert sum(D(row["income"]) for row in rows) == desk.account.ledger.wallet
        assert [row["incomeType"] for row in desk.call("GET", "income", page="2", limit="3")] == ["COMMISSION"]


class TestSettings:
    def test_leverage_is_each_contracts_own(self, desk):
        answer = desk.call("POST", "leverage", symbol="BTCUSDT", leverage=5)
        assert answer == {"leverage": 5, "maxNotionalValue": "480000000", "symbol": "BTCUSDT"}
        assert desk.events("ACCOUNT_CONFIG_UPDATE")[-1]["ac"] == {"s": "BTCUSDT", "l": 5}
        sent = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "newOrderRespType": "RESULT"}
        assert desk.refused("POST", "order", **sent, quantity="1.100") == -2019
        assert desk.call("POST", "order", **sent, quantity="0.900")["status"] == "FILLED"
        rows = {row["symbol"]: row["leverage"] for row in desk.call("GET", "symbolConfig")}
        assert rows == {"BTCUSDT": 5, "ETHUSDT": 20}
        desk.quote(3000.0, size=20.0, symbol="ETHUSDT")
        eth = sent | {"symbol": "ETHUSDT"}
        assert desk.refused("POST", "order", **eth, quantity="10") == -2019
        assert desk.call("POST", "order", **eth, quantity="6")["status"] == "FILLED"

    def test_margin_type(self, desk):
        assert desk.refused("POST", "marginType", symbol="BTCUSDT", marginType="CROSSED") == -4046
        assert desk.refused("POST", "marginType", symbol="BTCUSDT", marginType="NONE") == -1130
        desk.order(price="49000")
        assert desk.refused("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED") == -4047
        desk.call("DELETE", "allOpenOrders", symbol="BTCUSDT")
        desk.market()
        assert desk.refused("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED") == -4048
        assert desk.refused("POST", "positionMargin", symbol="BTCUSDT", amount="1", type="1") == -4051

    def test_what_it_cannot_do_it_refuses(self, desk):
        assert desk.refused("POST", "positionSide/dual", dualSidePosition="false") == -4059
        assert desk.refused("POST", "positionSide/dual", dualSidePosition="true") == -4084
        assert desk.call("GET", "positionSide/dual") == {"dualSidePosition": False}
        assert desk.refused("POST", "multiAssetsMargin", multiAssetsMargin="true") == -4084
        assert desk.refused("POST", "feeBurn", feeBurn="true") == -4084

    def test_brackets(self, desk):
        (btc,) = desk.call("GET", "leverageBracket", symbol="BTCUSDT")
        first, second = btc["brackets"][:2]
        assert (first["initialLeverage"], first["notionalCap"], first["maintMarginRatio"]) == (125, 50_000, 0.004)
        assert (second["initialLeverage"], second["cum"]) == (100, 50.0)


class TestListenKey:
    def test_it_is_good_for_an_hour_and_kept_alive(self, desk):
        key = desk.call("POST", "listenKey")["listenKey"]
        assert desk.call("POST", "listenKey")["listenKey"] == key
        desk.wait(3599)
        assert desk.call("PUT", "listenKey")["listenKey"] == key
        desk.wait(3599)
        assert desk.account.stream.key == key
        desk.wait(1)
        assert desk.events("listenKeyExpired")[-1]["listenKey"] == key
        assert desk.refused("PUT", "listenKey") == -1125
        assert desk.call("POST", "listenKey")["listenKey"] != key

    def test_it_ends(self, desk):
        desk.call("POST", "listenKey")
        assert desk.call("DELETE", "listenKey") == {}
        assert desk.refused("PUT", "listenKey") == -1125

    def test_it_expires_when_told(self, desk):
        key = desk.call("POST", "listenKey")["listenKey"]
        desk.account.inject("expire_listen_key")
        assert desk.told[-1] == {"e": "listenKeyExpired", "E": desk.clock.now(), "listenKey": key}


class TestTampering:
    def test_a_position_changed_by_hand(self, desk):
        for quantity, side in (("0.010", "BUY"), ("-0.005", "SELL"), ("0", "BUY")):
            desk.account.inject("change_position", symbol="BTCUSDT", quantity=quantity)
            assert desk.position() == D(quantity)
            told = desk.events("ORDER_TRADE_UPDATE")[-1]["o"]
            assert (told["S"], told["X"], told["c"][:4]) == (side, "FILLED", "web_")

    def test_liquidation(self, desk):
        desk.market(quantity="0.100")
        desk.order(price="49000")
        stop = desk.algo(triggerPrice="49000", closePosition="true")
        heard = []
        desk.board.hub.publish = lambda stream, payload: heard.append((stream, payload))
        desk.account.inject("liquidate", symbol="BTCUSDT", price="49500")
        assert desk.position() == 0
        order = desk.call("GET", "forceOrders", symbol="BTCUSDT")[0]
        assert order["clientOrderId"].startswith("autoclose-")
        assert (order["side"], order["status"], order["avgPrice"]) == ("SELL", "FILLED", "49500.00000")
        states = [(each["o"]["x"], each["o"]["X"]) for each in desk.events("ORDER_TRADE_UPDATE")]
        assert states[-3:] == [("CANCELED", "CANCELED"), ("NEW", "NEW"), ("CALCULATED", "FILLED")]
        assert desk.call("GET", "algoOrder", algoId=str(stop["algoId"]))["algoStatus"] == "CANCELED"
        assert D(desk.call("GET", "income", incomeType="INSURANCE_CLEAR")[0]["income"]) == D("-4950") * D("0.0125")
        assert "btcusdt@forceOrder" in [stream for stream, _ in heard]
        assert desk.account.ledger.wallet == desk.account.matching.account.wallet

    def test_the_market_liquidates_too_after_a_warning(self, desk):
        desk.market(quantity="3.900")
        for price in (48_500.0, 47_900.0, 47_700.0, 47_500.0):
            desk.mark(price)
        assert len(desk.events("MARGIN_CALL")) == 1
        desk.mark(47_000.0)
        assert desk.position() == 0
        assert desk.events("ORDER_TRADE_UPDATE")[-1]["o"]["c"].startswith("autoclose-")

    def test_adl_takes_a_part_without_a_fee(self, desk):
        desk.market("SELL", quantity="0.100")
        desk.account.inject("adl", symbol="BTCUSDT", price="49000", quantity="0.040")
        assert desk.position() == D("-0.060")
        told = desk.events("ORDER_TRADE_UPDATE")[-1]["o"]
        assert (told["c"], told["S"], told["x"], told["n"]) == ("adl_autoclose", "BUY", "CALCULATED", "0.00000000")
        assert len(desk.call("GET", "forceOrders", autoCloseType="ADL")) == 1
        assert desk.call("GET", "forceOrders", autoCloseType="LIQUIDATION") == []

    def test_settlement(self, desk):
        desk.market()
        desk.account.inject("settle", symbol="BTCUSDT")
        assert desk.events("ORDER_TRADE_UPDATE")[-1]["o"]["c"].startswith("settlement_autoclose-")

    @pytest.mark.parametrize(
        ("kind", "arguments", "words"),
        [
            ("fire", {}, "nothing that happens to an account"),
            ("liquidate", {}, "missing a required argument: 'symbol'"),
            ("liquidate", {"symbol": "NOPE"}, "Invalid symbol"),
            ("liquidate", {"symbol": "BTCUSDT"}, "there is no position of BTCUSDT"),
            ("adl", {"symbol": "BTCUSDT", "price": "1"}, "there is no position of BTCUSDT"),
            ("change_position", {"symbol": "BTCUSDT", "quantity": "many"}, "quantity must be a number, was 'many'"),
            ("change_position", {"symbol": "BTCUSDT", "quantity": "50"}, "Margin is insufficient"),
            ("partial_fills", {"size": 0}, "size must be greater than 0, was 0"),
            ("reject_stop", {"count": -1}, "count must be at least 0, was -1"),
            ("expire_listen_key", {"when": 1}, "unexpected keyword argument 'when'"),
        ],
    )
    def test_what_cannot_be(self, desk, kind, arguments, words):
        with pytest.raises(ValueError, match=words):
            desk.account.inject(kind, **arguments)
