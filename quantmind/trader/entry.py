"""How a position is entered: at market, or by a limit order that is given up after a while."""

from __future__ import annotations

from typing import Literal

import msgspec


class LimitEntry(msgspec.Struct, frozen=True):
    """Enter by a limit order `offset_ticks` better than the best price of its own side.

    After `timeout` (ns of event time) it is cancelled; what is left goes at market, or not at all.
    """

    offset_ticks: int
    timeout: int
    then: Literal["market", "cancel"]
