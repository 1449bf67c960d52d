import json
import re

import pytest
from pydantic import Field, model_validator

from quantmind.kinds import NoOptions, Options, Sink, Strategy
from quantmind.plugins import Origin
from quantmind.reference import markdown, terminal
from quantmind.reference.component import describe

ORIGIN = Origin("quantmind-x", "1.0", "quantmind_x")


def spaced(text):
    return " ".join(text.split())


def test_what_follows_the_summary_is_the_explanation():
    class Some(Sink[NoOptions]):
        """Does something.

        This is how.

        And why.
        """

        name = "some"

    found = describe(Some, ORIGIN)
    assert (found.summary, found.explanation) == ("Does something.", "This is how.\n\nAnd why.")
    assert (found.kind, found.name, found.distribution, found.version, found.module) == (
        *("sink", "some"),
        *("quantmind-x", "1.0", "quantmind_x"),
    )
    assert "\n\nThis is how.\n\nAnd why.\n\n" in markdown.component(found)
    assert "\n\nThis is how.\n\nAnd why.\n\n" in terminal.component(found, 80)


def test_a_list_in_an_explanation_keeps_its_lines():
    class Some(Sink[NoOptions]):
        """Does something.

        - one
        - two

        This is
        run together.
        """

        name = "some"

    assert "\n\n- one\n- two\n\nThis is run together.\n\n" in terminal.component(describe(Some, ORIGIN), 80)


def test_an_example_that_the_options_refuse_is_told_and_not_shown():
    class Model(Options):
        low: int = Field(examples=[5], description="Low.")
        high: int = Field(examples=[3], description="High.")

        @model_validator(mode="after")
        def _check(self):
            if self.high < self.low:
                raise ValueError("high must be above low")
            return self

    class Some(Strategy[Model]):
        """Does something."""

        name = "some"

    found = describe(Some, ORIGIN)
    assert found.fault == (
        "strategy some: its options refuse its own example: Value error, high must be above low: "
        "write other examples=[...]"
    )
    assert found.fault in spaced(terminal.component(found, 80))
    assert "```" not in markdown.component(found)


def test_an_option_without_an_example_is_told():
    class Model(Options):
        one: int = Field(pattern="x", description="One.") if False else Field(gt=2, lt=1, description="One.")

    class Some(Strategy[Model]):
        """Does something."""

        name = "some"

    assert "the required option `one` has no example" in describe(Some, ORIGIN).fault


def test_every_component_of_our_own_is_described_whole(component):
    found = describe(component, ORIGIN)
    assert found.fault == ""
    assert found.summary.endswith(".")
    assert found.kind == "archive" or found.snippet.language == "yaml"
    assert found.relations or not found.options or found.kind in {"limit", "sizing", "protection", "allocator"}


@pytest.mark.parametrize("width", [40, 100])
def test_text_markdown_and_json_have_the_same(component, width):
    found = describe(component, ORIGIN)
    plain = json.loads(json.dumps(found.as_json()))
    shown = spaced(terminal.component(found, width))
    written = spaced(re.sub(r"\\\|", "|", markdown.component(found).replace("&lt;", "<")))
    said = [plain["summary"], plain["explanation"], plain["snippet"]["text"]]
    for row in plain["options"]:
        said += [row["name"], row["type"], row["bounds"], row["default"], row["description"]]
    for relations in (plain["relations"], plain["capabilities"]):
        said += [part for relation in relations.items() for part in relation]
    assert [text for text in said if spaced(text) not in shown] == []
    assert [text for text in said if spaced(text) not in written] == []
    assert plain["name"] in shown


def test_markdown_tells_no_version_and_no_distribution(component):
    found = describe(component, Origin("quantmind-xyz", "9.8.7", "quantmind_xyz"))
    assert not {"9.8.7", "quantmind-xyz"} & set(re.split(r"\s", markdown.component(found)))
    assert "9.8.7" in terminal.component(found, 80)


def test_lines_of_the_terminal_fit(component):
    found = describe(component, ORIGIN)
    lines = terminal.component(found, 60).splitlines()
    code = set(found.snippet.text.splitlines())
    long = [line for line in lines if len(line) > 60 and line.strip() not in {each.strip() for each in code}]
    assert [line for line in long if " " in line.strip()] == []
