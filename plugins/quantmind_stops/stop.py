"""The stop of a sub-position: where it is, by its distance and the best price since."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from quantmind.kinds import Held


def to_tick(distance: Decimal, tick: Decimal) -> Decimal:
    """Round a distance up to the tick, never to 0."""
    return max((distance / tick).to_integral_value(ROUND_CEILING), Decimal(1)) * tick


def follows(side: int, best: float, stop: float, trail: float, step: float) -> bool:
    """Say, in floats, whether a stop is as near to the best price as `stop_level` surely leaves it.

    A thousandth of the step is left to rounding: then `stop_level` decides.
    """
    gained = (best - side * trail - stop) * side
    # What is not a number compares as false: without a stop there is one to be had.
    return gained < 0.999 * step * trail


def stop_level(
    held: Held, distance: Decimal, trail: Decimal | None, tick: Decimal, step: Decimal = Decimal(0)
) -> Decimal:
    """Return the tightest of the stop at `distance` from the average price, at `trail` from the best, and of now.

    One that would follow the best price by less than `step`, a part of `trail`, stays where it is. That of a long
    position is at least one tick: at or below 0 it would protect nothing.
    """
    long = held.quantity > 0
    first = max(held.average_price - distance, tick) if long else held.average_price + distance
    stop = held.stop
    if stop is None or (first > stop if long else first < stop):
        stop = first
    if trail is not None:
        best = Decimal(repr(held.best))
        followed = best - trail if long else best + trail
        if (followed - stop if long else stop - followed) > step * trail:
            return followed
    return stop
