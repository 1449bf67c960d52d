from __future__ import annotations

import io
from decimal import Decimal

import pytest

from quantmind.events import (
    Bar,
    Book,
    Fill,
    Funding,
    FundingRate,
    Latch,
    Mark,
    OrderState,
    OrderUpdate,
    Part,
    Quote,
    Refusal,
    Share,
    Signal,
    Target,
    Trade,
    Transfer,
    Valuation,
)
from quantmind.kinds import Run

BTC = "BTC/USDT:USDT"
TS = 1_704_067_400_250_000_000


@pytest.fixture
def run_of_sink(tmp_path):
    """Return the run that a sink under test belongs to."""
    return Run("demo", tmp_path, io.StringIO())


@pytest.fixture
def one_of_each():
    """Return an event of each type, by its name."""
    return {
        "signal": Signal(BTC, "momentum", 1.0, 0.42, TS, "s1", "1-2"),
        "target": Target(BTC, Decimal("0.21"), (Share("momentum", Decimal("0.21")),), TS, "t1", "s1"),
        "order": OrderUpdate(
            1, "o1", BTC, "buy", Decimal("0.100"), Decimal(0), False, OrderState.ACCEPTED, TS, "t1"
        ),
        "fill": Fill(
            2, "f1", "o1", BTC, "buy", Decimal("0.100"), Decimal("50012.3"), Decimal("2.5006150"), Decimal(0),
            Decimal("0.100"), Decimal("5.00123E+4"), TS, "t1", "x1", True,
            (Part("momentum", Decimal("0.100"), Decimal(0), Decimal("2.5006150")),),
        ),
        "transfer": Transfer(
            4, "x1", BTC, Decimal("50012.25"),
            (Part("momentum", Decimal("0.1"), Decimal(0)), Part("reversion", Decimal("-0.1"), Decimal("1E-8"))),
            TS, "t1",
        ),
        "funding": Funding(
            5, "u1", BTC, Decimal("0.0001"), Decimal(50500), Decimal("0.4"), Decimal("-2.02"),
            (Part("momentum", Decimal("0.4"), Decimal("-2.02")),), TS, "1-2", "e1",
        ),
        "latch": Latch(6, "max_drawdown", "flatten", "drawdown 0.1008 >= 0.1", TS, "1-2"),
        "valuation": Valuation(7, TS, Decimal("10000.5"), ((BTC, 50012.25),)),
        "refusal": Refusal(
            3, BTC, "buy", Decimal("0.300"), "max_leverage", "leverage 3.2 > limit 3", TS, "t1"
        ),
        "quote": Quote(BTC, TS, 50012.2, 50012.3, 0.1, 1e16),
        "trade": Trade(BTC, TS, 50012.3, 0.001, 1, 7),
        "bar": Bar(BTC, TS, 60_000_000_000, 1.0, 2.0, 0.1, 1.5, 1e-07),
        "mark": Mark(BTC, TS, 50012.25),
        "funding_rate": FundingRate(BTC, TS, 0.0001, 50500.0),
        "book": Book(BTC, TS, ((50012.2, 0.1),), ((50012.3, 2.0), (50012.4, 1.0))),
    }  # fmt: skip
