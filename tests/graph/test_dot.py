"""Read back with a strict reader of the part of DOT that is written, and by Graphviz where it is installed."""

import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.graph.dot import as_dot
from quantmind.graph.model import Carried, Flow, Graph, Node

TEXT = r'"((?:[^"\\\n]|\\.)*)"'
NAMES = st.text(max_size=12) | st.sampled_from(["end", 'x"y', "\\N", "<b>", "a\nb", "A/B:B", "node", "->"])


def graph_of(name, component, what, transport):
    return Graph(
        name,
        ("A/B:B",),
        transport,
        ("feed", "strategy"),
        (Node("feed1", "feed", "feed", component), Node("strategy1", "strategy", "strategy", "cross", "own")),
        (Flow("feed1", "strategy1", (Carried(what, ("A/B:B",)),), market=True),),
    )


def unescaped(text):
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)


@given(name=NAMES, component=NAMES, what=NAMES, transport=st.sampled_from(["", "pipe"]))
def test_what_is_written_reads_back(name, component, what, transport):
    text = as_dot(graph_of(name, component, what, transport))
    expected = (
        rf"digraph {TEXT} \{{\n    rankdir=LR;\n    label={TEXT};\n    node \[shape=box\];\n"
        rf"    subgraph cluster_feed \{{\n        label={TEXT};\n        feed1 \[label={TEXT}\];\n    \}}\n"
        rf"    subgraph cluster_strategy \{{\n        label={TEXT};\n        strategy1 \[label={TEXT}\];\n    \}}\n"
        rf"    feed1 -> strategy1 \[label={TEXT}(, style=dashed)?\];\n\}}\n"
    )
    match = re.fullmatch(expected, text)
    assert [unescaped(group) for group in match.groups()[:7]] == [
        name,
        f"{name}, by pipe" if transport else name,
        "feed",
        component,
        "strategy",
        "cross (own)",
        f"{what} of A/B:B",
    ]
    assert bool(match[8]) == bool(transport)


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
@pytest.mark.parametrize("name", ["end", 'x"y', "\\N", "<b>", "A/B:B", "node", "->", "é"])
def test_graphviz_reads_the_same(name):
    text = as_dot(graph_of(name, name, name, ""))
    done = subprocess.run(["dot", "-Tdot_json"], input=text, capture_output=True, text=True, check=True)
    read = json.loads(done.stdout)
    labels = {each["name"]: unescaped(each["label"]) for each in read["objects"]}
    assert labels == {"cluster_feed": "feed", "cluster_strategy": "strategy", "feed1": name, "strategy1": "cross (own)"}
    assert unescaped(read["edges"][0]["label"]) == f"{name} of A/B:B"


def test_a_recipe_is_a_digraph(recipe, drawn):
    lines = as_dot(drawn(recipe)).splitlines()
    assert lines[0] == 'digraph "test" {'
    assert '    bars1 -> strategy1 [label="bars of 1m"];' in lines
