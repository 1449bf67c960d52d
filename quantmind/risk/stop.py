"""The stop: a distance from the price, and the price it is at."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec

from quantmind.events import Side
from quantmind.risk.ranges import POSITIVE


class AtrStop(msgspec.Struct, frozen=True):
    """A stop at a multiple of the average true range: its `price`, and the `distance` to it, both in quote currency."""

    distance: Decimal
    price: Decimal


def atr_stop(price: Decimal, atr: Decimal, multiplier: Decimal, side: Side, tick: Decimal | None = None) -> AtrStop:
    """Return the stop of a position opened by `side`: at price - multiplier * atr for a buy, + for a sale.

    The distance is that of the Volatility System in Wilder, New Concepts in Technical Trading Systems (1978), a
    constant times the average true range. `price`, `atr` and `tick` are in quote currency.

    With a tick it is rounded to the safe side, where it loses less: up for a buy, down for a sale. The distance
    stays as it is: a size that is computed from it loses no more than it says.

    Raises:
        ValueError: a figure is not above 0, or the stop of a buy would be at or below 0.
    """
    for name, value in (("price", price), ("atr", atr), ("multiplier", multiplier)):
        POSITIVE.check(name, value)
    distance = atr * multiplier
    at = price - distance if side == "buy" else price + distance
    if at <= 0:
        raise ValueError(f"distance: must be below the price {price}, was {distance}")
    if tick is not None:
        POSITIVE.check("tick", tick)
        at = (at / tick).to_integral_value(ROUND_CEILING if side == "buy" else ROUND_FLOOR) * tick
    return AtrStop(distance, at)
