"""The verdict on one test of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from quantmind.recipe.expect import Difference

Outcome = Literal["passed", "failed", "error"]


class Verdict(msgspec.Struct, frozen=True):
    """What came of a test."""

    differences: tuple[Difference, ...] = ()
    refusals: Mapping[str, int] = {}
    """How many increases were refused, by their code."""
    error: str = ""
    """Why the run failed; empty when it came to its end."""
    cause: Exception | None = None
    duration: float = 0.0
    """In seconds."""

    @property
    def outcome(self) -> Outcome:
        """What is said of it in one word."""
        if self.error:
            return "error"
        return "failed" if self.differences else "passed"

    @property
    def told(self) -> str:
        """All that was not as expected, on one line; empty when the test passed."""
        return self.error or "; ".join(map(str, self.differences))
