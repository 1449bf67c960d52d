"""Conditional orders: held back by the venue until a price triggers them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from quantmind_venue.account.orders import Order
from quantmind_venue.errors import VenueError
from quantmind_venue.figures import plain
from quantmind_venue.listing import Listed

WAITING = frozenset({"NEW", "TRIGGERING"})
AT_MARKET = frozenset({"STOP_MARKET", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"})
TYPES = AT_MARKET | {"STOP", "TAKE_PROFIT"}


class AlgoOrder:
    """One conditional order of the account."""

    def __init__(
        self,
        number: int,
        client: str,
        listed: Listed,
        side: str,
        type: str,
        quantity: Decimal,
        price: Decimal | None,
        trigger: Decimal | None,
        time: int,
        time_in_force: str = "GTC",
        reduce_only: bool = False,
        close_position: bool = False,
        working_type: str = "CONTRACT_PRICE",
        rate: Decimal | None = None,
        activation: Decimal | None = None,
    ) -> None:
        self.id = number
        self.engine = f"a{number}"
        """What the matching engine calls it."""
        self.client = client
        self.listed = listed
        self.side = side
        self.type = type
        self.quantity = quantity
        self.price = price
        self.trigger = trigger
        self.time = self.update_time = time
        self.time_in_force = time_in_force
        self.reduce_only = reduce_only
        self.close_position = close_position
        self.working_type = working_type
        self.rate = rate
        """How far (%) a trailing stop follows."""
        self.activation = activation
        self.protect = False
        self.prevention = "EXPIRE_MAKER"
        self.good_till = 0
        self.status = "NEW"
        self.reason = ""
        self.trigger_time = 0
        self.order: Order | None = None
        """The order that it became."""

    @property
    def buys(self) -> bool:
        """Whether it buys."""
        return self.side == "BUY"

    @property
    def open(self) -> bool:
        """Whether it waits for its trigger."""
        return self.status in WAITING

    @property
    def actual_type(self) -> str:
        """The type of the order that it becomes."""
        return "MARKET" if self.type in AT_MARKET else "LIMIT"

    def _price(self, price: Decimal | None) -> str:
        return self.listed.price_text(price if price is not None else Decimal(0))

    def answer(self) -> dict[str, Any]:
        """Return what placing answers."""
        return {
            "algoId": self.id,
            "clientAlgoId": self.client,
            "algoType": "CONDITIONAL",
            "orderType": self.type,
            "symbol": self.listed.spelling,
            "side": self.side,
            "positionSide": "BOTH",
            "timeInForce": self.time_in_force,
            "quantity": self.listed.quantity_text(self.quantity),
            "algoStatus": self.status,
            "triggerPrice": self._price(self.trigger),
            "price": self._price(self.price),
            "icebergQuantity": None,
            "selfTradePreventionMode": self.prevention,
            "workingType": self.working_type,
            "priceMatch": "NONE",
            "closePosition": self.close_position,
            "priceProtect": self.protect,
            "reduceOnly": self.reduce_only,
            "activatePrice": self._price(self.activation) if self.activation is not None else "",
            "callbackRate": plain(self.rate) if self.rate is not None else "",
            "createTime": self.time,
            "updateTime": self.update_time,
            "triggerTime": self.trigger_time,
            "goodTillDate": self.good_till,
        }

    def queried(self) -> dict[str, Any]:
        """Return what queries answer; of trailing they tell only with an order that trails."""
        order = self.order
        zero = self._price(None)
        answer = self.answer()
        if self.rate is None:
            del answer["activatePrice"], answer["callbackRate"]
        return answer | {
            "actualOrderId": str(order.id) if order is not None else "",
            "actualPrice": order.average if order is not None else "0.00000",
            "actualType": self.actual_type,
            "actualQty": self.listed.quantity_text(order.filled if order is not None else Decimal(0)),
            "tpTriggerPrice": zero,
            "tpPrice": zero,
            "slTriggerPrice": zero,
            "slPrice": zero,
            "tpOrderType": "",
        }


class AlgoOrders:
    """The conditional orders of the account by their ids, in the order in which they came."""

    def __init__(self) -> None:
        self._all: dict[int, AlgoOrder] = {}
        self._waiting: dict[int, AlgoOrder] = {}
        self._clients: dict[str, AlgoOrder] = {}

    @property
    def waiting(self) -> Iterable[AlgoOrder]:
        """Those that wait for their trigger."""
        return self._waiting.values()

    def add(self, algo: AlgoOrder) -> None:
        """Take an order."""
        self._all[algo.id] = self._waiting[algo.id] = algo
        self._clients[algo.client] = algo

    def ended(self, algo: AlgoOrder) -> None:
        """Take note that an order waits no longer."""
        self._waiting.pop(algo.id, None)

    def taken(self, client: str) -> bool:
        """Say whether a waiting order has this client id."""
        algo = self._clients.get(client)
        return algo is not None and algo.open

    def known(self, number: int | None, client: str | None, code: int, words: str) -> AlgoOrder:
        """Return an order.

        Raises:
            VenueError: there is none, or nothing was said of it.
        """
        if number is None and client is None:
            raise VenueError(-1102, "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!")
        algo = self._all.get(number) if number is not None else self._clients.get(client or "")
        if algo is None:
            raise VenueError(code, words)
        return algo

    def of(self, spelling: str | None) -> list[AlgoOrder]:
        """Return those that wait, of a contract or of all."""
        return [algo for algo in self._waiting.values() if spelling is None or algo.listed.spelling == spelling]

    def every(self, spelling: str) -> list[AlgoOrder]:
        """Return all of a contract."""
        return [algo for algo in self._all.values() if algo.listed.spelling == spelling]
