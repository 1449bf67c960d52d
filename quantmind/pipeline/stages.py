"""The stages that a pipeline with a transport is made of: those of a replay, and those of a live one."""

from __future__ import annotations

from typing import Any, Protocol

from quantmind.pipeline import build
from quantmind.pipeline.live import execution as live_execution
from quantmind.pipeline.live import feed as live_feed
from quantmind.pipeline.live import sink as live_sink
from quantmind.pipeline.live import strategy as live_strategy
from quantmind.pipeline.lockstep import execution as lockstep_execution
from quantmind.pipeline.lockstep import feed as lockstep_feed
from quantmind.pipeline.lockstep import sink as lockstep_sink
from quantmind.pipeline.lockstep import strategy as lockstep_strategy
from quantmind.pipeline.run import Running
from quantmind.pipeline.summary import Summary


class Stage(Protocol):
    """What runs until it is stopped, or everything is done."""

    async def run(self) -> Summary | None:
        """Run; the execution stage sums up."""
        ...

    def stop(self) -> None:
        """End in good order."""
        ...


_LOCKSTEP: dict[str, Any] = {
    "feed": lockstep_feed.FeedStage,
    "strategy": lockstep_strategy.StrategyStage,
    "execution": lockstep_execution.ExecutionStage,
    "sink": lockstep_sink.SinkStage,
}
_LIVE: dict[str, Any] = {
    "feed": live_feed.FeedStage,
    "strategy": live_strategy.StrategyStage,
    "execution": live_execution.ExecutionStage,
    "sink": live_sink.SinkStage,
}


def stage(name: str, running: Running) -> Stage:
    """Make a stage of a recipe."""
    made: Stage = (_LIVE if build.runs_live(running.recipe) else _LOCKSTEP)[name](running)
    return made
