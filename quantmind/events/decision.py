"""What the Decider says: signals, and the Targets an allocator made of them."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Signal(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="signal"):
    """A strategy's view of a symbol, in force until replaced.

    A strategy leaves `ts`, `id` and `cause` out: the Decider fills them in.
    """

    symbol: str
    """The unified symbol it is about."""
    strategy: str
    """The strategy's id in the recipe."""
    direction: float
    """In [-1, 1]: long above 0, short below, flat at 0."""
    confidence: float
    """In [0, 1]; allocators weigh the direction by it."""
    ts: int = 0
    """When it was made, by the time of events, ns UTC."""
    id: str = ""
    """`s`, and its position: epoch, market event, and a number that restarts with each of them."""
    cause: str = ""
    """The market event it was made on, `epoch-seq`, or the id of the fill."""


class Share(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The part of a Target that one `strategy` asked for: its `value` is in [-1, 1], with at most 9 decimals."""

    strategy: str
    value: Decimal


class Target(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="target"):
    """The wanted position of a symbol: absolute, the last one wins."""

    symbol: str
    """The unified symbol it is of."""
    value: Decimal
    """The part of the symbol's budget, in [-1, 1], short below 0: the sum of the shares, with at most 9 decimals."""
    shares: tuple[Share, ...]
    """What of it is whose, in the order of the strategies in the recipe."""
    ts: int
    """When it was made, by the time of events, ns UTC."""
    id: str
    """`t`, and its position: epoch, market event, and a number that restarts with each of them."""
    cause: str
    """The id of the last signal that led to it, one of its own symbol where there is one."""


class Upto(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="upto"):
    """The Decider's report that a market event is handled, with what came of it."""

    seq: int
    """The sequence number of the market event."""
    signals: tuple[Signal, ...] = ()
    """The signals that were made, in order."""
    targets: tuple[Target, ...] = ()
    """The Targets that changed, in the order that the allocator gave them."""
    refused: tuple[str, ...] = ()
    """A code for each thing said that was out of bounds, in order, such as `signal_out_of_range`."""
