"""The chronicle: gives everything that happens its position and number, tells it as a fact, and journals it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from quantmind.events import Executed, Fact, Fill, OrderState, Refusal, Side, Target, Upto
from quantmind.ledger.positions import Position
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import Progress
from quantmind.trader.orders import Order, Step


class Chronicle:
    """Where an account is, (epoch, seq, n), and what it has to tell.

    `seq` is the last market event handled, `n` counts what happened since; `number` counts facts for ever. It goes
    on where the journal ends, or with `new_epoch` at the start of a feed that numbers its events anew.
    """

    def __init__(self, journal: Journal, new_epoch: bool) -> None:
        self._journal = journal
        progress = journal.progress()
        before = progress or Progress()
        self.resumed = progress is not None
        self.epoch, self.seq, self.n, self.upto, self.number = (
            (before.epoch + 1, 0, 0, 0, before.number)
            if new_epoch and self.resumed
            else (before.epoch, before.seq, before.n, before.upto, before.number)
        )
        self.facts: list[Fact] = []
        """Every fact since the list was last emptied."""
        self.silent = False
        """Whether nobody asks for the facts; the journal has them all the same."""
        self.counts = journal.counts()
        self.refusals = Counter(journal.refusal_counts())

    def commit(self) -> None:
        """Make everything so far durable."""
        self._journal.commit(Progress(self.epoch, self.seq, self.n, self.upto, self.number))

    def decision(self, upto: Upto, targets: tuple[Target, ...]) -> None:
        """Record the signals of a decision, and those of its Targets that are new."""
        for code in upto.refused:
            self.refusals[code] += 1
        self.upto = upto.seq
        count = len(upto.signals) + len(targets)
        if count:
            self.counts["signals"] += len(upto.signals)
            self.counts["targets"] += len(targets)
            kept = upto if len(targets) == len(upto.targets) else Upto(upto.seq, upto.signals, targets)
            self._journal.decision((self.epoch, self.seq, self.n + 1), kept)
            self.n += count

    def intent(
        self,
        target: Target,
        side: Side,
        quantity: Decimal,
        reduce_only: bool,
        ts: int,
        after: int,
    ) -> Order:
        """Make an order and record the intent."""
        self.n = n = self.n + 1
        epoch, seq = self.epoch, self.seq
        name = f"qm{epoch}-{seq}-{n}"
        order = Order(epoch, seq, n, name, target.symbol, side, quantity, reduce_only, ts, target.id, after)
        self.counts["orders"] += 1
        self._tell(order, n, ts, "")
        return order

    def step(self, order: Order, state: OrderState, ts: int, reason: str = "") -> None:
        """Record that an order came to a state, unless it is past it."""
        if order.may_become(state):
            order.state = state
            self.n += 1
            self._tell(order, self.n, ts, reason)

    def _tell(self, order: Order, n: int, ts: int, reason: str) -> None:
        self.number += 1
        step = Step(self.number, order.state, self.seq, n, ts, order.filled, reason)
        order.trail.append(step)
        self._journal.order(order)
        if not self.silent:
            self.facts.append(order.told(step))

    def fill(self, order: Order, event: Executed, realised: Decimal, position: Position) -> None:
        """Record a fill, with the position it led to."""
        self.n += 1
        self.number += 1
        fill = Fill(
            self.number,
            f"f{self.epoch}-{self.seq}-{self.n}",
            order.id,
            order.symbol,
            order.side,
            event.quantity,
            event.price,
            event.fee,
            realised,
            position.quantity,
            position.average_price,
            event.ts,
            order.cause,
            event.execution,
        )
        self.counts["fills"] += 1
        self._journal.fill((self.epoch, self.seq, self.n), fill)
        self._journal.order(order)
        if not self.silent:
            self.facts.append(fill)

    def refusal(self, target: Target, side: Side, quantity: Decimal, code: str, figures: str) -> None:
        """Record that a part of an intent may not pass."""
        self.n += 1
        self.number += 1
        refusal = Refusal(self.number, target.symbol, side, quantity, code, figures, target.ts, target.id)
        self.refusals[code] += 1
        self._journal.refusal((self.epoch, self.seq, self.n), refusal)
        if not self.silent:
            self.facts.append(refusal)
