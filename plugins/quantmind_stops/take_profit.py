"""The take_profit protection rule."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.kinds import Held, Levels, Options, Protection


class TakeProfitOptions(Options):
    """Options of take_profit."""

    reward_risk: Decimal = Field(
        gt=0, examples=[1.5], description="The profit to take, as a multiple of the distance of the stop."
    )


class TakeProfit(Protection[TakeProfitOptions]):
    """Leaves a position at a profit of a multiple of its risk; it needs a rule beside it that gives a stop."""

    name = "take_profit"

    def has_news(self, side: int, best: float, stop: float) -> bool:  # noqa: ARG002 - only a fill moves it
        """Say no: the profit to take stays where it is."""
        return False

    def levels(self, held: Held) -> Levels:
        """Return average price +/- reward_risk * distance; nothing without a distance, or where that is not above 0."""
        if held.distance is None:
            return Levels()
        reward = self.options.reward_risk * held.distance
        price = held.average_price + reward if held.quantity > 0 else held.average_price - reward
        return Levels(take_profit=price) if price > 0 else Levels()
