from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.kinds import ALLOWED, Allowed, Increase, Refused, Shrunk
from quantmind.market.instruments import KNOWN
from quantmind_limits import MaxLeverage, MaxOrderNotional, MaxPosition

BTC = KNOWN["BTC/USDT:USDT"]
LIMITS = [MaxPosition, MaxLeverage, MaxOrderNotional]


def limit(kind, figure):
    return kind(kind.options_model.model_validate({"limit": figure}))


def increase(quantity="0.4", held="0", gross="0", equity="10000", price="50000"):
    return Increase(BTC, "buy", Decimal(quantity), Decimal(price), Decimal(held), Decimal(gross), Decimal(equity))


@pytest.mark.parametrize(
    ("held", "quantity", "verdict"),
    [
        ("0", "0.4", ALLOWED),
        ("0.1", "0.4", ALLOWED),
        ("0.2", "0.4", Shrunk(Decimal("0.3"), "max_position", "position 0.6 > limit 0.5")),
        ("0.5", "0.001", Refused("max_position", "position 0.501 > limit 0.5")),
        ("0.4995", "0.001", Refused("max_position", "position 0.5005 > limit 0.5")),
        ("0.7", "0.1", Refused("max_position", "position 0.8 > limit 0.5")),
    ],
)
def test_max_position(held, quantity, verdict):
    assert limit(MaxPosition, "0.5").check(increase(quantity, held)) == verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({}, ALLOWED),  # 20,000 / 10,000 = 2
        ({"gross": "10000"}, ALLOWED),
        ({"gross": "12000"}, Shrunk(Decimal("0.36"), "max_leverage", "leverage 3.2 > limit 3")),
        ({"gross": "10000.01"}, Shrunk(Decimal("0.3999998"), "max_leverage", "leverage 3.0001 > limit 3")),
        ({"gross": "30000"}, Refused("max_leverage", "leverage 5 > limit 3")),
        ({"gross": "29999"}, Refused("max_leverage", "leverage 4.9999 > limit 3")),
        ({"gross": "90000"}, Refused("max_leverage", "leverage 11 > limit 3")),
        ({"equity": "0"}, Refused("max_leverage", "equity 0 <= 0")),
        ({"equity": "-5.50"}, Refused("max_leverage", "equity -5.50 <= 0")),
    ],
)
def test_max_leverage(values, verdict):
    assert limit(MaxLeverage, 3).check(increase(**values)) == verdict


@pytest.mark.parametrize(
    ("quantity", "verdict"),
    [("0.4", ALLOWED), ("0.401", Refused("max_order_notional", "notional 20050.000 > limit 20000"))],
)
def test_max_order_notional(quantity, verdict):
    assert limit(MaxOrderNotional, 20000).check(increase(quantity)) == verdict


def decimals(low, high, places):
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


increases = st.builds(
    Increase,
    instrument=st.just(BTC),
    side=st.sampled_from(["buy", "sell"]),
    quantity=decimals("0.001", 1000, 3),
    price=decimals("0.1", 200_000, 1),
    held=decimals(0, 1000, 3),
    gross=decimals(0, 10**8, 8),
    equity=decimals(-1000, 10**7, 8),
)
figures = decimals("0.001", 10**6, 3)


@pytest.mark.parametrize("kind", LIMITS)
@given(figure=figures, wish=increases)
def test_a_limit_never_enlarges_and_says_its_name(kind, figure, wish):
    verdict = limit(kind, figure).check(wish)
    if isinstance(verdict, Shrunk):
        assert 0 < verdict.quantity < wish.quantity
    if not isinstance(verdict, Allowed):
        assert verdict.code == kind.name
        assert "E" not in verdict.figures


@given(figure=figures, wish=increases)
def test_what_max_position_passes_is_within_it(figure, wish):
    verdict = limit(MaxPosition, figure).check(wish)
    if not isinstance(verdict, Refused):
        passed = wish.quantity if isinstance(verdict, Allowed) else verdict.quantity
        assert wish.held + passed <= figure


@given(figure=figures, wish=increases)
def test_what_max_leverage_passes_is_within_it(figure, wish):
    verdict = limit(MaxLeverage, figure).check(wish)
    if not isinstance(verdict, Refused):
        passed = wish.quantity if isinstance(verdict, Allowed) else BTC.quantity(verdict.quantity)
        assert passed > 0
        assert wish.gross + passed * wish.price <= figure * wish.equity


@given(figure=figures, wish=increases)
def test_what_max_order_notional_passes_is_within_it(figure, wish):
    within = wish.quantity * wish.price <= figure
    assert isinstance(limit(MaxOrderNotional, figure).check(wish), Allowed if within else Refused)


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("options", [{}, {"limit": 0}, {"limit": "-1"}, {"limit": "NaN"}, {"limit": 1, "x": 1}])
def test_options_that_cannot_be_are_refused(kind, options):
    with pytest.raises(ValidationError):
        kind.options_model.model_validate(options)
