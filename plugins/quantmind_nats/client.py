"""nats-py's client, with what a stage needs beside; imported when a transport opens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import nats.aio.client
import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.protocol.command import pub_cmd

ROOM = 1024 * 1024
"""Bytes that wait for the network at the most, before frames wait in the outbox."""

_MOMENT = 0.001
_CLOSE = 1.0


async def _unheard(_: Msg) -> None:
    """Take a message that came before it was known who handles it."""


class PlainError(nats.errors.Error):
    """A server would have been told secrets in the clear."""

    def __str__(self) -> str:
        return "the server does not offer TLS"


class Client(nats.aio.client.Client):
    """One connection to one server, which ends with it: reconnecting is the `Connection`'s.

    Frames take a shorter way than nats-py's messages: they are written when they are published and handled when they
    are read, without a task in between.
    """

    def __init__(self, encrypted: bool) -> None:
        super().__init__()
        self._encrypted = encrypted
        self._takers: dict[int, Callable[[bytes], None]] = {}

    def send(self, subject: str, frame: bytes) -> bool:
        """Write a frame; says whether there was room for it."""
        writer = self._writer()
        if writer is None or not self.is_connected or writer.transport.get_write_buffer_size() > ROOM:
            return False
        writer.write(pub_cmd(subject, "", frame))
        return True

    async def room(self) -> None:
        """Wait until there is room for a frame."""
        writer = self._writer()
        if writer is not None:
            with contextlib.suppress(OSError):
                await writer.drain()
        # A connection that is lost has none; that is seen elsewhere, a moment later.
        await asyncio.sleep(_MOMENT)

    async def heard(self) -> None:
        """Wait until the server has taken in every command: nats-py's `flush` may ask before it has sent them."""
        while self.pending_data_size and self.is_connected:  # noqa: ASYNC110 - nats-py has no event for it
            await asyncio.sleep(_MOMENT)
        await self.flush()

    async def ask(self) -> asyncio.Future[bool]:
        """Return what is done when the server has taken in every frame so far; cancelling it would stop nats-py."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        await self._send_ping(answer)
        return answer

    async def listen(self, subject: str, take: Callable[[bytes], None]) -> Subscription:
        """Have each message of a subject handled when it is read; what handles it must not raise."""
        subscription = await self.subscribe(subject, cb=_unheard)
        self._takers[subscription._id] = take  # noqa: SLF001 - what the server calls it
        return subscription

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        take = self._takers.get(sid)
        if take is None:
            await super()._process_msg(sid, subject, reply, data, headers)
        elif sid in self._subs:
            take(data)

    def _connect_command(self) -> bytes:
        # nats-py encrypts where the server asks for it only; whoever sits between could leave that out.
        if self._encrypted and not self._server_info.get("tls_required"):
            raise PlainError
        return super()._connect_command()

    def settle(self, milliseconds: int) -> None:
        """Let the system give up what is sent and not confirmed: nats-py would wait for it when it closes."""
        writer = self._writer()
        if writer is None:
            return
        writer.transport.set_write_buffer_limits(high=ROOM)
        protocol = writer.transport.get_protocol()
        if self._encrypted and isinstance(protocol, asyncio.StreamReaderProtocol):
            # nats-py does not tell it, so asyncio would log a warning at each end.
            protocol._over_ssl = True  # type: ignore[attr-defined] # noqa: SLF001
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            with contextlib.suppress(OSError, AttributeError):
                writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    async def end(self) -> None:
        """Close the connection, whatever state it is in, in a second at the most."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE):
                await self.close()
        writer = self._writer()
        if writer is not None:
            # nats-py may still wait for a host that is gone: now it need not.
            writer.transport.abort()
        tasks = [task for task in (self._reading_task, self._ping_interval_task, self._flusher_task) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _writer(self) -> asyncio.StreamWriter | None:
        wire = self._transport
        return wire._io_writer if isinstance(wire, TcpTransport) else None  # noqa: SLF001 - nats-py shows it nowhere
