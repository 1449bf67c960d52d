"""The execution half of a pipeline: matching, the Trader and the executor, around each market event."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from quantmind.blame import misanswered, told
from quantmind.errors import ComponentError, QuantMindError
from quantmind.events import (
    Absent,
    Amend,
    Cancel,
    CancelRejected,
    Clock,
    Fact,
    Figure,
    Health,
    Instruction,
    Market,
    OrderEvent,
    Query,
    Submit,
    Upto,
)
from quantmind.kinds.executor import Executor
from quantmind.market.bars import NEVER
from quantmind.pipeline.record import Recorder
from quantmind.pipeline.tally import AccountTally, Tally, began
from quantmind.trader.gate import Approved
from quantmind.trader.journal import Journal
from quantmind.trader.rules import figures_of
from quantmind.trader.trader import Trader

_METHODS: Mapping[type, str] = {Submit: "submit", Amend: "amend", Cancel: "cancel"}
"""What an executor performs each command with."""


class Executing:
    """Steps 1, 2 and 4 of every market event.

    After a restart it passes over the events that the journal has seen, telling their facts again, and goes on
    where the journal ends.
    """

    def __init__(
        self, trader: Trader, executor: Executor[Any], journal: Journal, recorder: Recorder | None = None
    ) -> None:
        self.trader = trader
        self.executor = executor
        self._journal = journal
        self._recorder = recorder
        self._simulated = executor.simulated
        self.resumed_at = trader.chronicle.seq
        self._upto = trader.chronicle.upto
        self.commanded_at = 0
        """When the last command was given out, by `time.perf_counter_ns`."""
        self._told: deque[tuple[int, Fact]] = deque()
        self._facts = trader.chronicle.facts
        self.waiting = executor.waiting
        """With nothing here, no facts and an event after `busy_to`, the Trader need only take note of a price."""
        self.trading = False
        """Whether instructions can be followed: from the start to the end."""
        self.busy_to = self.resumed_at + 1 if recorder is None else NEVER
        self.ailing: Callable[[], Iterable[str]] = tuple
        """Asked what keeps positions from being entered, by whoever looks at the account."""
        self.market_figures: Callable[[], Iterable[Figure]] = tuple
        """Asked for the metrics of the feeds, likewise."""
        # A run that goes on with a replay is that run from its first event on; a live account has had others.
        self._before = Tally.of(trader.chronicle) if trader.chronicle.resumed and not self.resumed_at else None

    @property
    def tally(self) -> Tally:
        """What was decided, done and refused in this run."""
        all_of_it = Tally.of(self.trader.chronicle)
        return all_of_it if self._before is None else all_of_it.after(self._before)

    @property
    def account_tally(self) -> AccountTally | None:
        """The same since the account began; None where that was with this run."""
        since = None if self._before is None else began(self._journal)
        if since is None:
            return None
        return AccountTally(since=since, **msgspec.structs.asdict(Tally.of(self.trader.chronicle)))

    @property
    def figures(self) -> dict[str, float]:
        """What rules and executor publish of themselves, by name."""
        own = {f"{self.executor.kind}.{self.executor.name}.{key}": n for key, n in figures_of(self.executor).items()}
        return {**self.trader.figures, **own}

    def warm_up(self, history: Sequence[Market]) -> None:
        """Show the rules what was before the first event; it ends with sequence number 0."""
        for seq, event in enumerate(history, 1 - len(history)):
            if self._recorder is not None:
                self._recorder.write(seq, event)
            self.trader.warm_up(event)

    def start(self) -> None:
        """Give the executor its open orders back; where no events come again, reconcile at once."""
        if self.trader.chronicle.resumed and not self.resumed_at:
            # Whatever is named from now on names nothing of before, even if it is all lost.
            self.trader.chronicle.commit()
        if self.resumed_at:
            self._told.extend(self._journal.facts())
        self.executor.connect(self.trader.gate)
        try:
            if not self._simulated:
                self.executor.listen(self.order_event)
            self.executor.restore(self.trader.acknowledged(), self.trader.account)
        except Exception as error:
            raise self.failure("what the journal knows", error) from error
        if not self.resumed_at:
            self._reconcile()
            self.trading = True

    def _reconcile(self) -> None:
        """Find out what became of the orders in flight, with the prices of where the journal ends."""
        waiting: deque[Approved] = deque()
        for item in self.trader.in_flight():
            if isinstance(item, Query):
                for event in self._queried(item):
                    waiting.extend(self._heard(event))
            else:
                waiting.append(item)
        self.perform(waiting)
        self.perform(self.trader.settle())

    def market(self, seq: int, event: Market) -> Sequence[Fact]:
        """Handle market event `seq`; returns every fact since the last one."""
        trader = self.trader
        if seq <= self.resumed_at:
            trader.remember(event)
            self.executor.remember(seq, event)
            if seq == self.resumed_at:
                trader.miss_prices()
                self._reconcile()
                self.trading = True
            return self._facts_again(seq)
        if self._simulated and self.waiting:
            try:
                traded = self.executor.on_market(seq, event)
            except Exception as error:
                raise self.failure(event, error) from error
            if traded:
                self.traded(seq, event, traded)
        return self.priced(seq, event)

    def traded(self, seq: int, event: Market, order_events: Sequence[OrderEvent]) -> None:
        """Step 2, first half: have the Trader handle what was matched.

        All of it comes before the first command, so that after a crash either all of it is on record, or none: then
        the event is matched again.
        """
        if self._recorder is not None:
            self._recorder.write(seq, Clock(event.ts))
        self._expect_events("on_market", order_events)
        self.trader.on_arrival(seq, event.ts)
        commands: list[Approved] = []
        for order_event in order_events:
            commands.extend(self._heard(order_event))
        self.perform(commands)

    def priced(self, seq: int, event: Market) -> Sequence[Fact]:
        """Step 2, second half: have the Trader handle the event; returns every fact of before it."""
        trader = self.trader
        if self._recorder is not None:
            self._recorder.write(seq, event)
        facts = [*self._facts_again(seq), *self.take_facts()]
        # What comes of this is of after the event, and told with the next one.
        commands = trader.on_market(seq, event)
        if commands:
            self.perform(commands)
        if event.symbol in trader.unpriced:
            self.perform(trader.on_price(event))
        return facts

    def instruct(self, instruction: Instruction) -> None:
        """Do what the operator says.

        Raises:
            QuantMindError: there is no such latch to clear; nothing is done.
        """
        self.trader.latches.cleared(instruction)
        if self._recorder is not None:
            self._recorder.write(self.trader.came_in, instruction)
        self.perform(self.trader.on_instruction(instruction))

    @property
    def next_alarm(self) -> int:
        """When `clock` has something to do, ns UTC."""
        return self.trader.next_alarm

    def clock(self, ts: int) -> None:
        """Let it be `ts` (ns UTC) while the market is silent: what is due is done. For live running alone."""
        if not self.trading or ts <= self.trader.now:
            return
        if self._recorder is not None:
            self._recorder.write(self.trader.came_in, Clock(ts))
        commands = self.trader.on_clock(ts)
        if commands:
            self.perform(commands)

    def health(self, health: Health) -> None:
        """Refuse what increases a position while there are reasons to; without any, order what was refused."""
        if self._recorder is not None:
            self._recorder.write(self.trader.came_in, health)
        self.perform(self.trader.on_health(health))

    def end(self) -> None:
        """Value the account at the end of a run, and make everything durable.

        A restart that was stopped before it had caught up has no price of now to value by.
        """
        if self.trading:
            self.trader.end()
        self.trading = False
        self.commit()

    def failure(self, given: object, error: Exception) -> Exception:
        """Name the executor as the one that failed."""
        if isinstance(error, QuantMindError):
            return error
        return ComponentError(f"executor {self.executor.name} failed on {given}: {told(error)}")

    def decided(self, upto: Upto) -> bool:
        """Handle what the Decider said of the last market event; says whether a command was performed."""
        if upto.seq <= self._upto:
            return False
        if self._recorder is not None:
            self._recorder.write(upto.seq, upto)
        commands = self.trader.on_upto(upto)
        self.perform(commands)
        return bool(commands)

    def targeted(self, upto: Upto) -> bool:
        """Handle what a Decider says that numbers market events otherwise; says whether a command was performed.

        It counts as said at the last event handled here, now; Targets that are in force already change nothing.
        """
        trader = self.trader
        own = msgspec.structs.replace(upto, seq=trader.chronicle.seq)
        if self._recorder is not None:
            self._recorder.write(own.seq, own)
        commands = trader.on_upto(own, trader.now)
        self.perform(commands)
        return bool(commands)

    def order_event(self, event: OrderEvent) -> None:
        """Handle an order event that came by itself."""
        self.perform(self._heard(event))

    def take_facts(self) -> list[Fact]:
        """Return the facts since the last ones were taken."""
        facts = self._facts.copy()
        self._facts.clear()
        return facts

    def facts_since(self, number: int, seq: int) -> list[Fact]:
        """Return the facts from `number` on that belong to market event `seq` and before, from the journal."""
        self.commit()
        return [fact for position, fact in self._journal.facts(number) if position < seq]

    def facts_from(self, number: int) -> list[Fact]:
        """Return every fact from `number` on, from the journal."""
        self.commit()
        return [fact for _, fact in self._journal.facts(number)]

    def commit(self) -> None:
        """Make everything so far durable."""
        if self._journal.dirty:
            self.trader.chronicle.commit()

    def _heard(self, event: OrderEvent) -> list[Approved]:
        """Tell the Trader of an order event; a cancel that found nothing makes the order's fate a question."""
        if self._recorder is not None:
            self._recorder.write(self.trader.came_in, event)
        commands = self.trader.on_order_event(event)
        query = self.trader.asked(event.order) if isinstance(event, CancelRejected) else None
        if query is not None:
            for answer in self._queried(query):
                commands.extend(self._heard(answer))
        return commands

    def perform(self, commands: Iterable[Approved]) -> None:
        """Have the executor perform commands, and those that come of them, each after it is on record."""
        waiting = deque(commands)
        while waiting:
            self._commit_command()
            command = waiting.popleft()
            submit = command.command
            if submit.__class__ is Submit and self.trader.withdrawn(submit.order):
                # What came of the commands before it took it back, a halt perhaps: it never leaves.
                self.trader.gate.spend(command)
                waiting.extend(self._heard(Absent(submit.order, submit.ts)))
                continue
            self.commanded_at = time.perf_counter_ns()
            try:
                events = self.executor.perform(command)
            except Exception as error:
                raise self.failure(command.command, error) from error
            self._expect_events(_METHODS[submit.__class__], events)
            for event in events:
                waiting.extend(self._heard(event))
        self._commit_command()

    def _queried(self, query: Query) -> Sequence[OrderEvent]:
        """Ask the executor what became of an order."""
        try:
            answers = self.executor.query(query)
        except Exception as error:
            raise self.failure(query, error) from error
        self._expect_events("query", answers)
        return answers

    def _expect_events(self, method: str, answer: object) -> None:
        """Take nothing of the executor for order events that is none.

        Raises:
            ComponentError: it is none.
        """
        if not (isinstance(answer, Sequence) and all(isinstance(event, OrderEvent) for event in answer)):
            raise misanswered(self.executor, method, "a list of order events, such as [Accepted(...)]", answer)

    def _commit_command(self) -> None:
        if self._journal.durable and self._journal.dirty:
            self.trader.chronicle.commit()

    def _facts_again(self, seq: int) -> list[Fact]:
        facts = []
        while self._told and self._told[0][0] < seq:
            facts.append(self._told.popleft()[1])
        return facts
