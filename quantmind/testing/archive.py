"""The promises of archives."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.events import Bar, Market
from quantmind.kinds import Archive, Channel, Options
from quantmind.kinds import bars as bars_of
from quantmind.testing.examples import BTC
from quantmind.testing.proving.opening import Terms, expect_no_loop
from quantmind.testing.proving.promise import Check, LeftOut, expect, keep, one_line
from quantmind.testing.proving.reach import watched
from quantmind.testing.proving.walk import START

_HOUR = 3_600_000_000_000
_MOST = 20_000
"""Events of one channel that are looked at."""

_STRANGE = {
    "empty": b"",
    "text": b"time,open,high,low,close\n1,2,3,4,5\n",
    "json": b'{"a": [1, 2]}\n',
    "binary": bytes(range(256)) * 8,
    "gzip": b"\x1f\x8b\x08\x00garbage",
}
"""Files that are no recording of anything."""


class ArchiveSubject:
    """What makes the archive under test, what is fetched of it, and on what terms."""

    def __init__(
        self, make: Callable[[], Archive[Any]], terms: Terms, symbol: str = BTC, span: tuple[int, int] | None = None
    ) -> None:
        self.make = make
        self.terms = terms
        self.symbol = symbol
        self.span = span or (START, START + _HOUR)
        one = make()
        self.kind = type(one)
        self.options: Options = one.options

    def channels(self) -> list[Channel]:
        """Return what can be fetched: what it says it has, else what may be tried."""
        return self.terms.run(self._channels())

    async def _channels(self) -> list[Channel]:
        archive = self.make()
        async with self.terms.opened(archive):
            try:
                found: object = archive.channels(self.symbol)
            except (QuantMindError, OSError) as error:
                if self.terms.strict:
                    raise
                raise LeftOut(f"it cannot be asked with these options: {one_line(str(error))}") from error
        sound = found is None or (isinstance(found, frozenset) and all(isinstance(each, Channel) for each in found))
        expect(sound, f"channels answers a frozenset of channels, or None, was {found!r}")
        return sorted(found or ()) if isinstance(found, frozenset) else [Channel("trade"), bars_of(60_000_000_000)]

    def fetched(self, channel: Channel) -> list[Sequence[Market]]:
        """Return the batches of a channel and the span."""
        return self.terms.run(self._fetch(channel))

    async def _fetch(self, channel: Channel) -> list[Sequence[Market]]:
        archive = self.make()
        batches: list[Sequence[Market]] = []
        count = 0
        async with self.terms.opened(archive):
            try:
                async for batch in archive.fetch(self.symbol, channel, *self.span):
                    batches.append(batch)
                    count += len(batch)
                    if count >= _MOST:
                        break
            except QuantMindError:
                # It may not have them; that it says so as it must is all that can be asked then.
                return []
        return batches


def check_archive(
    archive: Archive[Any] | Callable[[], Archive[Any]],
    *,
    symbol: str = BTC,
    span: tuple[int, int] | None = None,
    live: bool = False,
) -> None:
    """Check an archive, or what makes one, with what it has of a symbol in a span, [start, end) in ns UTC.

    Its venue has a name; it does not take a stranger's file for a recording of its own; what it fetches is of the
    symbol and channel, in the span, in order, and the same twice; what it has not is a QuantMindError. One that
    connects does so with `live` only.

        check_archive(Tape(TapeOptions(file=tape)), symbol="ETH/USDT:USDT", span=(start, end))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        RuntimeError: it is called inside an event loop.
    """
    expect_no_loop()
    make = partial(type(archive), archive.options) if isinstance(archive, Archive) else archive
    keep(make().name, PROMISES, ArchiveSubject(make, Terms(live=live, strict=True), symbol, span))


def _venue(subject: ArchiveSubject) -> None:
    archive = subject.make()
    with watched() as reach:
        venue: object = archive.venue
        expect(isinstance(venue, str) and bool(venue), f"venue answered {venue!r}, which is no name")
        expect(archive.venue == venue, "asked twice, venue changed its answer")
    if not isinstance(venue, str) or not all(c.isalnum() or c in "-_." for c in venue):
        raise AssertionError(f"a venue names a folder: letters, digits, - and _, was {venue!r}")
    expect(not reach.connected, f"to tell its venue, {', '.join(reach.beyond)}")


def _reading(subject: ArchiveSubject) -> None:
    with tempfile.TemporaryDirectory() as folder, watched() as reach:
        for name, content in _STRANGE.items():
            path = Path(folder) / name
            path.write_bytes(content)
            answer = subject.kind.reading(path)
            expect(answer is None, f"reading takes a file of {name} for a recording: {answer!r}")
            expect(path.read_bytes() == content, f"reading changed a file of {name}")
    expect(not reach.connected, f"to look at a file, it connects to {', '.join(reach.connected)}")


def _channels(subject: ArchiveSubject) -> None:
    subject.channels()


def _inside(subject: ArchiveSubject) -> None:
    start, end = subject.span
    for channel in subject.channels():
        before = 0
        for event in (event for batch in subject.fetched(channel) for event in batch):
            right = event.symbol == subject.symbol and Channel.of(event) == channel
            expect(right, f"asked for {channel} of {subject.symbol}, it gave {event}")
            ts = event.ts - event.interval if isinstance(event, Bar) else event.ts
            expect(start <= ts < end, f"asked for [{start}, {end}), it gave {event}")
            expect(event.ts >= before, f"it goes back in time: after {before} comes {event}")
            before = event.ts


def _twice(subject: ArchiveSubject) -> None:
    for channel in subject.channels()[:2]:
        first, second = ([e for batch in subject.fetched(channel) for e in batch] for _ in range(2))
        expect(first == second, f"of {channel} it gave {len(first)} events, and the second time {len(second)} others")


def _nothing(subject: ArchiveSubject) -> None:
    async def ask() -> None:
        archive = subject.make()
        async with subject.terms.opened(archive):
            for symbol, channel in (("NOBODY/HAS:THIS", bars_of(60_000_000_000)), (subject.symbol, bars_of(7))):
                try:
                    async for batch in archive.fetch(symbol, channel, *subject.span):
                        expect(not batch, f"of {channel} of {symbol} it gave {next(iter(batch), None)}")
                except QuantMindError as error:
                    expect(str(error) == one_line(str(error)) and bool(str(error)), f"an error is one line: {error!r}")

    subject.terms.run(ask())


PROMISES: tuple[Check[ArchiveSubject], ...] = (
    Check("tells its venue, by a name that a folder can have", _venue),
    Check("takes no file of another format for a recording of its own", _reading),
    Check("tells which channels it has of a symbol", _channels),
    Check("fetches events of the channel, in the span and in order", _inside),
    Check("fetches the same twice", _twice),
    Check("says in a QuantMindError of one line what it has not, or gives nothing", _nothing),
)
"""What every archive promises."""
