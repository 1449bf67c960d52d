"""Settings by which clients find the venue, and nothing but it."""

from __future__ import annotations

import json
from typing import Any

_NOWHERE = "/nowhere"
"""Where all other addresses of a client lead: nothing leaves the machine."""


def ccxt_settings(url: str, key: str, secret: str) -> dict[str, Any]:
    """Return what the constructor of ccxt's (and ccxt.pro's) `binanceusdm` is to be given; `binance` takes it, too."""
    sockets = url.replace("http", "ws", 1)
    api: dict[str, Any] = dict.fromkeys(
        (
            *("sapi", "sapiV2", "sapiV3", "sapiV4", "dapiPublic", "dapiPrivate", "dapiPrivateV2", "dapiData"),
            *("eapiPublic", "eapiPrivate", "public", "private", "v1", "papi", "papiV2"),
        ),
        url + _NOWHERE,
    )
    for version, suffix in (("v1", ""), ("v2", "V2"), ("v3", "V3")):
        api[f"fapiPublic{suffix}"] = api[f"fapiPrivate{suffix}"] = f"{url}/fapi/{version}"
    api["fapiData"] = url + "/futures/data"
    api["ws"] = {
        "linear": sockets + "/ws",
        "ws-api": {"linear": sockets + "/ws-fapi/v1"},
        **dict.fromkeys(("spot", "margin", "inverse", "option", "future"), sockets + _NOWHERE),
    }
    options = {
        "fetchCurrencies": False,
        "fetchMarkets": {"types": ["linear"]},
        "defaultType": "swap",
        "defaultSubType": "linear",
    }
    return {"apiKey": key, "secret": secret, "options": options, "urls": {"api": api}}


def described(url: str, key: str, secret: str) -> dict[str, Any]:
    """Return all that is said of a venue when it has started."""
    return {"url": url, "key": key, "secret": secret, "ccxt": ccxt_settings(url, key, secret)}


def printed(url: str, key: str, secret: str) -> str:
    """Return the same for a person."""
    settings = json.dumps(ccxt_settings(url, key, secret), indent=4).replace(": false", ": False")
    return (
        f"Simulated Binance USD-M at {url}\n"
        f"  key    {key}\n"
        f"  secret {secret}\n\n"
        f"In a recipe:\n\n"
        f"  feeds: [{{ccxt: {{exchange: binanceusdm, url: {url}}}}}]\n\n"
        f"With ccxt:\n\n"
        f"  exchange = ccxt.pro.binanceusdm({settings})\n"
        f"  linear = exchange.exceptions['linear']['exact']  # ccxt knows the venue's codes by its usual address\n"
        f"  exchange.exceptions['exact'] = {{**exchange.exceptions['exact'], **linear}}\n"
    )
