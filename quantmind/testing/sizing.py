"""The promises of sizing rules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Fact, Market
from quantmind.kinds import Sizing, SizingRule
from quantmind.market.instruments import Instrument
from quantmind.testing.examples import amounts, facts
from quantmind.testing.proving.drawing import Examples, hypothesis
from quantmind.testing.proving.promise import Check, expect, keep
from quantmind.testing.proving.rule import FIGURES, NEEDS, bars_for, shown


class SizingSubject:
    """What makes the rule under test, and the examples it is tried on."""

    def __init__(self, make: Callable[[], SizingRule[Any]], examples: int = 100) -> None:
        self.make = make
        one = make()
        self._examples = Examples(
            lambda: _cases(one.instrument, bars_for(one.instrument, one.needs(one.options))), examples
        )

    def each(self, test: Callable[[SizingRule[Any], _Case], None]) -> None:
        """Try it on every example."""

        def tried(case: _Case) -> None:
            rule = self.make()
            shown(rule, case.events, case.facts)
            test(rule, case)

        self._examples.each(tried)


class _Case(msgspec.Struct, frozen=True):
    events: tuple[Market, ...]
    facts: tuple[Fact, ...]
    sizing: Sizing


def check_sizing(rule: SizingRule[Any] | Callable[[], SizingRule[Any]], *, examples: int = 100) -> None:
    """Check a sizing rule, or what makes one, on drawn bars, facts and accounts, also ones with nothing left.

    Its budget is a finite Decimal and not below 0, the same when asked twice, and after a restart with the same history
    and facts; it never raises.

        check_sizing(HalfKelly(HalfKellyOptions(win_rate=0.55), KNOWN["BTC/USDT:USDT"]))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        ImportError: hypothesis is not installed.
    """
    make = partial(type(rule), rule.options, rule.instrument) if isinstance(rule, SizingRule) else rule
    keep(make().name, PROMISES, SizingSubject(make, examples))


def _budgets(subject: SizingSubject) -> None:
    def test(rule: SizingRule[Any], case: _Case) -> None:
        budget: object = rule.budget(case.sizing)
        if not isinstance(budget, Decimal):
            raise AssertionError(f"a budget is a Decimal, was {budget!r}")  # noqa: TRY004 - a check has failed
        expect(budget.is_finite() and budget >= 0, f"a budget is finite and not below 0, was {budget}")

    subject.each(test)


def _steady(subject: SizingSubject) -> None:
    def test(rule: SizingRule[Any], case: _Case) -> None:
        first, second = rule.budget(case.sizing), rule.budget(case.sizing)
        expect(first == second, f"asked twice, it answered {first}, and then {second}, to {case.sizing}")

    subject.each(test)


def _restarts(subject: SizingSubject) -> None:
    def test(rule: SizingRule[Any], case: _Case) -> None:
        before = rule.budget(case.sizing)
        twin = subject.make()
        twin.load(rule.save())
        shown(twin, case.events, case.facts)
        after = twin.budget(case.sizing)
        expect(after == before, f"a restart changed {before} to {after}, for {case.sizing}")

    subject.each(test)


PROMISES: tuple[Check[SizingSubject], ...] = (
    NEEDS,
    Check("gives a budget that is finite and not below 0, whatever the account", _budgets),
    Check("answers the same when asked twice", _steady),
    Check("answers the same after a restart with the same history and facts", _restarts),
    FIGURES,
)
"""What every sizing rule promises."""


def _cases(instrument: Instrument, bars: Any) -> Any:
    st = hypothesis()

    def sizing(price: Decimal, equity: Decimal, distance: Decimal | None) -> Sizing:
        return Sizing(instrument, price, equity, None if distance is None else price * distance)

    return st.builds(
        _Case,
        bars,
        facts(),
        st.builds(
            sizing,
            amounts("1000", "90000", 1),
            amounts("-5000", "1000000", 2),
            st.one_of(st.none(), amounts("0.0001", "0.5", 4)),
        ),
    )
