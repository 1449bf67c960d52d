"""The private REST API of orders: placing, changing, cancelling and asking for them, and the trades they made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from quantmind_venue.account.orders import Order
from quantmind_venue.api import private_account, private_algo, retired
from quantmind_venue.api.parameters import integer, invalid, limited, page, span, text
from quantmind_venue.api.route import Parameters, Route
from quantmind_venue.api.signing import missing, text_of
from quantmind_venue.errors import VenueError

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

_BATCH = 5
_CANCELS = 10
_DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}
_NO_ORDER = "Order does not exist."


def _place(venue: Venue, sent: Parameters) -> object:
    return venue.account.place(sent)


def _test(venue: Venue, sent: Parameters) -> object:
    return venue.account.test(sent)


def _amend(venue: Venue, sent: Parameters) -> object:
    return venue.account.amend(sent)


def _cancel(venue: Venue, sent: Parameters) -> object:
    return venue.account.cancel(sent)


def _query(venue: Venue, sent: Parameters) -> object:
    return venue.account.known(sent, -2013, _NO_ORDER).queried()


def _open_order(venue: Venue, sent: Parameters) -> object:
    order = venue.account.known(sent, -2013, _NO_ORDER)
    if not order.open:
        raise VenueError(-2013, _NO_ORDER)
    return order.queried()


def _open_orders(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[sent["symbol"]].spelling if "symbol" in sent else None
    return [order.queried() for order in venue.account.orders.of(spelling)]


def _all_orders(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[text(sent, "symbol")].spelling
    rows = (order for order in venue.account.orders if order.listed.spelling == spelling)
    bodies = [order.queried() for order in page(sent, "orderId", rows)]
    return [body | {"pair": spelling, "cumBase": body["executedQty"]} for body in bodies]


def _cancel_all(venue: Venue, sent: Parameters) -> object:
    venue.account.withdraw_all(venue.listing[text(sent, "symbol")].spelling)
    return _DONE


def _countdown(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[text(sent, "symbol")].spelling
    ms = integer(sent, "countdownTime")
    if ms is None:
        raise missing("countdownTime")
    if ms < 0:
        raise invalid("countdownTime")
    venue.account.countdown(spelling, ms)
    return {"symbol": spelling, "countdownTime": str(ms)}


def _list(sent: Parameters, name: str, most: int) -> list[Any]:
    try:
        read = msgspec.json.decode(text(sent, name))
    except msgspec.DecodeError:
        raise invalid(name) from None
    if not isinstance(read, list) or not read:
        raise invalid(name)
    if len(read) > most:
        raise VenueError(-4082, f"Invalid number of batch orders: {len(read)}, at most {most}.")
    return read


def _each(venue: Venue, rows: Iterable[Any], handler: Callable[[Venue, Parameters], object]) -> list[object]:
    """Do them one by one; what is refused stands among the answers."""
    answers: list[object] = []
    for row in rows:
        if not isinstance(row, dict):
            raise invalid("batchOrders")
        try:
            answers.append(handler(venue, {name: text_of(value) for name, value in row.items() if value is not None}))
        except VenueError as error:
            answers.append(error.body)
    return answers


def _batch(venue: Venue, sent: Parameters) -> object:
    return _each(venue, _list(sent, "batchOrders", _BATCH), _place)


def _amend_batch(venue: Venue, sent: Parameters) -> object:
    return _each(venue, _list(sent, "batchOrders", _BATCH), _amend)


def _cancel_batch(venue: Venue, sent: Parameters) -> object:
    spelling = text(sent, "symbol")
    # The venue takes these names in any case, and a client that is much used writes them small.
    named = {"orderidlist": "orderIdList", "origclientorderidlist": "origClientOrderIdList"}
    sent = {named.get(name.lower(), name): value for name, value in sent.items()}
    if "orderIdList" in sent:
        rows = [{"symbol": spelling, "orderId": number} for number in _list(sent, "orderIdList", _CANCELS)]
    elif "origClientOrderIdList" in sent:
        names = _list(sent, "origClientOrderIdList", _CANCELS)
        rows = [{"symbol": spelling, "origClientOrderId": name} for name in names]
    else:
        raise missing("orderIdList")
    return _each(venue, rows, _cancel)


def _amendments(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[text(sent, "symbol")].spelling
    number, client = integer(sent, "orderId"), sent.get("origClientOrderId")
    orders: Iterable[Order] = venue.account.orders
    if number is not None or client is not None:
        orders = [venue.account.orders.known(spelling, number, client, -2013, _NO_ORDER)]
    start, end = span(sent, 7)
    rows = [
        _amendment(order, count, change)
        for order in orders
        if order.listed.spelling == spelling
        for count, change in enumerate(order.amendments, 1)
        if start <= change["time"] <= end  # type: ignore[operator] # a time
    ]
    return rows[-limited(sent, "limit", 50, 100) :]


def _amendment(order: Order, count: int, change: Mapping[str, Any]) -> dict[str, Any]:
    before, after = change["before"], change["after"]
    changes: dict[str, Any] = {name: {"before": before[name], "after": after[name]} for name in ("price", "origQty")}
    return {
        "amendmentId": change["number"],
        "symbol": order.listed.spelling,
        "pair": order.listed.spelling,
        "orderId": order.id,
        "clientOrderId": order.client,
        "time": change["time"],
        "amendment": changes | {"count": count, "modifyId": count},
    }


def _trades(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[text(sent, "symbol")].spelling
    number = integer(sent, "orderId")
    rows = (
        traded
        for traded in venue.account.ledger.trades
        if traded.listed.spelling == spelling and number in (None, traded.order)
    )
    return [traded.shown() for traded in page(sent, "fromId", rows)]


def _forced(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[sent["symbol"]].spelling if "symbol" in sent else None
    closing = sent.get("autoCloseType")
    if closing not in {None, "LIQUIDATION", "ADL"}:
        raise invalid("autoCloseType")
    start, end = span(sent, 7)
    rows = []
    for order in venue.account.outcomes.forced_orders:
        kind = "ADL" if order.client.startswith("adl") else "LIQUIDATION"
        meant = (spelling is None or order.listed.spelling == spelling) and closing in {None, kind}
        if meant and start <= order.time <= end:
            body = order.queried()
            rows.append(body | {"pair": body["symbol"], "cumBase": body["executedQty"]})
    return rows[-limited(sent, "limit", 50 if spelling is None else 20, 100) :]


def _count(name: str) -> Callable[[Mapping[str, str]], int]:
    """Count the orders of a batch: each is one against the limits."""

    def count(sent: Mapping[str, str]) -> int:
        return max(sent.get(name, "").count("{"), 1)

    return count


def _by_symbol(one: int, every: int) -> Callable[[Mapping[str, str]], int]:
    return lambda sent: one if "symbol" in sent else every


def routes(venue: Venue) -> list[Route]:
    """Return the endpoints of the account."""
    v1 = "/fapi/v1"
    made = [
        Route("POST", f"{v1}/order", _place, 0, 1, signed=True),
        Route("POST", f"{v1}/order/test", _test, 0, 0, signed=True),
        Route("PUT", f"{v1}/order", _amend, 0, 1, signed=True),
        Route("DELETE", f"{v1}/order", _cancel, 1, signed=True),
        Route("GET", f"{v1}/order", _query, 1, signed=True),
        Route("GET", f"{v1}/openOrder", _open_order, 1, signed=True),
        Route("GET", f"{v1}/openOrders", _open_orders, _by_symbol(1, 40), signed=True),
        Route("GET", f"{v1}/allOrders", _all_orders, 5, signed=True),
        Route("DELETE", f"{v1}/allOpenOrders", _cancel_all, 1, signed=True),
        Route("POST", f"{v1}/countdownCancelAll", _countdown, 10, signed=True),
        Route("POST", f"{v1}/batchOrders", _batch, 5, _count("batchOrders"), signed=True),
        Route("PUT", f"{v1}/batchOrders", _amend_batch, 5, _count("batchOrders"), signed=True),
        Route("DELETE", f"{v1}/batchOrders", _cancel_batch, 1, signed=True),
        Route("GET", f"{v1}/orderAmendment", _amendments, 1, signed=True),
        Route("GET", f"{v1}/userTrades", _trades, 5, signed=True),
        Route("GET", f"{v1}/forceOrders", _forced, _by_symbol(20, 50), signed=True),
    ]
    return [*made, *private_algo.routes(venue), *private_account.routes(venue), *retired.routes()]
