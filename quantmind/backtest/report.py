"""The report of a backtest: what was replayed, the summary of the run, and its statement."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.backtest.plan import Plan
from quantmind.export.lines import money
from quantmind.kinds.moment import format_moment
from quantmind.kinds.options import format_duration
from quantmind.ledger.statement import Statement, statement
from quantmind.pipeline.folder import RunFolder
from quantmind.pipeline.summary import Summary


class Report(msgspec.Struct, frozen=True):
    """A backtest as it is told to its user."""

    plan: Plan
    summary: Summary
    statement: Statement

    @classmethod
    def of(cls, plan: Plan, summary: Summary, folder: RunFolder) -> Report:
        """Make the statement from the journal of the run."""
        with contextlib.closing(folder.journal()) as journal:
            return cls(plan, summary, statement(Decimal(journal.balance), money(journal)))

    def lines(self) -> Iterator[str]:
        """Return it as lines for a person."""
        plan = self.plan
        yield from self.summary.lines()
        yield f"  data      bars of {format_duration(plan.recorded.interval)}, {self._from} to {self._to}"
        if self.decided is not None:
            yield f"  path      {self.decided:.2%} of the fills were decided by the pessimistic path inside a bar"
        for note in plan.notes:
            yield f"  note      {note}"
        yield from self.statement.lines()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data: the summary, and `data`, `notes`, `decided_by_path` and `statement` beside it."""
        data = {"interval": format_duration(self.plan.recorded.interval), "start": self._from, "end": self._to}
        return {
            **self.summary.as_json(),
            "data": data,
            "notes": list(self.plan.notes),
            "decided_by_path": self.decided,
            "statement": self.statement.as_json(),
        }

    @property
    def decided(self) -> float | None:
        """The share of fills that the pessimistic path inside a bar decided; None where the executor does not say."""
        said = {name.rpartition(".")[2]: figure for name, figure in self.summary.figures.items()}
        if "decided_by_path" not in said or not said.get("fills"):
            return None
        return said["decided_by_path"] / said["fills"]

    @property
    def _from(self) -> str:
        return format_moment(self.plan.begins)

    @property
    def _to(self) -> str:
        return format_moment(self.plan.ends)
