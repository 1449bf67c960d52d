"""The tally of an account: what was decided, done and refused, in a run and since the account began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

import msgspec

from quantmind.events import Fact, Upto
from quantmind.trader.chronicle import Chronicle
from quantmind.trader.journal_reader import FACTS, JournalReader
from quantmind.trader.orders import Order


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many signals, Targets, orders and fills there were, and how often each code was refused."""

    signals: int = 0
    targets: int = 0
    orders: int = 0
    fills: int = 0
    refusals: Mapping[str, int] = {}

    @classmethod
    def of(cls, chronicle: Chronicle) -> Self:
        """Count what an account did since it began."""
        return cls(**chronicle.counts, refusals=dict(sorted(chronicle.refusals.items())))

    def after(self, before: Tally) -> Tally:
        """Return what has come to it since it was as `before`."""
        refused = {code: count - before.refusals.get(code, 0) for code, count in self.refusals.items()}
        return Tally(
            signals=self.signals - before.signals,
            targets=self.targets - before.targets,
            orders=self.orders - before.orders,
            fills=self.fills - before.fills,
            refusals={code: count for code, count in refused.items() if count},
        )


class AccountTally(Tally, frozen=True, kw_only=True):
    """The same since the account began: `since` is the first moment on record, ns UTC."""

    since: int


def began(journal: JournalReader) -> int | None:
    """Return the first moment (ns UTC) that is on record of an account; None where nothing is."""
    return min(_first_moments(journal), default=None)


def _first_moments(journal: JournalReader) -> Iterator[int]:
    for table in ("decisions", "orders", *FACTS):
        for *_, record in journal.records(table):
            yield from _moments(record)
            break


def _moments(record: Upto | Order | Fact) -> Iterator[int]:
    if isinstance(record, Upto):
        yield from (signal.ts for signal in record.signals)
        yield from (target.ts for target in record.targets)
    elif isinstance(record, Order):
        yield from (step.ts for step in record.trail)
    else:
        yield record.ts
