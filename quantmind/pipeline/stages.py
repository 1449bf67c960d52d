"""The stages that a pipeline with a transport is made of, by name."""

from __future__ import annotations

from quantmind.pipeline.execution_stage import ExecutionStage
from quantmind.pipeline.feed_stage import FeedStage
from quantmind.pipeline.strategy_stage import StrategyStage

STAGES: dict[str, type[FeedStage | StrategyStage | ExecutionStage]] = {
    "feed": FeedStage,
    "strategy": StrategyStage,
    "execution": ExecutionStage,
}
"""Each stage runs until the feed ends; `stop` asks the feed to."""
