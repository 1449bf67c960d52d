"""The conformance check of limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Fact, Market, Side
from quantmind.kinds import Allowed, Limit, Refused, Shrunk, Standing, Stop, Verdict
from quantmind.market.instruments import Instrument
from quantmind.testing.examples import accounts, amounts, each, expect, expect_reason, facts, hypothesis, shown
from quantmind.trader.gate import Gate, Intent


class _Case(msgspec.Struct, frozen=True):
    facts: tuple[Fact, ...]
    before: Standing
    intent: Intent


def check_limit(
    limit: Limit[Any] | Callable[[], Limit[Any]], *, events: Sequence[Market] = (), examples: int = 100
) -> None:
    """Check a limit, or what makes one, on drawn accounts, facts and increases.

    It never enlarges, itself or through the gate; says a stable code and figures in one line; answers the same when
    asked twice, and after a restart (`load` of what it saved, then the same facts); leaves the standing as it is; and
    never raises. `events` are shown to it first, if it needs a history.

    Raises:
        AssertionError: it does not hold.
        ImportError: hypothesis is not installed.
    """
    make = partial(type(limit), limit.options) if isinstance(limit, Limit) else limit
    each(_cases(), lambda case: _check(make, events, case), examples)


def _check(make: Callable[[], Limit[Any]], events: Sequence[Market], case: _Case) -> None:
    limit, intent = make(), case.intent
    name = limit.name
    shown(limit, events, case.facts)
    for standing in (case.before, intent.standing):
        _expect_stop(name, _untouched(name, standing, partial(limit.watch, standing)))
    wish = intent.increase(intent.quantity - intent.reducing)
    verdict = _untouched(name, intent.standing, lambda: limit.check(wish))
    _expect_verdict(name, verdict, wish.quantity)
    expect(limit.check(wish) == verdict, f"{name}: asked twice, it changed its answer to {wish}")
    passed, _, cuts = Gate([limit]).judge(intent)
    expect(intent.reducing <= passed <= intent.quantity, f"{name}: {passed} of {intent.quantity} passed the gate")
    expect(passed + sum((cut.quantity for cut in cuts), Decimal(0)) == intent.quantity, f"{name}: {cuts} do not add up")
    state = limit.save()
    expect(isinstance(state, str), f"{name}: saved {state!r}, which is no text")
    twin = make()
    twin.load(state)
    shown(twin, events, case.facts)
    expect(twin.check(wish) == verdict, f"{name}: loaded from {state!r}, it changed its answer to {wish}")
    expect(twin.save() == state, f"{name}: loaded from {state!r}, it saves {twin.save()!r}")
    stop, again = limit.watch(intent.standing), twin.watch(intent.standing)
    expect(stop == again, f"{name}: loaded from {state!r}, it answers {again}, not {stop}")
    limit.reset(intent.standing)


def _untouched(name: str, standing: Standing, ask: Callable[[], Any]) -> Any:
    """Ask, and expect that the standing is what it was."""
    before = (standing.wallet, standing.ts, dict(standing.holdings))
    answer = ask()
    after = (standing.wallet, standing.ts, standing.holdings)
    expect(before == after, f"{name}: changed the standing")
    return answer


def _expect_verdict(name: str, verdict: Verdict, wanted: Decimal) -> None:
    if isinstance(verdict, Shrunk):
        finite = verdict.quantity.is_finite()
        expect(finite and verdict.quantity <= wanted, f"{name}: enlarges {wanted} to {verdict.quantity}")
    elif not isinstance(verdict, Refused):
        expect(isinstance(verdict, Allowed), f"{name}: answered {verdict!r}, which is no verdict")
        return
    expect_reason(name, verdict.code, verdict.figures)


def _expect_stop(name: str, stop: object) -> None:
    if stop is not None:
        if not isinstance(stop, Stop):
            raise AssertionError(f"{name}: watch answered {stop!r}, which is no Stop")
        expect(stop.level in {"reduce", "flatten", "halt"}, f"{name}: there is no latch {stop.level!r}")
        expect_reason(name, name, stop.figures)


def _cases() -> Any:
    st = hypothesis()

    def case(
        told: tuple[Fact, ...],
        before: Standing,
        now: Standing,
        instrument: Instrument,
        side: Side,
        quantity: Decimal,
        off: Decimal,
        age: int,
    ) -> _Case:
        lot = now.holdings[instrument.symbol]
        mark = Decimal(repr(lot.value_price))
        toward = lot.quantity if side == "buy" else -lot.quantity
        price = max(mark + off * instrument.tick, instrument.tick)
        held = max(toward, Decimal(0))
        gross = now.gross - abs(lot.net) + held * price
        reducing = min(max(-toward, Decimal(0)), quantity)
        intent = Intent(
            instrument, side, quantity + reducing, reducing, price, held, gross, now.equity, now.ts, now.ts - age, mark,
            now,
        )  # fmt: skip
        return _Case(told, before, intent)

    instruments = st.shared(accounts(), key="now").flatmap(
        lambda now: st.sampled_from([lot.instrument for lot in now.holdings.values()])
    )
    return st.builds(
        case,
        facts(),
        accounts(),
        st.shared(accounts(), key="now"),
        instruments,
        st.sampled_from(["buy", "sell"]),
        amounts("0.001", "50", 3),
        st.integers(-20000, 20000).map(Decimal),
        st.integers(0, 10**11),
    )
