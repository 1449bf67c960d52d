"""Random orders on a moving market: REST, user stream and the simulation's ledger say the same, to the last digit."""

from __future__ import annotations

import random
from decimal import Decimal as D

import pytest

from quantmind_venue.errors import VenueError

SYMBOLS = ("BTCUSDT", "ETHUSDT")
OPEN = {"NEW", "PARTIALLY_FILLED"}


class Replayed:
    """An account as a client sees it that has nothing but the user stream."""

    def __init__(self, balance):
        self.wallet = D(balance)
        self.positions = {}
        self.entries = {}
        self.orders = {}
        self.algos = {}
        self.trades = {}
        self.lite = set()
        self.earned = D(0)

    def take(self, message):
        kind = message["e"]
        if kind == "ORDER_TRADE_UPDATE":
            self._order(message["o"])
        elif kind == "ACCOUNT_UPDATE":
            (wallet,) = message["a"]["B"]
            self.wallet = D(wallet["wb"])
            for each in message["a"]["P"]:
                self.positions[each["s"]] = D(each["pa"])
                self.entries[each["s"]] = each["ep"]
            if message["a"]["m"] == "FUNDING_FEE":
                self.earned += D(wallet["bc"])
        elif kind == "ALGO_UPDATE":
            told = message["o"]
            before = self.algos.get(told["aid"])
            follows = {
                None: {"NEW"},
                "NEW": {"TRIGGERING", "CANCELED", "EXPIRED"},
                "TRIGGERING": {"TRIGGERED", "REJECTED", "EXPIRED"},
                "TRIGGERED": {"FINISHED"},
            }
            assert told["X"] in follows[before and before["X"]]
            self.algos[told["aid"]] = told
        elif kind == "TRADE_LITE":
            self.lite.add(message["t"])

    def _order(self, told):
        before = self.orders.get(told["i"])
        if before is None:
            assert (told["x"], told["X"]) == ("NEW", "NEW")
        else:
            assert before["X"] in OPEN, "nothing is heard of an order that ended"
            assert D(told["z"]) == D(before["z"]) + (D(told["l"]) if told["x"] in {"TRADE", "CALCULATED"} else 0)
        self.orders[told["i"]] = told
        if told["x"] in {"TRADE", "CALCULATED"}:
            assert told["t"] not in self.trades
            self.trades[told["t"]] = told
            self.earned += D(told["rp"]) - D(told["n"])


class Player:
    """Does at random what a client may do, and moves the market."""

    def __init__(self, desk, seed):
        self.desk = desk
        self.random = random.Random(seed)
        self.prices = {"BTCUSDT": 50_000.0, "ETHUSDT": 3_000.0}
        self.ticks = {"BTCUSDT": 0.1, "ETHUSDT": 0.01}
        self.done = {}

    def move(self):
        desk, draw = self.desk, self.random
        symbol = draw.choice(SYMBOLS)
        tick = self.ticks[symbol]
        price = self.prices[symbol] * (1 + draw.gauss(0, 0.0015))
        if draw.random() < 0.02:
            price *= 1 + draw.gauss(0, 0.02)
        self.prices[symbol] = price = round(round(price / tick) * tick, 2)
        size = draw.choice([0.0, 0.002, 0.05, 1.0, 20.0])
        desk.quote(price, round(price + tick * draw.randint(1, 5), 2), size, symbol, draw.choice([0.003, 0.2, 5.0]))
        if draw.random() < 0.4:
            desk.mark(round(price * (1 + draw.gauss(0, 0.0005)), 2), symbol)
        if draw.random() < 0.01:
            desk.board.settle(symbol, draw.choice([0.0001, -0.0003]), desk.clock.now(), price)
        desk.wait(draw.random())

    def price(self, symbol, spread=0.004):
        tick = self.ticks[symbol]
        digits = 1 if symbol == "BTCUSDT" else 2
        return f"{round(self.prices[symbol] * (1 + self.random.uniform(-spread, spread)) / tick) * tick:.{digits}f}"

    def quantity(self, symbol):
        least = 0.003 if symbol == "BTCUSDT" else 0.01
        return f"{least * self.random.choice([1, 2, 5, 20, 100]):.3f}"

    def sent(self):
        draw = self.random
        symbol = draw.choice(SYMBOLS)
        sent = {"symbol": symbol, "side": draw.choice(["BUY", "SELL"]), "quantity": self.quantity(symbol)}
        if draw.random() < 0.25:
            sent["reduceOnly"] = "true"
        return sent

    def order(self):
        draw, sent = self.random, self.sent()
        if draw.random() < 0.35:
            return sent | {"type": "MARKET", "newOrderRespType": draw.choice(["ACK", "RESULT"])}
        force = draw.choice(["GTC", "GTC", "GTC", "IOC", "FOK", "GTX"])
        return sent | {"type": "LIMIT", "timeInForce": force, "price": self.price(sent["symbol"])}

    def algo(self):
        draw, sent = self.random, self.sent() | {"algoType": "CONDITIONAL"}
        kind = draw.choice(["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
        sent["type"], sent["workingType"] = kind, draw.choice(["MARK_PRICE", "CONTRACT_PRICE"])
        if kind == "TRAILING_STOP_MARKET":
            return sent | {"callbackRate": draw.choice(["0.1", "0.5", "1"])}
        sent["triggerPrice"] = self.price(sent["symbol"])
        if kind in {"STOP", "TAKE_PROFIT"}:
            return sent | {"price": self.price(sent["symbol"]), "timeInForce": draw.choice(["GTC", "IOC", "GTX"])}
        if draw.random() < 0.4:
            del sent["quantity"]
            sent.pop("reduceOnly", None)
            sent |= {"closePosition": "true", "timeInForce": draw.choice(["GTC", "GTE_GTC"])}
        return sent

    def chosen(self):
        found = self.desk.call("GET", "openOrders")
        return self.random.choice(found) if found else None

    def act(self):
        draw = self.random.random()
        if draw < 0.50:
            self.call("POST", "order", **self.order())
        elif draw < 0.68:
            self.call("POST", "algoOrder", **self.algo())
        elif draw < 0.74:
            orders = [self.order() for _ in range(self.random.randint(1, 5))]
            self.call("POST", "batchOrders", batchOrders=orders)
        elif draw < 0.84:
            self.change()
        elif draw < 0.94:
            self.cancel()
        else:
            self.befall()

    def change(self):
        order = self.chosen()
        if order is not None:
            symbol = order["symbol"]
            sent = {"symbol": symbol, "orderId": str(order["orderId"]), "side": order["side"]}
            self.call("PUT", "order", **sent, quantity=self.quantity(symbol), price=self.price(symbol))

    def cancel(self):
        draw = self.random.random()
        if draw < 0.1:
            self.call("DELETE", "allOpenOrders", symbol=self.random.choice(SYMBOLS))
        elif draw < 0.2:
            self.call("DELETE", "algoOpenOrders", symbol=self.random.choice(SYMBOLS))
        elif draw < 0.3:
            self.call("POST", "countdownCancelAll", symbol=self.random.choice(SYMBOLS), countdownTime="3000")
        elif draw < 0.5 and (algos := self.desk.call("GET", "openAlgoOrders")):
            self.call("DELETE", "algoOrder", algoId=str(self.random.choice(algos)["algoId"]))
        elif (order := self.chosen()) is not None:
            self.call("DELETE", "order", symbol=order["symbol"], orderId=str(order["orderId"]))

    def befall(self):
        draw, symbol = self.random, self.random.choice(SYMBOLS)
        kind, arguments = draw.choice(
            [
                ("reject_stop", {}),
                ("change_position", {"symbol": symbol, "quantity": draw.choice(["0", "0.05", "-0.05"])}),
                ("adl", {"symbol": symbol, "quantity": "0.01"}),
                ("liquidate", {"symbol": symbol}),
                ("partial_fills", {"size": "0.004"}),
                ("partial_fills", {}),
            ]
        )
        if kind == "liquidate" and draw.random() < 0.7:
            return
        try:
            self.desk.account.inject(kind, **arguments)
            self.done[kind] = self.done.get(kind, 0) + 1
        except ValueError:
            pass

    def call(self, method, path, **sent):
        try:
            self.desk.call(method, path, **sent)
            name = f"{method} {sent.get('type', path)}"
        except VenueError as error:
            name = str(error.code)
        self.done[name] = self.done.get(name, 0) + 1


def every(desk, path, **sent):
    """Walk the pages of a list from its beginning."""
    rows, key = [], {"allOrders": "orderId", "userTrades": "fromId"}[path]
    named = {"allOrders": "orderId", "userTrades": "id"}[path]
    first = 0
    while page := desk.call("GET", path, **sent, **{key: str(first)}, limit="1000"):
        rows += page
        first = page[-1][named] + 1
    return rows


def agree(desk, replayed):
    account, engine = desk.account, desk.account.matching
    # The ledger of the simulation, the venue's books, and what the stream told.
    assert engine.account.wallet == account.ledger.wallet == replayed.wallet == D(10_000_000) + replayed.earned
    risks = {row["symbol"]: row for row in desk.call("GET", "v2/positionRisk")}
    shown = {row["symbol"]: row for row in desk.call("GET", "v3/account")["positions"]}
    for symbol in SYMBOLS:
        listed = desk.listing[symbol]
        position, book = engine.position(listed.symbol), account.ledger.position(listed).position
        assert (position.quantity, position.cost, position.realised, position.fees) == (
            book.quantity,
            book.cost,
            book.realised,
            book.fees,
        )
        assert D(risks[symbol]["positionAmt"]) == position.quantity == replayed.positions.get(symbol, 0)
        assert risks[symbol]["entryPrice"] == replayed.entries.get(symbol, "0.0")
        assert D(shown.get(symbol, risks[symbol])["positionAmt"]) == position.quantity
        price = engine.valued(listed.symbol)
        profit = position.quantity * price - position.cost
        assert D(risks[symbol]["unRealizedProfit"]) == round(profit, 8)
    (balance,) = desk.call("GET", "v3/balance")
    assert D(balance["balance"]) == engine.account.wallet
    assert D(desk.call("GET", "v2/account")["totalMarginBalance"]) == round(engine.account.equity(), 8)
    # Orders.
    orders = [order for symbol in SYMBOLS for order in every(desk, "allOrders", symbol=symbol)]
    assert {order["orderId"] for order in orders} == set(replayed.orders)
    for order in orders:
        told = replayed.orders[order["orderId"]]
        assert (order["status"], order["executedQty"], order["origQty"]) == (told["X"], told["z"], told["q"])
        assert order["price"] == told["p"]
        assert D(order["avgPrice"]) == D(told["ap"])
        assert order["clientOrderId"] == told["c"]
    working = {order["orderId"] for order in desk.call("GET", "openOrders")}
    assert working == {number for number, told in replayed.orders.items() if told["X"] in OPEN}
    waiting = {algo["algoId"] for algo in desk.call("GET", "openAlgoOrders")}
    assert waiting == {number for number, told in replayed.algos.items() if told["X"] == "NEW"}
    assert len(engine.orders) == len(working) + len(waiting)
    assert set(engine.orders) == set(account.outcomes.records)
    # Trades.
    trades = [trade for symbol in SYMBOLS for trade in every(desk, "userTrades", symbol=symbol)]
    assert {trade["id"] for trade in trades} == set(replayed.trades)
    assert replayed.lite == {number for number, told in replayed.trades.items() if told["x"] == "TRADE"}
    filled = {}
    for trade in trades:
        told = replayed.trades[trade["id"]]
        assert (trade["price"], trade["qty"], trade["commission"], trade["realizedPnl"], trade["maker"]) == (
            told["L"],
            told["l"],
            told["n"],
            told["rp"],
            told["m"],
        )
        filled[trade["orderId"]] = filled.get(trade["orderId"], 0) + D(trade["qty"])
    assert all(D(order["executedQty"]) == filled.get(order["orderId"], 0) for order in orders)
    assert engine.fills == len(trades) - len(account.outcomes.forced_orders)
    # Income, from its first row on.
    incomes, page = [], 1
    while rows := desk.call("GET", "income", page=str(page), limit="1000"):
        incomes += rows
        page += 1
    assert sum(D(row["income"]) for row in incomes) == engine.account.wallet


@pytest.mark.parametrize("seed", range(4))
def test_everything_agrees_after_a_thousand_random_orders(desks, seed):
    desk = desks(balance="10000000")
    desk.quote(50_000.0)
    desk.quote(3_000.0, symbol="ETHUSDT")
    desk.mark(50_000.0)
    desk.mark(3_000.0, "ETHUSDT")
    replayed = Replayed("10000000")
    desk.account.stream.listen(replayed.take)
    player = Player(desk, seed)
    while sum(count for name, count in player.done.items() if name.startswith(("POST", "-"))) < 1_000:
        player.act()
        if player.random.random() < 0.8:
            player.move()
    desk.wait(0.01)
    agree(desk, replayed)
    assert len(replayed.trades) > 300
    assert {told["X"] for told in replayed.algos.values()} >= {"FINISHED", "CANCELED", "REJECTED"}


def test_a_small_account_is_liquidated_and_still_agrees(desks):
    """With a balance that is gone soon there are refusals for margin and liquidations of the market's own."""
    desk = desks(balance="10000000")
    desk.quote(50_000.0)
    desk.quote(3_000.0, symbol="ETHUSDT")
    replayed = Replayed("10000000")
    desk.account.stream.listen(replayed.take)
    player = Player(desk, 7)
    for symbol in SYMBOLS:
        desk.call("POST", "leverage", symbol=symbol, leverage=50)
    for _ in range(40):
        player.call("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="100")
        player.move()
    for step in range(400):
        desk.quote(50_000.0 - 20 * step, size=20.0)
        desk.mark(50_000.0 - 20 * step)
        player.act()
    desk.wait(0.01)
    assert any(order.client.startswith("autoclose-") for order in desk.account.outcomes.forced_orders)
    agree(desk, replayed)
