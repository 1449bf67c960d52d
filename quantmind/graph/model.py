"""The graph of a recipe as data: components are nodes in stages, and what one gives another is a flow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from quantmind.events.market import CHANNELS
from quantmind.kinds import Channel

Role = Literal["feed", "bars", "strategy", "allocator", "sizing", "protection", "limit", "trader", "executor", "sink"]
"""What a node is: the kind of a component, or what is ours: the bars that are built, and the Trader."""


class Node(msgspec.Struct, frozen=True):
    """A component, or a part of QuantMind that stands between components."""

    key: str
    """What flows refer to, such as `strategy1`."""
    stage: str
    role: Role
    name: str
    id: str = ""
    """Its own id, where the recipe gives one."""
    history: int = 0
    """How many events of each channel it is given before the first one."""
    note: str = ""


class Carried(msgspec.Struct, frozen=True):
    """One sort of thing that flows, such as quotes."""

    what: str
    symbols: tuple[str, ...] = ()
    """Of which symbols; empty is of all that the recipe trades."""
    channel: Channel | None = None
    """Which channel it is, if it is market data."""


class Flow(msgspec.Struct, frozen=True):
    """What one node gives another."""

    source: str
    target: str
    carried: tuple[Carried, ...]
    market: bool = False
    """Whether it is market data."""


class Graph(msgspec.Struct, frozen=True):
    """A recipe as a graph."""

    name: str
    symbols: tuple[str, ...]
    transport: str
    """What carries flows from stage to stage; empty where all run in one process."""
    stages: tuple[str, ...]
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]

    def node(self, key: str) -> Node:
        """Return a node by its key."""
        return next(node for node in self.nodes if node.key == key)

    def crosses(self, flow: Flow) -> bool:
        """Say whether a flow goes from one stage to another."""
        return self.node(flow.source).stage != self.node(flow.target).stage

    def as_json(self) -> dict[str, Any]:
        """Return plain data; what flows of all symbols names them."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        for each in (each for flow in plain["flows"] for each in flow["carried"]):
            each["symbols"] = each["symbols"] or (list(self.symbols) if each["channel"] else [])
        return {**plain, "transport": self.transport or None}


def in_order(carried: Iterable[Carried]) -> tuple[Carried, ...]:
    """Sort what flows: market data first, by channel and the length of bars."""
    kinds = list(CHANNELS.values())
    return tuple(
        sorted(
            carried,
            key=lambda each: (
                (kinds.index(each.channel.kind), each.channel.interval) if each.channel else (len(kinds), 0)
            ),
        )
    )


def label(node: Node) -> str:
    """Name a node: by its own id too, where it has one."""
    return f"{node.name} ({node.id})" if node.id else node.name


def told(carried: Iterable[Carried]) -> str:
    """Say what flows: `quotes, trades; marks of BTC/USDT:USDT`."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for each in carried:
        groups.setdefault(each.symbols, []).append(each.what)
    return "; ".join(", ".join(words) + of(symbols) for symbols, words in groups.items())


def of(symbols: Sequence[str]) -> str:
    """Say of which symbols, in few words."""
    if not symbols:
        return ""
    return f" of {', '.join(symbols)}" if len(symbols) <= 2 else f" of {len(symbols)} symbols"
