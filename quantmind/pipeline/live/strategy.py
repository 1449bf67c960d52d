"""The strategy stage of a live pipeline: the Decider, rebuilt at each start by warming up."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable

from quantmind.errors import UsageError
from quantmind.events import (
    Clock,
    Done,
    Ended,
    FactsWanted,
    Figure,
    History,
    HistoryWanted,
    Holdings,
    Incident,
    IncidentKind,
    Numbered,
    Upto,
    codec,
)
from quantmind.kinds.transport import Topic
from quantmind.metrics import BACKLOG, DROPPED, EVENTS, LAG, SIGNALS, TARGETS
from quantmind.pipeline import build
from quantmind.pipeline.deciding import Deciding
from quantmind.pipeline.live.facts import FactLine
from quantmind.pipeline.live.inspection import Inspection
from quantmind.pipeline.live.line import LONGEST_TURN, MOST_AT_ONCE, Line
from quantmind.pipeline.live.member import Member
from quantmind.pipeline.run import Running
from quantmind.recipe.wiring import wire


class StrategyStage:
    """The Decider of a recipe as a process of its own.

    Its Targets are state: those of all symbols are said again with every heartbeat.
    """

    def __init__(self, running: Running) -> None:
        recipe = running.recipe
        if running.record:
            raise UsageError("--record writes the inputs of one process; with a live feed, leave the transport out")
        wiring = wire(recipe)
        self._running = running
        self._decider = build.decider(recipe, wiring)
        self.topics: Collection[Topic] = ("market", "operations", *(("facts",) if self._decider.listens else ()))
        self._deciding = Deciding(self._decider)
        self._inspection = Inspection(recipe)
        self._line = Line(wiring.history, self._inspection, self._invalid)
        self._facts = FactLine()
        self._member: Member | None = None
        self._scheduled = self._stopped = False
        self._now = 0
        self._max_age = recipe.max_age
        self._handled = self._signals = self._targets = 0
        self._lag = 0.0

    def stop(self) -> None:
        """End in good order: what was decided has been sent."""
        self._stopped = True
        if self._member is not None:
            self._member.finish()

    async def run(self) -> None:
        """Decide on every market event until the feed ends, or this stage is stopped."""
        async with contextlib.AsyncExitStack() as stack:
            member = self._member = await stack.enter_async_context(Member(self._running.recipe, "strategy", self))
            # It does its work when it has its history and its positions; what it waits for are its ailments.
            member.ready()
            ticking = asyncio.create_task(self._tick(member))
            try:
                if not self._stopped:
                    await member.finished()
                if not self._stopped:
                    member.send("decisions", Ended(self._line.seq))
            finally:
                ticking.cancel()
                await asyncio.gather(ticking, return_exceptions=True)

    async def _tick(self, member: Member) -> None:
        """Wake strategies that asked for a time when the market says nothing."""
        while True:
            await asyncio.sleep(0.25)
            now = time.time_ns()
            if self._decider.wake_at < now and not len(self._line) and not self._line.waiting_for_history:
                member.guarded(self._wake, now)

    def _wake(self, now: int) -> None:
        self._decider.warming = False
        while self._decider.wake_at < now:
            self._say([self._decider.on_clock(Clock(self._decider.wake_at))])

    def hear(self, stage: str, message: codec.Message) -> None:
        """Take market events and history of the feed, facts and positions of execution."""
        if isinstance(message, Numbered):
            self._line.numbered(message)
            self._schedule()
        elif isinstance(message, History) and message.stage == "strategy":
            self._line.history(message)
            self._schedule()
        elif isinstance(message, Done):
            self._learn(message)
        elif isinstance(message, Holdings):
            if self._facts.number is not None and message.number < self._facts.number:
                # The account has begun anew.
                self._facts = FactLine()
            if self._facts.number is None:
                self._decider.positions.update({held.symbol: held.quantity for held in message.positions})
                self._facts.begin(message.number)
            self._facts.known = max(self._facts.known, message.number)
            self._schedule()
        elif isinstance(message, Ended) and stage == "feed" and self._member is not None:
            asyncio.get_running_loop().call_later(0.1, self._member.finish)

    def _learn(self, done: Done) -> None:
        """Give the Decider the facts that are next."""
        sound = [fact for fact in done.facts if not self._inspection.fact(fact)]
        facts = self._facts.take(sound)
        if facts and self._decider.listens:
            self._decider.warming = False
            self._say(self._decider.on_facts(facts, max(self._now, facts[-1].ts)))

    def _schedule(self) -> None:
        if not self._scheduled and self._member is not None and len(self._line):
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._member.guarded, self._work)

    def _work(self) -> None:
        """Decide on what waits, a part of it at a time."""
        self._scheduled = False
        line, decide, decider = self._line, self._deciding.market, self._decider
        if self._waits():
            return
        if line.epoch:
            decider.renumber(line.epoch)
        until = time.monotonic() + LONGEST_TURN
        for _ in range(MOST_AT_ONCE):
            item = line.next() if time.monotonic() < until else None
            if item is None:
                break
            seq, event = item
            self._handled += 1
            self._now = event.ts
            upto = decide(seq, event, ())
            if upto is not None:
                self._say((upto,))
        self._lag = (time.time_ns() - self._now) / 1e9
        self._schedule()

    def _waits(self) -> bool:
        """Say whether the Decider must know its positions before it can go on."""
        return self._decider.listens and self._facts.number is None

    def _say(self, uptos: Iterable[Upto | None]) -> None:
        for upto in uptos:
            if upto is None or self._member is None:
                continue
            self._signals += len(upto.signals)
            self._targets += len(upto.targets)
            self._member.send("decisions", upto)
            if self._member.bus.keeps:
                self._keep(upto)

    def _keep(self, upto: Upto) -> None:
        """Leave each Target with the transport, for an execution stage that starts while this one is away."""
        if self._member is not None:
            for target in upto.targets:
                frame = self._member.bus.frame("decisions", Upto(upto.seq, (), (target,)))
                self._member.bus.transport.keep(target.symbol, frame)

    def noticed(self, incident: Incident) -> None:
        """Fill the hole that lost market events leave in what strategies look back on."""
        self._line.noticed(incident)

    def beat(self) -> None:
        """Say every Target again, and ask for what is missing."""
        member = self._member
        if member is None:
            return
        member.send("decisions", Upto(self._line.seq, (), self._decider.targets))
        if self._line.waiting_for_history:
            member.send("operations", HistoryWanted("strategy"))
        if self._decider.listens and (wanted := self._facts.wanted) is not None:
            member.send("operations", FactsWanted("strategy", wanted))

    def figures(self) -> Iterable[Figure]:
        """Return what was handled and decided, and what waits."""
        yield EVENTS.figure(self._handled, "all")
        yield SIGNALS.figure(self._signals)
        yield TARGETS.figure(self._targets)
        yield BACKLOG.figure(len(self._line))
        yield DROPPED.figure(self._line.dropped)
        yield LAG.figure(self._lag)

    def ailments(self) -> tuple[str, ...]:
        """Return what keeps the strategies from deciding."""
        return tuple(self._ailing())

    def _ailing(self) -> Iterable[str]:
        if self._line.waiting_for_history:
            yield "the strategies wait for their history"
        elif self._waits():
            yield "the strategies wait for the positions of execution"
        elif self._member is not None and self._member.silence("feed") > self._max_age / 1e9:
            yield f"nothing was heard of the feed for {self._member.silence('feed'):.0f} s"
        elif len(self._line) and (late := time.time_ns() - self._now) > self._max_age:
            yield f"the strategies are {late / 1e9:.0f} s behind the market"
        if self._line.overloaded:
            yield f"the strategies are {len(self._line)} market events behind"

    def progress(self) -> tuple[int, int]:
        """Return how many events were handled, and how many wait."""
        held = self._line.waiting_for_history or self._waits()
        return self._handled, 0 if held else len(self._line)

    def _invalid(self, what: IncidentKind, count: int, detail: str) -> None:
        if self._member is not None:
            self._member.tell(what, "feed", "market", count, detail)
