"""The `entry` of a recipe: how increases are ordered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from quantmind.kinds import Duration, NoOptions, Options
from quantmind.recipe.faults import shown, suggestion, validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.problems import join

_WAYS = ("market", "limit")


class LimitEntry(Options):
    """A limit order on the passive side of the quote, and what follows when it is not filled."""

    offset_ticks: int = Field(
        default=1, ge=0, description="Ticks between the price and the best bid (buying) or ask (selling)."
    )
    timeout: Duration = Field(default=10_000_000_000, gt=0, description="Event time after which it is cancelled.")
    then: Literal["market", "cancel"] = Field(
        default="market", description="What becomes of the rest: ordered at market, or given up."
    )


class Entry(Options):
    """How increases are ordered: at market, unless `limit` says otherwise."""

    limit: LimitEntry | None = Field(default=None, description="Order at a limit first.")


def read_entry(raw: Any, findings: Findings) -> Entry | None:
    """Read `market`, `limit` or `{limit: options}`; None after noting what is wrong."""
    entry = {raw: None} if isinstance(raw, str) else raw
    if not isinstance(entry, dict) or len(entry) != 1:
        found = shown(", ".join(entry)) if isinstance(entry, dict) and entry else shown(raw)
        findings.error("entry", f"must be market or limit: {{options}}, was {found}")
        return None
    ((way, given),) = entry.items()
    if way not in _WAYS:
        at = "entry" if isinstance(raw, str) else join("entry", way)
        findings.error(at, suggestion(str(findings.written(at, way)), _WAYS), key=not isinstance(raw, str))
        return None
    options = {} if given is None else given
    if way == "limit":
        limit = validate(LimitEntry, options, "entry.limit", findings)
        return Entry(limit=limit) if limit else None
    return Entry() if validate(NoOptions, options, "entry.market", findings) else None
