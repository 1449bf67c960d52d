"""The strategy half of a pipeline: gives the Decider its inputs in their order, and joins what it says."""

from __future__ import annotations

from collections.abc import Sequence

from quantmind.decider import Decider
from quantmind.events import Clock, Fact, Market, Target, Upto
from quantmind.pipeline.record import Recorder


class Deciding:
    """Step 3 of every market event: the facts since the last one, the time, then the event itself."""

    def __init__(self, decider: Decider, recorder: Recorder | None = None) -> None:
        self.decider = decider
        self.recorded = recorder is not None
        self._recorder = recorder

    def warm_up(self, history: Sequence[Market]) -> None:
        """Show the Decider what was before the first event; it ends with sequence number 0."""
        for seq, event in enumerate(history, 1 - len(history)):
            self.market(seq, event, ())
        self.decider.warming = False

    def market(self, seq: int, event: Market, facts: Sequence[Fact]) -> Upto | None:
        """Handle market event `seq`; returns all that came of it, None when nothing did."""
        decider = self.decider
        recorder = self._recorder
        said: list[Upto | None] = []
        decider.warming = seq <= 0
        if decider.listens and facts:
            if recorder is not None:
                recorder.write(seq, *facts)
            said.extend(decider.on_facts(facts, event.ts))
        while event.ts > decider.wake_at:
            clock = Clock(decider.wake_at)
            if recorder is not None:
                recorder.write(seq, clock)
            said.append(decider.on_clock(clock))
        if recorder is not None:
            recorder.write(seq, event)
        said.append(decider.on_market(seq, event))
        return joined(seq, said)

    def clock(self, seq: int, ts: int, facts: Sequence[Fact]) -> Upto | None:
        """Handle facts, and wake who asked for a time before `ts`, while the market is silent after event `seq`.

        For live running alone.
        """
        decider = self.decider
        said: list[Upto | None] = []
        decider.warming = False
        if decider.listens and facts:
            if self._recorder is not None:
                self._recorder.write(seq, *facts)
            said.extend(decider.on_facts(facts, ts))
        while ts > decider.wake_at:
            clock = Clock(decider.wake_at)
            if self._recorder is not None:
                self._recorder.write(seq, clock)
            said.append(decider.on_clock(clock))
        return joined(seq, said)


def joined(seq: int, said: Sequence[Upto | None]) -> Upto | None:
    """Join what was said at one market event: every signal, and the last Target of each symbol."""
    uptos = [upto for upto in said if upto is not None]
    if not uptos:
        return None
    if len(uptos) == 1 and uptos[0].seq == seq:
        return uptos[0]
    targets: dict[str, Target] = {}
    for upto in uptos:
        for target in upto.targets:
            targets.pop(target.symbol, None)
            targets[target.symbol] = target
    return Upto(
        seq,
        tuple(signal for upto in uptos for signal in upto.signals),
        tuple(targets.values()),
        tuple(code for upto in uptos for code in upto.refused),
    )
