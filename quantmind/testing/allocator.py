"""The promises of allocators."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Signal
from quantmind.kinds import Allocator, Needs, Options, Portfolio
from quantmind.testing.examples import amounts, signals
from quantmind.testing.proving.another_day import another_day
from quantmind.testing.proving.drawing import Examples, hypothesis
from quantmind.testing.proving.elsewhere import ways
from quantmind.testing.proving.promise import Check, expect, keep
from quantmind.testing.proving.reach import watched

_EDGE = 5e-10
"""Half of the last digit of a Target."""

Shares = Mapping[str, Mapping[str, float]]


class Moment(msgspec.Struct, frozen=True):
    """What an allocator is asked once: the signals of one event, and the positions of then."""

    signals: tuple[Signal, ...]
    positions: dict[str, Decimal]


class AllocatorSubject:
    """What makes the allocator under test, and the stories it is tried on."""

    def __init__(self, make: Callable[[], Allocator[Any]], examples: int = 50) -> None:
        self.make = make
        one = make()
        self.kind = type(one)
        self.options: Options = one.options
        self.strategies = one.strategies
        self._examples = Examples(lambda: _stories(self.strategies), examples)

    def each(self, test: Callable[[tuple[Moment, ...]], None]) -> None:
        """Try it on every story."""
        self._examples.each(test)

    def answers(self, story: Sequence[Moment]) -> list[Shares]:
        """Return what a new one decides."""
        return answers(self.make(), story)


def answers(allocator: Allocator[Any], story: Sequence[Moment]) -> list[Shares]:
    """Return what an allocator decides at each moment of a story."""
    return [allocator.decide(portfolio) for portfolio in _portfolios(allocator.strategies, story)]


def check_allocator(allocator: Allocator[Any] | Callable[[], Allocator[Any]], *, examples: int = 50) -> None:
    """Check an allocator, or what makes one, on drawn signals of its strategies, and positions.

    Its `needs` and `check` are pure; its shares are finite, in [-1, 1], also in all, and of its symbols and strategies
    only; where all are flat, they are 0; it says the same to the same signals, at any time and in any process, leaves
    what it is given as it is, and never raises.

        check_allocator(InverseVolatility(NoOptions(), {"BTC/USDT:USDT": ["trend", "back"]}))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        ImportError: hypothesis is not installed.
    """
    make = (
        partial(type(allocator), allocator.options, allocator.strategies)
        if isinstance(allocator, Allocator)
        else allocator
    )
    keep(make().name, PROMISES, AllocatorSubject(make, examples))


def _pure(subject: AllocatorSubject) -> None:
    kind, options = subject.kind, subject.options
    with watched() as reach:
        needs: object = kind.needs(options)
        faults: object = kind.check(options, subject.strategies)
        again = (kind.needs(options), kind.check(options, subject.strategies))
    expect(isinstance(needs, Needs), f"needs answered {needs!r}, which is no Needs")
    sound = isinstance(faults, Sequence) and not isinstance(faults, str)
    expect(sound and all(isinstance(fault, str) for fault in faults), f"check answers texts, was {faults!r}")  # type: ignore[attr-defined]
    expect((needs, faults) == again, f"asked twice, they answered {needs} and {faults}, and then {again}")
    expect(not reach.beyond, f"they are for lint, which opens nothing, but {', '.join(reach.beyond)}")


def _accepts(subject: AllocatorSubject) -> None:
    faults = list(subject.kind.check(subject.options, subject.strategies))
    expect(not faults, f"of the strategies {dict(subject.strategies)} it says: {'; '.join(faults)}")


def _decides(subject: AllocatorSubject) -> None:
    def test(story: tuple[Moment, ...]) -> None:
        for shares in subject.answers(story):
            _expect_shares(subject, shares)

    subject.each(test)


def _expect_shares(subject: AllocatorSubject, shares: object) -> None:
    if not isinstance(shares, Mapping):
        raise AssertionError(f"decide answers shares by symbol and strategy, was {shares!r}")  # noqa: TRY004 - a check has failed
    for symbol, parts in shares.items():
        expect(symbol in subject.strategies, f"it decides on {symbol!r}, which nobody trades")
        for strategy, share in parts.items():
            expect(strategy in subject.strategies[symbol], f"it gives {symbol} to {strategy!r}, who does not trade it")
            sound = isinstance(share, int | float) and math.isfinite(share)
            expect(sound and -1 - _EDGE <= share <= 1 + _EDGE, f"a share is in [-1, 1], was {share!r} for {strategy}")
        total = math.fsum(parts.values())
        expect(abs(total) <= 1 + _EDGE, f"the shares of {symbol} are in [-1, 1] in all, was {total!r}: {dict(parts)}")


def _flat(subject: AllocatorSubject) -> None:
    def test(story: tuple[Moment, ...]) -> None:
        flat = [
            Moment(tuple(msgspec.structs.replace(signal, direction=0.0) for signal in moment.signals), moment.positions)
            for moment in story
        ]
        for shares in subject.answers(flat):
            for symbol, parts in shares.items():
                expect(not any(parts.values()), f"every strategy is flat, but {symbol} has {dict(parts)}")

    subject.each(test)


def _steady(subject: AllocatorSubject) -> None:
    def test(story: tuple[Moment, ...]) -> None:
        first, second = _plain(subject.answers(story)), _plain(subject.answers(story))
        _expect_same(first, second, "the second time")

    subject.each(test)


def _timeless(subject: AllocatorSubject) -> None:
    def test(story: tuple[Moment, ...]) -> None:
        first = _plain(subject.answers(story))
        with another_day(subject.kind), watched() as reach:
            second = _plain(subject.answers(story))
        _expect_same(first, second, "on another day, and with other random numbers")
        expect(not reach.beyond, f"while it decides, {', '.join(reach.beyond[:3])}")

    subject.each(test)


def _elsewhere(subject: AllocatorSubject) -> None:
    pairs = [(symbol, strategy) for symbol, ids in subject.strategies.items() for strategy in ids]
    story = tuple(
        Moment((Signal(symbol, strategy, (-1.0, 0.7, 1.0)[place % 3], 0.1 + 0.3 * (place % 4)),), {})
        for place, (symbol, strategy) in enumerate(pairs * 3)
    )
    here = [repr(answer) for answer in subject.answers(story)]
    for there in ways(subject.kind, "allocator", (subject.options, subject.strategies), story):
        for one, two in zip(here, there, strict=True):
            expect(one == two, f"in another process it answers {two}, and here {one}: does it go through a set?")


def _leaves(subject: AllocatorSubject) -> None:
    def test(story: tuple[Moment, ...]) -> None:
        allocator = subject.make()
        options = repr(subject.options)
        for portfolio in _portfolios(subject.strategies, story):
            before = copy.deepcopy((list(portfolio.signals), portfolio.in_force, portfolio.positions))
            allocator.decide(portfolio)
            after = (list(portfolio.signals), portfolio.in_force, portfolio.positions)
            expect(after == before, f"it changed the portfolio that it was given: {before} to {after}")
        expect(repr(subject.options) == options, f"it changed its options from {options} to {subject.options!r}")

    subject.each(test)


PROMISES: tuple[Check[AllocatorSubject], ...] = (
    Check("answers `needs` and `check` the same when asked twice, and opens nothing for it", _pure),
    Check("finds no fault with the strategies it is made for", _accepts),
    Check("gives shares that are finite and in [-1, 1], of its symbols and strategies only", _decides),
    Check("gives nothing where every strategy is flat", _flat),
    Check("decides the same on the same signals", _steady),
    Check("looks at no clock, draws no unseeded random number, and reads no file", _timeless),
    Check("leaves what it is given as it is", _leaves),
    Check("decides the same in another process, where hashes are others", _elsewhere),
)
"""What every allocator promises."""


def _portfolios(strategies: Mapping[str, Sequence[str]], story: Sequence[Moment]) -> Any:
    """Yield what the Decider would ask with: a signal stays in force until it is replaced."""
    in_force: dict[str, dict[str, Signal]] = {symbol: {} for symbol in strategies}
    for moment in story:
        for signal in moment.signals:
            in_force[signal.symbol][signal.strategy] = signal
        yield Portfolio(list(moment.signals), in_force, dict(moment.positions))


def _plain(shares: Sequence[Shares]) -> list[dict[str, dict[str, float]]]:
    return [{symbol: dict(parts) for symbol, parts in each.items()} for each in shares]


def _expect_same(first: Sequence[Any], second: Sequence[Any], when: str) -> None:
    for one, two in zip(first, second, strict=True):
        expect(one == two, f"to the same signals it answered {one}, and {when} {two}")


def _stories(strategies: Mapping[str, Sequence[str]]) -> Any:
    st = hypothesis()
    # Of one event come signals of several symbols, where a strategy trades them all.
    moment = st.builds(
        Moment,
        signals(strategies, most=4).filter(bool),
        st.dictionaries(st.sampled_from(list(strategies)), amounts("-5", "5", 3)),
    )
    return st.lists(moment, max_size=8).map(tuple)
