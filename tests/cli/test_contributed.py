"""Commands that plugins add: listed without importing them, called like verbs, and kept out where they may not be."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from quantmind.cli import VERBS

COMMAND = """
import click
from quantmind.errors import QuantMindError

class Tired(QuantMindError):
    exit_code = 3

@click.command()
@click.option("--fail", is_flag=True)
@click.pass_obj
def moon(session, fail):
    \"\"\"Tell the phase of the moon.\"\"\"
    if fail:
        raise Tired("the moon is not up")
    click.echo(f"full, debug {session.debug}")
"""


class Site:
    """A folder of installed distributions, beside those of this environment."""

    def __init__(self, folder):
        self.folder = folder

    def install(self, distribution, module, text, **commands):
        (self.folder / f"{module}.py").write_text(text)
        info = self.folder / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in commands.items()]
        (info / "entry_points.txt").write_text("\n".join(["[quantmind.commands]", *lines, ""]))

    def run(self, *arguments, code=""):
        source = f"{code}\nimport sys\nfrom quantmind.cli import main\nsys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(source), *arguments],
            env={"PYTHONPATH": str(self.folder), "PATH": "/usr/bin:/bin", "HOME": str(self.folder)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_a_command_is_called_like_a_verb(site):
    site.install("lunar", "lunar_tools", COMMAND, moon="lunar_tools:moon")
    assert site.run("--debug", "moon") == (0, "full, debug True\n", "")
    code, output, _ = site.run("moon", "--help")
    assert code == 0
    assert "Tell the phase of the moon." in output


def test_its_errors_are_one_line_with_their_exit_code(site):
    site.install("lunar", "lunar_tools", COMMAND, moon="lunar_tools:moon")
    assert site.run("moon", "--fail") == (3, "", "error: the moon is not up\n")


def test_help_lists_it_and_imports_nothing_of_it(site):
    site.install("lunar", "lunar_tools", "raise SystemExit('imported')", moon="lunar_tools:moon")
    code, output, _ = site.run("--help")
    assert code == 0
    assert "moon" in output
    assert "lunar_tools (lunar)" in output


def test_help_says_what_it_does_in_the_words_of_its_source(site):
    text = f"{COMMAND}\nraise SystemExit('imported')\n"
    site.install("lunar", "lunar_tools", text, moon="lunar_tools:moon", sun="lunar_tools:sun")
    assert ["moon", "Tell", "the", "phase", "of", "the", "moon."] in map(str.split, site.run("--help")[1].splitlines())
    with (site.folder / "lunar-1.0.dist-info" / "METADATA").open("a") as metadata:
        metadata.write("Summary: Looks at the sky.\n")
    code, output, _ = site.run("plugins", "list")
    assert code == 0
    lines = [line for line in output.splitlines() if "lunar" in line]
    assert [line.partition("1.0")[2].strip() for line in lines] == ["Tell the phase of the moon.", "Looks at the sky."]


def test_help_describes_the_commands_that_come_with_quantmind(site):
    output = site.run("--help")[1]
    assert "Commands of quantmind" not in output
    assert "Work for pipelines over ZeroMQ." in output


def test_a_misspelt_one_is_answered_with_the_nearest(site):
    site.install("lunar", "lunar_tools", COMMAND, moon="lunar_tools:moon")
    code, _, errors = site.run("mono")
    assert code == 2
    assert "did you mean moon?" in errors


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("moon = 5", "is no click command, but int"),
        ("raise SystemExit(1)", "SystemExit"),
    ],
)
def test_one_that_cannot_be_loaded_is_one_line_that_names_its_plugin(site, text, why):
    site.install("lunar", "lunar_tools", text, moon="lunar_tools:moon")
    code, output, errors = site.run("moon")
    assert (code, output) == (78, "")
    assert errors.count("\n") == 1
    assert "the command moon of lunar_tools (lunar)" in errors
    assert why in errors


def test_what_is_not_allowed_is_not_imported(site):
    site.install("lunar", "lunar_tools", "print('imported')", moon="lunar_tools:moon")
    code, output, errors = site.run("--no-plugins", "moon")
    assert (code, output) == (78, "")
    assert "is left out by --no-plugins" in errors
    (site.folder / "quantmind.yaml").write_text("plugins: {allow: [quantmind]}\n")
    code, output, errors = site.run("moon")
    assert (code, output) == (78, "")
    assert "is not on the allow-list" in errors


def test_two_plugins_with_one_command_are_both_named(site):
    site.install("lunar", "lunar_tools", COMMAND, moon="lunar_tools:moon")
    site.install("stellar", "star_tools", COMMAND, moon="star_tools:moon")
    code, _, errors = site.run("moon")
    assert code == 78
    assert "lunar_tools (lunar) and by star_tools (stellar)" in errors


def test_they_are_listed_without_being_imported(site):
    site.install("lunar", "lunar_tools", "raise SystemExit('imported')", moon="lunar_tools:moon")
    code, output, _ = site.run("plugins", "list")
    assert code == 0
    (line,) = (line for line in output.splitlines() if "moon" in line)
    assert line.split() == ["command", "moon", "lunar", "1.0", "Commands", "of", "lunar_tools", "(lunar)."]
    (row,) = (row for row in json.loads(site.run("plugins", "list", "--json")[1]) if row["name"] == "moon")
    assert row == {
        "kind": "command",
        "name": "moon",
        "summary": "Commands of lunar_tools (lunar).",
        "distribution": "lunar",
        "version": "1.0",
        "module": "lunar_tools",
        "fault": "",
    }


def test_those_that_cannot_be_called_are_listed_as_faults(site):
    site.install("lunar", "lunar_tools", COMMAND, moon="lunar_tools:moon")
    _, output, _ = site.run("--no-plugins", "plugins", "list")
    assert "fault: command moon of lunar 1.0 (lunar_tools): is left out by --no-plugins\n" in output
    site.install("stellar", "star_tools", COMMAND, moon="star_tools:moon")
    _, output, _ = site.run("plugins", "list")
    assert "fault: command moon of lunar 1.0 (lunar_tools): also given by star_tools (stellar)\n" in output
    assert "fault: command moon of stellar 1.0 (star_tools): also given by lunar_tools (lunar)\n" in output


def test_a_verb_cannot_be_replaced(site):
    site.install("evil", "evil_tools", "print('imported')", lint="evil_tools:lint")
    code, output, _ = site.run("lint", "--help")
    assert code == 0
    assert "imported" not in output
    code, output, _ = site.run("plugins", "list")
    assert "fault: command lint of evil 1.0 (evil_tools): it is a verb of quantmind already" in output
    assert "lint" in VERBS
