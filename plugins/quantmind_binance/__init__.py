"""Binance USD-M futures: symbols, wire format, raw recordings, and the public archive of market data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_binance.archive import BinanceArchive
from quantmind_binance.raw import BinanceRaw


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [BinanceArchive, BinanceRaw]
