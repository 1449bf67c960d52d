from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from quantmind.kinds import Sizing
from quantmind.market.instruments import KNOWN
from quantmind_sizing.fixed_quantity import FixedQuantity, FixedQuantityOptions


def test_the_budget_is_the_quantity_whatever_price_and_equity_are():
    rule = FixedQuantity(FixedQuantityOptions.model_validate({"quantity": "0.4"}))
    for price, equity in (("50000", "10000"), ("1", "-5")):
        sizing = Sizing(KNOWN["BTC/USDT:USDT"], Decimal(price), Decimal(equity), None)
        assert rule.budget(sizing) == Decimal("0.4")


@pytest.mark.parametrize("options", [{}, {"quantity": 0}, {"quantity": "-1"}, {"quantity": "NaN"}, {"amount": 1}])
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(ValidationError):
        FixedQuantityOptions.model_validate(options)
