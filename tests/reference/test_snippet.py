import pytest

from quantmind.kinds import KINDS
from quantmind.recipe import load
from quantmind.recipe.document import parse
from quantmind.reference.example import example
from quantmind.reference.snippet import PLACES, section, snippet


def test_every_kind_but_archives_has_its_place_in_a_recipe():
    assert set(PLACES) == set(KINDS) - {"archive"}
    lists = {".".join(places): kind for kind, (places, several) in PLACES.items() if several}
    assert lists == {path: kind for path, (kind, _) in load._LISTS.items()}


def test_the_example_of_every_component_lints_in_a_recipe(component, faults):
    options = example(component)
    shown = snippet(component, options)
    if component.kind == "archive":
        assert shown.language == "sh"
        assert shown.text.startswith(("quantmind data download ", "quantmind data convert "))
        return
    read = parse(shown.text.encode(), "example.yaml")
    assert read.problems == ()
    assert read.data == section(component, options)
    assert faults(read.data) == []


def kind(name):
    return type(name, (KINDS[name],), {"name": "made", "__doc__": "Made."})


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("strategy", {}, "strategies:\n  - made\n"),
        ("executor", {}, "executor: made\n"),
        ("sizing", {}, "risk:\n  sizing:\n    - made\n"),
        ("allocator", {"a": 1}, "allocator:\n  made: {a: 1}\n"),
        (
            "sink",
            {"a": "${credential:key}", "b": [1, "x y"]},
            'sinks:\n  - made: {a: "${credential:key}", b: [1, "x y"]}\n',
        ),
        (
            "limit",
            {"long": "x" * 60, "longer": {"one": "y" * 60, "two": "z" * 60}},
            f"""risk:
  limits:
    - made:
        long: {"x" * 60}
        longer:
          one: {"y" * 60}
          two: {"z" * 60}
""",
        ),
    ],
)
def test_options_stand_on_one_line_where_they_fit(name, options, expected):
    text = snippet(kind(name), options).text
    assert text == expected
    assert parse(text.encode(), "x.yaml").data == section(kind(name), options)
