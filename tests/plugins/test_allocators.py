from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.events import Signal
from quantmind.kinds import NoOptions, Portfolio
from quantmind_allocators.equal_weight import EqualWeight
from quantmind_allocators.fixed_weight import FixedWeight, FixedWeightOptions

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def weighing(strategies, **weights):
    return FixedWeight(FixedWeightOptions(weights=weights), strategies)


def portfolio(*signals, new=None):
    in_force = {BTC: {}, ETH: {}}
    for signal in signals:
        in_force[signal.symbol][signal.strategy] = signal
    return Portfolio(list(signals if new is None else new), in_force, {})


def faults(strategies, weights):
    return list(FixedWeight.check(FixedWeightOptions(weights=weights), strategies))


def test_a_strategy_that_has_not_spoken_keeps_its_part():
    allocator = EqualWeight(NoOptions(), {BTC: ["a", "b"]})
    assert allocator.decide(portfolio(Signal(BTC, "a", 1.0, 0.8))) == {BTC: {"a": 0.4}}


def test_opposed_strategies_have_opposite_shares():
    allocator = EqualWeight(NoOptions(), {BTC: ["a", "b"]})
    shares = allocator.decide(portfolio(Signal(BTC, "a", 1.0, 0.8), Signal(BTC, "b", -1.0, 0.8)))
    assert shares == {BTC: {"a": 0.4, "b": -0.4}}


@pytest.mark.parametrize(
    "allocator",
    [
        EqualWeight(NoOptions(), {BTC: ["a", "b"], ETH: ["a"]}),
        weighing({BTC: ["a", "b"], ETH: ["a"]}, a=0.5, b=0.5),
    ],
)
def test_only_symbols_with_new_signals_are_decided_with_all_that_is_in_force_there(allocator):
    old, new, elsewhere = Signal(BTC, "a", 1.0, 1.0), Signal(BTC, "b", -0.5, 1.0), Signal(ETH, "a", 1.0, 1.0)
    assert allocator.decide(portfolio(old, new, elsewhere, new=[new])) == {BTC: {"a": 0.5, "b": -0.25}}
    both = allocator.decide(portfolio(old, new, elsewhere, new=[new, elsewhere]))
    assert list(both) == [BTC, ETH]


def test_each_symbol_counts_its_own_strategies():
    allocator = EqualWeight(NoOptions(), {BTC: ["a", "b", "c", "d"], ETH: ["a"]})
    assert allocator.decide(portfolio(Signal(BTC, "a", 1.0, 1.0), Signal(ETH, "a", 1.0, 1.0))) == {
        BTC: {"a": 0.25},
        ETH: {"a": 1.0},
    }


def test_fixed_weights_are_those_of_the_recipe():
    allocator = weighing({BTC: ["a", "b"]}, a=0.75, b=0.25)
    shares = allocator.decide(portfolio(Signal(BTC, "a", -1.0, 0.5), Signal(BTC, "b", 1.0, 1.0)))
    assert shares == {BTC: {"a": -0.375, "b": 0.25}}


parts = st.floats(0, 1)
views = st.tuples(st.floats(-1, 1), parts)


@given(st.lists(views, min_size=1, max_size=8))
def test_shares_are_never_more_than_the_part_of_their_strategy(seen):
    ids = [f"s{n}" for n in range(len(seen))]
    signals = [Signal(BTC, strategy, *view) for strategy, view in zip(ids, seen, strict=True)]
    for allocator in (
        EqualWeight(NoOptions(), {BTC: ids}),
        FixedWeight(FixedWeightOptions(weights=dict.fromkeys(ids, 1 / len(ids))), {BTC: ids}),
    ):
        shares = allocator.decide(portfolio(*signals))[BTC]
        assert list(shares) == ids
        assert all(abs(share) <= 1 / len(ids) for share in shares.values())


def test_weights_that_fit_have_no_faults():
    assert faults({BTC: ["a", "b"], ETH: ["b", "c"]}, {"a": 0.4, "b": 0.6, "c": 0.4}) == []
    assert faults({BTC: [f"s{n}" for n in range(10)]}, {f"s{n}": 0.1 for n in range(10)}) == []


def test_every_fault_is_told_at_once():
    assert faults({BTC: ["a", "b"], ETH: ["b", "c"]}, {"a": 0.5, "b": 0.6, "d": 0.1}) == [
        "weights.d: no such strategy; there are a, b, c",
        "weights: the strategy c has none; add `c: 0` to leave it out",
        "weights: must be at most 1 in all for BTC/USDT:USDT, was 1.1",
    ]


@pytest.mark.parametrize("weights", [{}, {"a": -0.1}, {"a": 1.1}, {"a": "much"}])
def test_weights_that_cannot_be_are_refused(weights):
    with pytest.raises(ValidationError):
        FixedWeightOptions.model_validate({"weights": weights})
