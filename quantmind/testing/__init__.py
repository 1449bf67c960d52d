"""What the tests of a plugin need: a feed, a sink that remembers, a recipe's run, and checks of risk rules."""

from quantmind.testing.limits import check_limit
from quantmind.testing.list_feed import ListFeed
from quantmind.testing.memory_sink import MemorySink
from quantmind.testing.protection import check_protection
from quantmind.testing.run import Outcome, run_recipe
from quantmind.testing.sizing import check_sizing

__all__ = ["ListFeed", "MemorySink", "Outcome", "check_limit", "check_protection", "check_sizing", "run_recipe"]
