"""The chronicle: gives everything that happens its position and number, tells it as a fact, and journals it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal

from quantmind.events import (
    Executed,
    Fact,
    Fill,
    Funded,
    Funding,
    Latch,
    LatchLevel,
    OrderState,
    Part,
    Refusal,
    Side,
    Target,
    Transfer,
    Upto,
    Valuation,
)
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
        self.hear: Callable[[Fact], None] | None = None
        """Called with every fact, for the rules that want them."""
        self.states: Callable[[], Mapping[str, str]] = dict
        """Asked at each commit for what no fact tells."""
        self.counts = journal.counts()
        self.refusals = Counter(journal.refusal_counts())

    def commit(self) -> None:
        """Make everything so far durable."""
        self._journal.commit(Progress(self.epoch, self.seq, self.n, self.upto, self.number), self.states())

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
        self, symbol: str, side: Side, quantity: Decimal, reduce_only: bool, ts: int, cause: str, after: int
    ) -> Order:
        """Make an order; it is recorded by `intended`, when it is complete."""
        self.n = n = self.n + 1
        epoch, seq = self.epoch, self.seq
        return Order(epoch, seq, n, f"qm{epoch}-{seq}-{n}", symbol, side, quantity, reduce_only, ts, cause, after)

    def intended(self, order: Order) -> None:
        """Record the intent of an order."""
        self.counts["orders"] += 1
        self._tell_step(order, order.n, order.ts, "")

    def step(self, order: Order, state: OrderState, ts: int, reason: str = "") -> None:
        """Record that an order came to a state, unless it is past it."""
        if order.may_become(state):
            order.state = state
            self.n += 1
            self._tell_step(order, self.n, ts, reason)

    def changed(self, order: Order, ts: int, how: str) -> None:
        """Record that a resting order is not what it was, in the same state."""
        self.n += 1
        self._tell_step(order, self.n, ts, how)

    def _tell_step(self, order: Order, n: int, ts: int, reason: str) -> None:
        self.number += 1
        step = Step(self.number, order.state, self.seq, n, ts, order.filled, reason, order.trigger)
        order.trail.append(step)
        self._journal.order(order)
        if not self.silent or self.hear is not None:
            self._told(order.told(step))

    def _told(self, fact: Fact) -> None:
        if not self.silent:
            self.facts.append(fact)
        if self.hear is not None:
            self.hear(fact)

    def fill(
        self, order: Order, event: Executed, realised: Decimal, position: Position, parts: tuple[Part, ...]
    ) -> None:
        """Record a fill, with the position it led to and what of it is whose."""
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
            event.maker,
            parts,
        )
        self.counts["fills"] += 1
        self._journal.order(order)
        self._fact("fills", fill)

    def transfer(self, symbol: str, price: Decimal, parts: tuple[Part, ...], ts: int, cause: str) -> None:
        """Record that strategies passed a position to each other."""
        self.n += 1
        self.number += 1
        name = f"x{self.epoch}-{self.seq}-{self.n}"
        self._fact("transfers", Transfer(self.number, name, symbol, price, parts, ts, cause))

    def funding(self, event: Funded, parts: tuple[Part, ...]) -> None:
        """Record a settlement of funding."""
        self.n += 1
        self.number += 1
        self._fact(
            "funding",
            Funding(
                self.number,
                f"u{self.epoch}-{self.seq}-{self.n}",
                event.symbol,
                event.rate,
                event.mark,
                event.quantity,
                event.amount,
                parts,
                event.ts,
                f"{self.epoch}-{self.seq}",
                event.execution,
            ),
        )

    def latch(self, name: str, level: LatchLevel | None, figures: str, ts: int) -> Latch:
        """Record that a latch is set or cleared."""
        self.n += 1
        self.number += 1
        latch = Latch(self.number, name, level, figures, ts, f"{self.epoch}-{self.seq}")
        self._fact("latches", latch)
        return latch

    def valuation(self, ts: int, equity: Decimal, prices: tuple[tuple[str, float], ...]) -> None:
        """Record what the account is worth, and at which prices."""
        self.n += 1
        self.number += 1
        self._fact("valuations", Valuation(self.number, ts, equity, prices))

    def refusal(self, symbol: str, side: Side, quantity: Decimal, code: str, figures: str, ts: int, cause: str) -> None:
        """Record that a part of an intent may not pass."""
        self.n += 1
        self.number += 1
        refusal = Refusal(self.number, symbol, side, quantity, code, figures, ts, cause)
        self.refusals[code] += 1
        self._journal.refusal((self.epoch, self.seq, self.n), refusal)
        self._told(refusal)

    def _fact(self, table: str, fact: Fact) -> None:
        self._journal.fact(table, (self.epoch, self.seq, self.n), fact)
        self._told(fact)
