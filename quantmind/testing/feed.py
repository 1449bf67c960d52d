"""The promises of feeds."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from quantmind.events import Bar, Book, FundingRate, Market, Quote, Ticker, Trade
from quantmind.events.market import CHANNELS
from quantmind.kinds import Channel, Feed, Options
from quantmind.testing.examples import MINUTE
from quantmind.testing.proving.opening import Terms, expect_no_loop, within
from quantmind.testing.proving.promise import Check, LeftOut, expect, keep
from quantmind.testing.proving.reach import watched

MOST = 20_000
"""Events that are looked at: a replay may be long, and a feed need not end."""
SECONDS = 5.0
"""How long a live feed is listened to."""
_COUNTS = (1, 5)

Wanted = Mapping[str, frozenset[Channel]]


class FeedSubject:
    """What makes the feed under test, and on what terms."""

    def __init__(self, make: Callable[[], Feed[Any]], terms: Terms) -> None:
        self.make = make
        self.terms = terms
        one = make()
        self.kind = type(one)
        self.options: Options = one.options
        self.symbols = [instrument.symbol for instrument in one.instruments]
        self.live = self.kind.runs_live(self.options)
        self._all: list[Sequence[Market]] | None = None

    @property
    def offers(self) -> Wanted:
        """What it offers of its symbols."""
        return self.kind.offers(self.options, self.symbols)

    def made(self, wanted: Wanted | None = None) -> Feed[Any]:
        """Make one of which all is wanted that it offers, or less."""
        if self.live and not self.terms.live:
            raise LeftOut("it is live: live lets it connect")
        feed = self.make()
        feed.wanted = self.offers if wanted is None else wanted
        return feed

    def all(self) -> list[Sequence[Market]]:
        """Return the batches of one run; they are read once."""
        if self._all is None:
            self._all = self.batches()
        return self._all

    def given(self) -> list[Sequence[Market]]:
        """Return the batches of one run, as `all` does.

        Raises:
            LeftOut: it is live, and nothing came.
        """
        if self.live and not any(self.all()):
            raise LeftOut(f"no event came within {SECONDS:g} s: is its server there?")
        return self.all()

    def batches(self, wanted: Wanted | None = None) -> list[Sequence[Market]]:
        """Return the batches of a run of its own."""
        feed = self.made(wanted)
        return self.terms.run(self._read(feed))

    async def _read(self, feed: Feed[Any]) -> list[Sequence[Market]]:
        batches: list[Sequence[Market]] = []
        async with self.terms.opened(feed):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECONDS if self.live else None):
                    await _listen(feed, batches)
        return batches


async def _listen(feed: Feed[Any], batches: list[Sequence[Market]]) -> None:
    count = 0
    async with _events(feed) as events:
        async for batch in events:
            batches.append(batch)
            count += 1 + len(batch)
            if count >= MOST:
                return


@contextlib.asynccontextmanager
async def _events(feed: Feed[Any]) -> AsyncIterator[AsyncIterator[Sequence[Market]]]:
    """Ask for the events, and end them in the end; what is no generator has nothing to end."""
    events = feed.events()
    try:
        yield events
    finally:
        end = getattr(events, "aclose", None)
        if end is not None:
            await end()


async def _first(events: AsyncIterator[Sequence[Market]]) -> Sequence[Market]:
    return await anext(events)


def check_feed(feed: Feed[Any] | Callable[[], Feed[Any]], *, live: bool = False) -> None:
    """Check a feed, or what makes one, with all that it offers of its instruments.

    What it offers is pure; it gives events of the wanted channels only, whose figures can be true, and with less wanted
    the same ones of it; a replay gives them in order, and twice the same; history is of before, and no more than was
    asked for; it closes after an open that failed and before its events have ended. Up to 20,000 events are read. A
    live feed is opened with `live` only, and listened to for 5 s.

        check_feed(TickFiles(TickFilesOptions(folder=tmp_path), [KNOWN["BTC/USDT:USDT"]]))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        RuntimeError: it is called inside an event loop.
    """
    expect_no_loop()
    make = partial(type(feed), feed.options, feed.instruments) if isinstance(feed, Feed) else feed
    keep(make().name, PROMISES, FeedSubject(make, Terms(live=live, strict=True)))


def _pure(subject: FeedSubject) -> None:
    kind, options = subject.kind, subject.options
    with watched() as reach:
        offers: object = subject.offers
        again = subject.offers
        live, venue = kind.runs_live(options), kind.venue(options)
        same = (kind.runs_live(options), kind.venue(options)) == (live, venue)
    expect(not reach.beyond, f"they are for lint, which opens nothing, but {', '.join(reach.beyond)}")
    if not isinstance(offers, Mapping):
        raise AssertionError(f"offers answers channels by symbol, was {offers!r}")  # noqa: TRY004 - a check has failed
    expect(offers == again, f"asked twice, offers answered {offers}, and then {again}")
    for symbol, channels in offers.items():
        expect(symbol in subject.symbols, f"it offers {symbol}, which it was not asked for")
        sound = isinstance(channels, frozenset) and all(isinstance(channel, Channel) for channel in channels)
        expect(sound, f"of {symbol} it offers {channels!r}, which is no frozenset of channels")
        alone = kind.offers(options, [symbol]).get(symbol)
        expect(alone == channels, f"of {symbol} alone it offers {alone}, and beside others {channels}")
    expect(not any(kind.offers(options, []).values()), "asked for no symbol, it offers something")
    told: tuple[object, object] = live, venue
    expect(isinstance(told[0], bool), f"runs_live answered {live!r}")
    expect(isinstance(told[1], str) and bool(venue), f"venue answered {venue!r}, which is no name")
    expect(same, "asked twice, runs_live or venue changed its answer")


def _speed(subject: FeedSubject) -> None:
    speed = subject.make().speed
    expect(speed is None or (math.isfinite(speed) and speed > 0), f"a speed is above 0, or None, was {speed!r}")
    expect(speed is None or not subject.live, f"what is live has no speed, was {speed!r}")


def _wanted(subject: FeedSubject) -> None:
    wanted = subject.offers
    for batch in subject.given():
        expect(isinstance(batch, Sequence), f"a batch is a sequence of events, was {type(batch).__name__}")
        for event in batch:
            kind: Any = type(event)
            expect(kind in CHANNELS, f"it gives {event!r}, which is no market event")
            expect(Channel.of(event) in wanted.get(event.symbol, ()), f"it gives {event}, which nobody wanted")


def _true(subject: FeedSubject) -> None:
    for batch in subject.given():
        for event in batch:
            wrong = _wrong(event)
            expect(not wrong, f"{wrong}: {event}")


def _wrong(event: Market) -> str:
    """Say what of an event cannot be true; empty if all may be."""
    ts: object = event.ts
    if not isinstance(ts, int) or ts <= 0:
        return f"a time is in ns UTC, was {ts!r}"
    figures = _figures(event)
    if not all(math.isfinite(figure) and figure >= 0 for figure in figures):
        return "figures are finite and not below 0"
    if isinstance(event, Quote) and event.bid > event.ask:
        return "a bid is not above the ask"
    if isinstance(event, Trade) and event.side not in {1, -1}:
        return "a side is 1 or -1"
    if isinstance(event, Bar) and not event.low <= min(event.open, event.close) <= max(event.open, event.close) <= (
        event.high
    ):
        return "a bar's open and close are between its low and its high"
    return ""


def _figures(event: Market) -> list[float]:
    if isinstance(event, Book):
        return [figure for level in (*event.bids, *event.asks) for figure in level]
    if isinstance(event, FundingRate):
        return [abs(event.rate), event.mark]
    names = {
        Quote: ("bid", "ask", "bid_size", "ask_size"),
        Trade: ("price", "size"),
        Bar: ("open", "high", "low", "close", "volume"),
        Ticker: ("open", "high", "low", "last", "volume", "turnover"),
    }.get(type(event), ("price",))
    return [getattr(event, name) for name in names]


def _ordered(subject: FeedSubject) -> None:
    if subject.live:
        raise LeftOut("live events come as they arrive")
    before: Market | None = None
    for batch in subject.all():
        for event in batch:
            if before is not None:
                expect(event.ts >= before.ts, f"it goes back in time: after {before} comes {event}")
                longer = (
                    isinstance(before, Bar)
                    and isinstance(event, Bar)
                    and before.ts == event.ts
                    and before.interval > event.interval
                )
                expect(not longer, f"of one moment the shorter bar comes first: after {before} comes {event}")
            before = event


def _twice(subject: FeedSubject) -> None:
    if subject.live:
        raise LeftOut("live events come once")
    first, second = _flat(subject.all()), _flat(subject.batches())
    for one, two in zip(first, second, strict=False):
        expect(one == two, f"the first time it gave {one}, and the second time {two}")
    expect(len(first) == len(second), f"the first time it gave {len(first)} events, and the second {len(second)}")


def _less(subject: FeedSubject) -> None:
    if subject.live:
        raise LeftOut("live events come once")
    everything = _flat(subject.all())
    # What has no end is compared as far as both were read.
    cut = len(subject.all()) + len(everything) >= MOST
    for channel in sorted(frozenset().union(*subject.offers.values())):
        wanted = {s: frozenset({channel}) for s, channels in subject.offers.items() if channel in channels}
        expected = [event for event in everything if Channel.of(event) == channel]
        given = _flat(subject.batches(wanted))
        if cut:
            length = min(len(given), len(expected))
            given, expected = given[:length], expected[:length]
        expect(given == expected, f"with only {channel} wanted it gives {len(given)} of them, else {len(expected)}")


def _history(subject: FeedSubject) -> None:
    subject.terms.run(_ask_history(subject))


async def _ask_history(subject: FeedSubject) -> None:
    feed = subject.made()
    batches: list[Sequence[Market]] = []
    async with subject.terms.opened(feed):
        past = {
            (symbol, channel, count): await within(feed.history(symbol, channel, count), "history")
            for symbol, channels in subject.offers.items()
            for channel in sorted(channels)
            for count in _COUNTS
        }
        if not subject.live:
            await _listen(feed, batches)
    first = next((event.ts for batch in batches for event in batch), None)
    for (symbol, channel, count), events in past.items():
        expect(len(events) <= count, f"asked for {count} {channel} of before, it gave {len(events)}")
        for event in events:
            right = event.symbol == symbol and Channel.of(event) == channel
            expect(right, f"asked for {channel} of {symbol} from before, it gave {event}")
            expect(first is None or event.ts <= first, f"history is of before the first event at {first}: {event}")
        times = [event.ts for event in events]
        expect(times == sorted(times), f"the history of {channel} of {symbol} is not in order: {times}")


def _tells(subject: FeedSubject) -> None:
    async def ask() -> None:
        feed = subject.made()
        async with subject.terms.opened(feed):
            list(feed.figures())
            ailments: object = feed.ailments()
            expect(isinstance(ailments, Mapping), f"ailments answers a reason for each symbol, was {ailments!r}")
            for symbol in subject.symbols:
                trades = await within(feed.since(symbol, time.time_ns() - MINUTE), "since")
                expect(all(isinstance(trade, Trade) for trade in trades), "since answers trades")

    subject.terms.run(ask())


def _closes(subject: FeedSubject) -> None:
    async def begin() -> None:
        feed = subject.made()
        async with subject.terms.opened(feed), _events(feed) as events:
            with contextlib.suppress(StopAsyncIteration, TimeoutError):
                await asyncio.wait_for(_first(events), SECONDS)
        untouched = subject.made()
        async with subject.terms.opened(untouched):
            pass

    subject.terms.run(begin())


PROMISES: tuple[Check[FeedSubject], ...] = (
    Check("answers `offers`, `runs_live` and `venue` the same when asked twice, and opens nothing", _pure),
    Check("has a speed above 0, or none", _speed),
    Check("gives events of the wanted channels only", _wanted),
    Check("gives figures that can be true", _true),
    Check("gives a replay in order of time, the shorter bar first", _ordered),
    Check("gives the same events twice", _twice),
    Check("gives the same events of a channel when only that is wanted", _less),
    Check("gives history of before its first event, and no more than was asked for", _history),
    Check("tells its figures, what ails it, and what was traded since", _tells),
    Check("closes before its events have ended, and before they have begun", _closes),
)
"""What every feed promises."""


def _flat(batches: Sequence[Sequence[Market]]) -> list[Market]:
    return [event for batch in batches for event in batch][:MOST]
