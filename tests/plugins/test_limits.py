from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.events import Fill, OrderState, OrderUpdate
from quantmind.kinds import ALLOWED, Allowed, Increase, Lot, Refused, Shrunk, Standing, Stop
from quantmind.market.instruments import KNOWN
from quantmind_limits import (
    LiquidationDistance,
    LossStreak,
    MarginRatio,
    MaxDailyLoss,
    MaxDrawdown,
    MaxExposure,
    MaxLeverage,
    MaxOpenOrders,
    MaxOrderNotional,
    MaxPosition,
    OrderRate,
    PriceBand,
    StaleData,
)

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


def made(kind, **options):
    return kind(kind.options_model.model_validate(options))


def lot(quantity="0.4", price=50000.0, instrument=BTC, **given):
    quantity = Decimal(quantity)
    notional = quantity * Decimal(repr(price))
    return Lot(instrument, quantity, notional, price, abs(notional), notional, **given)


def wish(quantity="0.4", side="buy", held="0", equity="10000", price="50000", mark="50000", lots=(), ts=0, priced_at=0):
    price, held, equity = Decimal(price), Decimal(held), Decimal(equity)
    standing = Standing(equity, lots, ts)
    gross = held * price + sum((each.exposure for each in lots if each.instrument is not BTC), Decimal(0))
    mark = None if mark is None else Decimal(mark)
    return Increase(BTC, side, Decimal(quantity), price, held, gross, equity, ts, priced_at, mark, standing)


def test_what_caps_the_leverage_says_so():
    assert MaxLeverage.capabilities == {"caps_leverage"}


def test_max_exposure():
    eth = lot("-5", 2000.0, KNOWN["ETH/USDT:USDT"])
    gross = Shrunk(Decimal("0.3"), "max_exposure", "gross exposure 3 > limit 2.5")
    assert made(MaxExposure, gross="2.5").check(wish(lots=[eth])) == gross
    assert made(MaxExposure, net="1").check(wish(lots=[eth])) == ALLOWED  # 20,000 - 10,000
    sold = Shrunk(Decimal("0.1"), "max_exposure", "net exposure 3 > limit 1.5")
    assert made(MaxExposure, net="1.5").check(wish(side="sell", lots=[eth])) == sold
    own = Refused("max_exposure", "symbol exposure 2.5 > limit 0.5")
    assert made(MaxExposure, per_symbol="0.5").check(wish(held="0.1")) == own
    with pytest.raises(ValidationError, match="at least one of"):
        made(MaxExposure)


def test_max_open_orders():
    lots = [lot("0", working=2), lot("0", 2000.0, KNOWN["ETH/USDT:USDT"], working=1)]
    assert made(MaxOpenOrders, total=4, per_symbol=3).check(wish(lots=lots)) == ALLOWED
    total = Refused("max_open_orders", "open orders 4 > limit 3")
    assert made(MaxOpenOrders, total=3).check(wish(lots=lots)) == total
    assert isinstance(made(MaxOpenOrders, per_symbol=2).check(wish(lots=lots)), Refused)


def order(ts, purpose="target", state=OrderState.INTENT):
    nothing = Decimal(0)
    return OrderUpdate(1, "o", BTC.symbol, "buy", nothing, nothing, False, state, ts, "t", purpose=purpose)


def test_order_rate():
    rate = made(OrderRate, orders=2, per="1s")
    for fact in (order(0), order(1, "stop"), order(2, state=OrderState.ACCEPTED), order(400_000_000)):
        rate.on_fact(fact)
    full = Refused("order_rate", "orders in 1s 3 > limit 2")
    assert rate.check(wish(ts=999_999_999)) == full
    assert rate.check(wish(ts=1_000_000_000)) == ALLOWED


def test_price_band_and_stale_data():
    band = made(PriceBand, limit="0.02")
    assert band.check(wish(price="51000")) == ALLOWED
    far = Refused("price_band", "price 51001 is 0.0201 from the mark 50000 > limit 0.02")
    assert band.check(wish(price="51001")) == far
    assert isinstance(band.check(wish(mark=None)), Refused)
    stale = made(StaleData, max_age="5s")
    assert stale.check(wish(ts=5_000_000_000)) == ALLOWED
    old = Refused("stale_data", "age of the price 6s > limit 5s")
    assert stale.check(wish(ts=6_000_000_000)) == old


def worth(equity, ts=0):
    return Standing(Decimal(equity), (), ts)


def test_max_drawdown_as_money_md_6():
    limit = made(MaxDrawdown, limit="0.1", then="flatten")
    assert limit.watch(worth(12000)) is None
    assert limit.watch(worth("10800.01")) is None
    again = made(MaxDrawdown, limit="0.1")
    again.load(limit.save())
    for each in (limit, again):
        assert each.watch(worth(10790)) == Stop("flatten", "drawdown 0.1008 >= limit 0.1")
        assert each.watch(worth(10800)) == Stop("flatten", "drawdown 0.1 >= limit 0.1")
    limit.reset(worth(10790))
    assert limit.watch(worth(10790)) is None
    assert limit.figures == {"peak": 10790.0}


def test_max_daily_loss():
    day = 86_400_000_000_000
    limit = made(MaxDailyLoss, limit="0.05")
    assert limit.watch(worth(10000, day)) is None
    assert limit.watch(worth("9500.01", 2 * day - 1)) is None
    again = made(MaxDailyLoss, limit="0.05")
    again.load(limit.save())
    assert again.watch(worth(9500, 2 * day - 1)) == Stop("reduce", "daily loss 0.05 >= limit 0.05")
    assert again.watch(worth(9500, 2 * day)) is None


def fill(side, quantity, position, realised, fee="1"):
    quantity, position, realised, fee = map(Decimal, (quantity, position, realised, fee))
    return Fill(1, "f", "o", BTC.symbol, side, quantity, Decimal(1), fee, realised, position, Decimal(1), 0, "t", "x")


def test_loss_streak_counts_trades_after_fees():
    limit = made(LossStreak, losses=2)
    limit.on_fact(fill("buy", 1, 1, 0))
    limit.on_fact(fill("sell", 2, -1, "1.5"))  # fees of 1 and of half of 1: neither won nor lost
    limit.on_fact(fill("buy", 1, 0, 1))  # 1 - 0.5 - 1
    assert limit.watch(worth(1)) is None
    limit.on_fact(fill("buy", 1, 1, 0))
    limit.on_fact(fill("sell", 1, 0, "1.9"))
    assert limit.watch(worth(1)) == Stop("reduce", "losing trades in a row 2 >= limit 2")
    limit.reset(worth(1))
    assert limit.watch(worth(1)) is None


def test_margin_limits():
    wanted = wish("2")  # N = 100,000: 100,000 * 0.005 - 50 = 450
    assert made(MarginRatio, limit="0.045").check(wanted) == ALLOWED
    shrunk = Shrunk(Decimal("1.8"), "margin_ratio", "margin ratio 0.045 > limit 0.04")
    assert made(MarginRatio, limit="0.04").check(wanted) == shrunk
    # (10,000 - 100,000 * 0.005 + 50) / (100,000 * 0.995) = 0.0959; of the lower tier, that it is shrunk to,
    # 10,000 / (50,000 * (0.2 + 0.8 * 0.004)) = 0.98425
    shrunk = Shrunk(Decimal("0.984"), "liquidation_distance", "distance 0.0959 < limit 0.2")
    assert made(LiquidationDistance, limit="0.2").check(wanted) == shrunk
    assert made(LiquidationDistance, limit="0.05").check(wanted) == ALLOWED


@pytest.mark.parametrize("kind", [LiquidationDistance, MarginRatio])
@given(prices=st.lists(st.floats(40000, 60000), min_size=1, max_size=30), quantity=st.sampled_from(["2", "-2"]))
def test_the_band_of_prices_never_hides_a_stop(kind, prices, quantity):
    watching = made(kind, limit="0.1", then="reduce")
    held = Decimal(quantity)
    live = SimpleNamespace(instrument=BTC, quantity=held, cost=held * 50000, value_price=None, leverage=None)
    standing = Standing(Decimal(22000), [live])
    for price in prices:
        live.value_price = price
        assert watching.watch(standing) == made(kind, limit="0.1", then="reduce").watch(standing)
