from __future__ import annotations

import itertools
import math
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.events import Bar, Fill, Funding, Mark
from quantmind.kinds import Needs, Sizing, bars
from quantmind.market.instruments import KNOWN
from quantmind.risk.kelly import from_returns, kelly, measured
from quantmind.risk.moments import annual_volatility, moments
from quantmind.risk.results import Results
from quantmind_sizing.fixed_fraction import FixedFraction
from quantmind_sizing.fixed_quantity import FixedQuantity
from quantmind_sizing.kelly import Kelly
from quantmind_sizing.volatility_target import VolatilityTarget

SYMBOL = "BTC/USDT:USDT"
BTC = KNOWN[SYMBOL]
HOUR = 3_600_000_000_000

equities = st.decimals("0.01", 10**7, places=2)
prices = st.decimals("0.1", 200_000, places=1)
distances = st.none() | st.decimals("0.1", 10_000, places=1)
caps = st.decimals("0.1", 20, places=1)
fractions = st.decimals("0.01", "0.5", places=2)


def rule(kind, **options):
    return kind(kind.options_model.model_validate(options), BTC)


def sizing(price="50000", equity="10000", distance=None):
    return Sizing(BTC, D(price), D(equity), None if distance is None else D(distance))


def closes(sizer, prices, interval=HOUR, start=1):
    for n, price in enumerate(prices, start):
        sizer.on_market(Bar(SYMBOL, n * interval, interval, price, price, price, price, 1.0))


def wave(count):
    """Return closes that drift up and move about 1 % an hour."""
    return [100.0 * math.exp(0.001 * n + 0.01 * math.sin(2.0 * n)) for n in range(count)]


def returns_of(prices):
    return [after / before - 1.0 for before, after in itertools.pairwise(prices)]


class TestFixedQuantity:
    def test_the_budget_is_the_quantity_whatever_price_and_equity_are(self):
        sizer = rule(FixedQuantity, quantity="0.4")
        for price, equity in (("50000", "10000"), ("1", "-5")):
            assert sizer.budget(sizing(price, equity)) == D("0.4")


class TestFixedFraction:
    def test_the_loss_at_the_stop_is_the_fraction(self):
        sizer = rule(FixedFraction, fraction="0.01", cap=2)
        assert sizer.budget(sizing(distance="500")) == D("0.2")
        assert sizer.budget(sizing(distance="100")) == D("0.4")  # the cap

    def test_without_a_stop_the_whole_notional_is_at_risk(self):
        assert rule(FixedFraction, fraction="0.01").budget(sizing()) == D("0.002")

    def test_no_equity_no_budget(self):
        assert rule(FixedFraction, fraction="0.01").budget(sizing(equity="-1", distance="500")) == 0


class TestKelly:
    def test_the_first_example_of_money(self):
        sizer = rule(Kelly, win_rate=0.55, reward_risk=1.5, fraction=0.5, cap=2)
        budget = sizer.budget(sizing(distance="500"))
        assert budget == D("0.400")
        assert budget * 500 == 200
        assert sizer.figures == {"kelly": 0.25}
        assert rule(Kelly, win_rate=0.55, reward_risk=1.5, cap=100).budget(sizing(distance="500")) == D("2.5")
        assert rule(Kelly, win_rate=0.55, reward_risk=1.5).budget(sizing()) == D("0.025")

    def test_without_an_edge_it_holds_nothing(self):
        sizer = rule(Kelly, win_rate=0.3, reward_risk=1)
        assert sizer.budget(sizing(distance="500")) == 0
        assert sizer.figures == {"kelly": -0.4}

    def test_it_needs_bars_only_by_returns(self):
        assert Kelly.needs(Kelly.options_model.model_validate({"win_rate": 0.5, "reward_risk": 2})) == Needs()
        by_returns = Kelly.options_model.model_validate({"returns": {"interval": "4h", "window": 50}})
        assert Kelly.needs(by_returns) == Needs((bars(4 * HOUR),), history=51)

    @given(equity=equities, price=prices, distance=distances, cap=caps, fraction=fractions)
    def test_never_above_the_cap_nor_the_risk_and_more_with_the_fraction(self, equity, price, distance, cap, fraction):
        asked = Sizing(BTC, price, equity, distance)
        kinds = (
            (Kelly, {"win_rate": "0.6", "reward_risk": "1.5"}, kelly(D("0.6"), D("1.5"))),
            (FixedFraction, {}, D(1)),
        )
        for kind, options, full in kinds:
            small = rule(kind, **options, fraction=fraction, cap=cap).budget(asked)
            large = rule(kind, **options, fraction=2 * fraction, cap=cap).budget(asked)
            assert 0 <= small <= large
            assert large * price <= cap * equity
            assert small * (price if distance is None else distance) <= fraction * full * equity


class TestKellyMeasured:
    @pytest.fixture
    def sizer(self):
        return rule(Kelly, measured={"wins": 11, "losses": 9, "reward_risk": "1.2", "weight": 20}, cap=100)

    def fills(self, sizer, *fills, symbol=SYMBOL):
        """Show (signed quantity, price, fee); the position and what was realised follow from them."""
        held = cost = D(0)
        for quantity, price, fee in ((D(q), D(p), D(f)) for q, p, f in fills):
            closed = min(abs(quantity), abs(held)) if held * quantity < 0 else D(0)
            sign = 1 if held > 0 else -1
            average = cost / held if held else D(0)
            realised = closed * sign * (price - average)
            opened = (abs(quantity) - closed) * (1 if quantity > 0 else -1)
            held += quantity
            cost = cost - closed * sign * average + opened * price
            side = "buy" if quantity > 0 else "sell"
            more = "x", "o", symbol, side, abs(quantity), price, fee, realised, held, abs(average), 1, "t", "e"
            sizer.on_fact(Fill(1, *more))

    def results(self, sizer, *parts):
        expected = Results.of(map(D, parts))
        found = measured(expected, sizer.options.measured.prior)
        figures = sizer.figures
        assert figures["trades"] == expected.trades
        assert figures["kelly"] == float(found.kelly)
        assert (figures["low"], figures["high"]) == (float(found.low), float(found.high))
        assert figures["win_rate"] == float(found.win_rate)
        assert sizer.budget(sizing(distance="500")) == found.kelly * D("0.5") * 10_000 / 500

    def test_it_begins_with_its_prior(self, sizer):
        self.results(sizer)
        assert sizer.figures["kelly"] == pytest.approx(0.55 - 0.45 / 1.2)

    def test_a_trade_ends_at_0_and_not_before(self, sizer):
        self.fills(sizer, ("0.1", "50000", "2"), ("0.1", "50000", "2"), ("-0.15", "51000", "3"))
        self.results(sizer)

    def test_results_are_parts_of_the_notional_after_fees(self, sizer):
        self.fills(
            sizer,
            ("0.1", "50000", "2"),
            ("0.1", "50000", "2"),
            ("-0.2", "51000", "6"),  # 200 - 10 on 10,000
            ("-0.1", "50000", "0"),
            ("0.1", "50500", "0"),  # -50 on 5,000
        )
        self.results(sizer, "0.019", "-0.01")

    def test_a_flip_closes_a_trade_and_opens_the_next(self, sizer):
        self.fills(sizer, ("0.1", "50000", "0"), ("-0.3", "51000", "9"))
        self.results(sizer, "0.0194")  # 100 - 3 on 5,000
        # 0.2 short at 51,000 with 6 of fees, closed at 50,000: 200 - 6 on 10,200.
        sizer.on_fact(
            Fill(2, "x", "o", SYMBOL, "buy", D("0.2"), D(50000), D(0), D(200), D(0), D(0), 1, "t", "e2"),
        )
        self.results(sizer, "0.0194", D(194) / 10_200)

    def test_funding_counts(self, sizer):
        self.fills(sizer, ("0.1", "50000", "0"))
        for symbol in (SYMBOL, "ETH/USDT:USDT"):
            funded = symbol, D("0.001"), D(50000), D("0.1"), D(-5), (), 1, "t", "e"
            sizer.on_fact(Funding(1, "f", *funded))
        sizer.on_fact(
            Fill(2, "x", "o", SYMBOL, "sell", D("0.1"), D(50000), D(0), D(0), D(0), D(0), 1, "t", "e2"),
        )
        self.results(sizer, "-0.001")

    def test_other_symbols_and_trades_whose_beginning_was_not_seen_do_not_count(self, sizer):
        self.fills(sizer, ("0.1", "2000", "0"), ("-0.1", "3000", "0"), symbol="ETH/USDT:USDT")
        sizer.on_fact(
            Fill(1, "x", "o", SYMBOL, "buy", D("0.1"), D(50000), D(0), D(0), D("0.3"), D(50000), 1, "t", "e"),
        )
        sizer.on_fact(
            Fill(2, "x", "o", SYMBOL, "sell", D("0.3"), D(51000), D(0), D(300), D(0), D(0), 1, "t", "e2"),
        )
        self.results(sizer)

    def test_losses_use_up_the_edge(self, sizer):
        for _ in range(20):
            self.fills(sizer, ("0.1", "50000", "2"), ("-0.1", "49000", "2"))
        assert sizer.figures["kelly"] < 0
        assert sizer.budget(sizing(distance="500")) == 0


class TestKellyByReturns:
    def test_it_is_a_leverage_once_the_window_is_full(self):
        sizer = rule(Kelly, returns={"interval": "1h", "window": 30}, cap=1000)
        prices = wave(40)
        closes(sizer, prices[:30])
        assert sizer.budget(sizing()) == 0
        assert sizer.figures == {"kelly": 0.0, "returns": 29.0}
        closes(sizer, prices[30:], start=31)
        leverage = from_returns(returns_of(prices)[-30:])
        assert leverage > 0
        assert float(sizer.budget(sizing())) == pytest.approx(float(leverage * 10_000 / 50_000), rel=1e-12)
        assert sizer.budget(sizing(distance="1")) == sizer.budget(sizing())
        mean, variance = moments(returns_of(prices)[-30:])
        figures = {"kelly": float(from_returns(returns_of(prices)[-30:], D(1))), "returns": 30.0}
        assert sizer.figures == {**figures, "mean": mean, "variance": variance}

    def test_the_cap_holds_and_a_market_that_falls_gives_nothing(self):
        options = {"returns": {"interval": "1h", "window": 30}, "cap": "0.1"}
        sizer = rule(Kelly, **options)
        closes(sizer, wave(40))
        assert sizer.budget(sizing()) == D("0.02")
        sizer = rule(Kelly, **options)
        closes(sizer, wave(40)[::-1])
        assert sizer.budget(sizing()) == 0

    def test_gaps_repetitions_and_other_bars_give_no_return(self):
        sizer = rule(Kelly, returns={"interval": "1h", "window": 30})
        closes(sizer, [100.0, 101.0])
        closes(sizer, [100.0, 101.0])
        closes(sizer, [150.0, 151.0], start=10)
        sizer.on_market(Bar(SYMBOL, 12 * HOUR, 2 * HOUR, 1.0, 1.0, 1.0, 1.0, 1.0))
        sizer.on_market(Bar("ETH/USDT:USDT", 12 * HOUR, HOUR, 1.0, 1.0, 1.0, 1.0, 1.0))
        sizer.on_market(Mark(SYMBOL, 12 * HOUR, 1.0))
        assert sizer.figures["returns"] == 2.0


class TestVolatilityTarget:
    def test_the_expected_volatility_is_the_target(self):
        sizer = rule(VolatilityTarget, target="0.2", interval="1h", window=48, cap=10)
        prices = wave(60)
        assert sizer.figures == {}
        closes(sizer, prices)
        volatility = annual_volatility(moments(returns_of(prices)[-48:])[1], HOUR)
        assert sizer.figures == {"volatility": volatility}
        quantity = sizer.budget(sizing())
        assert float(quantity) * 50_000 * volatility / 10_000 == pytest.approx(0.2, rel=1e-12)

    def test_the_cap_holds(self):
        sizer = rule(VolatilityTarget, target=50, interval="1h", window=48)
        closes(sizer, wave(60))
        assert sizer.budget(sizing()) == D("0.2")

    def test_without_an_estimate_it_holds_nothing(self):
        sizer = rule(VolatilityTarget, target="0.2", interval="1h", window=48)
        closes(sizer, wave(48))
        assert sizer.budget(sizing()) == 0
        closes(sizer, [100.0] * 60, start=100)
        assert sizer.figures == {"volatility": 0.0}
        assert sizer.budget(sizing()) == 0

    def test_it_needs_a_full_window(self):
        options = VolatilityTarget.options_model.model_validate({"target": 1, "interval": "1h", "window": 48})
        assert VolatilityTarget.needs(options) == Needs((bars(HOUR),), history=49)


@pytest.mark.parametrize("given_figure", ["volatility", "returns"])
@given(equity=equities, price=prices, cap=caps)
def test_estimates_never_go_above_the_cap(given_figure, equity, price, cap):
    sizer = (
        rule(VolatilityTarget, target=5, interval="1h", window=30, cap=cap)
        if given_figure == "volatility"
        else rule(Kelly, returns={"interval": "1h", "window": 30}, fraction=1, cap=cap)
    )
    closes(sizer, wave(40))
    assert 0 < sizer.budget(Sizing(BTC, price, equity, None)) * price <= cap * equity


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((FixedQuantity, options) for options in ({}, {"quantity": 0}, {"quantity": "-1"}, {"quantity": "NaN"})),
        (FixedFraction, {}),
        (FixedFraction, {"fraction": 0}),
        (FixedFraction, {"fraction": "1.5"}),
        (FixedFraction, {"fraction": "0.1", "cap": 0}),
        (Kelly, {}),
        (Kelly, {"win_rate": 0.5}),
        (Kelly, {"reward_risk": 2}),
        (Kelly, {"win_rate": 1.5, "reward_risk": 2}),
        (Kelly, {"win_rate": 0.5, "reward_risk": 0}),
        (Kelly, {"win_rate": 0.5, "reward_risk": 2, "fraction": 1.5}),
        (Kelly, {"win_rate": 0.5, "reward_risk": 2, "fraction": 0}),
        (Kelly, {"win_rate": 0.5, "reward_risk": 2, "returns": {}}),
        (Kelly, {"measured": {"wins": 2, "losses": 1, "reward_risk": 1}, "returns": {}}),
        (Kelly, {"measured": {"wins": 1, "losses": 1, "reward_risk": 1}}),
        (Kelly, {"measured": {}}),
        (Kelly, {"returns": {"window": 29}}),
        (Kelly, {"returns": {"length": 29}}),
        (VolatilityTarget, {}),
        (VolatilityTarget, {"target": 0}),
        (VolatilityTarget, {"target": 1, "window": 9}),
    ],
)
def test_options_that_cannot_be_are_refused(kind, options):
    with pytest.raises(ValidationError):
        kind.options_model.model_validate(options)
