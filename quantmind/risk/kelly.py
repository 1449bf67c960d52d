"""The Kelly fraction: the part of the equity to risk for the fastest growth."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from quantmind.risk.beta import quantile
from quantmind.risk.moments import moments
from quantmind.risk.ranges import INSIDE, PART, POSITIVE, RATE
from quantmind.risk.results import Results

_ZERO = Decimal(0)
_HALF = Decimal("0.5")
_LEVEL = Decimal("0.9")
_TRUSTED = Decimal(625)


def kelly(win_rate: Decimal, reward_risk: Decimal) -> Decimal:
    """Return W - (1 - W) / R, negative where there is no edge.

    Kelly, A New Interpretation of Information Rate (1956): the part of the equity that a bet should lose when it
    is lost, if it wins R times that with probability W.

    Raises:
        ValueError: the win rate is not between 0 and 1, or the ratio not above 0.
    """
    RATE.check("win_rate", win_rate)
    POSITIVE.check("reward_risk", reward_risk)
    return win_rate - (1 - win_rate) / reward_risk


class Prior(msgspec.Struct, frozen=True):
    """What is believed before the first trade: so many `wins` and `losses`, and a ratio worth so many trades.

    `reward_risk` is the ratio, the mean win over the mean loss, and `weight` the number of trades it is worth. The
    default is weak, and believes in no edge: Beta(1, 1) for the win rate, and a ratio of 1.
    """

    wins: Decimal = Decimal(1)
    losses: Decimal = Decimal(1)
    reward_risk: Decimal = Decimal(1)
    weight: Decimal = Decimal(10)


class Measured(msgspec.Struct, frozen=True):
    """What trades say of the Kelly fraction, shrunk towards a prior."""

    trades: int
    """The number of wins and losses."""
    win_rate: Decimal
    """The mean of the Beta posterior, in [0, 1]."""
    win_rate_low: Decimal
    """The low end of its interval, in [0, 1]."""
    win_rate_high: Decimal
    """The high end of its interval, in [0, 1]."""
    reward_risk: Decimal
    """The shrunk ratio: the mean win over the mean loss."""
    kelly: Decimal
    """The part of the equity to risk by the shrunk win rate and ratio, negative where there is no edge."""
    low: Decimal
    """The same at the low end of the win rate."""
    high: Decimal
    """The same at its high end."""
    unshrunk: Decimal | None
    """The same of the bare figures; None until there are a win and a loss."""


_WEAK = Prior()


def shrunk(results: Results, prior: Prior) -> tuple[Decimal, Decimal]:
    """Return the win rate and the reward/risk ratio that results and a prior make together.

    The win rate is the mean of Beta(a + wins, b + losses), the posterior of a rate (Gelman et al., Bayesian Data
    Analysis, 3rd ed. 2013, 2.4). The ratio is (m r + k p) / (m + k), a weighted mean of our own: r is the measured one,
    p the prior's and k its weight; m is the smaller of wins and losses, because a ratio of two means is known no better
    than the mean of fewer trades.

    Raises:
        ValueError: a figure of the prior is not above 0.
    """
    for name in ("wins", "losses", "reward_risk", "weight"):
        POSITIVE.check(f"prior {name}", getattr(prior, name))
    wins, losses = prior.wins + results.wins, prior.losses + results.losses
    known = min(results.wins, results.losses)
    ratio = (known * (results.reward_risk or _ZERO) + prior.weight * prior.reward_risk) / (known + prior.weight)
    return wins / (wins + losses), ratio


def measured(results: Results, prior: Prior = _WEAK, level: Decimal = _LEVEL) -> Measured:
    """Return the shrunk Kelly fraction of results, and its interval at a level, the probability that it is inside.

    The interval is that of the win rate: the fraction rises with it, so the quantiles of the Beta posterior (as in
    `shrunk`: Gelman et al., 2013) at (1 - level) / 2 and (1 + level) / 2 are carried through at the shrunk ratio.

    Raises:
        ValueError: a figure of the prior is not above 0, or the level not above 0 and below 1.
    """
    INSIDE.check("level", level)
    win_rate, ratio = shrunk(results, prior)
    a, b = float(prior.wins + results.wins), float(prior.losses + results.losses)
    low, high = (Decimal(repr(quantile(float(p), a, b))) for p in ((1 - level) / 2, (1 + level) / 2))
    bare = results.reward_risk
    return Measured(
        results.trades,
        win_rate,
        low,
        high,
        ratio,
        kelly(win_rate, ratio),
        kelly(low, ratio),
        kelly(high, ratio),
        None if results.win_rate is None or bare is None else kelly(results.win_rate, bare),
    )


def from_returns(returns: Sequence[float], fraction: Decimal = _HALF) -> Decimal:
    """Return the leverage fraction * n / (n + 625) * max(f, 0), f = mean / variance of n returns per bar, in any order.

    f is the continuous Kelly leverage (Thorp, The Kelly Criterion in Blackjack, Sports Betting and the Stock
    Market, 2006, section 7). The mean is known from n bars only: growth is c * m**2 / v - c**2 / 2 *
    (m**2 + v / n) / v when c times the measured f is held, the greatest at c = n / (n + v / m**2), and
    625 = 1 / 0.04**2 takes a Sharpe ratio of 0.04 per bar for granted (0.76 a year on bars of a day).
    Returns without any variance say nothing: 0. `fraction` is the part of Kelly that is held, in (0, 1].

    Raises:
        ValueError: there are fewer than 2 returns, or the fraction is not above 0 and at most 1.
    """
    PART.check("fraction", fraction)
    mean, variance = moments(returns)
    if mean <= 0.0 or variance <= 0.0:
        return _ZERO
    n = len(returns)
    return fraction * n / (n + _TRUSTED) * (Decimal(repr(mean)) / Decimal(repr(variance)))
