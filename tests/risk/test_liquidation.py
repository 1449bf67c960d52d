from __future__ import annotations

import json
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.market.instruments import KNOWN, Tier, tiers
from quantmind.risk.liquidation import liquidation, price_in_tier

BTC = KNOWN["BTC/USDT:USDT"]
CENT = D("0.01")


@pytest.fixture
def vectors(data):
    return json.loads((data / "binance_usdm_fixtures" / "vectors.json").read_text(), parse_float=D, parse_int=D)


def test_the_worked_examples_of_the_venue(vectors):
    examples = vectors["liquidation_price"]
    assert {example["mode"] for example in examples} == {"cross", "isolated"}
    for example in examples:
        side = "buy" if example["side"] == 1 else "sell"
        tier = Tier(D(0), example["mmr"], example["cum"])
        more = example["wb"], tier, example["tmm"], example["upnl"]
        price = price_in_tier(side, example["pos"], example["entry"], *more)
        assert price.quantize(CENT) == example["lp"]
        wallet, _, maintenance, unrealised = more
        found = liquidation(side, example["pos"], example["entry"], wallet, [tier], maintenance, unrealised)
        assert found.price == price


def test_the_tier_of_the_liquidation_price_counts():
    steps = tiers((D(0), D("0.004")), (D(50_000), D("0.05")))
    # Long 1 at 60,000 with 15,000: the tier at entry (5 %, amount 2,300) gives 45,000 - 2,300 over 0.95, which is
    # below the floor; the first tier holds there.
    upper = price_in_tier("buy", D(1), D(60_000), D(15_000), steps[1])
    assert upper == (D(45_000) - 2_300) / D("0.95")
    found = liquidation("buy", D(1), D(60_000), D(15_000), steps)
    assert found.tier == steps[0]
    assert found.price == D(45_000) / D("0.996")
    # Short 1 at 45,000 with 15,000: the first tier says 59,760.96, where the second one holds.
    found = liquidation("sell", D(1), D(45_000), D(15_000), steps)
    assert found.tier == steps[1]
    assert found.price == (D(60_000) + 2_300) / D("1.05")


def test_a_long_position_with_all_its_notional_as_margin_has_none():
    assert liquidation("buy", D("0.1"), D(50_000), D(5_000), BTC.tiers).price is None
    assert liquidation("sell", D("0.1"), D(50_000), D(5_000), BTC.tiers).price > 99_000


def test_tiers_that_jump_tell_the_price_that_is_met_first():
    jump = [Tier(D(0), D("0.01"), D(0)), Tier(D(100), D("0.5"), D(0))]
    found = liquidation("sell", D(1), D(90), D(20), jump)
    assert found.price == min(price_in_tier("sell", D(1), D(90), D(20), tier) for tier in jump)


@given(
    side=st.sampled_from(["buy", "sell"]),
    quantity=st.decimals("0.001", 10_000, places=3),
    entry=st.decimals(100, 200_000, places=1),
    leverage=st.decimals(1, 100, places=1),
    maintenance=st.decimals(0, 1000, places=2),
    unrealised=st.decimals(-1000, 1000, places=2),
    instrument=st.sampled_from(sorted(KNOWN)),
)
def test_the_margin_ratio_is_100_percent_there(side, quantity, entry, leverage, maintenance, unrealised, instrument):
    traded = KNOWN[instrument]
    wallet = quantity * entry / leverage
    found = liquidation(side, quantity, entry, wallet, traded.tiers, maintenance, unrealised)
    signed = quantity if side == "buy" else -quantity

    def balance(price):
        return wallet + unrealised + signed * (price - entry)

    def needed(price):
        return traded.maintenance(quantity * price) + maintenance

    if found.price is None:
        assert side == "buy"
        assert balance(D("0.01")) >= needed(D("0.01"))
    elif found.price == 0:
        assert side == "sell"
        assert balance(D("0.01")) <= needed(D("0.01"))
    else:
        size = quantity * max(entry, found.price)
        assert abs(balance(found.price) - needed(found.price)) <= size * D("1e-20")
        better = found.price * (D("1.001") if side == "buy" else D("0.999"))
        assert balance(better) > needed(better)


@pytest.mark.parametrize(("quantity", "entry", "steps"), [("0", "1", 1), ("1", "-1", 1), ("1", "1", 0)])
def test_figures_out_of_range_are_refused(quantity, entry, steps):
    with pytest.raises(ValueError, match="must be"):
        liquidation("buy", D(quantity), D(entry), D(1), BTC.tiers[:steps])
