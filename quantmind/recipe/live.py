"""What a recipe that trades live must have."""

from __future__ import annotations

from collections.abc import Mapping

from quantmind.recipe.components import Section
from quantmind.recipe.findings import Findings

_NEEDS = (
    (("risk.protection",), "protects", "no protection rule gives a stop: add one that does to risk.protection"),
    (("limits", "risk.limits"), "caps_leverage", "no limit caps the leverage: add one that does to risk.limits"),
)
"""In which sections, which capability, and what is said without it."""


def check_live(sections: Mapping[str, Section], findings: Findings) -> None:
    """Refuse to trade live without protection or a cap on the leverage, as far as the rules could be read."""
    executor = next(iter(sections["executor"].specs), None)
    if executor is None or "live" not in executor.component.capabilities:
        return
    for names, capability, wanted in _NEEDS:
        rules = [sections[name] for name in names if name in sections]
        given = {each for section in rules for spec in section.specs for each in spec.component.capabilities}
        if capability not in given and len(rules) == len(names) and all(section.sound for section in rules):
            findings.error(executor.path, f"trades live, but {wanted}", key=True)
