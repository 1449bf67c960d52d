"""Options of the nats transport: servers, who the stage is to them, and how much they keep."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from quantmind.kinds import Duration, Options

SCHEMES = ("nats", "tls")
_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_MIB = 1024 * 1024


def _split(value: object) -> object:
    """Take one URL, several with commas between them, or a list."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value


def server(url: str) -> SplitResult:
    """Return the parts of a server's URL.

    Raises:
        ValueError: it is none, or holds what belongs elsewhere.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # The text may hold a secret, so it is not told again.
        raise ValueError("must be nats://HOST:PORT or tls://HOST:PORT") from None
    if parts.username is not None or parts.password is not None:
        # The text holds a secret, so it is not told again.
        raise ValueError("must not hold a name or password: set `user` and `password`")
    if parts.scheme not in SCHEMES or not parts.hostname or port == 0 or parts.path or parts.query:
        raise ValueError(f"must be nats://HOST:PORT or tls://HOST:PORT, was {url}")
    return parts


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, reached without a network."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TLSOptions(Options):
    """Whom the stage trusts, and what it shows of itself."""

    ca: str | None = Field(
        default=None, description="File with the certificates that are trusted; left out, those of the system."
    )
    certificate: str | None = Field(
        default=None, description="File with the stage's own certificate; `{stage}` in it is the stage's name."
    )
    key: str | None = Field(
        default=None, description="File with the key of the certificate; `{stage}` in it is the stage's name."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.key is not None and self.certificate is None:
            raise ValueError("`key` belongs to a certificate: set `certificate` too")
        return self


class NATSOptions(Options):
    """Which servers carry the frames, and under which terms."""

    url: Annotated[tuple[str, ...], BeforeValidator(_split, json_schema_input_type=str | list[str])] = Field(
        default=("nats://127.0.0.1:4222",),
        min_length=1,
        examples=["nats://127.0.0.1:4222"],
        description="nats://HOST:PORT or tls://HOST:PORT; of a cluster all servers, as a list or with commas.",
    )
    tls: TLSOptions | None = Field(
        default=None,
        description="Encrypts the connection; `{}` trusts the authorities of the system. tls:// alone does so too.",
    )
    user: str | None = Field(default=None, description="Name of the user; `{stage}` in it is the stage's name.")
    password: SecretStr | None = Field(default=None, description="Password of the user.")
    nkey: SecretStr | None = Field(
        default=None, description="Seed of the user's nkey (SU…), or its file; `{stage}` in it is the stage's name."
    )
    credentials: SecretStr | None = Field(
        default=None, description="A .creds file, or its content; `{stage}` in its name is the stage's name."
    )
    connect_timeout: Duration = Field(
        default=30 * _SECOND, ge=_SECOND // 10, description="How long a stage that starts looks for a server."
    )
    buffer: int = Field(
        default=10_000,
        ge=10,
        le=1_000_000,
        description="Frames that wait at the most while the server is away; market data is dropped first.",
    )
    replicas: int = Field(
        default=1, ge=1, le=5, description="On how many servers of a cluster facts and Targets are stored."
    )
    facts_max_age: Duration = Field(
        default=_DAY, ge=60 * _SECOND, description="How long the server stores a fact for who was cut off."
    )
    facts_max_bytes: int = Field(
        default=64 * _MIB, ge=_MIB, description="How much room the stored facts take; the oldest give way."
    )
    kept_max_age: Duration = Field(
        default=7 * _DAY, ge=60 * _SECOND, description="How long the server stores a Target that is not said again."
    )
    kept_max_bytes: int = Field(default=16 * _MIB, ge=_MIB, description="How much room the stored Targets take.")

    @property
    def encrypted(self) -> bool:
        """Whether nothing may be said in the clear."""
        return self.tls is not None or any(url.startswith("tls:") for url in self.url)

    @model_validator(mode="after")
    def _check(self) -> Self:
        hosts = [server(url).hostname or "" for url in self.url]
        ways = [name for name in ("user", "nkey", "credentials") if getattr(self, name) is not None]
        if len(ways) > 1:
            raise ValueError(f"one of `user`, `nkey` and `credentials` is enough, were {' and '.join(ways)}")
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` belong together: set both")
        remote = next((host for host in hosts if not is_loopback(host)), None)
        if remote is not None and not (self.encrypted and ways):
            raise ValueError(
                f"{remote} is another machine: set `tls`, and `user` and `password`, `nkey` or `credentials`"
            )
        return self
