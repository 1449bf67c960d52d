"""Endpoints that the venue has taken out of service: they say which one to use instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantmind_venue.api.route import Handler, Parameters, Route
from quantmind_venue.errors import VenueError

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

_NAMES = ("account", "balance", "positionRisk")


def _retired(name: str) -> Handler:
    def handler(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001 - as all of them
        raise VenueError(-5000, f"GET /fapi/v1/{name} is retired, please use GET /fapi/v2/{name}")

    return handler


def routes() -> list[Route]:
    """Return these endpoints; who asks need not sign."""
    return [Route("GET", f"/fapi/v1/{name}", _retired(name)) for name in _NAMES]
