"""Whose a section of a recipe is: a stage opens the files and credentials of its own, and of those that all read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

OWNED: Mapping[str, tuple[str, ...]] = {
    "feed": ("feeds",),
    "strategy": ("strategies", "allocator"),
    "execution": ("risk", "limits", "entry", "executor"),
    "sink": ("sinks",),
}
"""What only one stage acts on; `limits` are those of quantmind.yaml.

All others belong to every stage, but `tests`, which belong to none.
"""

RULES = ("risk.sizing", "risk.protection", "limits", "risk.limits")
"""The sections of risk rules."""

_END = re.compile(r"[.\[]")


def is_inproc(transport: object) -> bool:
    """Say whether a transport, as it is written, is none: the recipe then runs in one process."""
    return transport in (None, "inproc", {"inproc": None}, {"inproc": {}})


def section(path: str) -> str:
    """Return the section that a path begins with."""
    return _END.split(path, maxsplit=1)[0]


def is_read(path: str, stage: str | None, replaced: Collection[str] = ()) -> bool:
    """Say whether a stage acts on what stands at a path; without a stage all is acted on but what is replaced."""
    found = section(path)
    if found in replaced or (stage is not None and found == "tests"):
        return False
    return stage is None or all(found not in sections for other, sections in OWNED.items() if other != stage)
