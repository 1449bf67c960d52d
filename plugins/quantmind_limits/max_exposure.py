"""The max_exposure limit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Shrunk, Verdict
from quantmind_limits.rounding import DOWN, above

_ZERO = Decimal(0)


class MaxExposureOptions(Options):
    """Options of max_exposure: at least one of them."""

    gross: Decimal | None = Field(
        default=None,
        gt=0,
        examples=[3],
        description="The largest notional of all symbols, as a multiple of the equity.",
    )
    net: Decimal | None = Field(
        default=None,
        gt=0,
        examples=[2],
        description="The largest long less short notional, either way, as a multiple of the equity.",
    )
    per_symbol: Decimal | None = Field(
        default=None,
        gt=0,
        examples=[1.5],
        description="The largest notional of each symbol, as a multiple of the equity.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.gross is None and self.net is None and self.per_symbol is None:
            raise ValueError("must have at least one of: gross, net, per_symbol")
        return self


class MaxExposure(Limit[MaxExposureOptions]):
    """Shrinks what would make the gross, net or own notional larger than a multiple of the equity.

    At least one of the options must be given.
    """

    name = "max_exposure"

    def check(self, increase: Increase) -> Verdict:
        """Allow, shrink to the least that is left, or refuse when no step or no equity is left."""
        equity = increase.equity
        if equity <= 0:
            return Refused(self.name, f"equity {equity:f} <= 0")
        least: Decimal | None = None
        figures = ""
        wanted = increase.quantity * increase.price
        for word, limit, before in self._bounds(increase):
            if before + wanted <= limit * equity:
                continue
            left = DOWN.divide(DOWN.subtract(DOWN.multiply(limit, equity), before), increase.price)
            if least is None or left < least:
                least = left
                figures = f"{word} exposure {above((before + wanted) / equity)} > limit {limit:f}"
        if least is None:
            return ALLOWED
        if increase.instrument.quantity(least) <= 0:
            return Refused(self.name, figures)
        return Shrunk(least, self.name, figures)

    def _bounds(self, increase: Increase) -> Iterator[tuple[str, Decimal, Decimal]]:
        """Yield each limit with the notional, on the side of the increase, that it is already filled with."""
        options = self.options
        if options.gross is not None:
            yield "gross", options.gross, increase.gross
        own = increase.held * increase.price
        if options.net is not None:
            # What the order reduces first is gone by then, so the symbol itself counts with what is held on this side.
            others = _ZERO
            for symbol, holding in increase.standing.holdings.items():
                if symbol != increase.instrument.symbol:
                    others += holding.net
            yield "net", options.net, own + (others if increase.side == "buy" else -others)
        if options.per_symbol is not None:
            yield "symbol", options.per_symbol, own
