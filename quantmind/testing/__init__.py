"""What the tests of a plugin need: a feed of given events, a sink that remembers, a recipe's run."""

from quantmind.testing.list_feed import ListFeed
from quantmind.testing.memory_sink import MemorySink
from quantmind.testing.run import Outcome, run_recipe

__all__ = ["ListFeed", "MemorySink", "Outcome", "run_recipe"]
