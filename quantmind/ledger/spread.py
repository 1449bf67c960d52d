"""Rounding parts so that they sum to exactly their total."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

_ZERO = Decimal(0)


def spread(total: Decimal, parts: Mapping[str, Decimal], step: Decimal) -> dict[str, Decimal]:
    """Round signed parts to the step so that they sum to exactly `total`, a multiple of the step.

    Each is rounded towards zero, then single steps go by largest remainder, ties by order. Parts whose sum is a
    step or more away from the total share what is missing in the same order, round after round; what of a total is
    no whole step goes to the first in that order.

    Raises:
        ValueError: there are no parts, and the total is not 0.
    """
    if not parts:
        if total:
            raise ValueError(f"parts: must be at least one to sum to {total}, were none")
        return {}
    if len(parts) == 1:
        return dict.fromkeys(parts, total)
    rounded = {name: part // step * step + _ZERO for name, part in parts.items()}
    missing = total - sum(rounded.values(), _ZERO)
    if not missing:
        return rounded
    move = step if missing > 0 else -step
    # Sorting is stable, so that equals stay in order.
    order = sorted(parts, key=lambda name: (rounded[name] - parts[name]) * move)
    steps = missing // move
    rounds, single = divmod(int(steps), len(order))
    for place, name in enumerate(order):
        rounded[name] += move * (rounds + (place < single))
    rounded[order[0]] += missing - steps * move
    return rounded


def in_proportion(total: Decimal, weights: Mapping[str, Decimal], step: Decimal) -> dict[str, Decimal]:
    """Split a total in proportion to weights of one sign, in whole steps, none above its weight."""
    whole = sum(weights.values(), _ZERO)
    # The product comes first: a part that is a whole number of steps then comes out as that.
    return spread(total, {name: total * weight / whole for name, weight in weights.items()}, step)
