"""What the tests of a plugin need. It is public: it changes as carefully as `quantmind.kinds`.

Begin with one line, which proves what every component of the kind promises, on examples drawn with hypothesis:

    from quantmind.testing import check_strategy
    from breakout_plugin import Breakout, BreakoutOptions

    def test_it_keeps_its_promises():
        check_strategy(Breakout(BreakoutOptions(window=20), "breakout", ["BTC/USDT:USDT"]))

There is one such check for each kind (`check_allocator`, `check_archive`, `check_executor`, `check_feed`,
`check_limit`, `check_protection`, `check_sink`, `check_sizing`, `check_strategy`, `check_transport`), and
`check_command` for what a plugin adds to the command line. Each takes a component, or a function that makes a new one,
and raises an AssertionError which says who broke which promise, and what was seen. The promises of a kind stand in its
file here, as `PROMISES`; how they are proven is the business of `proving`. `check_component` goes through those of any
component class with options as a recipe has them, and yields a `Promise` for each: it is what `quantmind plugins check`
prints.

Then say what yours does that others do not:

- `run_recipe` runs a whole recipe on a list of events, and returns an `Outcome`: signals, orders, fills, refusals.
- `run_command` calls `quantmind` as its user does, and returns how it `Ended`: exit code, output, errors.
- `examples` draws markets, signals, accounts and facts for tests of your own, and has an event of each type.
- `ListFeed` and `MemorySink` stand in for a market and for whoever looks on.
- `FeedStage` runs a feed as the feed stage does, and keeps what a strategy would be given, built bars too.
- `StageEnd` speaks and listens over a transport as a stage does, and counts gaps, repetitions and drops; `meet` lets
  several find each other.
- `LocalServer` is a server process at a port of `free_port`, which may be killed and started again.
- `until` waits for what others do in their own time.
- `FakeClock` is for what takes a clock, and goes on when it is told to.
- `isolated_plugins` knows the components of a test, or of a module, and nothing that happens to be installed.

hypothesis is not installed with QuantMind: `pip install hypothesis`.
"""

from quantmind.testing.allocator import check_allocator
from quantmind.testing.archive import check_archive
from quantmind.testing.command import check_command
from quantmind.testing.conformance import check_component
from quantmind.testing.executor import check_executor
from quantmind.testing.fake_clock import FakeClock
from quantmind.testing.feed import check_feed
from quantmind.testing.feed_stage import FeedStage
from quantmind.testing.isolation import isolated_plugins
from quantmind.testing.limit import check_limit
from quantmind.testing.list_feed import ListFeed
from quantmind.testing.local_server import LocalServer, free_port
from quantmind.testing.memory_sink import MemorySink
from quantmind.testing.protection import check_protection
from quantmind.testing.proving.promise import Promise
from quantmind.testing.run import Outcome, run_recipe
from quantmind.testing.run_command import Ended, run_command
from quantmind.testing.sink import check_sink
from quantmind.testing.sizing import check_sizing
from quantmind.testing.stage_end import StageEnd, meet
from quantmind.testing.strategy import check_strategy
from quantmind.testing.transport import check_transport
from quantmind.testing.waiting import until

__all__ = [
    "Ended",
    "FakeClock",
    "FeedStage",
    "ListFeed",
    "LocalServer",
    "MemorySink",
    "Outcome",
    "Promise",
    "StageEnd",
    "check_allocator",
    "check_archive",
    "check_command",
    "check_component",
    "check_executor",
    "check_feed",
    "check_limit",
    "check_protection",
    "check_sink",
    "check_sizing",
    "check_strategy",
    "check_transport",
    "free_port",
    "isolated_plugins",
    "meet",
    "run_command",
    "run_recipe",
    "until",
]
