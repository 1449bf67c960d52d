"""The graph as text: a stage below the other, and on each line what a component takes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from quantmind.graph.model import Carried, Flow, Graph, Node, in_order, label, of, told
from quantmind.kinds import Channel

WIDTH = 96
_ASKS = {"sizing": "how much to hold", "protection": "when to leave", "limit": "how much is too much"}


def as_text(graph: Graph) -> str:
    """Write the graph for a terminal."""
    columns = max(len(node.role) for node in graph.nodes), max(len(label(node)) for node in graph.nodes)
    lines = [_head(graph)]
    for index, stage in enumerate(graph.stages):
        lines += ["", *(_arrows(graph, stage) if index else ()), stage.upper()]
        for node in graph.nodes:
            if node.stage == stage:
                lines += _row(graph, node, *columns)
    return "\n".join(lines) + "\n"


def _head(graph: Graph) -> str:
    symbols = ", ".join(graph.symbols[:3])
    more = len(graph.symbols) - 3
    if more > 0:
        symbols = f"{len(graph.symbols)} symbols: {symbols} and {more} more"
    where = f"{len(graph.stages)} processes connected by {graph.transport}" if graph.transport else "one process"
    return f"{graph.name}: {symbols}, in {where}"


def _arrows(graph: Graph, stage: str) -> Iterator[str]:
    """Draw what comes into a stage from those above it, and what it gives back to them."""
    above = graph.stages[: graph.stages.index(stage)]
    down = [flow for flow in graph.flows if _between(graph, flow, above, (stage,))]
    back = [flow for flow in graph.flows if _between(graph, flow, (stage,), above)]
    lines = textwrap.wrap(_words(down), WIDTH - 6) or [""]
    up = _words(back)
    room = max(map(len, lines)) + 4
    for index, line in enumerate(lines):
        yield f"    │ {line.ljust(room)}{'▲ ' + up if up and not index else '│' if up else ''}".rstrip()
    yield f"    ▼ {' ' * room}{'│' if up else ''}".rstrip()


def _between(graph: Graph, flow: Flow, sources: Sequence[str], targets: Sequence[str]) -> bool:
    return graph.node(flow.source).stage in sources and graph.node(flow.target).stage in targets


def _words(flows: Sequence[Flow]) -> str:
    """Name what flows, market data first."""
    return ", ".join(dict.fromkeys(each.what for each in in_order(each for flow in flows for each in flow.carried)))


def _row(graph: Graph, node: Node, role: int, name: int) -> Iterator[str]:
    head = f"  {node.role.ljust(role)}  {label(node).ljust(name)}  "
    rest = "; ".join(filter(None, _told(graph, node)))
    lines = textwrap.wrap(rest, max(WIDTH - len(head), 40), break_long_words=False, break_on_hyphens=False) or [""]
    for index, line in enumerate(lines):
        yield f"{head if not index else ' ' * len(head)}{line}".rstrip()


def _told(graph: Graph, node: Node) -> Iterator[str]:
    """Say what a node is for, and what it takes from whom."""
    taken = [flow for flow in graph.flows if flow.target == node.key]
    market = [flow for flow in taken if flow.market]
    others = _words([flow for flow in taken if not flow.market])
    if node.role == "feed":
        given = _together(graph, (flow for flow in graph.flows if flow.source == node.key))
        yield f"gives {told(given)}" if given else "gives nothing that anybody wants"
        return
    if node.role == "bars":
        (built,) = _together(graph, market)
        yield node.note + of(built.symbols) + (_whose(graph, market) if len(_feeds(graph)) > 1 else "")
        return
    if node.role == "allocator":
        yield f"weighs the signals of {', '.join(label(graph.node(flow.source)) for flow in taken if not flow.market)}"
    yield _ASKS.get(node.role, "")
    taken_here = []
    if market:
        of_each = "" if sum(len(flow.carried) for flow in market) == 1 else " of each"
        before = f" ({node.history}{of_each} before the start)" if node.history else ""
        taken_here.append(_market(graph, market) + before)
    if node.role in {"strategy", "sink"} and others:
        taken_here.append(others)
    if taken_here:
        yield f"takes {'; '.join(taken_here)}"
    yield node.note


def _market(graph: Graph, flows: Sequence[Flow]) -> str:
    """Say which market data come, and of several feeds from which."""
    if len(_feeds(graph)) == 1:
        return told(_together(graph, flows))
    return "; ".join(told(flow.carried) + _whose(graph, [flow]) for flow in flows)


def _whose(graph: Graph, flows: Sequence[Flow]) -> str:
    sources = [label(graph.node(flow.source)) for flow in flows if graph.node(flow.source).role == "feed"]
    return f" from {', '.join(sources)}" if sources else ""


def _feeds(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.role == "feed"]


def _together(graph: Graph, flows: Iterable[Flow]) -> tuple[Carried, ...]:
    """Return what several flows carry, each once, of all the symbols that it is carried of."""
    symbols: dict[tuple[str, Channel | None], set[str]] = {}
    for each in (each for flow in flows for each in flow.carried):
        symbols.setdefault((each.what, each.channel), set()).update(each.symbols or graph.symbols)
    return in_order(
        Carried(what, () if len(of) == len(graph.symbols) else tuple(s for s in graph.symbols if s in of), channel)
        for (what, channel), of in symbols.items()
    )
