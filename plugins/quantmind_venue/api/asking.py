"""What public endpoints are asked for: which contract, how many rows, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from quantmind_venue.api.parameters import integer, invalid, text
from quantmind_venue.api.route import Parameters
from quantmind_venue.listing import Listed
from quantmind_venue.market.pit import Pit

if TYPE_CHECKING:
    from quantmind_venue.server import Venue


def market_of(venue: Venue, sent: Parameters, name: str = "symbol") -> tuple[Listed, Pit]:
    """Return the contract that is asked for, and its market."""
    spelling = text(sent, name)
    return venue.listing[spelling], venue.board.pits[spelling]


def count_of(sent: Parameters, default: int, most: int) -> int:
    """Return how many rows are asked for: no more than the most."""
    value = integer(sent, "limit")
    if value is None:
        return default
    if value < 1:
        raise invalid("limit")
    return min(value, most)


def by_limit(*steps: tuple[int, int], default: int) -> Callable[[Mapping[str, str]], int]:
    """Return the weight by the limit: that of the first step which is not below it."""

    def weight(sent: Mapping[str, str]) -> int:
        value = sent.get("limit", "")
        limit = int(value) if value.isdigit() else default
        return next((cost for most, cost in steps if limit <= most), steps[-1][1])

    return weight
