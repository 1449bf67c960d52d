"""The promises of sinks."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.events import Health, Holding, Holdings, Incident, Vitals
from quantmind.events.names import EVENT_TYPES
from quantmind.kinds import Options, Run, Sink
from quantmind.metrics import LAG
from quantmind.testing.examples import BTC, START, one_of_each
from quantmind.testing.proving.opening import PATIENCE, Terms, expect_no_loop, within
from quantmind.testing.proving.promise import Check, expect, keep
from quantmind.testing.proving.reach import Reach

Make = Callable[[Run], Sink[Any]]

_OPERATIONS: tuple[Any, ...] = (
    Vitals("feed", START, 4711, "ready", ("market data: late",), (LAG.figure(0.25),)),
    Incident("sink", START, "gap", "feed", "market", 3, "frames 4 to 6"),
    Health(START, ("market data: late",)),
    Holdings("checked", 0, 4, (Holding(BTC, Decimal("0.100")),)),
)

KNOWN_TYPES = frozenset({*EVENT_TYPES.values(), *map(type, _OPERATIONS)})
"""What a sink may want: the events of a run, and live how its stages are."""

_LARGE = 5_000
"""Events in the largest batch that a pipeline hands on."""


class SinkSubject:
    """What makes the sink under test, and on what terms."""

    def __init__(self, make: Make, options: Options, terms: Terms) -> None:
        self.make = make
        self.options = options
        self.terms = terms

    @contextlib.contextmanager
    def run(self) -> Iterator[Run]:
        """Give it a run in a folder of its own."""
        with tempfile.TemporaryDirectory(prefix="check-sink-") as folder:
            yield Run("check", Path(folder), io.StringIO())

    def written(self, run: Run, batches: list[list[Any]]) -> Reach:
        """Let a new one write batches."""
        return self.terms.run(self._write(run, batches))

    async def _write(self, run: Run, batches: list[list[Any]]) -> Reach:
        sink = self.make(run)
        async with self.terms.opened(sink) as reach:
            for batch in batches:
                given = list(batch)
                await within(sink.write(given), "write")
                expect(given == batch, "it changed the batch that it was given")
        return reach

    def wanted(self, run: Run, number: int = 1) -> list[Any]:
        """Return an event of each type that it wants, and its facts are numbered from `number` on."""
        types = self.make(run).events
        events = (*one_of_each(START, number=number).values(), *_OPERATIONS)
        return [event for event in events if type(event) in types]


def check_sink(sink: Sink[Any] | Make, *, live: bool = False) -> None:
    """Check a sink, or what makes one of a `Run`, on events of each type.

    It wants types of event that there are; it takes them in batches, empty ones and one of 5,000, and leaves these as
    they are; it goes on in the folder of a run that was continued; it writes only below the run's folder and what
    its options name, and lines for the user to the run's output; and it closes, also after an open that failed. One
    that connects somewhere does so with `live` only.

        check_sink(lambda run: Webhook(WebhookOptions(url="http://127.0.0.1:1"), run))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        RuntimeError: it is called inside an event loop.
    """
    expect_no_loop()
    make = partial(type(sink), sink.options) if isinstance(sink, Sink) else sink
    with tempfile.TemporaryDirectory() as folder:
        one = make(Run("check", Path(folder), io.StringIO()))
    keep(one.name, PROMISES, SinkSubject(make, one.options, Terms(live=live, strict=True)))


def _types(subject: SinkSubject) -> None:
    with subject.run() as run:
        sink = subject.make(run)
        wants: object = sink.events
        expect(isinstance(wants, frozenset), f"events is a frozenset of types, was {wants!r}")
        strange = sorted(getattr(kind, "__name__", repr(kind)) for kind in sink.events - KNOWN_TYPES)
        expect(not strange, f"it wants {', '.join(strange)}, which no sink is given")
        expect(bool(sink.events), "it wants no event: it would never be called")
        expect(sink.events == wants, "asked twice, events changed its answer")


def _takes(subject: SinkSubject) -> None:
    with subject.run() as run:
        wanted = subject.wanted(run)
        subject.written(run, [[event] for event in wanted] + [wanted])


def _empty(subject: SinkSubject) -> None:
    with subject.run() as run:
        subject.written(run, [])
    with subject.run() as run:
        subject.written(run, [[], subject.wanted(run), []])


def _large(subject: SinkSubject) -> None:
    with subject.run() as run:
        batch: list[Any] = []
        number = 1
        while len(batch) < _LARGE:
            batch += subject.wanted(run, number)
            number += 10
        subject.written(run, [batch[:_LARGE]])


def _continues(subject: SinkSubject) -> None:
    with subject.run() as run:
        subject.written(run, [subject.wanted(run)])
        again = Run(run.name, run.folder, run.output, continued=4)
        # What came after the fourth fact is told again.
        told = [event for event in subject.wanted(run) if getattr(event, "number", 0) > 4]
        subject.written(again, [told, subject.wanted(run, 11)])


def _inside(subject: SinkSubject) -> None:
    with subject.run() as run:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            reach = subject.written(run, [subject.wanted(run)])
        allowed = [str(run.folder.resolve()), str(run.folder), *_named(subject.options)]
        outside = [path for path in reach.written if not path.startswith(tuple(allowed))]
        expect(not outside, f"it writes {', '.join(outside)}: neither in the run's folder nor named by its options")
        expect(not out.getvalue(), f"it prints {out.getvalue()[:80]!r}: lines for the user go to run.output")


def _named(options: Any) -> list[str]:
    """Return the paths that options may name: every text and path in them."""
    if isinstance(options, Path):
        return [str(options.expanduser().absolute())]
    if isinstance(options, str):
        return [str(Path(options).expanduser().absolute())] if options else []
    if isinstance(options, Options):
        return [path for name in type(options).model_fields for path in _named(getattr(options, name))]
    if isinstance(options, dict):
        return [path for value in options.values() for path in _named(value)]
    if isinstance(options, list | tuple | set | frozenset):
        return [path for value in options for path in _named(value)]
    return []


def _closes(subject: SinkSubject) -> None:
    async def fail() -> None:
        # A folder that is not there: some cannot open then, and others do not mind.
        with subject.run() as run:
            gone = Run(run.name, run.folder / "gone", run.output)
            sink = subject.make(gone)
            with contextlib.suppress(QuantMindError, OSError):
                await within(sink.open(), "open")
            await within(sink.close(), "close")

    subject.terms.run(fail())


PROMISES: tuple[Check[SinkSubject], ...] = (
    Check("wants types of event that there are", _types),
    Check("takes every event that it wants, alone and together", _takes),
    Check("takes empty batches, and none at all", _empty),
    Check(f"takes a batch of {_LARGE:,} events in {PATIENCE:g} s", _large),
    Check("goes on in the folder of a run that is continued", _continues),
    Check("writes only below the run's folder and what its options name", _inside),
    Check("closes after an open that failed", _closes),
)
"""What every sink promises."""
