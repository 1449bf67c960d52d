"""Examples for the conformance checks: accounts, facts and bars, drawn with hypothesis."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from quantmind.events import Bar, Fact, Fill, Market, OrderState, OrderUpdate, Side
from quantmind.kinds import Lot, Needs, Standing
from quantmind.kinds.rule import Rule
from quantmind.market.instruments import KNOWN, Instrument

START = 1_704_067_200_000_000_000
"""When the examples begin, ns UTC."""

_CODE = re.compile(r"[a-z][a-z0-9_]*")


def hypothesis() -> Any:
    """Return hypothesis, which draws the examples.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import hypothesis.strategies as module
    except ImportError as error:
        raise ImportError("the conformance checks draw examples with hypothesis: pip install hypothesis") from error
    return module


def each(strategy: Any, test: Callable[[Any], None], examples: int) -> None:
    """Run a test on examples; they are the same in each run."""
    hypothesis()
    from hypothesis import HealthCheck, Phase, given, settings

    quiet: Any = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )

    def tested(example: Any) -> None:
        test(example)

    drawn: Any = given(strategy)
    quiet(drawn(tested))()


def expect(holds: bool, text: str) -> None:
    """Fail with a text unless something holds.

    Raises:
        AssertionError: it does not.
    """
    if not holds:
        raise AssertionError(text)


def expect_reason(who: str, code: str, figures: str) -> None:
    """Expect a stable code and figures that fit a line."""
    expect(_CODE.fullmatch(code) is not None, f"{who}: a code has small letters, digits and _, was {code!r}")
    expect(bool(figures.strip()) and figures.isprintable(), f"{who}: figures are one line of text, was {figures!r}")


def shown(rule: Rule[Any], events: Sequence[Market], facts: Sequence[Fact]) -> None:
    """Show a rule a history and facts, as a start does."""
    for event in events:
        rule.on_market(event)
    for fact in facts:
        rule.on_fact(fact)


def amounts(low: str, high: str, places: int) -> Any:
    """Draw Decimals."""
    return hypothesis().decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


def accounts() -> Any:
    """Draw the standing of an account with a position, or none, in each known instrument."""
    st = hypothesis()

    def lot(instrument: Instrument, quantity: Decimal, price: Decimal, drift: Decimal, working: int) -> Lot:
        notional = quantity * price
        return Lot(instrument, quantity, quantity * price * (1 + drift), float(price), abs(notional), notional, working)

    def standing(wallet: Decimal, lots: tuple[Lot, ...], after: int) -> Standing:
        return Standing(wallet, lots, START + after)

    lots = [
        st.builds(
            lot,
            st.just(instrument),
            st.one_of(st.just(Decimal(0)), amounts("-5", "5", 3)),
            amounts("1000", "90000", 1),
            amounts("-0.2", "0.2", 3),
            st.integers(0, 4),
        )
        for instrument in KNOWN.values()
    ]
    return st.builds(standing, amounts("-5000", "200000", 2), st.tuples(*lots), st.integers(0, 3 * 10**14))


def facts() -> Any:
    """Draw what an account may have done: orders made, and round trips of the first known instrument."""
    st = hypothesis()
    symbol = next(iter(KNOWN))

    def order(number: int, ts: int, side: Side) -> OrderUpdate:
        return OrderUpdate(
            number, f"o{number}", symbol, side, Decimal(1), Decimal(0), False, OrderState.INTENT, ts, "t"
        )

    def fill(number: int, ts: int, side: Side, position: str, result: Decimal) -> Fill:
        price, fee = Decimal(50_000), Decimal(25)
        return Fill(
            number, f"f{number}", f"o{number}", symbol, side, Decimal(1), price, fee, result, Decimal(position), price,
            ts, "t", f"x{number}",
        )  # fmt: skip

    def story(trips: list[tuple[int, Decimal]]) -> tuple[Fact, ...]:
        made: list[Fact] = []
        ts = START
        for index, (gap, result) in enumerate(trips):
            ts += gap
            number = index * 4
            made += [order(number + 1, ts, "buy"), fill(number + 2, ts, "buy", "1", Decimal(0))]
            made += [order(number + 3, ts, "sell"), fill(number + 4, ts, "sell", "0", result)]
        return tuple(made)

    return st.builds(story, st.lists(st.tuples(st.integers(0, 10**12), amounts("-500", "500", 2)), max_size=6))


def bars_of(instrument: Instrument, needs: Needs) -> Any:
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
