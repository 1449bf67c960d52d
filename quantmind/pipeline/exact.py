"""Repeats a recorded run: the same inputs into both reducers must give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import cast

from quantmind.errors import QuantMindError, UsageError
from quantmind.events import Clock, Fact, Health, Instruction, MarketEvent, OrderEvent, Upto
from quantmind.events.codec import Message
from quantmind.export.lines import lines
from quantmind.pipeline import build, record
from quantmind.pipeline.deciding import joined
from quantmind.pipeline.folder import RunFolder
from quantmind.project import Project
from quantmind.recipe.model import Recipe
from quantmind.recipe.wiring import wire
from quantmind.trader.gate import Approved
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import JournalReader
from quantmind.trader.trader import Trader


def repeat(recipe: Recipe, project: Project, name: str) -> Iterator[str]:
    """Repeat a run in a new folder and compare the exports; yields lines for the user.

    Raises:
        QuantMindError: something came out differently; says what.
    """
    folder = RunFolder.find(project.state, name)
    folder.check(recipe.resolved)
    if folder.is_live:
        raise UsageError(f"run {folder.name} went on from its account's journal; --exact repeats replays")
    decided = _decided(recipe, folder.decider_record)
    again = RunFolder.create(project.state, recipe.name, recipe.resolved, str(recipe.file))
    account = build.account(recipe)
    first = folder.journal()
    second = Journal(again.path, account, first.balance, durable=False)
    try:
        _trade(recipe, folder.trader_record, decided, second)
        count = _compare(first, second, folder.name)
    finally:
        first.close()
        second.close()
    yield f"run {again.name} repeats {folder.name} exactly: {count:,} lines of export are the same"


def _decided(recipe: Recipe, path: Path) -> dict[int, Upto]:
    """Give the Decider its recorded inputs; returns what it says, by market event."""
    decider = build.decider(recipe, wire(recipe))
    decided: dict[int, Upto] = {}
    before: list[Fact | Clock] = []
    for seq, message in record.read(path):
        if not isinstance(message, MarketEvent):
            before.append(cast("Fact | Clock", message))
            continue
        decider.warming = seq <= 0
        facts = [item for item in before if not isinstance(item, Clock)]
        said: list[Upto | None] = [*decider.on_facts(facts, message.ts)]
        said += [decider.on_clock(item) for item in before if isinstance(item, Clock)]
        said.append(decider.on_market(seq, message))
        upto = joined(seq, said)
        if upto is not None:
            decided[seq] = upto
        before.clear()
    return decided


def _trade(recipe: Recipe, path: Path, decided: dict[int, Upto], journal: Journal) -> None:
    """Give the Trader its recorded inputs, with the Decider's repeated decisions in place of the recorded."""
    trader = build.trader(recipe, journal)
    for seq, message in record.read(path):
        if isinstance(message, Upto):
            upto = decided.pop(seq, None)
            if upto is None:
                raise QuantMindError(f"at market event {seq} the run has decisions that do not come again")
            commands: Sequence[Approved] = trader.on_upto(upto)
        else:
            commands = _handled(trader, seq, message)
        for command in commands:
            trader.gate.spend(command)
        trader.chronicle.facts.clear()
    trader.end()
    trader.chronicle.commit()
    if decided:
        raise QuantMindError(f"at market event {min(decided)} there are decisions that the run does not have")


def _handled(trader: Trader, seq: int, message: Message) -> Sequence[Approved]:
    """Give the Trader an input that does not come from the Decider."""
    if isinstance(message, MarketEvent):
        if seq <= 0:
            trader.warm_up(message)
            return ()
        commands = trader.on_market(seq, message)
        return [*commands, *trader.on_price(message)] if message.symbol in trader.unpriced else commands
    if isinstance(message, Instruction):
        return trader.on_instruction(message)
    if isinstance(message, Health):
        return trader.on_health(message)
    return (
        _passed(trader, seq, message)
        if isinstance(message, Clock)
        else trader.on_order_event(cast("OrderEvent", message))
    )


def _passed(trader: Trader, seq: int, clock: Clock) -> Sequence[Approved]:
    """Let time pass: between two market events, or because the next one has come in and is being matched."""
    if seq <= trader.came_in:
        return trader.on_clock(clock.ts)
    trader.on_arrival(seq, clock.ts)
    return ()


def _compare(first: JournalReader, second: JournalReader, name: str) -> int:
    count = 0
    for count, (was, now) in enumerate(zip_longest(lines(first), lines(second)), 1):
        if was != now:
            raise QuantMindError(f"line {count} of the export of {name} was {was}, is now {now}")
    return count
