"""What the tests of a plugin need: a feed, a sink that remembers, a recipe's run, checks of rules and transports."""

from quantmind.testing.limits import check_limit
from quantmind.testing.list_feed import ListFeed
from quantmind.testing.memory_sink import MemorySink
from quantmind.testing.protection import check_protection
from quantmind.testing.run import Outcome, run_recipe
from quantmind.testing.sizing import check_sizing
from quantmind.testing.transport import check_transport

__all__ = [
    "ListFeed",
    "MemorySink",
    "Outcome",
    "check_limit",
    "check_protection",
    "check_sizing",
    "check_transport",
    "run_recipe",
]
