"""The public REST API of candles: of trades, of mark and index prices, and of the premium."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from quantmind_venue.api.asking import by_limit, count_of, market_of
from quantmind_venue.api.parameters import integer, invalid, text
from quantmind_venue.api.route import Parameters, Route
from quantmind_venue.errors import VenueError
from quantmind_venue.listing import Listed
from quantmind_venue.market.board import MS
from quantmind_venue.market.klines import INTERVALS, Candle, Series
from quantmind_venue.market.pit import Pit

if TYPE_CHECKING:
    from quantmind_venue.server import Venue


def _interval(sent: Parameters) -> str:
    interval = text(sent, "interval")
    if interval not in INTERVALS:
        raise VenueError(-1120, "Invalid interval.")
    return interval


def _row(contract: Listed, one: Candle) -> list[object]:
    return [
        one.start,
        contract.price_text(one.open),
        contract.price_text(one.high),
        contract.price_text(one.low),
        contract.price_text(one.close),
        contract.quantity_text(one.volume),
        one.end,
        f"{one.quote_volume:.5f}",
        one.count,
        contract.quantity_text(one.bought),
        f"{one.quote_bought:.5f}",
        "0",
    ]


def _price_row(one: Candle) -> list[object]:
    prices = [f"{price:.8f}" for price in (one.open, one.high, one.low, one.close)]
    return [one.start, *prices, "0", one.end, "0", one.count, "0", "0", "0"]


def _chosen(series: Series, sent: Parameters, now: int) -> list[Candle]:
    start, end = integer(sent, "startTime"), integer(sent, "endTime")
    if start is not None and end is not None and start > end:
        raise VenueError(-1023, "Start time is greater than end time.")
    series.roll(now)
    return series.between(start, end, count_of(sent, 500, 1_500))


def _klines(venue: Venue, sent: Parameters) -> object:
    contract, pit = market_of(venue, sent)
    return _contract_rows(venue, contract, pit, sent)


def _continuous_klines(venue: Venue, sent: Parameters) -> object:
    contract, pit = market_of(venue, sent, "pair")
    if text(sent, "contractType") not in {"PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER", "TRADIFI_PERPETUAL"}:
        raise invalid("contractType")
    return _contract_rows(venue, contract, pit, sent) if sent["contractType"] == "PERPETUAL" else []


def _contract_rows(venue: Venue, contract: Listed, pit: Pit, sent: Parameters) -> list[list[object]]:
    series = pit.klines(_interval(sent))
    return [_row(contract, one) for one in _chosen(series, sent, venue.clock.ns() // MS)]


def _priced(name: str) -> Callable[[Venue, Parameters], object]:
    """Return the candles of mark prices, by symbol or pair; the venue's index is its mark price."""

    def handler(venue: Venue, sent: Parameters) -> object:
        _, pit = market_of(venue, sent, name)
        series = Series(_interval(sent), pit.marks.candles)
        return [_price_row(one) for one in _chosen(series, sent, venue.clock.ns() // MS)]

    return handler


def _premium_klines(venue: Venue, sent: Parameters) -> object:
    _, pit = market_of(venue, sent)
    series = Series(_interval(sent), pit.marks.candles)
    zero = "0.00000000"
    return [
        [one.start, zero, zero, zero, zero, "0", one.end, "0", one.count, "0", "0", "0"]
        for one in _chosen(series, sent, venue.clock.ns() // MS)
    ]


_CANDLES = by_limit((99, 1), (499, 2), (1_000, 5), (1_500, 10), default=500)


def routes() -> list[Route]:
    """Return these endpoints."""
    v1 = "/fapi/v1/"
    return [
        Route("GET", v1 + "klines", _klines, _CANDLES),
        Route("GET", v1 + "continuousKlines", _continuous_klines, _CANDLES),
        Route("GET", v1 + "markPriceKlines", _priced("symbol"), _CANDLES),
        Route("GET", v1 + "indexPriceKlines", _priced("pair"), _CANDLES),
        Route("GET", v1 + "premiumIndexKlines", _premium_klines, _CANDLES),
    ]
