from __future__ import annotations

from fractions import Fraction
from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.risk.beta import cumulative, quantile


@pytest.mark.parametrize(
    ("p", "a", "b", "expected"),
    [
        # Clopper and Pearson, Biometrika 26 (1934): 95 % limits of 0 and of 5 successes in 10.
        (0.975, 1, 10, 0.3085),
        (0.025, 5, 6, 0.1871),
        (0.975, 6, 5, 0.8129),
        (0.05, 2, 3, 0.0976),
        # scipy.stats.beta.ppf, where no whole numbers help.
        (0.05, 0.5, 0.5, 0.0062),
        (0.95, 3.7, 1.2, 0.9758),
        (0.05, 120.5, 80.25, 0.5429),
        (0.5, 7, 7, 0.5),
        (0.9, 1, 1, 0.9),
    ],
)
def test_published_quantiles(p, a, b, expected):
    assert round(quantile(p, a, b), 4) == expected


@given(x=st.fractions(0, 1, max_denominator=1000), k=st.integers(1, 60), more=st.integers(0, 60))
def test_it_is_the_binomial_tail(x, k, more):
    # I_x(k, n - k + 1) = P(at least k successes in n), in whole numbers.
    n = k + more
    exact = sum((comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(k, n + 1)), Fraction(0))
    assert isclose(cumulative(float(x), k, n - k + 1), float(exact), rel_tol=1e-11, abs_tol=1e-13)


@given(p=st.floats(0.001, 0.999), a=st.floats(0.05, 5_000), b=st.floats(0.05, 5_000))
def test_the_quantile_turns_it_round(p, a, b):
    x = quantile(p, a, b)
    if 1e-12 < x < 1 - 1e-9:
        assert isclose(cumulative(x, a, b), p, rel_tol=1e-6, abs_tol=1e-9)
    assert isclose(x, 1.0 - quantile(1.0 - p, b, a), rel_tol=1e-7, abs_tol=1e-9)


@pytest.mark.parametrize("a", [0.5, 1.0, 3.25])
def test_powers(a):
    for p in (0.01, 0.3, 0.99):
        assert isclose(quantile(p, a, 1.0), p ** (1 / a), rel_tol=1e-12)
        assert isclose(cumulative(p, a, 1.0), p**a, rel_tol=1e-12)


def test_many_trials_converge():
    assert isclose(cumulative(0.5, 1e6, 1e6), 0.5, rel_tol=1e-6)
    assert isclose(quantile(0.5, 3e5, 1e5), 0.75, rel_tol=1e-5)


def test_the_ends():
    assert (cumulative(0.0, 2, 3), cumulative(1.0, 2, 3)) == (0.0, 1.0)
    assert (quantile(0.0, 2, 3), quantile(1.0, 2, 3)) == (0.0, 1.0)


@pytest.mark.parametrize(("p", "a", "b"), [(1.1, 1, 1), (-0.1, 1, 1), (0.5, 0, 1), (0.5, 1, -1)])
def test_what_cannot_be_is_refused(p, a, b):
    with pytest.raises(ValueError, match=r"must be|both figures"):
        quantile(p, a, b)
