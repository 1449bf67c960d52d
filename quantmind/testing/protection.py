"""The conformance check of protection rules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Market
from quantmind.kinds import Held, Levels, Protection
from quantmind.market.instruments import Instrument
from quantmind.testing.examples import START, amounts, bars_of, each, expect, hypothesis, shown


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

    Raises:
        AssertionError: it does not hold.
        ImportError: hypothesis is not installed.
    """
    make = partial(type(rule), rule.options, rule.instrument) if isinstance(rule, Protection) else rule
    one = make()
    strategy = _cases(one.instrument, bars_of(one.instrument, one.needs(one.options)))
    each(strategy, lambda case: _check(make, case), examples)


def _check(make: Callable[[], Protection[Any]], case: _Case) -> None:
    rule, held = make(), case.held
    name = rule.name
    shown(rule, case.events, ())
    distance = rule.distance(held.average_price)
    if distance is not None:
        expect(distance.is_finite() and distance > 0, f"{name}: a distance is above 0, was {distance}")
    levels = rule.levels(held)
    _expect_sides(name, case, levels)
    answers = (distance, levels)
    expect((rule.distance(held.average_price), rule.levels(held)) == answers, f"{name}: asked twice, it changed {held}")
    twin = make()
    twin.load(rule.save())
    shown(twin, case.events, ())
    expect((twin.distance(held.average_price), twin.levels(held)) == answers, f"{name}: a restart changed {held}")


def _expect_sides(name: str, case: _Case, levels: Levels) -> None:
    held = case.held
    way = 1 if held.quantity > 0 else -1
    average, best = held.average_price, Decimal(repr(held.best))
    if levels.stop is not None:
        expect(levels.stop.is_finite() and levels.stop > 0, f"{name}: a stop is above 0, was {levels.stop}")
        bound = average if case.fresh else best
        expect((bound - levels.stop) * way > 0, f"{name}: stop {levels.stop} is not on the losing side of {bound}")
    if levels.take_profit is not None:
        target = levels.take_profit
        expect(target.is_finite() and target > 0, f"{name}: a take-profit is above 0, was {target}")
        expect((target - average) * way > 0, f"{name}: take-profit {target} is not on the winning side of {average}")
    if levels.until is not None:
        expect(levels.until >= held.since, f"{name}: it ends at {levels.until}, before it began at {held.since}")


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
