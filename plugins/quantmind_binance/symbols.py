"""Symbols as Binance's USD-M futures spell them."""

from __future__ import annotations

import re

_SETTLED = ("USDT", "USDC", "BUSD", "FDUSD", "USD1", "BTC")
_UNIFIED = re.compile(r"([^/:]+)/([^/:]+):([^/:]+)")


def spelled(symbol: str) -> str:
    """Return the venue's spelling of a unified symbol: `BTC/USDT:USDT` is `BTCUSDT`.

    Raises:
        ValueError: it is no linear perpetual.
    """
    match = _UNIFIED.fullmatch(symbol)
    if match is None or match[2] != match[3]:
        raise ValueError(f"{symbol!r} is no linear perpetual such as BTC/USDT:USDT")
    return match[1] + match[2]


def unified(spelling: str) -> str:
    """Return the unified symbol of a venue's spelling: `BTCUSDT` is `BTC/USDT:USDT`.

    Raises:
        ValueError: it ends with no currency that contracts are settled in.
    """
    letters = spelling.upper()
    for settled in _SETTLED:
        if letters.endswith(settled) and letters != settled:
            return f"{letters.removesuffix(settled)}/{settled}:{settled}"
    raise ValueError(f"{spelling!r} is no symbol of a linear perpetual such as BTCUSDT")
