"""Every private body has the keys and JSON types that Binance's own connector expects."""

from __future__ import annotations

import hashlib
import hmac
import json
import typing

import msgspec
import pytest
from binance_sdk_derivatives_trading_usds_futures.websocket_streams import models

from quantmind_venue.options import KEY, SECRET

NOT_KEPT = {
    "icebergQuantity": "the fixture has null written as the text 'None'",
    "isAutoAddMargin": "the fixture of the WebSocket API has it capitalised",
}
"""Keys whose type is not compared."""

LEFT_OUT = {
    "classic_portfolio_margin_account_information": "portfolio margin is another product",
    "futures_tradfi_perps_contract": "no such contract is listed",
    "order_status": "converting coins is another product",
    "accept_the_offered_quote": "same",
    "list_all_convert_pairs": "same",
    "send_quote_request": "same",
    "get_download_id_for_futures_order_history": "exports by mail are not traded by",
    "get_download_id_for_futures_trade_history": "same",
    "get_download_id_for_futures_transaction_history": "same",
    "get_futures_order_history_download_link_by_id": "same",
    "get_futures_trade_download_link_by_id": "same",
    "get_futures_transaction_history_download_link_by_id": "same",
    "get_position_margin_change_history": "margin of a position cannot be changed: the list is empty",
    "modify_isolated_position_margin": "refused: the margin of a position is its cost by its leverage",
    "futures_trading_quantitative_rules_indicators": "no rule is ever broken: there are no indicators",
    "change_position_mode": "refused: one-way only",
    "change_multi_assets_mode": "refused: one asset of margin",
}
"""What the venue does not answer with, and why."""

EMPTY_ON_PURPOSE = {"code", "msg"}
"""Keys of a batch that stand there only for what was refused."""


def lacking(expected, got, where=""):
    """Name what is not as it is expected: a key, or a type."""
    name = where.rpartition(".")[2]
    if name in NOT_KEPT:
        return []
    kind = int | float if isinstance(expected, int | float) else type(expected)
    if not isinstance(got, kind) or isinstance(got, bool) != isinstance(expected, bool):
        return [f"{where} is {got!r}, not {expected!r}"]
    if isinstance(expected, dict):
        optional = EMPTY_ON_PURPOSE if len(expected) > 3 else set()
        missing = [f"{where}.{key} is missing" for key in expected if key not in got and key not in optional]
        return missing + [
            text for key in expected if key in got for text in lacking(expected[key], got[key], f"{where}.{key}")
        ]
    if isinstance(expected, list) and expected:
        texts = [text for each in got for text in lacking(expected[0], each, f"{where}[]")]
        return texts if got else [f"{where} is empty"]
    return []


TRAILING = {"activatePrice", "priceRate"}
"""Of the fixture's orders only a trailing stop has these, and it is none of /order any more."""


def of_orders(expected):
    """Take away from a body what only conditional orders had before they went to an endpoint of their own."""
    if isinstance(expected, list):
        return [of_orders(each) for each in expected]
    if isinstance(expected, dict):
        return {key: of_orders(value) for key, value in expected.items() if key not in TRAILING or "algoId" in expected}
    return expected


@pytest.fixture(scope="module")
def bodies(data):
    return json.loads((data / "binance_usdm_fixtures" / "binance_sdk_expected_responses.json").read_text())


@pytest.fixture
def busy(desk):
    """An account with something of everything."""
    desk.market(quantity="0.100")
    desk.order(price="49000", newClientOrderId="open")
    desk.call("PUT", "order", symbol="BTCUSDT", origClientOrderId="open", side="BUY", quantity="0.010", price="49100")
    desk.order(price="48000", newClientOrderId="other")
    desk.algo(triggerPrice="45000", closePosition="true", clientAlgoId="stop")
    desk.algo(type="TRAILING_STOP_MARKET", callbackRate="1", quantity="0.010", reduceOnly="true")
    desk.account.inject("adl", symbol="BTCUSDT", quantity="0.010")
    desk.algo(triggerPrice="45000", closePosition="true", clientAlgoId="stop")
    desk.order(price="49000", newClientOrderId="open")
    desk.call("PUT", "order", symbol="BTCUSDT", origClientOrderId="open", side="BUY", quantity="0.010", price="49100")
    desk.order(price="48000", newClientOrderId="other")
    desk.call("POST", "listenKey")
    return desk


S = {"symbol": "BTCUSDT"}
LIMIT = S | {"side": "BUY", "type": "LIMIT", "quantity": "0.010", "price": "47000", "timeInForce": "GTC"}
STOP = S | {"algoType": "CONDITIONAL", "side": "SELL", "type": "STOP", "quantity": "0.010", "triggerPrice": "46000"}
STOP |= {"price": "45900"}
OPEN = S | {"origClientOrderId": "open"}
CHANGE = OPEN | {"side": "BUY", "quantity": "0.020", "price": "49200"}

REST = {
    "new_order": ("POST", "order", LIMIT),
    "test_order": ("POST", "order/test", LIMIT),
    "modify_order": ("PUT", "order", CHANGE),
    "cancel_order": ("DELETE", "order", OPEN),
    "query_order": ("GET", "order", OPEN),
    "query_current_open_order": ("GET", "openOrder", OPEN),
    "current_all_open_orders": ("GET", "openOrders", {}),
    "all_orders": ("GET", "allOrders", S),
    "cancel_all_open_orders": ("DELETE", "allOpenOrders", S),
    "auto_cancel_all_open_orders": ("POST", "countdownCancelAll", S | {"countdownTime": "100000"}),
    "place_multiple_orders": ("POST", "batchOrders", {"batchOrders": [LIMIT]}),
    "modify_multiple_orders": ("PUT", "batchOrders", {"batchOrders": [CHANGE]}),
    "cancel_multiple_orders": ("DELETE", "batchOrders", S | {"origClientOrderIdList": ["open"]}),
    "get_order_modify_history": ("GET", "orderAmendment", S),
    "account_trade_list": ("GET", "userTrades", S),
    "users_force_orders": ("GET", "forceOrders", {}),
    "new_algo_order": ("POST", "algoOrder", STOP),
    "cancel_algo_order": ("DELETE", "algoOrder", {"clientAlgoId": "stop"}),
    "query_algo_order": ("GET", "algoOrder", {"clientAlgoId": "stop"}),
    "current_all_algo_open_orders": ("GET", "openAlgoOrders", {}),
    "cancel_all_algo_open_orders": ("DELETE", "algoOpenOrders", S),
    "query_all_algo_orders": ("GET", "allAlgoOrders", S),
    "account_information_v2": ("GET", "v2/account", {}),
    "account_information_v3": ("GET", "v3/account", {}),
    "futures_account_balance_v2": ("GET", "v2/balance", {}),
    "futures_account_balance_v3": ("GET", "v3/balance", {}),
    "position_information_v2": ("GET", "v2/positionRisk", {}),
    "position_information_v3": ("GET", "v3/positionRisk", {}),
    "futures_account_configuration": ("GET", "accountConfig", {}),
    "symbol_configuration": ("GET", "symbolConfig", {}),
    "change_initial_leverage": ("POST", "leverage", S | {"leverage": "21"}),
    "notional_and_leverage_brackets": ("GET", "leverageBracket", S),
    "change_margin_type": ("POST", "marginType", {"symbol": "ETHUSDT", "marginType": "ISOLATED"}),
    "get_current_position_mode": ("GET", "positionSide/dual", {}),
    "get_current_multi_assets_mode": ("GET", "multiAssetsMargin", {}),
    "user_commission_rate": ("GET", "commissionRate", S),
    "get_income_history": ("GET", "income", {}),
    "query_user_rate_limit": ("GET", "rateLimit/order", {}),
    "position_adl_quantile_estimation": ("GET", "adlQuantile", {}),
    "get_bnb_burn_status": ("GET", "feeBurn", {}),
    "toggle_bnb_burn_on_futures_trade": ("POST", "feeBurn", {"feeBurn": "false"}),
    "start_user_data_stream": ("POST", "listenKey", {}),
    "keepalive_user_data_stream": ("PUT", "listenKey", {}),
}

MESSAGES = {
    "account_information": ("account.status", {}),
    "account_information_v2": ("v2/account.status", {}),
    "futures_account_balance": ("account.balance", {}),
    "futures_account_balance_v2": ("v2/account.balance", {}),
    "position_information": ("account.position", {}),
    "position_information_v2": ("v2/account.position", {}),
    "new_order": ("order.place", LIMIT),
    "modify_order": ("order.modify", CHANGE),
    "cancel_order": ("order.cancel", OPEN),
    "query_order": ("order.status", OPEN),
    "new_algo_order": ("algoOrder.place", STOP),
    "cancel_algo_order": ("algoOrder.cancel", {"clientAlgoId": "stop"}),
    "order_book": ("depth", S | {"limit": 5}),
    "symbol_order_book_ticker": ("ticker.book", S),
    "symbol_price_ticker": ("ticker.price", S),
    "start_user_data_stream": ("userDataStream.start", {}),
    "keepalive_user_data_stream": ("userDataStream.ping", {}),
    "close_user_data_stream": ("userDataStream.stop", {}),
}


@pytest.mark.parametrize("name", REST)
def test_rest(busy, bodies, name):
    method, path, sent = REST[name]
    got = msgspec.json.decode(msgspec.json.encode(busy.call(method, path, **sent)))
    expected = bodies[f"rest_api::{name}"]
    if name != "test_order":
        expected = of_orders(expected)
    assert lacking(expected, got) == []


def test_all_private_bodies_are_walked(busy, bodies):
    """What is neither answered nor public is in the table of what is left out."""
    from quantmind_venue.api import public

    names = {name.partition("::")[2] for name in bodies if name.startswith("rest_api::")}
    names = {name.removesuffix("_success_with_optional_params") for name in names}
    order = list(dict.fromkeys(name.partition("::")[2] for name in bodies if name.startswith("rest_api::")))
    first, last = order.index("adl_risk"), order.index("trading_schedule")
    market = {name.removesuffix("_success_with_optional_params") for name in order[first : last + 1]}
    assert public.routes(busy)
    assert names - market == REST.keys() | LEFT_OUT.keys()
    messages = {name.partition("::")[2] for name in bodies if name.startswith("websocket_api::")}
    assert {name for name in messages if not name.endswith("_success_with_optional_params")} == MESSAGES.keys()


def signed(clock, sent):
    sent = {"apiKey": KEY, "timestamp": clock.now()} | sent
    text = "&".join(f"{name}={sent[name]}" for name in sorted(sent))
    return sent | {"signature": hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()}


def ask(desk, method, sent):
    message = {"id": "one", "method": method, "params": signed(desk.clock, sent)}
    return msgspec.json.decode(msgspec.json.encode(desk.messages.answer(json.dumps(message))))


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(busy, bodies, name):
    busy.board.pits["BTCUSDT"].book.snapshot(busy.clock.ns(), 10, [(50_000.0, 5.0)], [(50_000.1, 5.0)])
    got = ask(busy, *MESSAGES[name])
    expected = of_orders(bodies[f"websocket_api::{name}"])
    if name == "order_book":
        # In the fixture the levels stand beside the result.
        expected["result"] |= {side: expected.pop(side) for side in ("bids", "asks")}
    assert lacking(expected, got) == []
    assert got["status"] == 200


def test_a_message_that_is_refused(busy):
    assert ask(busy, "order.place", LIMIT | {"side": "UP"}) == {
        "id": "one",
        "status": 400,
        "error": {"code": -1117, "msg": "Invalid side."},
        "rateLimits": [
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200, "count": 1},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 1},
        ],
    }
    assert ask(busy, "session.logon", {})["error"]["code"] == -1022
    assert ask(busy, "order.frobnicate", {})["error"]["code"] == -1020
    assert busy.messages.answer("{")["status"] == 400
    assert "rateLimits" not in ask(busy, "account.balance", {"returnRateLimits": False})
    unsigned = busy.messages.answer(json.dumps({"id": 1, "method": "account.balance", "params": {}}))
    assert unsigned["error"]["code"] == -1102


MODELS = {
    "ORDER_TRADE_UPDATE": models.OrderTradeUpdate,
    "ACCOUNT_UPDATE": models.AccountUpdate,
    "ALGO_UPDATE": models.AlgoUpdate,
    "ACCOUNT_CONFIG_UPDATE": models.AccountConfigUpdate,
    "TRADE_LITE": models.TradeLite,
    "MARGIN_CALL": models.MarginCall,
    "listenKeyExpired": models.ListenKeyExpired,
}
"""The fixture has no messages of the user stream: the connector's own types stand for it."""

SOMETIMES = {"additional_properties", "M", "AP", "cr", "ac", "ai", "ap", "aq", "act", "S", "e", "o", "gt", "ia"}
"""Keys that only some messages of a kind have."""


def strangers(model, told, where):
    """Name what a model of the connector does not know or lacks; raises where a type differs."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    texts = [f"{where}.{key} is missing" for key in fields if key not in told and key not in SOMETIMES]
    for key, value in told.items():
        if key not in fields:
            texts += [] if key in SOMETIMES | {"T", "E"} else [f"{where}.{key} is unknown"]
            continue
        inner = [each for each in typing.get_args(fields[key].annotation) if each is not type(None)]
        kind = inner[0] if inner else fields[key].annotation
        rows = value if isinstance(value, list) else [value]
        kind = typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind
        if hasattr(kind, "model_fields"):
            texts += [text for row in rows for text in strangers(kind, row, f"{where}.{key}")]
    return texts


def test_the_user_stream(busy):
    busy.call("POST", "leverage", symbol="BTCUSDT", leverage="21")
    busy.call("DELETE", "allOpenOrders", symbol="BTCUSDT")
    busy.call("DELETE", "algoOpenOrders", symbol="BTCUSDT")
    busy.market(quantity="3.500")
    busy.board.settle("BTCUSDT", 0.0001, busy.clock.now())
    for price in (48_500.0, 48_000.0, 47_700.0, 47_500.0, 47_300.0):
        busy.mark(price)
    busy.account.inject("expire_listen_key")
    kinds = {message["e"] for message in busy.told}
    assert kinds == MODELS.keys()
    for message in busy.told:
        decoded = msgspec.json.decode(msgspec.json.encode(message))
        model = MODELS[message["e"]]
        assert model.from_dict(decoded) is not None
        assert strangers(model, decoded, message["e"]) == []
