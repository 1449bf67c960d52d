"""The max_open_orders limit."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Verdict


class MaxOpenOrdersOptions(Options):
    """Options of max_open_orders: at least one of them."""

    total: int | None = Field(default=None, ge=1, examples=[10], description="The most working orders of all symbols.")
    per_symbol: int | None = Field(
        default=None, ge=1, examples=[3], description="The most working orders of each symbol."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.total is None and self.per_symbol is None:
            raise ValueError("must have at least one of: total, per_symbol")
        return self


class MaxOpenOrders(Limit[MaxOpenOrdersOptions]):
    """Refuses an increase that would be one working order too many; stops and take-profits do not count.

    At least one of the options must be given.
    """

    name = "max_open_orders"

    def check(self, increase: Increase) -> Verdict:
        """Allow or refuse."""
        holdings = increase.standing.holdings
        per_symbol, total = self.options.per_symbol, self.options.total
        if per_symbol is not None:
            own = holdings.get(increase.instrument.symbol)
            count = 1 + (own.working if own is not None else 0)
            if count > per_symbol:
                return Refused(self.name, f"open orders of {increase.instrument.symbol} {count} > limit {per_symbol}")
        if total is not None:
            count = 1
            for holding in holdings.values():
                count += holding.working
            if count > total:
                return Refused(self.name, f"open orders {count} > limit {total}")
        return ALLOWED
