from __future__ import annotations

import math
import random
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.risk.kelly import Measured, Prior, from_returns, kelly, measured, shrunk
from quantmind.risk.moments import annual_volatility, moments
from quantmind.risk.results import Results

rates = st.decimals(0, 1, places=4)
ratios = st.decimals("0.01", 100, places=2)


@pytest.mark.parametrize(
    ("win_rate", "reward_risk", "fraction"),
    [("0.55", "1.5", "0.25"), ("0.6", "1", "0.2"), ("0.5", "1", "0"), ("0.25", "1", "-0.5"), ("1", "3", "1")],
)
def test_the_formula(win_rate, reward_risk, fraction):
    assert kelly(D(win_rate), D(reward_risk)) == D(fraction)


@given(w=rates, r=ratios)
def test_it_never_stakes_all_but_on_a_sure_thing_and_grows_with_both(w, r):
    fraction = kelly(w, r)
    assert fraction <= w <= 1
    assert kelly(w, r + 1) >= fraction
    if w < 1:
        assert kelly(min(w + D("0.01"), D(1)), r) > fraction


def test_it_is_where_the_logarithm_grows_fastest():
    w, r = 0.55, 1.5

    def growth(f):
        return w * math.log1p(f * r) + (1 - w) * math.log1p(-f)

    best = float(kelly(D("0.55"), D("1.5")))
    assert all(growth(best) > growth(best + step) for step in (-0.05, -0.001, 0.001, 0.05))


@pytest.mark.parametrize(("w", "r"), [("1.01", "1"), ("-0.1", "1"), ("NaN", "1"), ("0.5", "0"), ("0.5", "-1")])
def test_figures_out_of_range_are_refused(w, r):
    with pytest.raises(ValueError, match=r"win_rate: must be between 0 and 1, was|reward_risk: must be above 0, was"):
        kelly(D(w), D(r))


class TestMeasured:
    results = Results.of(map(D, ("10", "-5", "0", "7", "-4", "12.5")))

    def test_results_are_summed_up(self):
        assert self.results == Results(3, 2, D("29.5"), D(9))
        assert self.results.win_rate == D("0.6")
        assert self.results.reward_risk == D("29.5") / 3 / (D(9) / 2)

    def test_the_shrunk_figures(self):
        found = measured(Results(30, 20, D(60), D(20)), Prior(D(5), D(5), D(1), D(20)))
        assert found.win_rate == D(35) / 60
        assert found.reward_risk == (20 * D(2) + 20 * D(1)) / 40  # 1.5
        assert found.kelly == kelly(found.win_rate, D("1.5"))
        assert found.unshrunk == D("0.4")  # 0.6 - 0.4 / 2
        assert found.trades == 50

    def test_without_trades_it_is_the_prior(self):
        found = measured(Results())
        assert (found.win_rate, found.reward_risk, found.kelly, found.unshrunk) == (D("0.5"), 1, 0, None)
        # Beta(1, 1) is flat: its quantiles are the probabilities.
        assert (round(found.win_rate_low, 12), round(found.win_rate_high, 12)) == (D("0.05"), D("0.95"))

    def test_only_wins_say_nothing_of_the_ratio(self):
        assert shrunk(Results(7, 0, D(70), D(0)), Prior())[1] == 1

    def test_the_interval_holds_the_truth_as_often_as_it_says(self):
        chance = random.Random(11)
        prior = Prior(D(1), D(1), D(1), D(1))
        inside = 0
        for _ in range(400):
            truth = chance.random()
            wins = sum(1 for _ in range(60) if chance.random() < truth)
            found = measured(Results(wins, 60 - wins, D(wins), D(60 - wins)), prior)
            inside += found.win_rate_low <= D(truth) <= found.win_rate_high
        assert abs(inside / 400 - 0.9) < 0.045

    @given(wins=st.integers(0, 300), losses=st.integers(0, 300), ratio=ratios)
    def test_the_interval_is_around_the_figure_and_shrinks_with_the_level(self, wins, losses, ratio):
        results = Results(wins, losses, wins * ratio, D(losses))
        wide, narrow = measured(results), measured(results, level=D("0.5"))
        assert wide.low < narrow.low < narrow.high < wide.high
        assert wide.low < wide.kelly < wide.high
        assert isinstance(wide, Measured)

    @given(wins=st.integers(1, 300), losses=st.integers(1, 300), ratio=ratios)
    def test_more_of_the_same_trades_lead_from_the_prior_to_the_figure(self, wins, losses, ratio):
        bare = kelly(D(wins) / (wins + losses), ratio)
        few, many = (
            abs(measured(Results(wins * n, losses * n, wins * n * ratio, D(losses * n))).kelly - bare)
            for n in (1, 10_000)
        )
        assert many <= few + D("1e-9")

    @pytest.mark.parametrize("level", ["0", "1", "1.5"])
    def test_a_level_out_of_range_is_refused(self, level):
        with pytest.raises(ValueError, match="level: must be above 0 and below 1, was"):
            measured(Results(), level=D(level))

    def test_a_prior_out_of_range_is_refused(self):
        with pytest.raises(ValueError, match="prior weight: must be above 0, was 0"):
            measured(Results(), Prior(weight=D(0)))


class TestReturns:
    def test_the_formula(self):
        returns = [0.01, -0.01, 0.02, 0.0, 0.01]
        mean, variance = moments(returns)
        assert mean == pytest.approx(0.006, rel=1e-15)
        assert variance == pytest.approx(0.00013, rel=1e-15)
        assert float(from_returns(returns)) == pytest.approx(0.5 * 5 / 630 * 0.006 / 0.00013, rel=1e-14)
        assert from_returns(returns, D(1)) == 2 * from_returns(returns)

    def test_no_edge_and_no_movement_give_nothing(self):
        assert from_returns([-0.01, 0.005, -0.02]) == 0
        assert from_returns([0.01, 0.01, 0.01]) == 0

    def test_the_volatility_of_a_year_has_365_days(self):
        assert annual_volatility(0.0004, 86_400_000_000_000) == pytest.approx(0.02 * math.sqrt(365), rel=1e-14)

    @pytest.mark.parametrize("returns", [[], [0.01]])
    def test_one_return_is_too_few(self, returns):
        with pytest.raises(ValueError, match="returns: must be at least 2"):
            from_returns(returns)

    def test_on_100_observations_half_kelly_loses_money_and_this_does_not(self):
        # Returns with a Sharpe ratio of 0.04 per bar; growth at leverage c is c * m - c**2 * v / 2.
        chance = random.Random(5)
        m, s = 0.0004, 0.01
        half = half_long = shrunk_growth = 0.0

        def growth(c):
            return c * m - c * c * s * s / 2

        for _ in range(1_500):
            returns = [chance.gauss(m, s) for _ in range(100)]
            mean, variance = moments(returns)
            half += growth(0.5 * mean / variance)
            half_long += growth(0.5 * max(mean / variance, 0.0))
            shrunk_growth += growth(float(from_returns(returns)))
        assert half < 0 < shrunk_growth
        assert half_long < shrunk_growth
