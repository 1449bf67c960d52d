"""Terms: what one simulated venue asks and how it fills."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from quantmind.simulation.fees import Fees
from quantmind.simulation.latency import ConstantLatency, Latency
from quantmind.simulation.slippage import Slippage

MarginMode = Literal["cross", "isolated", "none"]
"""The whole account backs each position; each its own; or nobody asks for margin and nothing is liquidated."""


class Terms(msgspec.Struct, frozen=True):
    """The terms of a simulated venue."""

    fees: Fees = Fees()
    """What it takes of the notional of a fill."""
    latency: Latency = ConstantLatency()
    """How long a command takes to reach it."""
    slippage: Slippage = Slippage()
    """What a taker pays beyond the price shown."""
    partial: bool = False
    """Whether no more is filled than the size shown; else the best price is good for any size."""
    participation: float | None = None
    """The largest part of a bar's volume that fills take; None for any size."""
    optimistic: bool = False
    """Whether a touch of its price fills a limit order; else the price must go through it."""
    queue: bool = False
    """Whether trades are watched as well as quotes and books: a limit order fills when the size ahead has traded."""
    margin: MarginMode = "cross"
    """What backs the positions."""
    leverage: Decimal = Decimal(20)
    """How many times its margin a position may be worth."""
    liquidation_fee: Decimal = Decimal("0.0125")
    """The part of the notional that a liquidation costs."""
