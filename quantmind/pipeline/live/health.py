"""The health of a live pipeline, as execution sees it: whether the other stages do their work."""

from __future__ import annotations

from quantmind.pipeline.ailments import named
from quantmind.pipeline.live.member import Member


class Watch:
    """Says why nothing may be entered: a stage that is silent for longer than `max_age` (ns), or that ails.

    What is held and its stops are not concerned.
    """

    def __init__(self, max_age: int) -> None:
        self._max_age = max_age / 1e9
        self._said_at: float | None = None

    def heard(self, now: float) -> None:
        """Take note of a word of the strategy stage, by the monotonic clock."""
        self._said_at = now

    def reasons(self, member: Member, now: float) -> dict[str, str]:
        """Return every reason, by what it is about; none when all is well."""
        found: dict[str, str] = {}
        silence = member.silence("feed")
        if "feed" not in member.peers:
            found["market data"] = "market data: stage feed has not been heard yet"
        elif silence > self._max_age:
            found["market data"] = f"market data: stage feed has been silent for {silence:.0f} s"
        if self._said_at is None:
            found["strategy"] = "strategy: it has said nothing yet"
        elif now - self._said_at > self._max_age:
            found["strategy"] = f"strategy: its last word is {now - self._said_at:.0f} s old"
        for stage in ("feed", "strategy"):
            vitals = member.peers.get(stage)
            for index, reason in enumerate(vitals.reasons if vitals is not None else ()):
                found[f"{stage} ails {index}"] = named(stage, reason)
        return found
