"""The names by which recipes and files call the types of event."""

from __future__ import annotations

from typing import Any, Literal

from quantmind.events.decision import Signal, Target
from quantmind.events.market import Bar, Book, FundingRate, Mark, Quote, Ticker, Trade
from quantmind.events.trading import Fill, Funding, Latch, OrderUpdate, Refusal, Transfer, Valuation

DecisionName = Literal["signal", "target", "order", "fill", "transfer", "funding", "latch", "valuation", "refusal"]
"""What is decided and done: little, and all of it worth keeping."""

EventName = Literal[DecisionName, "quote", "trade", "bar", "mark", "funding_rate", "book", "ticker"]
"""Every event that a sink may want, by the name that recipes use."""

EVENT_TYPES: dict[EventName, type[Any]] = {
    "signal": Signal,
    "target": Target,
    "order": OrderUpdate,
    "fill": Fill,
    "transfer": Transfer,
    "funding": Funding,
    "latch": Latch,
    "valuation": Valuation,
    "refusal": Refusal,
    "quote": Quote,
    "trade": Trade,
    "bar": Bar,
    "mark": Mark,
    "funding_rate": FundingRate,
    "book": Book,
    "ticker": Ticker,
}
"""The type of event that each name stands for, by name."""

EVENT_NAMES: dict[type[Any], EventName] = {type_: name for name, type_ in EVENT_TYPES.items()}
"""The name that each type of event goes by, by type."""
