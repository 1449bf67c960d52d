"""The promises of limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Fact, Market, Side
from quantmind.kinds import Allowed, Limit, Refused, Shrunk, Standing, Stop
from quantmind.market.instruments import KNOWN, Instrument
from quantmind.testing.examples import accounts, amounts, facts, markets
from quantmind.testing.proving.drawing import Examples, hypothesis
from quantmind.testing.proving.promise import Check, expect, expect_reason, keep
from quantmind.testing.proving.rule import FIGURES, NEEDS, shown
from quantmind.trader.gate import Gate, Intent


class LimitSubject:
    """What makes the limit under test, what it is shown first, and the examples it is tried on.

    Without `events` those that it needs are drawn.
    """

    def __init__(
        self, make: Callable[[], Limit[Any]], events: Sequence[Market] | None = None, examples: int = 100
    ) -> None:
        self.make = make
        one = make()
        self._channels = one.needs(one.options).channels
        self._events = events
        self._examples = Examples(self._cases, examples)

    def each(self, test: Callable[[Limit[Any], _Case], None]) -> None:
        """Try it on every example."""

        def tried(case: _Case) -> None:
            limit = self.make()
            case = case.fresh()
            shown(limit, case.events, case.facts)
            test(limit, case)

        self._examples.each(tried)

    def _cases(self) -> Any:
        if self._events is None and self._channels:
            return _cases(markets(list(KNOWN), self._channels, most=40))
        return _cases(hypothesis().just(tuple(self._events or ())))


class _Case(msgspec.Struct, frozen=True):
    events: tuple[Market, ...]
    facts: tuple[Fact, ...]
    before: Standing
    """The account at the event before."""
    intent: Intent

    def fresh(self) -> _Case:
        """Return it with standings of its own: a limit might change them."""
        before, now = (
            Standing(each.wallet, each.holdings.values(), each.ts) for each in (self.before, self.intent.standing)
        )
        return _Case(self.events, self.facts, before, msgspec.structs.replace(self.intent, standing=now))

    def asked(self, limit: Limit[Any]) -> Any:
        """Let the limit watch the account, and judge."""
        limit.watch(self.before)
        return limit.check(self.increase)

    @property
    def increase(self) -> Any:
        return self.intent.increase(self.intent.quantity - self.intent.reducing)


def check_limit(
    limit: Limit[Any] | Callable[[], Limit[Any]], *, events: Sequence[Market] | None = None, examples: int = 100
) -> None:
    """Check a limit, or what makes one, on drawn accounts, facts and increases.

    It never enlarges, itself or through the gate; says a stable code and figures in one line; answers the same when
    asked twice, and after a restart (`load` of what it saved, then the same facts); leaves the standing as it is; and
    never raises. `events`, in their order, are shown to it first, in place of drawn ones.

        check_limit(MaxSpread(MaxSpreadOptions(ticks=3)))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        ImportError: hypothesis is not installed.
    """
    make = partial(type(limit), limit.options) if isinstance(limit, Limit) else limit
    keep(make().name, PROMISES, LimitSubject(make, events, examples))


def _answers(subject: LimitSubject) -> None:
    def test(limit: Limit[Any], case: _Case) -> None:
        for standing in (case.before, case.intent.standing):
            _expect_stop(limit.name, limit.watch(standing))
        verdict: object = limit.check(case.increase)
        if isinstance(verdict, Shrunk | Refused):
            expect_reason(verdict.code, verdict.figures)
        else:
            expect(isinstance(verdict, Allowed), f"check answered {verdict!r}, which is no verdict")
        limit.reset(case.intent.standing)

    subject.each(test)


def _expect_stop(name: str, stop: object) -> None:
    if stop is not None:
        if not isinstance(stop, Stop):
            raise AssertionError(f"watch answered {stop!r}, which is no Stop")
        expect(stop.level in {"reduce", "flatten", "halt"}, f"there is no latch {stop.level!r}")
        expect_reason(name, stop.figures)


def _shrinks(subject: LimitSubject) -> None:
    def test(limit: Limit[Any], case: _Case) -> None:
        verdict, wanted = case.asked(limit), case.increase.quantity
        if isinstance(verdict, Shrunk):
            finite = verdict.quantity.is_finite()
            expect(finite and verdict.quantity <= wanted, f"it enlarges {wanted} to {verdict.quantity}")
        intent = case.intent
        passed, _, cuts = Gate([limit]).judge(intent)
        expect(intent.reducing <= passed <= intent.quantity, f"{passed} of {intent.quantity} passed the gate")
        cut = sum((cut.quantity for cut in cuts), Decimal(0))
        expect(passed + cut == intent.quantity, f"of {intent.quantity} passed {passed}, and {cut} were cut")

    subject.each(test)


def _steady(subject: LimitSubject) -> None:
    def test(limit: Limit[Any], case: _Case) -> None:
        verdict = case.asked(limit)
        again = limit.check(case.increase)
        expect(again == verdict, f"asked twice, it answered {verdict}, and then {again}")

    subject.each(test)


def _meddles(subject: LimitSubject) -> None:
    def test(limit: Limit[Any], case: _Case) -> None:
        now = case.intent.standing
        _untouched(case.before, partial(limit.watch, case.before))
        _untouched(now, lambda: limit.check(case.increase))
        _untouched(now, partial(limit.reset, now))

    subject.each(test)


def _untouched(standing: Standing, ask: Callable[[], object]) -> None:
    """Ask, and expect that the standing is what it was."""
    before = (standing.wallet, standing.ts, dict(standing.holdings))
    ask()
    after = (standing.wallet, standing.ts, standing.holdings)
    expect(before == after, "it changed the standing that it was shown")


def _restarts(subject: LimitSubject) -> None:
    def test(limit: Limit[Any], case: _Case) -> None:
        now = case.intent.standing
        limit.watch(now)
        # A limit that goes by how the account once stood has seen better days.
        limit.watch(Standing(now.wallet + 10 * abs(now.equity), now.holdings.values(), now.ts))
        verdict = case.asked(limit)
        state: object = limit.save()
        if not isinstance(state, str):
            raise AssertionError(f"it saved {state!r}, which is no text")  # noqa: TRY004 - a check has failed
        twin = subject.make()
        twin.load(state)
        shown(twin, case.events, case.facts)
        again = twin.check(case.increase)
        expect(again == verdict, f"loaded from {state!r}, it answers {again}, not {verdict}")
        expect(twin.save() == state, f"loaded from {state!r}, it saves {twin.save()!r}")
        stop, stopped = limit.watch(now), twin.watch(now)
        expect(stop == stopped, f"loaded from {state!r}, it answers {stopped}, not {stop}")

    subject.each(test)


PROMISES: tuple[Check[LimitSubject], ...] = (
    NEEDS,
    Check("answers a verdict, or a stop, with a code and figures in one line, whatever the account", _answers),
    Check("never enlarges an order, itself or through the gate", _shrinks),
    Check("answers the same when asked twice", _steady),
    Check("leaves the standing as it is", _meddles),
    Check("answers the same after a restart, with what it saved and the facts since", _restarts),
    FIGURES,
)
"""What every limit promises."""


def _cases(events: Any) -> Any:
    st = hypothesis()

    def case(
        shown: tuple[Market, ...],
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
        return _Case(shown, told, before, intent)

    instruments = st.shared(accounts(), key="now").flatmap(
        lambda now: st.sampled_from([lot.instrument for lot in now.holdings.values()])
    )
    return st.builds(
        case,
        events,
        facts(),
        accounts(),
        st.shared(accounts(), key="now"),
        instruments,
        st.sampled_from(["buy", "sell"]),
        amounts("0.001", "50", 3),
        st.integers(-20000, 20000).map(Decimal),
        st.integers(0, 10**11),
    )
