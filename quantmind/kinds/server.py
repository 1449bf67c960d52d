"""Servers: what a component talks to over a network, and how it is greeted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec


class Greeting(msgspec.Struct, frozen=True):
    """What came of greeting a server."""

    words: str
    """What it says of itself, such as `Redis 7.0.15`; never a secret."""
    took: int | None = None
    """How long a question and its answer take on an open connection, in ns; None where that was not measured."""
    clock: int | None = None
    """How far the server's clock is ahead of this machine's, in ns; None where it does not tell the time."""
    doubt: int = 0
    """How much the clock's figure may be off, in ns."""
    warning: bool = False
    """Whether the words tell of something that a run may suffer from."""


class Server(msgspec.Struct, frozen=True):
    """A server that a component talks to.

    `greet` connects as the component would, asks something that changes nothing, and disconnects; it imports what it
    needs. It is cancelled when it takes too long. It raises QuantMindError or OSError with what is wrong and what to
    do; `quantmind.kinds.reaching` has what greetings need.
    """

    address: str
    """Where it is, as a person is told; never with a password."""
    greet: Callable[[], Awaitable[Greeting]]

    @classmethod
    def listening(cls, host: str, port: int, *, tls: bool = False) -> Server:
        """Return a server of which no more is asked than that it takes a connection, with TLS where it has that."""

        async def greet() -> Greeting:
            from quantmind.kinds.reaching import connected, trusted

            async with connected(host, port, trusted() if tls else None) as (_, _, took):
                return Greeting("takes connections", took)

        return cls(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", greet)
