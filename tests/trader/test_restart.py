"""What a Trader says when the account it takes over does not fit its recipe."""

from decimal import Decimal

import pytest

from quantmind.errors import QuantMindError
from quantmind.market.instruments import KNOWN
from quantmind.trader.trader import Trader

BTC, ETH = KNOWN["BTC/USDT:USDT"], KNOWN["ETH/USDT:USDT"]


def test_an_account_that_traded_something_else_is_named_with_what_to_do(desk):
    desk.hold("0.2")
    with pytest.raises(QuantMindError) as refusal:
        Trader([ETH], desk.strategies, desk.trader._floor.rules, desk.gate, desk.journal, Decimal("0.05"), None, False)
    assert str(refusal.value) == (
        "the account paper-test has traded BTC/USDT:USDT, which is not an instrument of this recipe: "
        "add it to instruments, or give the recipe's executor an account of its own"
    )
