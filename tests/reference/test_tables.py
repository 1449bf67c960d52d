import inspect
import re

from quantmind.hookspecs import Hooks
from quantmind.plugins import Plugins
from quantmind.reference import tables


def test_components_are_a_row_each():
    found = [row for row in Plugins(only_own=True, environ={}).all() if row.kind]
    lines = tables.components(found).splitlines()
    assert lines[:2] == ["| kind | name | what it does |", "|---|---|---|"]
    assert lines[2:] == [f"| {row.kind} | `{row.name}` | {row.summary} |" for row in found]


def test_commands_are_a_row_each():
    assert tables.commands({"a": "Does | a.", "b": "Does b."}).splitlines()[2:] == [
        "| `quantmind a` | Does \\| a. |",
        "| `quantmind b` | Does b. |",
    ]


def test_every_hook_has_its_signature_a_sentence_and_when_it_is_called():
    lines = tables.hooks().splitlines()[2:]
    names = [name for name in vars(Hooks) if not name.startswith("_")]
    assert [re.match(r"\| `(\w+)\(", line)[1] for line in lines] == names
    for name, line in zip(names, lines, strict=True):
        signature = str(inspect.signature(getattr(Hooks, name))).replace("(self, ", "(").replace("(self)", "()")
        assert f"`{name}{signature}`".replace("'", "") in line
        _, what, called = (cell.strip() for cell in line.strip("|").split(" | "))
        assert what.endswith(".")
        assert called
