"""The kinds of component: one contract each, and nothing that a venue, a broker or a strategy would add to."""

from quantmind.kinds.allocator import Allocator, Portfolio
from quantmind.kinds.archive import Archive
from quantmind.kinds.channel import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, Channel, Needs, bars
from quantmind.kinds.component import Component
from quantmind.kinds.executor import Executor
from quantmind.kinds.feed import Feed
from quantmind.kinds.limit import ALLOWED, Allowed, Increase, Limit, Refused, Shrunk, Stop, Verdict
from quantmind.kinds.options import Duration, Interval, NoOptions, Options
from quantmind.kinds.protection import Held, Levels, Protection
from quantmind.kinds.rule import Rule
from quantmind.kinds.server import Greeting, Server
from quantmind.kinds.sink import Run, Sink
from quantmind.kinds.sizing import Sizing, SizingRule
from quantmind.kinds.standing import Lot, Standing
from quantmind.kinds.strategy import Signals, Strategy
from quantmind.kinds.transport import Transport

KINDS: dict[str, type[Component]] = {  # type: ignore[type-arg] # any options
    kind.kind: kind
    for kind in (Feed, Transport, Strategy, Allocator, SizingRule, Protection, Limit, Executor, Sink, Archive)
}
"""Every kind of component by its name."""

__all__ = [
    "ALLOWED",
    "BOOKS",
    "FUNDING",
    "KINDS",
    "MARKS",
    "QUOTES",
    "TICKERS",
    "TRADES",
    "Allocator",
    "Allowed",
    "Archive",
    "Channel",
    "Component",
    "Duration",
    "Executor",
    "Feed",
    "Greeting",
    "Held",
    "Increase",
    "Interval",
    "Levels",
    "Limit",
    "Lot",
    "Needs",
    "NoOptions",
    "Options",
    "Portfolio",
    "Protection",
    "Refused",
    "Rule",
    "Run",
    "Server",
    "Shrunk",
    "Signals",
    "Sink",
    "Sizing",
    "SizingRule",
    "Standing",
    "Stop",
    "Strategy",
    "Transport",
    "Verdict",
    "bars",
]
