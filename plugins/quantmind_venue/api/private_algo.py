"""The private REST API of conditional orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantmind_venue.account.algo_orders import AlgoOrder
from quantmind_venue.api.parameters import integer, page, text
from quantmind_venue.api.route import Parameters, Route
from quantmind_venue.errors import VenueError

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

_DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}


def _place(venue: Venue, sent: Parameters) -> object:
    return venue.account.place_algo(sent)


def known(venue: Venue, sent: Parameters, code: int, words: str) -> AlgoOrder:
    """Return the conditional order that is meant."""
    return venue.account.algos.known(integer(sent, "algoId"), sent.get("clientAlgoId"), code, words)


def cancel(venue: Venue, sent: Parameters) -> object:
    """Cancel a conditional order."""
    algo = known(venue, sent, -2011, "Unknown order sent.")
    if not algo.open:
        raise VenueError(-2011, "Unknown order sent.")
    venue.account.withdraw_algo(algo)
    return {"algoId": algo.id, "clientAlgoId": algo.client, "code": "200", "msg": "success"}


def _query(venue: Venue, sent: Parameters) -> object:
    return known(venue, sent, -2013, "Order does not exist.").queried()


def _open(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[sent["symbol"]].spelling if "symbol" in sent else None
    number = integer(sent, "algoId")
    found = venue.account.algos.of(spelling)
    return [algo.queried() for algo in found if number is None or algo.id == number]


def _cancel_all(venue: Venue, sent: Parameters) -> object:
    for algo in venue.account.algos.of(venue.listing[text(sent, "symbol")].spelling):
        venue.account.withdraw_algo(algo)
    return _DONE


def _every(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[text(sent, "symbol")].spelling
    return [algo.queried() for algo in page(sent, "algoId", venue.account.algos.every(spelling))]


def routes(venue: Venue) -> list[Route]:  # noqa: ARG001 - as all of them
    """Return the endpoints of conditional orders."""
    v1 = "/fapi/v1"
    return [
        Route("POST", f"{v1}/algoOrder", _place, 0, 1, signed=True),
        Route("DELETE", f"{v1}/algoOrder", cancel, 1, signed=True),
        Route("GET", f"{v1}/algoOrder", _query, 1, signed=True),
        Route("GET", f"{v1}/openAlgoOrders", _open, lambda sent: 1 if "symbol" in sent else 40, signed=True),
        Route("DELETE", f"{v1}/algoOpenOrders", _cancel_all, 1, signed=True),
        Route("GET", f"{v1}/allAlgoOrders", _every, 5, signed=True),
    ]
