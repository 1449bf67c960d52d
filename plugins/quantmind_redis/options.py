"""Options of the redis sink."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from quantmind.kinds import Duration, Options

SCHEMES = ("redis", "rediss", "unix")


def _check_url(url: SecretStr) -> SecretStr:
    if not _is_complete(url.get_secret_value()):
        # The text may hold a password, so it is not told again.
        raise ValueError("must be redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH")
    return url


def _is_complete(url: str) -> bool:
    """Say whether a URL names a Redis, and its database by number if at all."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return False
    if parts.scheme == "unix":
        return bool(parts.path)
    database = parts.path.strip("/")
    return parts.scheme in SCHEMES and bool(parts.hostname) and (not database or database.isdecimal())


class RedisOptions(Options):
    """Where the Redis is, and what it is given."""

    url: Annotated[SecretStr, AfterValidator(_check_url)] = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        examples=["redis://127.0.0.1:6379/0"],
        description="redis://[[USER]:PASSWORD@]HOST:PORT/DB, rediss:// for TLS, or unix:///PATH; left out, the "
        "Redis of this machine.",
    )
    prefix: str = Field(
        default="quantmind",
        pattern=r"^[A-Za-z0-9_.:-]{1,64}$",
        description="What every key begins with; pipelines that share a Redis need one each.",
    )
    ticks: int = Field(default=100, ge=1, le=100_000, description="Quotes and trades that are kept for each symbol.")
    stream: int = Field(
        default=0, ge=0, description="About how many decisions and facts a stream keeps; 0 is no stream."
    )
    interval: Duration = Field(
        default=100_000_000,
        ge=1_000_000,
        description="Time between two batches; of what changed meanwhile the last is sent.",
    )
    buffer: int = Field(
        default=10_000, ge=1, description="Entries of the stream that wait at the most while the Redis is away."
    )
    expire: Duration = Field(
        default=86_400_000_000_000,
        ge=1_000_000_000,
        description="Time after which the keys of a pipeline that has ended vanish.",
    )
