"""The promises of transports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.events import (
    Bar,
    Clock,
    Failed,
    Numbered,
    Upto,
    codec,
)
from quantmind.kinds.transport import OBSERVER, TOPICS
from quantmind.testing.proving.opening import awaited
from quantmind.testing.proving.promise import Check, expect
from quantmind.testing.proving.transport_end import Make, closed, heard, publish_freely
from quantmind.testing.proving.transport_frames import bad_frames, one_of_each
from quantmind.testing.proving.transport_processes import PROCESS_CHECKS
from quantmind.testing.stage_end import StageEnd, meet
from quantmind.testing.waiting import PATIENCE, until

_BTC = "BTC/USDT:USDT"


async def check_transport(make: Make, *, processes: bool = True) -> None:
    """Check what a transport promises, between ends that `make` makes by the name of their stage.

    Frames of a stage and topic arrive in order and whole; who joins late hears what comes then, and what was kept;
    a stage that is closed, or killed, and started again is found again; live, one that does not read holds up
    nobody and costs bounded memory, and in a replay nothing is lost; bytes that are no frame neither end nor stop
    the reading; publishing and closing do not wait for who is not there; an observer hears all and says nothing.

    The stages that are killed and stopped are processes: the class must be importable by its module's name, and what
    it is made with must be its options, pipeline and stage. Without `processes`, for a transport inside one process,
    those checks are left out. It is awaited, and takes about a minute with processes:

        def test_it_keeps_its_promises(tmp_path):
            options = PipesOptions(folder=tmp_path)
            asyncio.run(check_transport(lambda stage: Pipes(options, "checked", stage)))

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    for check in (*CHECKS, *(PROCESS_CHECKS if processes else ())):
        await check(make)


async def check_order(make: Make) -> None:
    """Frames of each stage and topic arrive once and in order, from several stages at the same time."""
    for lossless, rounds in ((True, 1_500), (False, 500)):
        speaking = [StageEnd(make(stage), lossless=lossless) for stage in ("feed", "strategy", "execution")]
        async with StageEnd(make("sink"), lossless=lossless) as sink, speaking[0], speaking[1], speaking[2]:
            await meet(sink, *speaking)
            for number in range(1, rounds + 1):
                for end in speaking:
                    for topic in TOPICS:
                        end.send(topic, Failed(topic, str(number)))
                if number % 50 == 0:
                    # Live, nobody promises to hold more than this for who is only a little late.
                    await until(
                        partial(_has_come, sink, number * len(speaking) * len(TOPICS)),
                        lambda: f"every frame arrives: after {len(sink.heard)} of them nothing comes any more",
                    )
                    expect(
                        not sink.incidents,
                        f"frames of a stage and topic arrive once and in order: noticed was {sink.incidents[:2]}",
                    )
            for end in speaking:
                for topic in TOPICS:
                    numbers = [int(m.reason) for m in sink.of(end.stage) if isinstance(m, Failed) and m.stage == topic]
                    expect(
                        numbers == list(range(1, rounds + 1)),
                        f"frames of a stage and topic arrive once and in order: {topic} of {end.stage} came as "
                        f"{numbers[:5]}…, {len(numbers)} of {rounds}",
                    )


async def check_events(make: Make) -> None:
    """Events come out as they went in, the small and the large, under every topic."""
    large = Numbered(3, 9, tuple(Bar("BTC/USDT:USDT", n, 60, 1.0, 2.0, 0.1, 1.5, 1e-07) for n in range(2_000)))
    events = (*one_of_each(), large)
    async with StageEnd(make("execution")) as execution, StageEnd(make("sink")) as sink:
        await meet(execution, sink)
        for topic in TOPICS:
            execution.send(topic, *events)
        wanted = len(events) * len(TOPICS)
        await until(
            lambda: len(sink.of("execution")) + len(sink.incidents) >= wanted,
            lambda: (
                f"every frame arrives: {len(sink.of('execution'))} of {wanted} events did; noticed {sink.incidents[:3]}"
            ),
        )
        told = sink.of("execution")
        for event in events:
            count = told.count(event)
            expect(count == len(TOPICS), f"events come out as they went in: {event!r:.200} came {count} times of 4")


async def check_late_joiner(make: Make) -> None:
    """Who joins late hears what is published then, and what was kept."""
    async with StageEnd(make("strategy")) as strategy:
        for number in range(100):
            strategy.send("decisions", Upto(number))
            strategy.transport.keep(_BTC, strategy.frame("decisions", Upto(number), sequence=0))
        strategy.transport.keep("other", strategy.frame("decisions", Upto(1_000), sequence=0))
        await asyncio.wait_for(strategy.transport.drained(), PATIENCE)
        async with StageEnd(make("execution")) as late:
            await meet(strategy, late)
            for number in range(100, 200):
                strategy.send("decisions", Upto(number))
            await heard(late, 100)
            numbers = [message.seq for message in late.of("strategy") if isinstance(message, Upto)]
            expect(
                numbers == list(range(100, 200)),
                f"who joins late hears what is published then: of 100 to 199 came {numbers[:5]}…",
            )
            there = await _kept(late)
        expect(
            there in ([], ["99", "1000"]), f"the last word on each key is kept, or none: of 99 and 1000 came {there}"
        )
    async with StageEnd(make("execution")) as later:
        gone = await _kept(later)
        expect(gone == there, f"what was kept outlives its stage: of {there} came {gone}")


async def check_restart(make: Make) -> None:
    """A stage that was closed and is started again is found again, and what was missed is told truly."""
    async with StageEnd(make("sink")) as sink:
        before = None
        for _ in range(3):
            async with StageEnd(make("feed")) as feed:
                expect(feed.start != before, "each start of a stage is another one")
                before = feed.start
                await meet(sink, feed)
                for number in range(1, 101):
                    feed.send("market", Clock(number))
                await heard(sink, 100)
                expect(
                    sink.of("feed") == [Clock(number) for number in range(1, 101)],
                    f"a stage that is started again is heard as before: {sink.of('feed')[:3]}…",
                )
        restarts = sink.noticed["restart", "feed"]
        expect(restarts == 2, f"each new start of a stage is seen: of 2 restarts {restarts} were")
        strange = {what for what, _ in sink.noticed} - {"restart", "gap"}
        expect(not strange, f"a stage that is started again is heard as before: there was a {', '.join(strange)}")


async def check_bad_frames(make: Make) -> None:
    """Bytes that are no frame are counted and dropped, and the reading goes on."""
    async with StageEnd(make("feed")) as feed, StageEnd(make("sink")) as sink:
        await meet(feed, sink)
        count = 0
        for topic in TOPICS:
            good = feed.frame(topic, *one_of_each(), sequence=0)
            for what, data in bad_frames(good).items():
                count += 1
                feed.transport.publish(topic, data, f"{feed.start}-bad-{count}")
                feed.send(topic, Clock(count))
                await heard(sink, count)
                counted = sink.noticed["bad_frame", "feed"]
                expect(counted == count, f"what is no frame reaches who counts it, once, here {what} under {topic}")
        try:
            feed.transport.publish("market", bytes(codec.MAX_FRAME + 1))
        except QuantMindError:
            pass
        else:
            raise AssertionError("a frame that is too large is refused with a QuantMindError: it was not")
        feed.send("market", Clock(0))
        await heard(sink, count + 1)


async def check_absent_peer(make: Make) -> None:
    """Publishing and closing do not wait for who is not there, and the address is free afterwards."""
    for lossless in (False, True):
        async with asyncio.timeout(PATIENCE):
            feed = await StageEnd(make("feed"), lossless=lossless).__aenter__()
        try:
            await publish_freely(feed, "where nobody listens")
        finally:
            await closed(feed, "where nobody listens")


async def check_observer(make: Make) -> None:
    """An observer hears all, may come and go, and cannot publish."""
    ends = [StageEnd(make(stage)) for stage in ("feed", "strategy", "execution", "sink")]
    first, second = StageEnd(make(OBSERVER)), StageEnd(make(OBSERVER))
    async with ends[0], ends[1], ends[2], ends[3], first, second:
        await meet(*ends, first, second)
        for end in ends:
            for topic in TOPICS:
                end.send(topic, Failed(topic, end.stage))
        for observer in (first, second):
            await heard(observer, len(ends) * len(TOPICS))
            said = {(m.reason, m.stage) for end in ends for m in observer.of(end.stage) if isinstance(m, Failed)}
            expect(len(said) == len(ends) * len(TOPICS), f"an observer hears every stage and topic: it heard {said}")
        try:
            first.send("operations", Clock(1))
        except QuantMindError:
            return
        raise AssertionError("an observer publishes nothing: publish must raise a QuantMindError")


CHECKS: tuple[Callable[[Make], Coroutine[Any, Any, None]], ...] = (
    check_order,
    check_events,
    check_late_joiner,
    check_restart,
    check_bad_frames,
    check_absent_peer,
    check_observer,
)
"""What is checked in one process."""


def _promise(check: Callable[[Make], Coroutine[Any, Any, None]]) -> Check[Make]:
    words = (check.__doc__ or "").partition("\n")[0].rstrip(".")
    return Check(f"sees to it that {words[:1].lower()}{words[1:]}", lambda make: awaited(check(make)))


PROMISES: tuple[Check[Make], ...] = tuple(map(_promise, (*CHECKS, *PROCESS_CHECKS)))
"""What every transport promises."""


async def _kept(end: StageEnd) -> list[str]:
    """Return what the strategy stage kept; waits for it a little, as nobody says how soon it is there."""
    found: list[str] = []
    for _ in range(50):
        frames = [codec.decode_frame(frame) for frame in await end.transport.kept("strategy")]
        found = [str(m.seq) for frame in frames for m in frame.messages if isinstance(m, Upto)]
        found.sort(key=int)
        if not found or found == ["99", "1000"]:
            break
        await asyncio.sleep(0.1)
    return found


def _has_come(end: StageEnd, count: int) -> bool:
    """Say whether so much was heard, or something went wrong with it."""
    return len(end.heard) >= count or bool(end.incidents)
