"""The stop of a sub-position: where it is, by its distance and the best price since."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from quantmind.kinds import Held


def to_tick(distance: Decimal, tick: Decimal) -> Decimal:
    """Round a distance up to the tick, never to 0."""
    return max((distance / tick).to_integral_value(ROUND_CEILING), Decimal(1)) * tick


def stop_level(held: Held, distance: Decimal, trail: Decimal | None, tick: Decimal) -> Decimal:
    """Return the tightest of the stop at `distance` from the average price, at `trail` from the best, and of now.

    That of a long position is at least one tick: at or below 0 it would protect nothing.
    """
    levels = [] if held.stop is None else [held.stop]
    if held.quantity > 0:
        levels.append(max(held.average_price - distance, tick))
        if trail is not None:
            levels.append(Decimal(repr(held.best)) - trail)
        return max(levels)
    levels.append(held.average_price + distance)
    if trail is not None:
        levels.append(Decimal(repr(held.best)) + trail)
    return min(levels)
