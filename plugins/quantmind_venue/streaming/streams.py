"""The payloads of the market streams, as Binance's USD-M futures send them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from quantmind_venue.listing import Listed
from quantmind_venue.market.klines import Candle
from quantmind_venue.market.pit import AggregateTrade, Pit, Trade

Levels = Sequence[tuple[str, str]]


def book_ticker(contract: Listed, update: int, bid: Levels, ask: Levels, ms: int) -> dict[str, object]:
    """Return `bookTicker` of a best bid and ask."""
    (bid_price, bid_size), (ask_price, ask_size) = bid[0], ask[0]
    return {
        "e": "bookTicker",
        "u": update,
        "s": contract.spelling,
        "ps": contract.spelling,
        "b": bid_price,
        "B": bid_size,
        "a": ask_price,
        "A": ask_size,
        "T": ms,
        "E": ms,
        "st": 1,
    }


def depth_update(
    contract: Listed, first: int, last: int, previous: int, bids: Levels, asks: Levels, ms: int
) -> dict[str, object]:
    """Return `depthUpdate` of changes, or of the best levels."""
    return {
        "e": "depthUpdate",
        "E": ms,
        "T": ms,
        "s": contract.spelling,
        "ps": contract.spelling,
        "U": first,
        "u": last,
        "pu": previous,
        "b": bids,
        "a": asks,
        "st": 1,
    }


def trade(contract: Listed, one: Trade) -> dict[str, object]:
    """Return `trade`."""
    return {
        "e": "trade",
        "E": one.ms,
        "T": one.ms,
        "s": contract.spelling,
        "t": one.id,
        "p": one.price,
        "q": one.quantity,
        "X": "MARKET",
        "m": one.sold,
        "st": 1,
    }


def aggregate_trade(contract: Listed, one: AggregateTrade, ms: int) -> dict[str, object]:
    """Return `aggTrade`."""
    quantity = contract.quantity_text(one.quantity)
    return {
        "e": "aggTrade",
        "E": ms,
        "s": contract.spelling,
        "a": one.id,
        "p": one.price,
        "q": quantity,
        "nq": quantity,
        "f": one.first,
        "l": one.last,
        "T": one.ms,
        "m": one.sold,
        "st": 1,
    }


def kline(contract: Listed, interval: str, candle: Candle, closed: bool, ms: int) -> dict[str, object]:
    """Return `kline`."""
    inner = {
        "t": candle.start,
        "T": candle.end,
        "s": contract.spelling,
        "i": interval,
        "f": candle.first,
        "L": candle.last,
        "o": contract.price_text(candle.open),
        "c": contract.price_text(candle.close),
        "h": contract.price_text(candle.high),
        "l": contract.price_text(candle.low),
        "v": contract.quantity_text(candle.volume),
        "n": candle.count,
        "x": closed,
        "q": f"{candle.quote_volume:.5f}",
        "V": contract.quantity_text(candle.bought),
        "Q": f"{candle.quote_bought:.5f}",
        "B": "0",
    }
    return {"e": "kline", "E": ms, "s": contract.spelling, "k": inner}


def continuous_kline(contract: Listed, interval: str, candle: Candle, closed: bool, ms: int) -> dict[str, object]:
    """Return `continuous_kline` of the perpetual."""
    inner = kline(contract, interval, candle, closed, ms)["k"]
    assert isinstance(inner, dict)  # noqa: S101 - it is made above
    del inner["s"]
    return {"e": "continuous_kline", "E": ms, "ps": contract.spelling, "ct": "PERPETUAL", "k": inner}


def mark_price(contract: Listed, pit: Pit, settles: int, ms: int) -> dict[str, object]:
    """Return `markPriceUpdate` with the rate that is settled next."""
    mark, index = pit.mark or 0.0, pit.index or 0.0
    return {
        "e": "markPriceUpdate",
        "E": ms,
        "s": contract.spelling,
        "p": f"{mark:.8f}",
        "ap": f"{mark:.8f}",
        "P": f"{mark:.8f}",
        "i": f"{index:.8f}",
        "r": f"{pit.rate:.8f}",
        "T": settles,
        "st": 1,
    }


def mini_ticker(contract: Listed, pit: Pit, ms: int) -> dict[str, object]:
    """Return `24hrMiniTicker`."""
    day = pit.day()
    return {
        "e": "24hrMiniTicker",
        "E": ms,
        "s": contract.spelling,
        "ps": contract.spelling,
        "c": contract.price_text(pit.last or 0.0),
        "o": contract.price_text(day.open),
        "h": contract.price_text(day.high),
        "l": contract.price_text(day.low),
        "v": contract.quantity_text(day.volume),
        "q": f"{day.quote_volume:.2f}",
        "st": 1,
    }


def ticker(contract: Listed, pit: Pit, ms: int) -> dict[str, object]:
    """Return `24hrTicker`."""
    day, last = pit.day(), pit.last or 0.0
    change = last - day.open
    return {
        "e": "24hrTicker",
        "E": ms,
        "s": contract.spelling,
        "ps": contract.spelling,
        "p": contract.price_text(change),
        "P": f"{100 * change / day.open if day.open else 0.0:.3f}",
        "w": contract.price_text(day.quote_volume / day.volume if day.volume else last),
        "c": contract.price_text(last),
        "Q": pit.trades[-1].quantity if pit.trades else contract.quantity_text(0.0),
        "o": contract.price_text(day.open),
        "h": contract.price_text(day.high),
        "l": contract.price_text(day.low),
        "v": contract.quantity_text(day.volume),
        "q": f"{day.quote_volume:.2f}",
        "O": ms - 86_400_000,
        "C": ms,
        "F": day.first,
        "L": day.last,
        "n": day.count,
        "st": 1,
    }


def force_order(contract: Listed, side: str, quantity: Decimal, price: Decimal, ms: int) -> dict[str, object]:
    """Return `forceOrder` of a liquidation."""
    size, at = contract.quantity_text(quantity), contract.price_text(price)
    inner = {
        "s": contract.spelling,
        "S": side,
        "o": "LIMIT",
        "f": "IOC",
        "q": size,
        "p": at,
        "ap": at,
        "X": "FILLED",
        "l": size,
        "z": size,
        "T": ms,
    }
    return {"e": "forceOrder", "E": ms, "o": inner, "ps": contract.spelling, "st": 1}


def asset_index(symbol: str, price: float, ms: int) -> dict[str, object]:
    """Return `assetIndexUpdate` of a currency that margin may be in."""
    low, high = f"{price * 0.95:.8f}", f"{price * 1.05:.8f}"
    return {
        "e": "assetIndexUpdate",
        "E": ms,
        "s": symbol,
        "i": f"{price:.8f}",
        "b": "0.05000000",
        "a": "0.05000000",
        "B": low,
        "A": high,
        "q": "0.05000000",
        "g": "0.05000000",
        "Q": low,
        "G": high,
    }


def contract_info(contract: Listed, ms: int) -> dict[str, object]:
    """Return `contractInfo`, which is sent when a contract changes."""
    brackets = [
        {
            "bs": number,
            "bnf": int(tier.floor),
            "bnc": int(after.floor) if after is not None else 9_223_372_036_854_775_807,
            "mmr": float(tier.rate),
            "cf": float(tier.amount),
            "mi": 1,
            "ma": max(int(1 / (2 * float(tier.rate))), 1),
        }
        for number, (tier, after) in enumerate(
            zip(contract.instrument.tiers, (*contract.instrument.tiers[1:], None), strict=True), 1
        )
    ]
    return {
        "e": "contractInfo",
        "E": ms,
        "s": contract.spelling,
        "ct": "PERPETUAL",
        "dt": 4_133_404_800_000,
        "ot": 1_569_398_400_000,
        "cs": contract.status,
        "bks": brackets,
        "st": 1,
    }
