"""Stream addresses: a client's WebSocket, from its first subscription to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

import msgspec

from quantmind_venue.streaming.connection import Connection, framed
from quantmind_venue.streaming.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_MOST_STREAMS = 1_024
_MOST_MESSAGES = 10
"""Messages a client may send in a second."""

_PING = 180.0
"""Seconds between pings of the venue."""

PREFIXES = ("", "/public", "/market", "/private")


class _Request(msgspec.Struct, gc=False):
    method: str = ""
    params: object = None
    id: object = None


_decode = msgspec.json.Decoder(_Request).decode
_encode = msgspec.json.Encoder().encode


class Address(msgspec.Struct, frozen=True):
    """What the address of a WebSocket says: its kind, and the streams it names."""

    kind: str
    """Empty, or `public`, `market`, `private`; `api` for the WebSocket API."""
    wrapped: bool
    streams: tuple[str, ...]


def address(path: str, query: str) -> Address | None:
    """Read an address such as `/public/ws/0` or `/stream?streams=btcusdt@trade`; None if it is of no stream."""
    kind = next((each for each in PREFIXES[1:] if path.startswith(each + "/")), "")
    root, _, rest = path.removeprefix(kind).removeprefix("/").partition("/")
    if root not in {"ws", "stream"}:
        return None
    parameters = parse_qs(query)
    named = [each for text in parameters.get("streams", ()) for each in text.split("/")]
    named += [each for each in unquote(rest).split("/") if each and not (len(each) < 3 and each.isdigit())]
    named += parameters.get("listenKey", [])
    return Address(kind.removeprefix("/"), root == "stream", tuple(each for each in named if each))


def belongs(kind: str, stream: str) -> bool:
    """Say whether a stream is given at addresses of a kind: since 2026 they are split."""
    if not kind or ("@" not in stream and not stream.startswith("!")):
        return True
    channel = stream.rpartition("@")[2] if stream.startswith("!") is False else stream.removeprefix("!")
    name = stream.partition("@")[2] or channel
    public = name.startswith(("depth", "rpiDepth", "bookTicker", "trade")) and not name.startswith("tradingS")
    return kind == ("public" if public else "market")


class Sockets:
    """Serves the stream addresses."""

    def __init__(
        self, hub: Hub, subscribed: Callable[[str], None], api: Callable[[str], Awaitable[bytes]], *, limits: bool
    ) -> None:
        self._hub = hub
        self._api = api
        self._subscribed = subscribed
        self._limits = limits

    async def serve(self, request: web.BaseRequest, found: Address) -> web.StreamResponse:
        """Take a client's WebSocket, and stay with it to its end."""
        from aiohttp import web

        socket = web.WebSocketResponse(compress=False, autoping=False, autoclose=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        connection = Connection(self._hub.next_number(), socket, transport)
        connection.wrapped = found.wrapped
        connection.kind = found.kind
        self._hub.connections[connection.number] = connection
        self.subscribe(connection, [each for each in found.streams if belongs(found.kind, each)])
        pinging = asyncio.create_task(self._ping(connection))
        try:
            await self._hear(connection)
        except ConnectionAbortedError:
            connection.abort()
        finally:
            self._hub.lost(connection)
            pinging.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, RuntimeError):
                if not connection.down and not connection.half_open:
                    await socket.close()
        return socket

    async def _hear(self, connection: Connection) -> None:
        """Answer what the client says, until it goes."""
        from aiohttp import WSMsgType

        heard: deque[float] = deque(maxlen=_MOST_MESSAGES)
        api = connection.kind == "api"
        async for message in connection.socket:
            if connection.half_open or connection.down or message.type is WSMsgType.PONG:
                continue
            if self._limits and not api and _too_many(heard):
                await connection.socket.close(code=1008, message=b"Too many requests")
                return
            if message.type is WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type is not WSMsgType.TEXT:
                return
            elif not api:
                self._answer(connection, message.data)
            elif answer := await self._api(message.data):
                connection.send(framed(answer))

    def subscribe(self, connection: Connection, streams: list[str]) -> None:
        """Let a connection listen to streams."""
        if streams:
            for stream in streams:
                self._subscribed(stream)
            self._hub.subscribe(connection, streams)

    def _answer(self, connection: Connection, text: str) -> None:
        """Do what a client asks for, and tell it so."""
        number: object = None
        try:
            request = _decode(text)
            number = request.id
            result = self._do(connection, request)
        except msgspec.MsgspecError as error:
            connection.say({"error": {"code": 3, "msg": f"Invalid JSON: {error}"}, "id": number})
        except ValueError as error:
            connection.say({"error": {"code": 2, "msg": f"Invalid request: {error}"}, "id": number})
        else:
            connection.say({"result": result, "id": number})

    def _do(self, connection: Connection, request: _Request) -> object:
        params = request.params if isinstance(request.params, list) else []
        if not isinstance(request.id, int | str | None):
            raise ValueError("request ID must be an unsigned integer")  # noqa: TRY004 - the venue's answer
        if request.method in {"SUBSCRIBE", "UNSUBSCRIBE"}:
            if not params or not all(isinstance(each, str) for each in params):
                raise ValueError("params must be a list of streams")
            if request.method == "UNSUBSCRIBE":
                self._hub.unsubscribe(connection, params)
            else:
                self._subscribe(connection, params)
            return None
        if request.method == "LIST_SUBSCRIPTIONS":
            return list(connection.streams)
        if request.method == "GET_PROPERTY":
            return connection.wrapped
        if request.method != "SET_PROPERTY":
            raise ValueError(f"unknown method, expected one of {', '.join(_METHODS)}")
        if len(params) != 2 or params[0] != "combined" or not isinstance(params[1], bool):
            raise ValueError("property name must be combined, and its value a boolean")
        connection.wrapped = params[1]
        return None

    def _subscribe(self, connection: Connection, streams: list[str]) -> None:
        strange = [each for each in streams if not belongs(connection.kind, each)]
        if strange:
            raise ValueError(f"{strange[0]} is no stream of /{connection.kind}")
        if len(connection.streams.keys() | set(streams)) > _MOST_STREAMS:
            raise ValueError(f"at most {_MOST_STREAMS} streams on a connection")
        self.subscribe(connection, streams)

    async def _ping(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(_PING)
            if not connection.half_open and not connection.down:
                with contextlib.suppress(ConnectionError, RuntimeError):
                    await connection.socket.ping()


def _too_many(heard: deque[float]) -> bool:
    """Count a message, and say whether there were too many in the last second."""
    now = asyncio.get_running_loop().time()
    full = len(heard) == _MOST_MESSAGES and now - heard[0] < 1.0
    heard.append(now)
    return full
