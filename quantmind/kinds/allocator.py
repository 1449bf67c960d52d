"""Allocators: signals in force in, shares of a symbol's budget out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from quantmind.events import Signal
from quantmind.kinds.channel import Needs
from quantmind.kinds.component import Component, O


class Portfolio(msgspec.Struct, frozen=True, gc=False):
    """What an allocator decides on."""

    signals: Sequence[Signal]
    """The new signals, all caused by one event, in the order of the recipe."""
    in_force: Mapping[str, Mapping[str, Signal]]
    """The signal in force of each strategy, by symbol and strategy id."""
    positions: Mapping[str, Decimal]
    """The signed position by symbol, as last told by execution; empty unless `needs` asks for it."""


class Allocator(Component[O]):
    """Weighs the strategies of each symbol."""

    kind = "allocator"

    def __init__(self, options: O, strategies: Mapping[str, Sequence[str]]) -> None:
        super().__init__(options)
        self.strategies = strategies
        """The ids of the strategies that trade each symbol, in the order of the recipe."""

    @classmethod
    def needs(cls, options: O) -> Needs:  # noqa: ARG003
        """Return what the allocator must be given beside signals; pure."""
        return Needs()

    @classmethod
    def check(cls, options: O, strategies: Mapping[str, Sequence[str]]) -> Sequence[str]:  # noqa: ARG003
        """Return what is wrong with the options for these strategies, in words; pure, for lint."""
        return ()

    def decide(self, portfolio: Portfolio) -> Mapping[str, Mapping[str, float]]:
        """Return each strategy's share, in [-1, 1], for every symbol whose Target may have changed."""
        raise NotImplementedError
