"""The control endpoint: faults, the clock and the state of a venue while it runs, at `/venue/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from quantmind.checking import shown
from quantmind.kinds.options import parse_duration
from quantmind_venue.errors import VenueError

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

Action = Callable[["Venue", Any], Awaitable[object]]


async def _state(venue: Venue, said: Any) -> object:  # noqa: ARG001 - as all of them
    return {
        "time": venue.clock.now(),
        "ended": venue.player.ended.is_set(),
        "begun": venue.player.begin.is_set(),
        "sent": venue.hub.sent,
        "gaps": venue.board.gaps,
        "weight": venue.limits.weight.used,
        "connections": [
            {"number": each.number, "kind": each.kind, "streams": list(each.streams), "half_open": each.half_open}
            for each in venue.hub.connections.values()
        ],
        "faults": venue.faults.told(),
    }


async def _faults(venue: Venue, said: Any) -> object:  # noqa: ARG001
    return venue.faults.told()


async def _add_faults(venue: Venue, said: Any) -> object:
    now = venue.clock.ns()
    return [venue.faults.add(each, now).told() for each in (said if isinstance(said, list) else [said])]


async def _clear_faults(venue: Venue, said: Any) -> object:  # noqa: ARG001
    venue.faults.clear()
    return []


async def _clock(venue: Venue, said: Any) -> object:
    if not isinstance(said, Mapping) or "advance" not in said:
        raise ValueError('say how far the clock is to go: {"advance": "10s"}')
    try:
        ns = parse_duration(said["advance"])
    except ValueError as error:
        raise ValueError(f"advance: {error}, was {shown(said['advance'])}") from None
    await venue.advance(ns)
    return {"time": venue.clock.now()}


async def _begin(venue: Venue, said: Any) -> object:  # noqa: ARG001
    venue.player.begin.set()
    return {"time": venue.clock.now()}


_ACTIONS: dict[tuple[str, str], Action] = {
    ("GET", "/venue/state"): _state,
    ("GET", "/venue/faults"): _faults,
    ("POST", "/venue/faults"): _add_faults,
    ("DELETE", "/venue/faults"): _clear_faults,
    ("POST", "/venue/clock"): _clock,
    ("POST", "/venue/begin"): _begin,
}


async def control(venue: Venue, method: str, path: str, body: bytes) -> object:
    """Do what is asked for, and return what becomes the JSON of the answer.

    Raises:
        VenueError: there is no such thing to do, or it was not well described.
    """
    action = _ACTIONS.get((method, path))
    if action is None:
        there = ", ".join(f"{method} {path}" for method, path in _ACTIONS)
        raise VenueError(-1, f"{method} {path}: no such thing to do; there are {there}", 404)
    try:
        said = msgspec.json.decode(body) if body else None
    except (ValueError, msgspec.MsgspecError):
        raise VenueError(-1, f'{method} {path}: the body must be JSON, such as {{"close": {{"at": "10s"}}}}') from None
    try:
        return await action(venue, said)
    except ValueError as error:
        raise VenueError(-1, str(error)) from error
