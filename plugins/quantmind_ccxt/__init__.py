"""Any exchange of ccxt: its market as it is, and its past."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_ccxt.archive import CcxtArchive
from quantmind_ccxt.feed import Ccxt


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [Ccxt, CcxtArchive]
