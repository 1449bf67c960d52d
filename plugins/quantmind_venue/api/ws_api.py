"""The WebSocket API: orders and questions as messages, signed as over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from quantmind_venue.api import private_account, private_algo, public
from quantmind_venue.api.route import Handler, Parameters
from quantmind_venue.api.signing import missing, text_of
from quantmind_venue.errors import VenueError

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

PATH = "/ws-fapi/v1"


class _Request(msgspec.Struct, gc=False):
    id: str | int | None
    method: str
    params: dict[str, Any] = {}


class Method(msgspec.Struct, frozen=True):
    """One method: what answers it, what it costs, and whether it is signed, or needs the key alone."""

    handler: Handler
    weight: int = 1
    orders: int = 0
    signed: bool = True
    keyed: bool = False


def _public(path: str) -> Handler:
    """Answer as a public path of the REST API does."""

    def handler(venue: Venue, sent: Parameters) -> object:
        answers = next(route.handler for route in public.routes(venue) if route.path == f"/fapi/v1/{path}")
        return answers(venue, sent)

    return handler


def _query(venue: Venue, sent: Parameters) -> object:
    return venue.account.known(sent, -2013, "Order does not exist.").queried()


def _end(venue: Venue, sent: Parameters) -> object:
    return private_account.end_listening(venue, sent)


def _logon(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    raise VenueError(
        -1022, "Signature for this request is not valid: sessions are for Ed25519 keys, sign each request."
    )


METHODS = {
    "order.place": Method(lambda venue, sent: venue.account.place(sent), 0, 1),
    "order.test": Method(lambda venue, sent: venue.account.test(sent), 0, 0),
    "order.modify": Method(lambda venue, sent: venue.account.amend(sent), 0, 1),
    "order.cancel": Method(lambda venue, sent: venue.account.cancel(sent), 1),
    "order.status": Method(_query, 1),
    "algoOrder.place": Method(lambda venue, sent: venue.account.place_algo(sent), 0, 1),
    "algoOrder.cancel": Method(private_algo.cancel, 1),
    "account.status": Method(lambda venue, _: venue.account.margins.account(2), 5),
    "v2/account.status": Method(lambda venue, _: venue.account.margins.account(3), 5),
    "account.balance": Method(lambda venue, _: venue.account.margins.balance(), 5),
    "v2/account.balance": Method(lambda venue, _: venue.account.margins.balance(), 5),
    "account.position": Method(private_account.risk_2, 5),
    "v2/account.position": Method(private_account.risk_3, 5),
    "userDataStream.start": Method(private_account.begin_listening, 5, signed=False, keyed=True),
    "userDataStream.ping": Method(private_account.keep_listening, 1, signed=False, keyed=True),
    "userDataStream.stop": Method(_end, 1, signed=False, keyed=True),
    "session.logon": Method(_logon, 2, signed=False),
    "depth": Method(_public("depth"), 5, signed=False),
    "ticker.price": Method(_public("ticker/price"), 2, signed=False),
    "ticker.book": Method(_public("ticker/bookTicker"), 2, signed=False),
    "ping": Method(_public("ping"), 1, signed=False),
    "time": Method(_public("time"), 1, signed=False),
    "exchangeInfo": Method(_public("exchangeInfo"), 1, signed=False),
}
"""What can be asked, by its name."""

_decode = msgspec.json.Decoder(_Request).decode


class WebSocketApi:
    """Answers messages one after the other."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def answer(self, text: str | bytes) -> dict[str, Any]:
        """Do what a message asks for, and return what is answered."""
        try:
            request = _decode(text)
        except msgspec.MsgspecError:
            return {"id": None, "status": 400, "error": {"code": -1000, "msg": "Malformed request."}, "rateLimits": []}
        try:
            result = self._do(request)
        except VenueError as error:
            told: dict[str, Any] = {"id": request.id, "status": error.status, "error": error.body}
        else:
            told = {"id": request.id, "status": 200, "result": result}
        if text_of(request.params.get("returnRateLimits", True)) == "true":
            told["rateLimits"] = self._used(METHODS.get(request.method))
        return told

    def _do(self, request: _Request) -> object:
        venue = self._venue
        method = METHODS.get(request.method)
        if method is None:
            raise VenueError(-1020, f"This operation is not supported: {request.method}.")
        venue.limits.request(method.weight, {})
        params = {name: value for name, value in request.params.items() if name != "returnRateLimits"}
        if method.signed:
            sent = venue.signing.checked_message(request.params)
            sent.pop("returnRateLimits", None)
        else:
            sent = {name: text_of(value) for name, value in params.items()}
            if method.keyed:
                if "apiKey" not in sent:
                    raise missing("apiKey")
                venue.signing.keyed(sent["apiKey"])
        if method.orders:
            venue.limits.order(method.orders, {})
        return method.handler(venue, sent)

    def _used(self, method: Method | None) -> list[dict[str, Any]]:
        limits = self._venue.limits
        used = {("ORDERS", "SECOND"): limits.orders_seconds.used, ("ORDERS", "MINUTE"): limits.orders_minute.used}
        wanted = "ORDERS" if method is not None and method.orders else "REQUEST_WEIGHT"
        return [
            rule | {"count": used.get((str(rule["rateLimitType"]), str(rule["interval"])), limits.weight.used)}
            for rule in limits.rules()
            if rule["rateLimitType"] == wanted
        ]
