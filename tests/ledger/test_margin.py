"""Margin: what is needed, and what part of what there is that makes."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.ledger.margin import Margin, Margined, cross, isolated
from quantmind.market.instruments import KNOWN
from quantmind.risk.liquidation import liquidation

BTC, ETH = KNOWN["BTC/USDT:USDT"], KNOWN["ETH/USDT:USDT"]


def held(instrument, quantity, entry, price, leverage=20):
    return Margined(instrument, D(quantity), D(quantity) * D(entry), D(price), D(leverage))


def test_the_figures_of_a_position():
    position = held(BTC, "0.400", 50_000, 50_500)
    assert position.notional == 20_200
    assert position.unrealised == 200
    assert position.initial == 1_010
    assert position.maintenance == D("80.8")


def test_a_higher_tier_gives_its_amount():
    # 1.2 * 50,000 = 60,000 is in the second tier: 0.5 % less 50,000 * (0.5 % - 0.4 %).
    assert held(BTC, "-1.2", 50_000, 50_000).maintenance == 250


def test_cross_backs_all_with_all():
    margin = cross(D(10_000), [held(BTC, "0.400", 50_000, 50_500), held(ETH, "-2", 2_500, 2_600)])
    assert margin == Margin(D(10_000), D(1_270), D("101.6"))
    assert margin.ratio == D("0.01016")
    assert margin.available == 8_730
    assert not margin.exhausted


def test_isolated_backs_each_with_its_own():
    margin = isolated(held(BTC, "0.400", 50_000, 49_500))
    assert margin == Margin(D(800), D(990), D("79.2"))
    assert margin.ratio == D("0.099")
    assert margin.available == 0
    assert isolated(held(BTC, "0.400", 50_000, 49_500), added=D(100)).balance == 900


def test_nothing_is_needed_when_flat():
    margin = cross(D(10_000), [held(BTC, 0, 0, 50_000)])
    assert margin == Margin(D(10_000), D(0), D(0))
    assert margin.ratio == 0
    assert not cross(D(0), []).exhausted


def test_nothing_is_left():
    margin = cross(D(100), [held(BTC, "0.400", 50_000, 49_000)])
    assert margin.balance == -300
    assert margin.ratio is None
    assert margin.exhausted


@pytest.mark.parametrize("quantity", ["0.400", "-0.400"])
def test_it_is_exhausted_at_the_liquidation_price(quantity):
    side = "buy" if D(quantity) > 0 else "sell"
    price = liquidation(side, D("0.400"), D(50_000), D(1_000), BTC.tiers).price
    margin = cross(D(1_000), [held(BTC, quantity, 50_000, price)])
    assert abs(margin.ratio - 1) < D("1E-20")
    beyond = price * (D("0.9999") if side == "buy" else D("1.0001"))
    before = price * (D("1.0001") if side == "buy" else D("0.9999"))
    assert cross(D(1_000), [held(BTC, quantity, 50_000, beyond)]).exhausted
    assert not cross(D(1_000), [held(BTC, quantity, 50_000, before)]).exhausted
