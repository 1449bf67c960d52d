"""The execution stage of a live pipeline: the Trader, the executor and the journal."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable

from quantmind.errors import UsageError
from quantmind.events import (
    Done,
    Ended,
    Fact,
    FactsWanted,
    Figure,
    Health,
    History,
    HistoryWanted,
    Holding,
    Holdings,
    Incident,
    IncidentKind,
    Numbered,
    Upto,
    codec,
)
from quantmind.kinds.transport import Topic
from quantmind.metrics import BACKLOG, DROPPED, EVENTS, FACTS, LAG
from quantmind.pipeline import build
from quantmind.pipeline.ailments import Ailments, of_symbol
from quantmind.pipeline.executing import Executing
from quantmind.pipeline.live.account import account_figures
from quantmind.pipeline.live.health import Watch
from quantmind.pipeline.live.inspection import Inspection
from quantmind.pipeline.live.line import LONGEST_TURN, MOST_AT_ONCE, Line
from quantmind.pipeline.live.member import Member
from quantmind.pipeline.run import Running, opened_executing
from quantmind.pipeline.summary import Summary
from quantmind.recipe.wiring import wire

MOST_ANSWERED = 10_000
"""Facts in one answer to who missed some; who needs more asks again."""

_TICK = 0.1
_MOMENT = 0.001
_PATIENCE = 5.0
_GONE = 2.5
"""Seconds without a word after which nobody waits for the sink stage."""


class ExecutionStage:
    """The execution of a recipe as a process of its own.

    It numbers the market events that it handles by itself, from 1 on in a new epoch of the account, so that a feed
    that starts again changes nothing here. A fact is told when it is on record, and never before.
    """

    topics: Collection[Topic] = ("market", "decisions", "operations")

    def __init__(self, running: Running) -> None:
        recipe = running.recipe
        if running.record:
            raise UsageError("--record writes the inputs of one process; with a live feed, leave the transport out")
        if running.resume is not None:
            raise UsageError("--resume goes on with a replay; a live account goes on by itself: start it again")
        self._running = running
        self._wiring = wire(recipe)
        self._inspection = Inspection(recipe)
        # Strategies look back on their own; here only what rules look back on must be whole.
        self._line = Line(self._wiring.rule_history, self._inspection, self._invalid)
        self._account = build.account(recipe)
        self._watch = Watch(recipe.max_age)
        self._health = Health(0, ())
        self._ailing: set[str] = set()
        self._reasons: dict[str, str] = {}
        self._ailments = Ailments()
        self._settled = False
        """Whether all was well once, or should be by now."""
        self._made_at = time.monotonic()
        self._executing: Executing | None = None
        self._member: Member | None = None
        self._scheduled = self._telling = self._stopped = self._draining = False
        self._facts: list[Fact] = []
        self._seq = 0
        self._now = time.time_ns()
        """The time of the last market event that was handled."""
        self._began = 0
        self._lag = 0.0

    def stop(self) -> None:
        """End in good order: what was commanded is on record and told."""
        self._stopped = True
        if self._member is not None:
            self._member.finish()

    async def run(self) -> Summary:
        """Execute what is decided until the strategy stage ends, or this one is stopped, and sum up."""
        running = self._running
        recipe = running.recipe
        folder = running.folder()
        async with contextlib.AsyncExitStack() as stack:
            executing = await opened_executing(stack, running, self._wiring, folder, True, None, self.stop)
            self._began = executing.trader.chronicle.number
            executing.start()
            executing.ailing, executing.market_figures = self._told_ailments, self._feed_figures
            member = self._member = Member(recipe, "execution", self, folder.name)
            await stack.enter_async_context(member)
            self._executing = executing
            for frame in await member.bus.transport.kept("strategy"):
                self._recall(frame, member.bus.pipeline)
            self._check_health()
            member.ready()
            self._tell()
            ticking = asyncio.create_task(self._tick(member))
            try:
                if not self._stopped:
                    await member.finished()
            finally:
                ticking.cancel()
                await asyncio.gather(ticking, return_exceptions=True)
            self._draining = True
            executing.end()
            self._tell()
            await self._hand_over(member)
            if not self._stopped:
                member.send("facts", Ended(self._seq))
            return Summary.of(folder.name, self._seq, executing, (), {})

    async def _hand_over(self, member: Member) -> None:
        """Wait a while until the sinks have written every fact: nobody else could tell them until the next start."""
        number = self._executing.trader.chronicle.number if self._executing is not None else 0
        patience = time.monotonic() + _PATIENCE
        while time.monotonic() < patience and member.silence("sink") < _GONE:
            written = member.figure("sink", FACTS)
            if written is None or written >= number:
                return
            await asyncio.sleep(_TICK / 2)

    def _recall(self, frame: bytes, pipeline: str) -> None:
        """Take a Target that the strategy stage left with the transport."""
        try:
            kept = codec.decode_frame(frame)
        except codec.CodecError as error:
            self._invalid("bad_frame", 1, str(error), of="strategy")
            return
        if kept.pipeline == pipeline:
            for message in kept.messages:
                if isinstance(message, Upto):
                    self._decided(message)

    async def _tick(self, member: Member) -> None:
        """Let time pass for the Trader, and look after the others."""
        while True:
            await asyncio.sleep(_TICK)
            member.guarded(self._pass_time)

    def _pass_time(self) -> None:
        executing = self._executing
        if executing is not None:
            self._check_health()
            if not len(self._line):
                executing.clock(time.time_ns())
            self._tell()

    def _check_health(self) -> None:
        """Stop entries while another stage is stale, and let them go on afterwards."""
        executing, member = self._executing, self._member
        if executing is None or member is None:
            return
        reasons = self._watch.reasons(member, time.monotonic())
        if self._line.waiting_for_history:
            reasons["history"] = "the rules wait for their history"
        elif len(self._line) and (late := time.time_ns() - self._now) > self._running.recipe.max_age:
            reasons["behind"] = f"execution is {late / 1e9:.0f} s behind the market"
        self._reasons = reasons
        self._log_ailments()
        symbols = self._ailing_symbols()
        ailing = reasons.keys() | symbols.keys()
        if ailing != self._ailing:
            # What changes is told once; the figures in it grow older.
            self._ailing = ailing
            self._health = Health(time.time_ns(), tuple(reasons.values()), tuple(symbols.items()))
            executing.health(self._health)
            member.send("operations", self._health)

    def _log_ailments(self) -> None:
        """Log what begins or ceases to ail, but what the feed stage logs itself, or what every start is like."""
        late = time.monotonic() - self._made_at > self._running.recipe.max_age / 1e9
        self._settled = self._settled or late or not self._reasons
        if self._settled:
            found = self._reasons.items()
            self._ailments.note(("", reason) for about, reason in found if not about.startswith("feed ails"))

    def _ailing_symbols(self) -> dict[str, str]:
        """Return why a symbol must not be entered, of those that the feed stage says ail alone."""
        vitals = self._member.peers.get("feed") if self._member is not None else None
        return dict(vitals.symbols) if vitals is not None else {}

    def _told_ailments(self) -> Iterable[str]:
        yield from self._reasons.values()
        yield from (of_symbol(reason, symbol) for symbol, reason in self._ailing_symbols().items())

    def _feed_figures(self) -> Iterable[Figure]:
        vitals = self._member.peers.get("feed") if self._member is not None else None
        return vitals.figures if vitals is not None else ()

    def hear(self, stage: str, message: codec.Message) -> None:
        """Take market events and history of the feed, decisions of the strategy stage, and what others ask."""
        if isinstance(message, Numbered):
            self._line.numbered(message)
            self._schedule()
        elif isinstance(message, Upto) and stage == "strategy":
            # A quote that has come before the decision on it is handled before it.
            self._work()
            self._watch.heard(time.monotonic())
            self._decided(message)
            self._tell_soon()
        elif isinstance(message, History) and message.stage == "execution":
            self._line.history(message)
            self._schedule()
        elif isinstance(message, FactsWanted):
            self._answer(message.number)
        elif isinstance(message, Ended) and stage == "strategy" and self._member is not None:
            asyncio.get_running_loop().call_later(0.1, self._member.finish)

    def _decided(self, upto: Upto) -> None:
        executing = self._executing
        if executing is None or self._draining:
            return
        fault = self._inspection.upto(upto)
        if fault:
            self._invalid("invalid", 1, fault, of="strategy")
            return
        # What was left with the transport, or said by a stage that has been replaced, may be older than the record.
        wanted = executing.trader.wanted
        targets = tuple(t for t in upto.targets if (known := wanted(t.symbol)) is None or t.ts >= known.ts)
        if upto.signals or targets or upto.refused:
            executing.targeted(Upto(upto.seq, upto.signals, targets, upto.refused))

    def _schedule(self) -> None:
        if not self._scheduled and self._member is not None and len(self._line):
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._member.guarded, self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self._work()
        self._schedule()

    def _work(self) -> None:
        """Handle what waits, a part of it at a time."""
        line, executing = self._line, self._executing
        if executing is None or self._draining:
            return
        facts: list[Fact] = []
        ts = 0
        until = time.monotonic() + LONGEST_TURN
        for _ in range(MOST_AT_ONCE):
            item = line.next() if time.monotonic() < until else None
            if item is None:
                break
            seq, event = item
            if not seq:
                executing.trader.warm_up(event)
                continue
            self._seq += 1
            ts = event.ts
            facts.extend(executing.market(self._seq, event))
        if ts:
            self._now = ts
            self._lag = (time.time_ns() - ts) / 1e9
            self._facts += facts
            self._tell_soon()

    def _tell_soon(self) -> None:
        """Tell what happened in a moment: what is decided on the same market events goes first."""
        if not self._telling and self._member is not None:
            self._telling = True
            asyncio.get_running_loop().call_later(_MOMENT, self._member.guarded, self._tell)

    def _tell(self) -> None:
        """Make everything so far durable, and tell the facts of it, each in a frame of its own."""
        self._telling = False
        executing, member = self._executing, self._member
        if executing is None or member is None:
            return
        told, self._facts = [*self._facts, *executing.take_facts()], []
        executing.commit()
        for fact in told:
            member.send("facts", Done(self._line.seq, (fact,)), id=f"{self._account}-{fact.number}-{fact.ts}")

    def _answer(self, number: int) -> None:
        """Tell facts again, from the record."""
        executing, member = self._executing, self._member
        if executing is None or member is None:
            return
        self._tell()
        facts = executing.facts_from(number)[:MOST_ANSWERED]
        for start in range(0, len(facts), MOST_AT_ONCE):
            member.send("facts", Done(self._line.seq, tuple(facts[start : start + MOST_AT_ONCE])))

    def noticed(self, incident: Incident) -> None:
        """Fill the hole that lost market events leave in what rules look back on."""
        self._line.noticed(incident)

    def beat(self) -> None:
        """Say what is held, and ask for what is missing."""
        executing, member = self._executing, self._member
        if executing is None or member is None:
            return
        self._tell()
        trader = executing.trader
        held = tuple(Holding(symbol, position.quantity) for symbol, position in trader.account.positions.items())
        member.send("facts", Holdings(self._account, self._began, trader.chronicle.number, held))
        if self._line.waiting_for_history:
            member.send("operations", HistoryWanted("execution"))

    def figures(self) -> Iterable[Figure]:
        """Return how the account stands, what was handled, and what waits."""
        yield EVENTS.figure(self._seq, "all")
        yield BACKLOG.figure(len(self._line))
        yield DROPPED.figure(self._line.dropped)
        yield LAG.figure(self._lag)
        if self._executing is not None:
            yield from account_figures(self._executing)

    def ailments(self) -> tuple[str, ...]:
        """Return why nothing may be entered."""
        own = (f"execution is {len(self._line)} market events behind",) if self._line.overloaded else ()
        return (*self._reasons.values(), *own)

    def progress(self) -> tuple[int, int]:
        """Return how many events were handled, and how many wait."""
        return self._seq, 0 if self._line.waiting_for_history else len(self._line)

    def _invalid(self, what: IncidentKind, count: int, detail: str, of: str = "feed") -> None:
        if self._member is not None:
            topic = "market" if of == "feed" else "decisions"
            self._member.tell(what, of, topic, count, detail)
