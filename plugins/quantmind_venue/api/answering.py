"""Answering: what comes in over HTTP, and goes to a stream, the WebSocket API, the control endpoint or a route."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from quantmind_venue.api.route import Route
from quantmind_venue.api.signing import KEY_HEADER, parameters
from quantmind_venue.api.ws_api import PATH
from quantmind_venue.control import control
from quantmind_venue.errors import VenueError
from quantmind_venue.faults.faults import Plan, message
from quantmind_venue.streaming.sockets import Address, address

if TYPE_CHECKING:
    from aiohttp import web

    from quantmind_venue.server import Venue


class _Message(msgspec.Struct, gc=False):
    method: str = ""
    id: object = None


_decode = msgspec.json.Decoder(_Message).decode
_encode = msgspec.json.Encoder().encode


class _Cut(Exception):  # noqa: N818 - it is no error, but the end of a line
    """There is no answer: the line is cut, or stays silent."""

    def __init__(self, silent: bool) -> None:
        self.silent = silent


_log = logging.getLogger(__name__)


class Answering:
    """Answers every request."""

    def __init__(self, venue: Venue, routes: Iterable[Route]) -> None:
        self._venue = venue
        self._routes = {(route.method, route.path): route for route in routes}

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, or stay with a WebSocket to its end."""
        path = request.path
        if request.method == "GET":
            found = address(path, request.query_string)
            if found is not None:
                return await self._venue.sockets.serve(request, found)
            if path.rstrip("/") == PATH:
                return await self._venue.sockets.serve(request, Address("api", False, ()))
        from aiohttp import web

        headers: dict[str, str] = {}
        status = 200
        try:
            if path.startswith("/venue/"):
                body = _encode(await control(self._venue, request.method, path, await request.read()))
            else:
                body = await self._answer(request, headers)
        except VenueError as error:
            status, body = error.status, _encode(error.body)
            headers.update(error.headers)
        except _Cut as cut:
            self._log(request, 0)
            return await _cut(request, cut.silent)
        except Exception:  # noqa: BLE001 - a fault of ours is told as the venue tells of its own
            _log.exception("%s %s failed", request.method, path)
            status, body = (
                500,
                _encode(VenueError(-1000, "An unknown error occurred while processing the request.").body),
            )
        self._log(request, status)
        return web.Response(body=body, status=status, headers=headers, content_type="application/json")

    async def message(self, text: str) -> bytes:
        """Answer a message of the WebSocket API; nothing is no answer."""
        venue = self._venue
        plan = venue.faults.request(f"WS {_method(text)}") if venue.faults.active else None
        if plan is None:
            return _encode(venue.ws_api.answer(text))
        try:
            return await _spoiled(plan, lambda: _encode(venue.ws_api.answer(text)))
        except VenueError as error:
            return _encode({"id": _decode(text).id, "status": error.status, "error": error.body, "rateLimits": []})
        except _Cut as cut:
            if cut.silent:
                return b""
            raise ConnectionAbortedError from None

    def _log(self, request: web.BaseRequest, status: int) -> None:
        if self._venue.log is not None:
            name = f"{request.method} {request.path}"
            self._venue.log.request(name, request.rel_url.raw_query_string, status)

    async def _answer(self, request: web.BaseRequest, headers: dict[str, str]) -> bytes:
        faults = self._venue.faults
        plan = faults.request(f"{request.method} {request.path}") if faults.active else None
        body = await request.read() if request.can_read_body else b""
        if plan is None:
            return _encode(self._handled(request, body, headers))
        return await _spoiled(plan, lambda: _encode(self._handled(request, body, headers)))

    def _handled(self, request: web.BaseRequest, body: bytes, headers: dict[str, str]) -> object:
        venue = self._venue
        route = self._routes.get((request.method, request.path))
        query = request.rel_url.raw_query_string.encode()
        if route is None:
            venue.limits.request(1, headers)
            raise VenueError(-5000, f"Path {request.path}, Method {request.method} is invalid", 404)
        sent = parameters(query, body)
        weight = route.weight if isinstance(route.weight, int) else route.weight(sent)
        venue.limits.request(weight, headers)
        if route.signed:
            sent = venue.signing.checked(request.headers.get(KEY_HEADER), query, body)
        elif route.keyed:
            venue.signing.keyed(request.headers.get(KEY_HEADER))
        orders = route.orders if isinstance(route.orders, int) else route.orders(sent)
        if orders:
            venue.limits.order(orders, headers)
        return route.handler(venue, sent)


def _method(text: str) -> str:
    try:
        return _decode(text).method
    except msgspec.MsgspecError:
        return ""


async def _spoiled(plan: Plan, handled: Callable[[], bytes]) -> bytes:
    """Answer as a fault has it: late, with an error, or not at all; before the request is handled, or after.

    Raises:
        VenueError: the fault is an error.
    """
    drop, answer = plan.drop, plan.answer
    if plan.before:
        await asyncio.sleep(plan.before)
    if drop is not None and drop.when == "before":
        raise _Cut(drop.silent)
    if answer is not None and answer.when == "before":
        raise VenueError(answer.code, message(answer), answer.status)
    body = handled()
    if plan.after:
        await asyncio.sleep(plan.after)
    if drop is not None:
        raise _Cut(drop.silent)
    if answer is not None:
        raise VenueError(answer.code, message(answer), answer.status)
    return body


async def _cut(request: web.BaseRequest, silent: bool) -> web.StreamResponse:
    """Cut the line of a request, or leave it without an answer until the client goes."""
    from aiohttp import web

    transport = request.transport
    while silent and transport is not None and not transport.is_closing():  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.05)
    if transport is not None:
        transport.abort()
    return web.Response()
