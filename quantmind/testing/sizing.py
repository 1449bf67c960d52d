"""The conformance check of sizing rules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Fact, Market
from quantmind.kinds import Sizing, SizingRule
from quantmind.market.instruments import Instrument
from quantmind.testing.examples import amounts, bars_of, each, expect, facts, hypothesis, shown


class _Case(msgspec.Struct, frozen=True):
    events: tuple[Market, ...]
    facts: tuple[Fact, ...]
    sizing: Sizing


def check_sizing(rule: SizingRule[Any] | Callable[[], SizingRule[Any]], *, examples: int = 100) -> None:
    """Check a sizing rule, or what makes one, on drawn bars, facts and accounts, also ones with nothing left.

    Its budget is a finite Decimal and not below 0, the same when asked twice, and after a restart with the same history
    and facts; it never raises.

    Raises:
        AssertionError: it does not hold.
        ImportError: hypothesis is not installed.
    """
    make = partial(type(rule), rule.options, rule.instrument) if isinstance(rule, SizingRule) else rule
    one = make()
    each(
        _cases(one.instrument, bars_of(one.instrument, one.needs(one.options))),
        lambda case: _check(make, case),
        examples,
    )


def _check(make: Callable[[], SizingRule[Any]], case: _Case) -> None:
    rule, sizing = make(), case.sizing
    name = rule.name
    shown(rule, case.events, case.facts)
    budget: object = rule.budget(sizing)
    if not isinstance(budget, Decimal):
        raise AssertionError(f"{name}: a budget is a Decimal, was {budget!r}")  # noqa: TRY004 - a check has failed
    expect(budget.is_finite() and budget >= 0, f"{name}: a budget is finite and not below 0, was {budget}")
    expect(rule.budget(sizing) == budget, f"{name}: asked twice, it changed its answer to {sizing}")
    twin = make()
    twin.load(rule.save())
    shown(twin, case.events, case.facts)
    expect(twin.budget(sizing) == budget, f"{name}: after a restart, it changed its answer to {sizing}")


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
