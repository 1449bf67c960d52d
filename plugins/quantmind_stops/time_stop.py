"""The time_stop protection rule."""

from __future__ import annotations

from pydantic import Field

from quantmind.kinds import Duration, Held, Levels, Options, Protection


class TimeStopOptions(Options):
    """Options of time_stop."""

    after: Duration = Field(gt=0, examples=["4h"], description="How long a position is held at most, in event time.")


class TimeStop(Protection[TimeStopOptions]):
    """Leaves a position at market when it has been held for long enough."""

    name = "time_stop"

    def has_news(self, side: int, best: float, stop: float) -> bool:  # noqa: ARG002 - time does not move
        """Say no: the time stays what it is."""
        return False

    def levels(self, held: Held) -> Levels:
        """Return the end: since + after."""
        return Levels(until=held.since + self.options.after)
