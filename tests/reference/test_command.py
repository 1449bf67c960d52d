import click

from quantmind.plugins import Origin
from quantmind.reference import markdown, terminal
from quantmind.reference.command import describe_command, walk

ORIGIN = Origin("quantmind-x", "1.0", "quantmind_x")


@click.group()
def keys():
    """Work with keys."""


@keys.command(epilog="\b\nExamples:\n  quantmind keys new a\n  quantmind keys new b --size 2")
@click.argument("folder", type=click.Path())
@click.option("--size", type=click.IntRange(1, 9), default=4, help="How large.")
@click.option("--kind", type=click.Choice(["a", "b"]), required=True, help="Which | kind.")
@click.option("--part", multiple=True, metavar="X=Y", help="Parts.")
@click.option("--when", type=click.DateTime(), help="When.")
@click.option("--force/--no-force", help="Overwrite.")
@click.option("--quiet", is_flag=True, hidden=True, help="Say nothing.")
def new(**_):
    """Make a key.

    It goes into FOLDER.
    """


@keys.command(hidden=True)
def secret():
    """Do something else."""


@keys.group()
def old():
    """Work with old keys."""


@old.command("list", epilog="Example: quantmind keys old list")
def list_old():
    """List them."""


FOUND = describe_command("keys", keys, ORIGIN)


def test_groups_are_walked_and_what_is_hidden_is_not():
    assert [each.path for each in walk(FOUND.command)] == [
        *("quantmind keys", "quantmind keys new", "quantmind keys old", "quantmind keys old list")
    ]
    assert FOUND.summary == "Work with keys."
    assert (FOUND.kind, FOUND.name, FOUND.distribution) == ("command", "keys", "quantmind-x")


def test_options_and_arguments_are_told_in_words():
    new = FOUND.command.commands[0]
    assert new.explanation == "It goes into FOLDER."
    assert new.usage == "quantmind keys new [OPTIONS] FOLDER"
    assert [(each.name, each.type, each.default, each.required) for each in new.parameters] == [
        ("FOLDER", "argument", "", True),
        ("--size", "whole number, at least 1, at most 9", "4", False),
        ("--kind", "one of a, b", "", True),
        ("--part", "X=Y, several times", "", False),
        ("--when", "time", "", False),
        ("--force / --no-force", "flag", "", False),
    ]
    assert new.examples == ("quantmind keys new a", "quantmind keys new b --size 2")
    assert FOUND.command.commands[1].commands[0].examples == ("quantmind keys old list",)


def test_text_markdown_and_json_have_the_same():
    plain = FOUND.as_json()
    assert plain["commands"][0]["parameters"][1]["description"] == "How large."
    shown, written = terminal.command(FOUND, 80), markdown.command(FOUND)
    for words in (
        "Work with keys.",
        "Make a key.",
        "How large.",
        "quantmind keys new b --size 2",
        "X=Y, several times",
    ):
        assert words in shown
        assert words in written
    assert "| `--kind` | one of a, b | required | Which \\| kind. |" in written
    assert "\n### `quantmind keys new`\n" in written
    assert "Do something else." not in shown + written


def test_a_single_command_has_no_heading_of_its_own():
    written = markdown.command(describe_command("list", list_old, ORIGIN))
    assert written == ("List them.\n\n```text\nquantmind list [OPTIONS]\n```\n\n```sh\nquantmind keys old list\n```")
