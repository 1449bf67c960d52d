"""Reaching a server: connections that are made to greet it, and why one cannot be made."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from quantmind.errors import QuantMindError


@contextlib.asynccontextmanager
async def connected(
    host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, int]]:
    """Connect to a host for as long as the context lasts; yields how long that took (ns), too.

    Raises:
        QuantMindError: it does not take the connection; says what to do.
    """
    began = time.monotonic_ns()
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    except OSError as error:
        raise QuantMindError(unreachable(error)) from None
    try:
        yield reader, writer, time.monotonic_ns() - began
    finally:
        writer.transport.abort()


def trusted() -> ssl.SSLContext:
    """Return the terms of TLS with whom this system trusts."""
    return ssl.create_default_context()


def unreachable(error: OSError) -> str:
    """Say in a few words why a host does not take a connection, and what to do."""
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or str(error)
        return f"its TLS is not accepted ({reason}): correct its certificate, or whom is trusted"
    # Of a name with several addresses asyncio tells each error in one text.
    if error.errno == errno.ECONNREFUSED or str(error).count("Connect call failed") > 1:
        return "nobody listens there: start the server, or correct the address"
    if isinstance(error, socket.gaierror):
        return "the host's name is not known: correct the address, or see to name resolution"
    return f"cannot be reached ({error.strerror or error}): see to the network, a firewall or the address"


def system_error(error: BaseException | None) -> OSError | None:
    """Return what the system said, where a library has wrapped it in errors of its own; None where it said nothing."""
    found: OSError | None = None
    while error is not None:
        if isinstance(error, OSError) and (error.errno or isinstance(error, ssl.SSLError)):
            found = error
        elif found is not None:
            break
        error = error.__cause__ or error.__context__
    return found


async def best_of(ask: Callable[[], Awaitable[object]], times: int = 3) -> int:
    """Return the shortest time (ns) of some askings: what else this process does counts least in it."""
    shortest = 0
    for _ in range(times):
        began = time.monotonic_ns()
        await ask()
        took = time.monotonic_ns() - began
        shortest = min(shortest, took) if shortest else took
    return shortest
