"""What the three kinds of risk rule promise alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from quantmind.events import Bar, Fact, Market
from quantmind.kinds import Needs
from quantmind.kinds.rule import Rule
from quantmind.market.instruments import Instrument
from quantmind.testing.proving.drawing import hypothesis
from quantmind.testing.proving.promise import Check, expect
from quantmind.testing.proving.walk import START


class Made(Protocol):
    """What makes a rule."""

    @property
    def make(self) -> Callable[[], Rule[Any]]:
        """Make a new one."""


def shown(rule: Rule[Any], events: Sequence[Market], facts: Sequence[Fact]) -> None:
    """Show a rule a history and facts, as a start does."""
    for event in events:
        rule.on_market(event)
    for fact in facts:
        rule.on_fact(fact)


def bars_for(instrument: Instrument, needs: Needs) -> Any:
    """Draw a history of bars of each interval that a rule needs; empty where it needs none."""
    st = hypothesis()
    intervals = [channel.interval for channel in needs.channels if channel.kind == "bar"]

    def made(start: float, moves: list[tuple[float, float]]) -> tuple[Market, ...]:
        events: list[Market] = []
        for interval in intervals:
            close = start
            for index, (move, spread) in enumerate(moves):
                before, close = close, close * (1.0 + move)
                high, low = max(before, close) * (1.0 + spread), min(before, close) * (1.0 - spread)
                ts = START + (index + 1) * interval
                events.append(Bar(instrument.symbol, ts, interval, before, high, low, close, 1.0))
        return tuple(events)

    moves = st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(0.0, 0.01)), max_size=60)
    return st.builds(made, st.floats(1000.0, 90000.0), moves if intervals else st.just([]))


def _needs(subject: Made) -> None:
    rule = subject.make()
    needs: object = rule.needs(rule.options)
    if not isinstance(needs, Needs):
        raise AssertionError(f"needs answered {needs!r}, which is no Needs")  # noqa: TRY004 - a check has failed
    again = rule.needs(rule.options)
    expect(again == needs, f"asked twice, needs answered {needs}, and then {again}")
    expect(needs.history >= 0, f"a history of {needs.history} events cannot be had")
    handles = type(rule).on_market is not Rule.on_market
    expect(handles or not needs.channels, "it needs channels, but has no on_market: it would never see them")


def _figures(subject: Made) -> None:
    figures = subject.make().figures
    for name, value in figures.items():
        told: tuple[object, object] = name, value
        expect(isinstance(told[0], str) and isinstance(told[1], int | float), f"figures has {name!r}: {value!r}")
        expect(not math.isinf(value), f"figures has {name!r}: {value!r}")


NEEDS: Check[Any] = Check("answers `needs` the same when asked twice, and has a handler for it", _needs)
FIGURES: Check[Any] = Check("publishes figures by name, also before it has any", _figures)
