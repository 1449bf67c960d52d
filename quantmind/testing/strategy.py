"""The promises of strategies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Market, Signal, WakeAt
from quantmind.events.market import CHANNELS
from quantmind.kinds import Channel, Needs, Options, Strategy
from quantmind.testing.examples import markets
from quantmind.testing.proving.another_day import another_day
from quantmind.testing.proving.drawing import Examples
from quantmind.testing.proving.elsewhere import ways
from quantmind.testing.proving.performance import Performance, Said
from quantmind.testing.proving.promise import Check, expect, keep
from quantmind.testing.proving.reach import watched
from quantmind.testing.proving.variation import variations
from quantmind.testing.proving.walk import Segment, walk

_MOST = 600
"""Steps of an example at the most: a strategy that asks for more history is tried with less."""


class StrategySubject:
    """What makes the strategy under test, and the markets it is tried on."""

    def __init__(self, make: Callable[[], Strategy[Any]], examples: int = 50) -> None:
        self.make = make
        one = make()
        self.kind = type(one)
        self.options: Options = one.options
        self.symbols = one.symbols
        self.id = one.id
        self._examples = Examples(self._markets, examples)

    @property
    def needs(self) -> Needs:
        """What it says that it needs."""
        return self.kind.needs(self.options)

    @property
    def most(self) -> int:
        """How many steps its markets have at the most: room for its history, and as much to speak in."""
        intervals = sorted(channel.interval for channel in self.needs.channels if channel.kind == "bar")
        ratio = -(-intervals[-1] // intervals[0]) if intervals else 1
        return min(max(60, 2 * self.needs.history) * ratio, _MOST)

    def each(self, test: Callable[[tuple[Market, ...]], None]) -> None:
        """Try it on every market."""
        self._examples.each(test)

    def said(self, market: Sequence[Market]) -> list[Said]:
        """Return what a new one says to a market."""
        return Performance(self.make(), self.needs).to(_copied(market))

    def _markets(self) -> Any:
        return markets(self.symbols, self.needs.channels, most=self.most)

    def one_market(self) -> tuple[Market, ...]:
        """Return one lively market, the same one each time."""
        segments = [Segment(60, drift, 0.01, False, 0) for drift in (0.002, -0.003, 0.004, -0.002, 0.0)]
        return walk(
            self.symbols, self.needs.channels, segments=segments, price=50_000.0, seed=7, most=min(self.most, 300)
        )


def check_strategy(strategy: Strategy[Any] | Callable[[], Strategy[Any]], *, examples: int = 50) -> None:
    """Check a strategy, or what makes one, on drawn markets of its symbols: calm, wild, flat, with gaps, and empty.

    Its `needs` are pure, and fit its handlers; it never raises; its signals are for its own symbols, with directions in
    [-1, 1] and confidences in [0, 1]; to the same market it says the same: twice, at another time of day, beside a
    second instance, and in a process with other hashes; and it reads no file and opens no connection.

        check_strategy(Breakout(BreakoutOptions(window=20), "breakout", ["BTC/USDT:USDT"]))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        ImportError: hypothesis is not installed.
    """
    make = (
        partial(type(strategy), strategy.options, strategy.id, strategy.symbols)
        if isinstance(strategy, Strategy)
        else strategy
    )
    keep(make().name, PROMISES, StrategySubject(make, examples))


def _needs(subject: StrategySubject) -> None:
    with watched() as reach:
        needs: object = subject.needs
        again = subject.needs
    if not isinstance(needs, Needs):
        raise AssertionError(f"needs answered {needs!r}, which is no Needs")  # noqa: TRY004 - a check has failed
    channels: object = needs.channels
    sound = isinstance(channels, Sequence) and all(isinstance(channel, Channel) for channel in channels)
    expect(sound, f"channels is a tuple of channels, as in Needs((QUOTES, bars(interval))), was {channels!r}")
    expect(again == needs, f"asked twice, it answered {needs}, and then {again}")
    expect(not reach.beyond, f"needs is for lint, which opens nothing, but {', '.join(reach.beyond)}")
    expect(needs.history >= 0, f"a history of {needs.history} events cannot be had")
    intervals = [channel for channel in needs.channels if channel.kind == "bar" and channel.interval <= 0]
    expect(not intervals, f"bars have an interval in ns above 0, was {intervals}")


def _handlers(subject: StrategySubject) -> None:
    needs = subject.needs
    needed = {channel.kind for channel in needs.channels}
    for kind in CHANNELS.values():
        handler = f"on_{kind}"
        has = getattr(subject.kind, handler) is not getattr(Strategy, handler)
        words = str(next((channel for channel in needs.channels if channel.kind == kind), f"{kind} events"))
        expect(has or kind not in needed, f"it needs {words}, but has no {handler}: it would never see them")
        expect(
            not has or kind in needed or kind in _ever_needed(subject),
            f"it has {handler}, but needs no {kind} channel: it would never be called; `needs` says what it is given",
        )
    fills = subject.kind.on_fill is not Strategy.on_fill
    fills &= needs.fills or "fill" not in _ever_needed(subject)
    expect(not fills or needs.fills, "it has on_fill, but needs no fills: it would never be called")
    expect(fills or not needs.fills, "it needs fills, but has no on_fill: all would wait for them in vain")
    expect(bool(needed), "it needs no channel: no event would ever reach it")


def _ever_needed(subject: StrategySubject) -> set[str]:
    """Return the kinds of channel that it needs with any value of one of its options, and `fill`."""
    needed: set[str] = set()
    for options in variations(subject.options):
        # Values that do not fit the others may raise anything.
        with contextlib.suppress(Exception):
            needs = subject.kind.needs(options)
            needed |= {channel.kind for channel in needs.channels} | ({"fill"} if needs.fills else set())
    return needed


def _never_raises(subject: StrategySubject) -> None:
    def test(market: tuple[Market, ...]) -> None:
        subject.said(market)

    subject.each(test)


def _signals(subject: StrategySubject) -> None:
    def test(market: tuple[Market, ...]) -> None:
        for said in subject.said(market):
            _expect_fit(subject, said)

    subject.each(test)


def _expect_fit(subject: StrategySubject, said: Said) -> None:
    item: object = said.item
    if isinstance(item, WakeAt):
        # Woken at a time, it asks for a later one: else time would stand still.
        earliest = said.ts + said.woken
        expect(item.ts >= earliest, f"at {said.ts} it asked to be woken at {item.ts}, which is not later")
        wakes = subject.kind.on_clock is not Strategy.on_clock
        expect(wakes, "it asks to be woken, but has no on_clock: it would sleep on")
    elif isinstance(item, Signal):
        expect(item.strategy == subject.id, f"it signals as {item.strategy!r}, but is {subject.id!r}")
        expect(item.symbol in subject.symbols, f"it signals {item.symbol}, but trades {', '.join(subject.symbols)}")
        expect(_within(item.direction, -1.0), f"a direction is in [-1, 1], {_was(item.direction)}")
        expect(_within(item.confidence, 0.0), f"a confidence is in [0, 1], {_was(item.confidence)}")
    else:
        raise AssertionError(f"a handler answers signals, WakeAt or None, was {item!r}")  # noqa: TRY004 - as above


def _within(figure: object, low: float) -> bool:
    # A NaN fails every comparison.
    return isinstance(figure, int | float) and low <= figure <= 1.0


def _was(figure: object) -> str:
    kind = type(figure)
    return f"was {figure!r}" if issubclass(kind, int | float) else f"a float, was {figure!r} of {kind.__name__}"


def _steady(subject: StrategySubject) -> None:
    def test(market: tuple[Market, ...]) -> None:
        _expect_same(subject.said(market), subject.said(market), "the second time")

    subject.each(test)


def _timeless(subject: StrategySubject) -> None:
    def test(market: tuple[Market, ...]) -> None:
        first = subject.said(market)
        with another_day(subject.kind):
            second = subject.said(market)
        _expect_same(first, second, "on another day, and with other random numbers")

    subject.each(test)


def _alone(subject: StrategySubject) -> None:
    def test(market: tuple[Market, ...]) -> None:
        alone = subject.said(market)
        one = Performance(subject.make(), subject.needs)
        # The other one lags behind: what both write to is seen.
        other = Performance(subject.make(), subject.needs)
        shown = _copied(market)
        other.to(shown[: len(market) // 2])
        for index, event in enumerate(shown):
            one.show(event)
            other.show(shown[(index + len(market) // 2) % len(market)])
        _expect_same(alone, one.said, "beside another instance")

    subject.each(test)


def _elsewhere(subject: StrategySubject) -> None:
    market = subject.one_market()
    here = [str(said) for said in subject.said(market)]
    for there in ways(subject.kind, "strategy", (subject.options, subject.id, subject.symbols), market):
        differ = (i for i, (one, two) in enumerate(zip(here, there, strict=False)) if one != two)
        place = next(differ, min(len(here), len(there)))
        expect(
            here == there,
            f"in another process it says {_at(there, place)}, and here {_at(here, place)}: "
            "does it go through a set, or by id() or hash()?",
        )


def _apart(subject: StrategySubject) -> None:
    def test(market: tuple[Market, ...]) -> None:
        with watched() as reach:
            subject.said(market)
        expect(not reach.beyond, f"while events are handled, {', '.join(reach.beyond[:3])}")

    subject.each(test)


def _leaves(subject: StrategySubject) -> None:
    def test(market: tuple[Market, ...]) -> None:
        options, shown = repr(subject.options), _copied(market)
        Performance(subject.make(), subject.needs).to(shown)
        for was, now in zip(market, shown, strict=True):
            expect(was == now, f"it changed {was} to {now}, which others are shown as well")
        expect(repr(subject.options) == options, f"it changed its options from {options} to {subject.options!r}")

    subject.each(test)


PROMISES: tuple[Check[StrategySubject], ...] = (
    Check("answers `needs` the same when asked twice, and opens nothing for it", _needs),
    Check("has a handler for every channel that it needs, and needs every channel that it handles", _handlers),
    Check("never raises, whatever the market", _never_raises),
    Check("signals its own symbols, with directions in [-1, 1] and confidences in [0, 1]", _signals),
    Check("says the same to the same market", _steady),
    Check("looks at no clock on the wall, and draws no unseeded random number", _timeless),
    Check("shares nothing with its other instances", _alone),
    Check("reads no file and opens no connection while it handles events", _apart),
    Check("leaves events and options as they are", _leaves),
    Check("says the same in another process, where hashes are others", _elsewhere),
)
"""What every strategy promises."""


def _copied(market: Sequence[Market]) -> tuple[Market, ...]:
    """Return events of its own: frozen as they are, a strategy might change them."""
    return tuple(map(msgspec.structs.replace, market))


def _expect_same(first: Sequence[Said], second: Sequence[Said], when: str) -> None:
    for one, two in zip(first, second, strict=False):
        expect(one == two, f"to the same market it said {one}, and {when} {two}")
    expect(len(first) == len(second), f"to the same market it said {len(first)} things, and {when} {len(second)}")


def _at(said: Sequence[str], place: int) -> str:
    return said[place] if place < len(said) else "nothing more"
