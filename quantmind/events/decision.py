"""What the Decider says: signals, and the Targets an allocator made of them."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Signal(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="signal"):
    """A strategy's view of a symbol, in force until replaced.

    `direction` is in [-1, 1] (0 is flat) and `confidence` in [0, 1]. A strategy leaves `id`, `cause` and
    `ts` out: the Decider fills them in.
    """

    symbol: str
    strategy: str
    direction: float
    confidence: float
    ts: int = 0
    id: str = ""
    cause: str = ""


class Share(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The part of a Target that one strategy asked for, in [-1, 1]."""

    strategy: str
    value: Decimal


class Target(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="target"):
    """The wanted position of a symbol as a part of its budget, in [-1, 1]: absolute, the last one wins."""

    symbol: str
    value: Decimal
    shares: tuple[Share, ...]
    ts: int
    id: str
    cause: str


class Upto(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="upto"):
    """The Decider's report that market event `seq` is handled, with what came of it."""

    seq: int
    signals: tuple[Signal, ...] = ()
    targets: tuple[Target, ...] = ()
    refused: tuple[str, ...] = ()
