"""The venue's orders: what is kept of each, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from quantmind_venue.errors import VenueError
from quantmind_venue.figures import ZERO
from quantmind_venue.listing import Listed

OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})


class Order:
    """One order of the account."""

    __slots__ = (
        "activation",
        "amendments",
        "client",
        "close_position",
        "engine",
        "filled",
        "good_till",
        "id",
        "listed",
        "modification",
        "number",
        "original_type",
        "prevention",
        "price",
        "protect",
        "quantity",
        "quote",
        "rate",
        "reduce_only",
        "side",
        "status",
        "stop",
        "time",
        "time_in_force",
        "type",
        "update_time",
        "working_type",
    )

    def __init__(
        self,
        number: int,
        client: str,
        listed: Listed,
        side: str,
        type: str,
        quantity: Decimal,
        price: Decimal | None,
        time: int,
        time_in_force: str = "GTC",
        reduce_only: bool = False,
        engine: str = "",
    ) -> None:
        self.number = self.id = number
        self.engine = engine or str(number)
        """What the matching engine calls it."""
        self.client = client
        self.listed = listed
        self.side = side
        self.type = self.original_type = type
        self.quantity = quantity
        self.price = price
        self.time = self.update_time = time
        self.time_in_force = time_in_force
        self.reduce_only = reduce_only
        self.status = "NEW"
        self.filled = ZERO
        self.quote = ZERO
        """What was traded in the currency of prices."""
        self.stop: Decimal | None = None
        self.activation: Decimal | None = None
        self.rate: Decimal | None = None
        self.close_position = False
        self.protect = False
        self.working_type = "CONTRACT_PRICE"
        self.prevention = "EXPIRE_MAKER"
        self.good_till = 0
        self.amendments: list[dict[str, object]] = []
        self.modification: int | None = None
        """What the client calls its last change."""

    @property
    def buys(self) -> bool:
        """Whether it buys."""
        return self.side == "BUY"

    @property
    def open(self) -> bool:
        """Whether it may still trade."""
        return self.status in OPEN

    @property
    def left(self) -> Decimal:
        """What has not traded."""
        return self.quantity - self.filled

    @property
    def average(self) -> str:
        """The average price as it is written."""
        digits = max(self.listed.price_precision + 3, 5)
        if not self.filled:
            return "0.00000"
        return f"{self.quote / self.filled:.{digits}f}"

    @property
    def price_text(self) -> str:
        """The price as it is written; 0 for an order at market."""
        return self.listed.price_text(self.price) if self.price is not None else "0"

    def _common(self) -> dict[str, Any]:
        listed = self.listed
        return {
            "orderId": self.id,
            "symbol": listed.spelling,
            "status": self.status,
            "clientOrderId": self.client,
            "price": self.price_text,
            "avgPrice": self.average,
            "origQty": listed.quantity_text(self.quantity),
            "executedQty": listed.quantity_text(self.filled),
            "timeInForce": self.time_in_force,
            "type": self.type,
            "reduceOnly": self.reduce_only,
            "closePosition": self.close_position,
            "side": self.side,
            "positionSide": "BOTH",
            "stopPrice": listed.price_text(self.stop) if self.stop is not None else "0",
            "workingType": self.working_type,
            "priceProtect": self.protect,
            "origType": self.original_type,
            "priceMatch": "NONE",
            "selfTradePreventionMode": self.prevention,
            "goodTillDate": self.good_till,
            "updateTime": self.update_time,
        }

    def answer(self) -> dict[str, Any]:
        """Return what placing and cancelling answer."""
        body = self._common()
        body["cumQty"] = body["executedQty"]
        body["cumQuote"] = f"{self.quote:f}"
        return body

    def queried(self) -> dict[str, Any]:
        """Return what queries answer."""
        body = self._common()
        body["cumQuote"] = f"{self.quote:f}"
        body["time"] = self.time
        return body

    def amended(self) -> dict[str, Any]:
        """Return what a change answers."""
        body = self.answer()
        body["pair"] = self.listed.spelling
        body["modifyId"] = len(self.amendments) if self.modification is None else self.modification
        return body


class Orders:
    """The orders of the account by their ids, in the order in which they came."""

    def __init__(self) -> None:
        self._all: dict[int, Order] = {}
        self._open: dict[int, Order] = {}
        self._clients: dict[tuple[str, str], Order] = {}
        """The last order of each client id."""
        self._counts: dict[str, int] = {}

    def __iter__(self) -> Iterator[Order]:
        return iter(self._all.values())

    @property
    def open(self) -> Iterable[Order]:
        """The open orders."""
        return self._open.values()

    def add(self, order: Order) -> None:
        """Take an order."""
        self._all[order.id] = self._open[order.id] = order
        spelling = order.listed.spelling
        self._clients[spelling, order.client] = order
        self._counts[spelling] = self._counts.get(spelling, 0) + 1

    def ended(self, order: Order) -> None:
        """Take note that an order is no longer open."""
        if self._open.pop(order.id, None) is not None:
            self._counts[order.listed.spelling] -= 1

    def count(self, spelling: str) -> int:
        """Return how many orders of a contract are open."""
        return self._counts.get(spelling, 0)

    def taken(self, spelling: str, client: str) -> bool:
        """Say whether an open order has this client id."""
        order = self._clients.get((spelling, client))
        return order is not None and order.open

    def find(self, spelling: str, number: int | None, client: str | None) -> Order | None:
        """Return an order by its id, else by its client id."""
        if number is not None:
            order = self._all.get(number)
            return order if order is not None and order.listed.spelling == spelling else None
        return self._clients.get((spelling, client)) if client is not None else None

    def known(self, spelling: str, number: int | None, client: str | None, code: int, words: str) -> Order:
        """Return an order.

        Raises:
            VenueError: there is none, or nothing was said of it.
        """
        if number is None and client is None:
            raise VenueError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        order = self.find(spelling, number, client)
        if order is None:
            raise VenueError(code, words)
        return order

    def of(self, spelling: str | None) -> list[Order]:
        """Return the open orders of a contract, or of all."""
        return [order for order in self._open.values() if spelling is None or order.listed.spelling == spelling]
