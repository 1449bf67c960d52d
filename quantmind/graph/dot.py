"""The graph in the language of Graphviz."""

from __future__ import annotations

from quantmind.graph.mermaid import title
from quantmind.graph.model import Graph, label, told


def as_dot(graph: Graph) -> str:
    """Write the graph; what the transport carries is dashed."""
    lines = [
        f"digraph {_text(graph.name)} {{",
        "    rankdir=LR;",
        f"    label={_text(title(graph))};",
        "    node [shape=box];",
    ]
    for stage in graph.stages:
        lines += [f"    subgraph cluster_{stage} {{", f"        label={_text(stage)};"]
        lines += [f"        {node.key} [label={_text(label(node))}];" for node in graph.nodes if node.stage == stage]
        lines.append("    }")
    for flow in graph.flows:
        style = ", style=dashed" if graph.transport and graph.crosses(flow) else ""
        lines.append(f"    {flow.source} -> {flow.target} [label={_text(told(flow.carried))}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _text(text: str) -> str:
    r"""Write text between quotes; a backslash would begin an escape such as `\N`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
