"""Addresses: points ccxt's Binance USD-M at a server that stands in for it, and at nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PATHS = {
    "fapiPublic": "/fapi/v1",
    "fapiPublicV2": "/fapi/v2",
    "fapiPublicV3": "/fapi/v3",
    "fapiPrivate": "/fapi/v1",
    "fapiPrivateV2": "/fapi/v2",
    "fapiPrivateV3": "/fapi/v3",
    "fapiData": "/futures/data",
}
_NOWHERE = "/not-served"
"""A path under which the stand-in has nothing: whatever is no market of USD-M futures ends there."""


def stand_in(url: str, real: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings for ccxt in which every one of its `real` addresses is replaced.

    ccxt makes `/public/ws`, `/market/ws` and `/private/ws` of an address that ends with `/ws`.
    """
    base = url.rstrip("/")
    socket = "ws" + base.removeprefix("http")
    addresses = _replaced(real, base, socket)
    addresses.update({name: base + path for name, path in _PATHS.items() if name in addresses})
    addresses["ws"]["linear"] = f"{socket}/ws"
    addresses["ws"]["ws-api"]["linear"] = f"{socket}/ws-fapi/v1"
    return {"urls": {"api": addresses}, "options": {"fetchCurrencies": False}}


def _replaced(real: Mapping[str, Any], base: str, socket: str) -> dict[str, Any]:
    return {
        name: _replaced(value, base, socket)
        if isinstance(value, Mapping)
        else (socket if str(value).startswith("ws") else base) + _NOWHERE
        for name, value in real.items()
    }
