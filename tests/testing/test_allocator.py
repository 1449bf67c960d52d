"""The check of allocators finds each broken promise."""

from __future__ import annotations

import random

import pytest
from pydantic import Field

from quantmind.kinds import Allocator, Needs, NoOptions, Options
from quantmind.testing import check_allocator

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
STRATEGIES = {BTC: ["trend", "back"], ETH: ["trend"]}


class Sound(Allocator[NoOptions]):
    """Gives each strategy the same."""

    name = "sound"

    def decide(self, portfolio):
        return {
            new.symbol: {
                strategy: signal.direction * signal.confidence / len(self.strategies[new.symbol])
                for strategy, signal in portfolio.in_force[new.symbol].items()
            }
            for new in portfolio.signals
        }


def test_a_sound_allocator_passes():
    check_allocator(Sound(NoOptions(), STRATEGIES))
    check_allocator(lambda: Sound(NoOptions(), {BTC: ["a"]}), examples=5)


class Greedy(Sound):
    def decide(self, portfolio):
        return {new.symbol: {new.strategy: new.direction * 2} for new in portfolio.signals}


class Generous(Sound):
    def decide(self, portfolio):
        return {
            symbol: {strategy: signal.direction for strategy, signal in parts.items()}
            for symbol, parts in portfolio.in_force.items()
        }


class Nan(Sound):
    def decide(self, portfolio):
        return {new.symbol: {new.strategy: float("nan")} for new in portfolio.signals}


class Elsewhere(Sound):
    def decide(self, portfolio):
        return {"SOL/USDT:USDT": {"trend": 1.0}}


class Stranger(Sound):
    def decide(self, portfolio):
        return {ETH: {"back": 0.1}}


class Mute(Sound):
    def decide(self, portfolio):
        return None


class Stubborn(Sound):
    def decide(self, portfolio):
        return {new.symbol: {new.strategy: 0.25} for new in portfolio.signals}


class Missing(Sound):
    def decide(self, portfolio):
        parts = portfolio.in_force[BTC]
        return {BTC: {"trend": parts["trend"].direction}}


class Moody(Sound):
    def __init__(self, options, strategies):
        super().__init__(options, strategies)
        self.draw = random.Random()

    def decide(self, portfolio):
        return {new.symbol: {new.strategy: new.direction * self.draw.random()} for new in portfolio.signals}


class Drawing(Sound):
    def __init__(self, options, strategies):
        super().__init__(options, strategies)
        self.draw = random.Random(random.getstate()[1][3])

    def decide(self, portfolio):
        return {new.symbol: {new.strategy: new.direction * self.draw.random()} for new in portfolio.signals}


class Meddling(Sound):
    def decide(self, portfolio):
        answer = super().decide(portfolio)
        portfolio.in_force[BTC].clear()
        return answer


class Choosy(Sound):
    @classmethod
    def check(cls, options, strategies):
        return ["weights: nobody has one"]


class Vague(Sound):
    @classmethod
    def check(cls, options, strategies):
        return "all well"


class Undecided(Sound):
    asked = 0

    @classmethod
    def needs(cls, options):
        cls.asked += 1
        return Needs(history=cls.asked)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Greedy, ["a share is in [-1, 1], was"]),
        (Generous, ["the shares of BTC/USDT:USDT are in [-1, 1] in all"]),
        (Nan, ["a share is in [-1, 1], was nan for"]),
        (Elsewhere, ["it decides on 'SOL/USDT:USDT', which nobody trades"]),
        (Stranger, ["it gives ETH/USDT:USDT to 'back', who does not trade it"]),
        (Mute, ["decide answers shares by symbol and strategy, was None"]),
        (Stubborn, ["gives nothing where every strategy is flat", "every strategy is flat, but"]),
        (Missing, ["raised KeyError: 'trend' (test_allocator.py:"]),
        (Moody, ["decides the same on the same signals", "the second time"]),
        (Drawing, ["draws no unseeded random number", "on another day"]),
        (Meddling, ["it changed the portfolio that it was given"]),
        (Choosy, ["finds no fault with the strategies", "it says: weights: nobody has one"]),
        (Vague, ["check answers texts, was 'all well'"]),
        (Undecided, ["asked twice, they answered"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_broken_promise_is_found(kind, words, broken):
    broken(lambda: check_allocator(kind(NoOptions(), STRATEGIES), examples=30), "sound", *words)


class SeenOptions(Options):
    seen: list = Field(default=[], description="What was seen.")


class Remembering(Allocator[SeenOptions]):
    """Keeps its state in its options."""

    name = "remembering"

    def decide(self, portfolio):
        self.options.seen.append(len(portfolio.signals))
        return {}


def test_options_that_are_changed_are_found(broken):
    broken(lambda: check_allocator(Remembering(SeenOptions(), STRATEGIES)), "it changed its options from")


HASHING = """
from quantmind.kinds import Allocator, NoOptions


class Hashing(Allocator[NoOptions]):
    '''Goes through a set.'''

    name = "hashing"

    def decide(self, portfolio):
        return {new.symbol: dict.fromkeys({*self.strategies[new.symbol]}, 0.1 * bool(new.direction))
                for new in portfolio.signals}
"""


def test_what_depends_on_hashes_is_found(module, broken):
    kind = module("hashing_allocator", HASHING).Hashing
    ids = ["a", "b", "c", "d", "e"]
    broken(lambda: check_allocator(kind(NoOptions(), {BTC: ids})), "in another process it answers")
