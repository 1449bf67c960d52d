"""The promises of protection rules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Market
from quantmind.kinds import Held, Levels, Protection
from quantmind.market.instruments import Instrument
from quantmind.testing.examples import amounts
from quantmind.testing.proving.drawing import Examples, hypothesis
from quantmind.testing.proving.promise import Check, expect, keep
from quantmind.testing.proving.rule import FIGURES, NEEDS, bars_for, shown
from quantmind.testing.proving.walk import START


class ProtectionSubject:
    """What makes the rule under test, and the examples it is tried on."""

    def __init__(self, make: Callable[[], Protection[Any]], examples: int = 100) -> None:
        self.make = make
        one = make()
        self._examples = Examples(
            lambda: _cases(one.instrument, bars_for(one.instrument, one.needs(one.options))), examples
        )

    def each(self, test: Callable[[Protection[Any], _Case], None]) -> None:
        """Try it on every example."""

        def tried(case: _Case) -> None:
            rule = self.make()
            shown(rule, case.events, ())
            test(rule, case)

        self._examples.each(tried)


class _Case(msgspec.Struct, frozen=True):
    events: tuple[Market, ...]
    held: Held
    fresh: bool
    """Whether nothing has happened since it was opened."""


def check_protection(rule: Protection[Any] | Callable[[], Protection[Any]], *, examples: int = 100) -> None:
    """Check a protection rule, or what makes one, on drawn bars and sub-positions.

    Its distances are above 0; its levels are finite and above 0; the stop of a position just opened is on its losing
    side, a later one not beyond the best price; the take-profit is on the winning side; it ends after it began; it
    answers the same when asked twice, and after a restart with the same history; and it never raises.

        check_protection(ChandelierStop(ChandelierOptions(period=22), KNOWN["BTC/USDT:USDT"]))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        ImportError: hypothesis is not installed.
    """
    make = partial(type(rule), rule.options, rule.instrument) if isinstance(rule, Protection) else rule
    keep(make().name, PROMISES, ProtectionSubject(make, examples))


def _distance(subject: ProtectionSubject) -> None:
    def test(rule: Protection[Any], case: _Case) -> None:
        distance: object = rule.distance(case.held.average_price)
        if distance is not None:
            _expect_amount("a distance", distance)
        elif case.events and "protects" in rule.capabilities:
            needs = rule.needs(rule.options)
            expect(
                len(case.events) < needs.history or not needs.channels,
                f"it promises a stop (protects), but has no distance after {len(case.events)} events",
            )

    subject.each(test)


def _stops(subject: ProtectionSubject) -> None:
    def test(rule: Protection[Any], case: _Case) -> None:
        held, stop = case.held, _levels(rule, case.held).stop
        if stop is not None:
            _expect_amount("a stop", stop)
            bound = held.average_price if case.fresh else Decimal(repr(held.best))
            expect((bound - stop) * _way(held) > 0, f"stop {stop} is not on the losing side of {bound}")

    subject.each(test)


def _profits(subject: ProtectionSubject) -> None:
    def test(rule: Protection[Any], case: _Case) -> None:
        held, target = case.held, _levels(rule, case.held).take_profit
        if target is not None:
            _expect_amount("a take-profit", target)
            average = held.average_price
            expect((target - average) * _way(held) > 0, f"take-profit {target} is not on the winning side of {average}")

    subject.each(test)


def _ends(subject: ProtectionSubject) -> None:
    def test(rule: Protection[Any], case: _Case) -> None:
        held, until = case.held, _levels(rule, case.held).until
        if until is not None:
            expect(until >= held.since, f"it ends at {until}, before it began at {held.since}")

    subject.each(test)


def _news(subject: ProtectionSubject) -> None:
    def test(rule: Protection[Any], case: _Case) -> None:
        held = case.held
        levels = _levels(rule, held)
        if levels.stop is None:
            return
        news: object = rule.has_news(_way(held), held.best, float(levels.stop))
        expect(isinstance(news, bool), f"has_news answered {news!r}")

    subject.each(test)


def _steady(subject: ProtectionSubject) -> None:
    def test(rule: Protection[Any], case: _Case) -> None:
        first, second = _answers(rule, case.held), _answers(rule, case.held)
        expect(first == second, f"asked twice, it answered {first}, and then {second}, to {case.held}")

    subject.each(test)


def _restarts(subject: ProtectionSubject) -> None:
    def test(rule: Protection[Any], case: _Case) -> None:
        before = _answers(rule, case.held)
        twin = subject.make()
        twin.load(rule.save())
        shown(twin, case.events, ())
        after = _answers(twin, case.held)
        expect(after == before, f"a restart changed {before} to {after}, for {case.held}")

    subject.each(test)


PROMISES: tuple[Check[ProtectionSubject], ...] = (
    NEEDS,
    Check("answers distances above 0, and one once it has its history if it `protects`", _distance),
    Check("puts stops on the losing side", _stops),
    Check("puts take-profits on the winning side", _profits),
    Check("ends a position after it began", _ends),
    Check("says whether there is news", _news),
    Check("answers the same when asked twice", _steady),
    Check("answers the same after a restart with the same history", _restarts),
    FIGURES,
)
"""What every protection rule promises."""


def _levels(rule: Protection[Any], held: Held) -> Levels:
    levels: object = rule.levels(held)
    if not isinstance(levels, Levels):
        raise AssertionError(f"levels answered {levels!r}, which is no Levels")  # noqa: TRY004 - a check has failed
    return levels


def _answers(rule: Protection[Any], held: Held) -> tuple[Decimal | None, Levels]:
    return rule.distance(held.average_price), rule.levels(held)


def _expect_amount(what: str, amount: object) -> None:
    if not isinstance(amount, Decimal):
        raise AssertionError(f"{what} is a Decimal, was {amount!r}")  # noqa: TRY004 - a check has failed
    expect(amount.is_finite() and amount > 0, f"{what} is above 0, was {amount}")


def _way(held: Held) -> int:
    return 1 if held.quantity > 0 else -1


def _cases(instrument: Instrument, bars: Any) -> Any:
    st = hypothesis()

    def case(
        events: tuple[Market, ...],
        quantity: Decimal,
        price: Decimal,
        gain: Decimal,
        distance: Decimal | None,
        stopped: bool,
    ) -> _Case:
        way = 1 if quantity > 0 else -1
        best = price * (1 + way * gain)
        apart = None if distance is None else max(price * distance, instrument.tick)
        stop = price - way * apart if stopped and apart is not None else None
        return _Case(events, Held("one", quantity, price, START, apart, stop, float(best)), fresh=not gain)

    return st.builds(
        case,
        bars,
        amounts("-5", "5", 3).filter(bool),
        amounts("1000", "90000", 1),
        st.one_of(st.just(Decimal(0)), amounts("0.001", "0.5", 3)),
        st.one_of(st.none(), amounts("0.001", "0.5", 3)),
        st.booleans(),
    )
