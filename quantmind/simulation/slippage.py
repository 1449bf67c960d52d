"""Slippage and impact: what a taker pays beyond the price shown. They only ever make it worse."""

from __future__ import annotations

import math

import msgspec


class Slippage(msgspec.Struct, frozen=True):
    """So many `ticks`, a `fraction` (a part of the price), and a square-root impact.

    The impact is `impact` * sqrt(quantity / size) as a part of the price, where size is what the quote, book or trade
    shows, or the volume of the bar; where that is not known, size is the quantity. For the square root see Toth et al.,
    Anomalous Price Impact and the Critical Nature of Liquidity in Financial Markets (2011); the constant is the user's.
    """

    ticks: float = 0.0
    fraction: float = 0.0
    impact: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.ticks or self.fraction or self.impact)

    def worse(self, price: float, buys: bool, quantity: float, size: float, tick: float) -> float:
        """Return the price as it is after slippage: higher for a buyer, lower for a seller, never below 0.

        `price` and `tick` are in quote currency, `quantity` and `size` in base currency.
        """
        share = quantity / size if 0 < size < math.inf else 1.0
        distance = self.ticks * tick + price * (self.fraction + self.impact * math.sqrt(share))
        return price + distance if buys else max(price - distance, 0.0)
