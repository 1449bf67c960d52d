"""Statistics of a venue's many accounts. A simulated one has none to count: the figures are neutral and say nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from quantmind_venue.api.parameters import integer, invalid, text
from quantmind_venue.api.route import Parameters, Route
from quantmind_venue.errors import VenueError
from quantmind_venue.market.board import MS

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

_PERIODS = {
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
}
_RATIO = {"longShortRatio": "1.0000", "longAccount": "0.5000", "shortAccount": "0.5000"}


def _each_period(name: str, figures: Mapping[str, object]) -> Callable[[Venue, Parameters], object]:
    """Answer with the same figures for each period, by symbol or pair."""

    def handler(venue: Venue, sent: Parameters) -> object:
        contract = venue.listing[text(sent, name)]
        length = _PERIODS.get(text(sent, "period"))
        if length is None:
            raise invalid("period")
        count = integer(sent, "limit") or 30
        if not 0 < count <= 500:
            raise invalid("limit")
        last = min(integer(sent, "endTime") or 1 << 62, venue.clock.ns() // MS) // length * length
        named = {name: contract.spelling} if figures.get(name, "") != "hidden" else {}
        told = {key: value for key, value in figures.items() if value != "hidden"}
        first = integer(sent, "startTime") or 0
        times = range(last - (count - 1) * length, last + 1, length)
        return [{**named, **told, "timestamp": at} for at in times if at >= first]

    return handler


def _open_interest(venue: Venue, sent: Parameters) -> object:
    contract = venue.listing[text(sent, "symbol")]
    return {"openInterest": contract.quantity_text(0.0), "symbol": contract.spelling, "time": venue.clock.now()}


def _adl_risk(venue: Venue, sent: Parameters) -> object:
    def risk(spelling: str) -> dict[str, object]:
        return {"symbol": spelling, "adlRisk": "low", "updateTime": venue.clock.now()}

    if "symbol" in sent:
        return risk(venue.listing[sent["symbol"]].spelling)
    return [risk(contract.spelling) for contract in venue.listing]


def _asset_index(venue: Venue, sent: Parameters) -> object:
    rows = {f"{contract.base}USD": pit.index or pit.last or 0.0 for contract, pit in venue.board}
    if "symbol" not in sent:
        return [_asset(venue, symbol, price) for symbol, price in rows.items()]
    if sent["symbol"] not in rows:
        raise VenueError(-1121, "Invalid symbol.")
    return _asset(venue, sent["symbol"], rows[sent["symbol"]])


def _asset(venue: Venue, symbol: str, price: float) -> dict[str, object]:
    bid, ask = f"{price * 0.95:.8f}", f"{price * 1.05:.8f}"
    return {
        "symbol": symbol,
        "time": venue.clock.now(),
        "index": f"{price:.8f}",
        "bidBuffer": "0.05000000",
        "askBuffer": "0.05000000",
        "bidRate": bid,
        "askRate": ask,
        "autoExchangeBidBuffer": "0.05000000",
        "autoExchangeAskBuffer": "0.05000000",
        "autoExchangeBidRate": bid,
        "autoExchangeAskRate": ask,
    }


def _none(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001 - as all of them
    return []


def _constituents(venue: Venue, sent: Parameters) -> object:
    contract = venue.listing[text(sent, "symbol")]
    return {"symbol": contract.spelling, "time": venue.clock.now(), "constituents": []}


def _insurance(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return {"symbols": [contract.spelling for contract in venue.listing], "assets": []}


def _schedule(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return {"updateTime": venue.clock.now(), "marketSchedules": {}}


def routes() -> list[Route]:
    """Return these endpoints."""
    v1, data = "/fapi/v1/", "/futures/data/"
    interest = {
        "sumOpenInterest": "0.00000000",
        "sumOpenInterestValue": "0.00000000",
        "CMCCirculatingSupply": "0.00000000",
    }
    taker = {"buySellRatio": "1.0000", "buyVol": "0.0000", "sellVol": "0.0000", "symbol": "hidden"}
    basis = {
        "indexPrice": "0.00000000",
        "contractType": "PERPETUAL",
        "basisRate": "0.0000",
        "futuresPrice": "0.00",
        "annualizedBasisRate": "",
        "basis": "0.00000000",
    }
    return [
        Route("GET", v1 + "openInterest", _open_interest),
        Route("GET", v1 + "symbolAdlRisk", _adl_risk),
        Route("GET", v1 + "assetIndex", _asset_index, lambda sent: 1 if "symbol" in sent else 10),
        Route("GET", v1 + "indexInfo", _none),
        Route("GET", v1 + "constituents", _constituents, 2),
        Route("GET", v1 + "insuranceBalance", _insurance),
        Route("GET", v1 + "tradingSchedule", _schedule, 5),
        Route("GET", data + "openInterestHist", _each_period("symbol", interest), 0),
        Route("GET", data + "globalLongShortAccountRatio", _each_period("symbol", _RATIO), 0),
        Route("GET", data + "topLongShortAccountRatio", _each_period("symbol", _RATIO), 0),
        Route("GET", data + "topLongShortPositionRatio", _each_period("symbol", _RATIO), 0),
        Route("GET", data + "takerlongshortRatio", _each_period("symbol", taker), 0),
        Route("GET", data + "basis", _each_period("pair", basis), 0),
        Route("GET", data + "delivery-price", _none, 0),
    ]
