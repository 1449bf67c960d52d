"""Options of the feed and the archive: which venue, where it is, and how closely it is watched."""

from __future__ import annotations

from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from quantmind.kinds import Duration, Options
from quantmind_ccxt.loading import exchanges, guess

BINANCE = "binanceusdm"
"""ccxt's id of Binance's USD-M futures."""

_SECRETS = frozenset({"apiKey", "secret", "password", "uid", "login", "token", "privateKey", "walletAddress", "twofa"})
_MS = 1_000_000
_SECOND = 1_000 * _MS


class VenueOptions(Options):
    """Which venue, and where it is."""

    exchange: str = Field(
        default=BINANCE,
        examples=["binanceusdm"],
        description="ccxt's id of the exchange, such as binanceusdm or bybit.",
    )
    url: str = Field(
        default="",
        description="Address of a server that stands in for Binance USD-M, as `quantmind venue` prints it; "
        "left out, the real one.",
    )
    settings: dict[str, Any] = Field(
        default={},
        description="Settings for ccxt's constructor, merged into ours, such as `{timeout: 20000}`; no secrets.",
    )

    @field_validator("exchange")
    @classmethod
    def _known(cls, value: str) -> str:
        known = exchanges()
        if known and value not in known:
            raise ValueError(f"ccxt has no exchange {value!r} that streams; {guess(value)}")
        return value

    @field_validator("settings")
    @classmethod
    def _public(cls, value: dict[str, Any]) -> dict[str, Any]:
        secrets = sorted(_SECRETS & value.keys())
        if secrets:
            raise ValueError(f"market data needs no {' and no '.join(secrets)}: leave them to the executor")
        return value

    @model_validator(mode="after")
    def _stand_in(self) -> Self:
        if self.url:
            parts = urlsplit(self.url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
                raise ValueError(f"url must be an address such as http://127.0.0.1:8900, was {self.url}")
            if self.exchange != BINANCE:
                raise ValueError(f"url stands in for {BINANCE} alone, but exchange is {self.exchange}: leave one out")
        return self


class CcxtOptions(VenueOptions):
    """Options of the ccxt feed."""

    book_levels: int = Field(default=20, ge=1, le=500, description="Levels of the order book on each side.")
    book_speed: Literal["0ms", "100ms", "250ms", "500ms"] = Field(
        default="100ms", description="How often Binance sends the changes of an order book; 0ms is each as it comes."
    )
    stale_after: Duration = Field(
        default=15 * _SECOND,
        ge=100 * _MS,
        description="How long quotes, books and marks may be silent before they are asked for again, and nothing is "
        "entered.",
    )
    backfill_timeout: Duration = Field(
        default=10 * _SECOND,
        description="How long trades wait for missing ones to be fetched before those count as missing.",
    )
    clock_tolerance: Duration = Field(
        default=2 * _SECOND, ge=_MS, description="How far this machine's clock may be off before nothing is entered."
    )
    rate_share: float = Field(
        default=0.8, gt=0, le=1, description="The part of the venue's request limit that may be used up."
    )
    backlog: int = Field(
        default=20_000, ge=100, description="Events that wait for a slow reader before the oldest are left out."
    )
