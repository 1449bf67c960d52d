"""Read back with a strict reader of the part of Mermaid that is written; Mermaid's own parser takes it, too."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from quantmind.graph.mermaid import as_mermaid
from quantmind.graph.model import Carried, Flow, Graph, Node, label, told

TEXT = r"\"((?:[A-Za-z0-9 ,;:./()_+-]|#[0-9]+;)*)\""
NAMES = st.text(max_size=12) | st.sampled_from(["end", "a|b", 'x"y', "<b>", "`md`", "#35;", "click", "A/B:B", "a\nb"])


def graphs():
    """Graphs of two components and what flows between them, with names of every sort."""
    return st.builds(
        lambda name, first, second, what, symbols, transport: Graph(
            name,
            ("A/B:B", "C/B:B"),
            transport,
            ("feed", "strategy"),
            (Node("feed1", "feed", "feed", first), Node("strategy1", "strategy", "strategy", second, "own")),
            (Flow("feed1", "strategy1", (Carried(what, tuple(symbols)),), market=True),),
        ),
        NAMES,
        NAMES,
        NAMES,
        NAMES,
        st.lists(NAMES, max_size=3),
        st.sampled_from(["", "pipe"]),
    )


def unescaped(text):
    return re.sub("#([0-9]+);", lambda match: chr(int(match[1])), text)


def read(text):
    """Return title, subgraphs with their nodes, and edges; fail at anything else."""
    first, title, third, kind, *lines = text.removesuffix("\n").split("\n")
    assert (first, third, kind) == ("---", "---", "flowchart LR")
    stages, edges, at = {}, [], None
    for line in lines:
        if match := re.fullmatch(rf"    subgraph stage_([a-z]+)\[{TEXT}\]", line):
            at = stages.setdefault(match[1], {})
        elif match := re.fullmatch(rf"        ([a-z]+[0-9]+)\[{TEXT}\]", line):
            at[match[1]] = unescaped(match[2])
        elif line == "    end":
            at = None
        else:
            match = re.fullmatch(rf"    ([a-z]+[0-9]+) (-->|-\.->)\|{TEXT}\| ([a-z]+[0-9]+)", line)
            edges.append((match[1], match[2], unescaped(match[3]), match[4]))
    return json.loads(title.removeprefix("title: ")), stages, edges


@given(graphs())
def test_what_is_written_reads_back(graph):
    title, stages, edges = read(as_mermaid(graph))
    assert title == (f"{graph.name}, by pipe" if graph.transport else graph.name)
    assert stages == {node.stage: {node.key: label(node)} for node in graph.nodes}
    (flow,) = graph.flows
    assert edges == [("feed1", "-.->" if graph.transport else "-->", told(flow.carried), "strategy1")]


def test_a_recipe_is_a_flowchart(recipe, drawn):
    _, stages, edges = read(as_mermaid(drawn(recipe)))
    assert stages["feed"] == {"feed1": "tape", "bars1": "bars of 1m"}
    assert ("bars1", "-->", "bars of 1m", "strategy1") in edges
