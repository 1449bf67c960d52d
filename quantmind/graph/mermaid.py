"""The graph as a flowchart of Mermaid, which READMEs of code hosts show as a drawing."""

from __future__ import annotations

import json
import re

from quantmind.graph.model import Graph, label, told


def as_mermaid(graph: Graph) -> str:
    """Write the graph; what the transport carries is dotted."""
    lines = ["---", f"title: {json.dumps(title(graph))}", "---", "flowchart LR"]
    for stage in graph.stages:
        lines.append(f'    subgraph stage_{stage}["{stage}"]')
        lines += [f'        {node.key}["{_text(label(node))}"]' for node in graph.nodes if node.stage == stage]
        lines.append("    end")
    for flow in graph.flows:
        dotted = graph.transport and graph.crosses(flow)
        arrow = "-.->" if dotted else "-->"
        lines.append(f'    {flow.source} {arrow}|"{_text(told(flow.carried))}"| {flow.target}')
    return "\n".join(lines) + "\n"


def title(graph: Graph) -> str:
    """Name the drawing."""
    return f"{graph.name}, by {graph.transport}" if graph.transport else graph.name


def _text(text: str) -> str:
    """Write text as Mermaid takes it between quotes: what it would read as its own or as HTML by its number."""
    return re.sub(r"[^A-Za-z0-9 ,;:./()_+-]", lambda match: f"#{ord(match[0])};", text)
