"""The public REST API: time, rules, books, trades, candles, marks, funding and tickers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from quantmind_venue.api import candles, statistics
from quantmind_venue.api.asking import by_limit, count_of, market_of
from quantmind_venue.api.parameters import integer
from quantmind_venue.api.route import Parameters, Route
from quantmind_venue.errors import VenueError
from quantmind_venue.listing import Listed
from quantmind_venue.market.board import MS
from quantmind_venue.market.pit import AggregateTrade, Pit, Trade

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

_DEPTHS = (5, 10, 20, 50, 100, 500, 1_000)
_DAY = 86_400_000


def _ping(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001 - as all of them
    return {}


def _time(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return {"serverTime": venue.clock.now()}


def _information(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    assets = dict.fromkeys(contract.quote for contract in venue.listing)
    assets.update(dict.fromkeys(contract.base for contract in venue.listing if contract.base in {"BTC", "ETH", "BNB"}))
    return {
        "timezone": "UTC",
        "serverTime": venue.clock.now(),
        "futuresType": "U_MARGINED",
        "rateLimits": venue.limits.rules(),
        "exchangeFilters": [],
        "assets": [{"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"} for asset in assets],
        "symbols": [contract.information() for contract in venue.listing],
    }


def _depth(venue: Venue, sent: Parameters) -> object:
    contract, pit = market_of(venue, sent)
    limit = integer(sent, "limit")
    limit = 500 if limit is None else limit
    if limit not in _DEPTHS:
        raise VenueError(-4021, f"{limit} is not valid depth limit.")
    if not pit.book.proven:
        raise VenueError(-1008, "The data that are played hold no order book that is whole at this moment.", 503)
    bids, asks = venue.board.depth(contract.spelling, limit)
    ms = venue.clock.now()
    return {"lastUpdateId": pit.book.last, "E": ms, "T": min(pit.book.ts // MS, ms), "bids": bids, "asks": asks}


def _public_trade(one: Trade) -> dict[str, object]:
    quote = float(one.price) * float(one.quantity)
    return {
        "id": one.id,
        "price": one.price,
        "qty": one.quantity,
        "quoteQty": f"{quote:.2f}",
        "time": one.ms,
        "isBuyerMaker": one.sold,
        "isRPITrade": False,
    }


def _trades(venue: Venue, sent: Parameters) -> object:
    _, pit = market_of(venue, sent)
    return [_public_trade(one) for one in _latest(pit.trades, count_of(sent, 500, 1_000))]


def _historical_trades(venue: Venue, sent: Parameters) -> object:
    _, pit = market_of(venue, sent)
    first, limit = integer(sent, "fromId"), count_of(sent, 100, 500)
    if first is None:
        return [_public_trade(one) for one in _latest(pit.trades, limit)]
    return [_public_trade(one) for one in islice((one for one in pit.trades if one.id >= first), limit)]


def _latest(kept: Sequence[Trade], count: int) -> list[Trade]:
    return list(kept)[-count:]


def _aggregates(venue: Venue, sent: Parameters) -> object:
    contract, pit = market_of(venue, sent)
    limit = count_of(sent, 500, 1_000)
    first, start, end = integer(sent, "fromId"), integer(sent, "startTime"), integer(sent, "endTime")
    if start is not None and end is not None and start > end:
        raise VenueError(-1023, "Start time is greater than end time.")

    def wanted(one: AggregateTrade) -> bool:
        return (
            (first is None or one.id >= first) and (start is None or one.ms >= start) and (end is None or one.ms <= end)
        )

    found = [one for one in pit.aggregates if wanted(one)]
    found = found[-limit:] if first is None and start is None else found[:limit]
    return [
        {
            "a": one.id,
            "p": one.price,
            "q": contract.quantity_text(one.quantity),
            "nq": contract.quantity_text(one.quantity),
            "f": one.first,
            "l": one.last,
            "T": one.ms,
            "m": one.sold,
        }
        for one in found
    ]


def _each(
    make: Callable[[Venue, Listed, Pit], dict[str, object]],
) -> Callable[[Venue, Parameters], object]:
    """Answer for one symbol, or with a list for all of them."""

    def handler(venue: Venue, sent: Parameters) -> object:
        if "symbol" in sent:
            return make(venue, *market_of(venue, sent))
        return [make(venue, contract, pit) for contract, pit in venue.board]

    return handler


def _premium(venue: Venue, contract: Listed, pit: Pit) -> dict[str, object]:
    mark = f"{pit.mark or pit.last or 0.0:.8f}"
    ms = venue.clock.now()
    return {
        "symbol": contract.spelling,
        "markPrice": mark,
        "indexPrice": f"{pit.index or pit.mark or pit.last or 0.0:.8f}",
        "estimatedSettlePrice": mark,
        "lastFundingRate": f"{pit.rate:.8f}",
        "interestRate": "0.00010000",
        "nextFundingTime": venue.board.settles(ms),
        "time": ms,
    }


def _funding_rates(venue: Venue, sent: Parameters) -> object:
    start, end = integer(sent, "startTime"), integer(sent, "endTime")
    limit = count_of(sent, 100, 1_000)
    markets = [market_of(venue, sent)] if "symbol" in sent else list(venue.board)
    rows = [
        (one.ms, contract.spelling, one)
        for contract, pit in markets
        for one in pit.settlements
        if (start is None or one.ms >= start) and (end is None or one.ms <= end)
    ]
    rows.sort(key=lambda row: row[:2])
    rows = rows[-limit:] if start is None else rows[:limit]
    return [
        {
            "symbol": spelling,
            "fundingTime": ms,
            "fundingRate": f"{one.rate:.8f}",
            "markPrice": f"{one.mark:.8f}",
            "rateType": "Regular",
        }
        for ms, spelling, one in rows
    ]


def _funding_information(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return [
        {
            "symbol": contract.spelling,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": 8,
            "disclaimer": False,
        }
        for contract in venue.listing
    ]


def _day(venue: Venue, contract: Listed, pit: Pit) -> dict[str, object]:
    day, last, ms = pit.day(), pit.last or 0.0, venue.clock.now()
    price = contract.price_text
    change = last - day.open
    return {
        "symbol": contract.spelling,
        "priceChange": price(change),
        "priceChangePercent": f"{100 * change / day.open if day.open else 0.0:.3f}",
        "weightedAvgPrice": price(day.quote_volume / day.volume if day.volume else last),
        "lastPrice": price(last),
        "lastQty": pit.trades[-1].quantity if pit.trades else contract.quantity_text(0.0),
        "openPrice": price(day.open),
        "highPrice": price(day.high),
        "lowPrice": price(day.low),
        "volume": contract.quantity_text(day.volume),
        "quoteVolume": f"{day.quote_volume:.2f}",
        "openTime": ms - _DAY,
        "closeTime": ms,
        "firstId": day.first,
        "lastId": day.last,
        "count": day.count,
    }


def _price(venue: Venue, contract: Listed, pit: Pit) -> dict[str, object]:
    ms = pit.trades[-1].ms if pit.trades else venue.clock.now()
    return {"symbol": contract.spelling, "price": contract.price_text(pit.last or 0.0), "time": ms}


def _best(venue: Venue, contract: Listed, pit: Pit) -> dict[str, object]:
    quote = pit.quote
    bid, ask, bid_size, ask_size = (
        (0.0,) * 4 if quote is None else (quote.bid, quote.ask, quote.bid_size, quote.ask_size)
    )
    return {
        "symbol": contract.spelling,
        "bidPrice": contract.price_text(bid),
        "bidQty": contract.quantity_text(bid_size),
        "askPrice": contract.price_text(ask),
        "askQty": contract.quantity_text(ask_size),
        "time": pit.quote_ms or venue.clock.now(),
        "lastUpdateId": 0 if quote is None else quote.update,
    }


def _by_symbol(one: int, all: int) -> Callable[[Mapping[str, str]], int]:
    return lambda sent: one if "symbol" in sent else all


def routes(venue: Venue) -> list[Route]:  # noqa: ARG001 - as the private ones
    """Return the public endpoints; weights are those that the venue documents."""
    v1 = "/fapi/v1/"
    return [
        Route("GET", v1 + "ping", _ping),
        Route("GET", v1 + "time", _time),
        Route("GET", v1 + "exchangeInfo", _information),
        Route("GET", v1 + "depth", _depth, by_limit((50, 2), (100, 5), (500, 10), (1_000, 20), default=500)),
        Route("GET", v1 + "rpiDepth", _depth, 20),
        Route("GET", v1 + "trades", _trades, 5),
        Route("GET", v1 + "historicalTrades", _historical_trades, 20, keyed=True),
        Route("GET", v1 + "aggTrades", _aggregates, 20),
        Route("GET", v1 + "premiumIndex", _each(_premium), _by_symbol(1, 10)),
        Route("GET", v1 + "fundingRate", _funding_rates),
        Route("GET", v1 + "fundingInfo", _funding_information, 0),
        Route("GET", v1 + "ticker/24hr", _each(_day), _by_symbol(1, 40)),
        Route("GET", v1 + "ticker/price", _each(_price), _by_symbol(1, 2)),
        Route("GET", "/fapi/v2/ticker/price", _each(_price), _by_symbol(1, 2)),
        Route("GET", v1 + "ticker/bookTicker", _each(_best), _by_symbol(2, 5)),
        *candles.routes(),
        *statistics.routes(),
    ]
