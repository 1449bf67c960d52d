"""The fixed_quantity sizing rule."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.kinds import Options, Sizing, SizingRule


class FixedQuantityOptions(Options):
    """Options of fixed_quantity."""

    quantity: Decimal = Field(gt=0, examples=[0.1], description="The quantity at a Target of 1, in base currency.")


class FixedQuantity(SizingRule[FixedQuantityOptions]):
    """Holds the same quantity whatever price and equity are."""

    name = "fixed_quantity"

    def budget(self, sizing: Sizing) -> Decimal:  # noqa: ARG002 - this rule judges by nothing
        """Return the quantity of the options."""
        return self.options.quantity
