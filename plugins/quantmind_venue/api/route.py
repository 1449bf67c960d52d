"""Routes: a method and a path of the venue's REST API, what answers there, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

Parameters = dict[str, str]
"""Those of query and body, as they were sent; without `signature`."""

Handler = Callable[["Venue", Parameters], object]
"""Returns what becomes the JSON of the answer; raises VenueError."""


class Route(msgspec.Struct, frozen=True):
    """One endpoint: `weight` counts against the limit of requests, `orders` against those of orders.

    `signed` ones need key, timestamp and signature; `keyed` ones the key alone.
    """

    method: str
    path: str
    handler: Handler
    weight: int | Callable[[Mapping[str, str]], int] = 1
    orders: int | Callable[[Mapping[str, str]], int] = 0
    signed: bool = False
    keyed: bool = False
