"""The greeting of a Redis: that it is there, lets this user in, and has room."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from quantmind.errors import QuantMindError
from quantmind.kinds import Greeting, Server
from quantmind_redis.options import RedisOptions

if TYPE_CHECKING:
    from redis.asyncio import Redis as Client

_PATIENCE = 3.0
_FULL = 0.9
"""The part of its memory from which on a Redis is nearly full."""


def server(options: RedisOptions) -> Server:
    """Return the Redis of a sink; its address is told without user and password."""
    parts = urlsplit(options.url.get_secret_value())
    where = parts.path if parts.scheme == "unix" else parts.netloc.rpartition("@")[2] + parts.path

    async def greet() -> Greeting:
        return await _greet(options.url.get_secret_value())

    return Server(f"{parts.scheme}://{where}", greet)


async def _greet(url: str) -> Greeting:
    try:
        from redis import exceptions
        from redis.asyncio import Redis as Client
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise QuantMindError(f"the redis sink needs redis ({error}): pip install redis") from None
    from quantmind.kinds.reaching import best_of, system_error, unreachable

    client = Client.from_url(
        url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=Retry(NoBackoff(), 0)
    )
    try:
        await client.ping()
        took = await best_of(client.ping)
        facts = await _facts(client)
    except exceptions.AuthenticationError:
        raise QuantMindError("it does not let this user in: correct user and password of `url`") from None
    except exceptions.TimeoutError:
        raise QuantMindError("it does not answer: see whether it is overloaded or stopped") from None
    except exceptions.ConnectionError as error:
        if (cause := system_error(error)) is not None:
            raise QuantMindError(unreachable(cause)) from None
        raise QuantMindError(f"cannot be used: {_line(error)}") from None
    except exceptions.InvalidResponse:
        raise QuantMindError("what listens there is no Redis: correct `url`") from None
    except exceptions.ResponseError as error:
        raise QuantMindError(f"it refuses: {_line(error)}: correct `url`, or what the user may do") from None
    finally:
        with contextlib.suppress(Exception):
            await client.aclose()
    words = f"Redis {facts['redis_version']}" if "redis_version" in facts else "a Redis"
    used, most = facts.get("used_memory", 0), facts.get("maxmemory", 0)
    if most and used > _FULL * most:
        return Greeting(f"{words}, but {used / most:.0%} of its maxmemory is used: give it more", took, warning=True)
    return Greeting(words, took)


async def _facts(client: Client) -> dict[str, Any]:
    """Return what it says of itself; nothing where the user may not ask."""
    from redis.exceptions import ResponseError

    try:
        return {**await client.info("server"), **await client.info("memory")}
    except ResponseError:
        return {}


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
