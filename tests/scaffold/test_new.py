"""What a new package is made of: names, the author, and texts in which nothing is left to fill in."""

from __future__ import annotations

import ast
import keyword
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from quantmind.errors import UsageError
from quantmind.kinds import KINDS
from quantmind.plugins import Found
from quantmind.reference.marked import parts
from quantmind.scaffold.author import Author
from quantmind.scaffold.name import Name, expect_free
from quantmind.scaffold.package import WRITTEN_KINDS, package, steps

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,9}([-_][a-z0-9]{1,5}){0,3}", fullmatch=True).filter(
    lambda name: (
        not keyword.iskeyword(name) and name not in {"id", "null", "true", "false"} and not name.startswith("quantmind")
    )
)


def texts(name, kind, author=None):
    return {str(path): content.decode() for path, content in package(Name.read(name), kind, author).items()}


def test_there_is_a_package_of_every_kind_and_of_a_command():
    assert {*WRITTEN_KINDS} == {*KINDS, "command"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "write small letters, digits, - and _, a letter first, such as night-owl"),
        ("Momentum", "write small letters, digits, - and _, a letter first, such as momentum"),
        ("NightOwl", "write small letters, digits, - and _, a letter first, such as night-owl"),
        ("RSI 14", "write small letters, digits, - and _, a letter first, such as rsi-14"),
        ("Null", "write small letters, digits, - and _, a letter first, such as night-owl"),
        ("2fast", "write small letters"),
        ("a b", "write small letters"),
        ("a--b", "write small letters"),
        ("a-", "write small letters"),
        ("_a", "write small letters"),
        ("ä", "write small letters"),
        ("../a", "write small letters"),
        ("a" * 41, "it has 41 letters, more than 40"),
        ("a" * 60, "it has 60 letters, more than 40"),
        ("class", "it is a word of Python: add one to it"),
        ("id", "it is a word of recipes: add one to it"),
        ("null", "YAML takes it for a value: add a word to it"),
        ("true", "YAML takes it for a value"),
        ("quantmind-breakout", "leave out quantmind-, the package is called so by itself"),
        ("quantmind_breakout", "leave out quantmind_, the package is called so by itself"),
    ],
)
def test_what_cannot_be_a_name_is_told_in_one_line(written, said):
    with pytest.raises(UsageError) as error:
        Name.read(written)
    assert str(error.value).startswith(f"{written!r} cannot be the name of a plugin: {said}")
    assert "\n" not in str(error.value)


def test_all_that_is_called_after_a_name():
    name = Name.read("momentum-2")
    assert (name.distribution, name.module, name.component) == (
        "quantmind-momentum-2",
        "quantmind_momentum_2",
        "momentum_2",
    )
    assert (name.camel, name.hyphened) == ("Momentum2", "momentum-2")
    assert Name.read("a_b").distribution == "quantmind-a-b"


def test_a_name_that_is_taken_is_told_with_whose_it_is():
    row = Found("limit", "night", "", "quantmind-owls", "2.0", "quantmind_owls")
    expect_free(Name.read("night"), "sink", [row])
    with pytest.raises(UsageError, match=r"^there is a limit night already, of quantmind-owls 2\.0: choose another"):
        expect_free(Name.read("night"), "limit", [row])
    with pytest.raises(UsageError, match=r"^quantmind run is a verb already"):
        expect_free(Name.read("run"), "command", [], ["run"])
    with pytest.raises(UsageError, match=r"^transport: inproc means none in a recipe"):
        expect_free(Name.read("inproc"), "transport", [])


def test_a_module_that_is_there_is_told():
    with pytest.raises(UsageError, match=r"^there is a module quantmind_paper already"):
        expect_free(Name.read("paper"), "strategy", [])


@pytest.mark.parametrize("kind", WRITTEN_KINDS)
@settings(max_examples=30, deadline=None)
@given(name=NAMES)
def test_whatever_it_is_called_nothing_is_left_to_fill_in(kind, name):
    made = texts(name, kind)
    for path, text in made.items():
        assert "{{" not in path + text
        if path.endswith(".py"):
            ast.parse(text)
    project = tomllib.loads(made["pyproject.toml"])
    (group,) = project["project"]["entry-points"].values()
    (value,) = group.values()
    assert f"{value.partition(':')[0]}.py" in made
    assert {"README.md", ".gitignore"} < set(made)


@pytest.mark.parametrize("kind", WRITTEN_KINDS)
# Each would be the name of something that a template imports, or of Python's own.
@pytest.mark.parametrize("name", ["signal", "no", "bar", "exception", "options", "component", "path", "value-error"])
def test_a_class_is_not_called_like_something_else(kind, name):
    made = texts(name, kind)
    (module,) = (ast.parse(text) for path, text in made.items() if re.fullmatch(r"quantmind_\w+\.py", path))
    imported = {alias.name for node in ast.walk(module) if isinstance(node, ast.ImportFrom) for alias in node.names}
    own = {node.name for node in module.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert not own & imported
    assert not own & set(dir(__builtins__))


@pytest.mark.parametrize("kind", WRITTEN_KINDS)
def test_the_readme_describes_it_from_the_start(kind):
    text = texts("night-owl", kind)["README.md"]
    (part,) = parts(text, "README.md")
    assert part.words == ("component", kind, "night_owl")
    assert part.end - part.start > 3
    assert all(line in text for line in steps(Name.read("night-owl"), kind))


@pytest.mark.parametrize("kind", WRITTEN_KINDS)
@pytest.mark.parametrize("name", ["test", "test-owl", "testament"])
def test_a_class_is_not_taken_for_a_test(kind, name):
    (module,) = (
        ast.parse(text) for path, text in texts(name, kind).items() if re.fullmatch(r"quantmind_\w+\.py", path)
    )
    assert [node.name for node in module.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test")] == []


@pytest.mark.parametrize("kind", WRITTEN_KINDS)
def test_its_code_is_as_formatter_and_linter_want_it_however_long_its_name_is(kind, tmp_path):
    """A class is called after it, and what does not fit in a line any more is broken as they do it."""
    for length in range(1, 41):
        for path, content in package(
            Name.read("owl-of-the-old-barn-that-watches-at-night"[:length].rstrip("-")), kind
        ).items():
            if path.suffix == ".py":
                (tmp_path / str(length)).mkdir(exist_ok=True)
                (tmp_path / str(length) / path).write_bytes(content)
    # Beside one another their own modules are no first-party ones to the linter, and would be sorted elsewhere.
    for command in (["format", "--diff"], ["check", "--ignore", "I001"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "."]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", [*KINDS])
def test_its_recipe_has_tests_and_the_next_step_is_to_run_them(kind):
    recipe = yaml.safe_load(texts("night-owl", kind)["recipes/night_owl.yaml"])
    assert recipe["tests"]
    assert steps(Name.read("night-owl"), kind)[-2:] == [
        "quantmind test recipes/night_owl.yaml",
        "quantmind run recipes/night_owl.yaml",
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ada Lovelace", Author("Ada Lovelace")),
        (" Ada <ada@example.org> ", Author("Ada", "ada@example.org")),
        ("<ada@example.org>", Author("", "ada@example.org")),
    ],
)
def test_an_author_has_a_name_or_an_address(written, read):
    assert Author.read(written) == read


@pytest.mark.parametrize("written", ["", " ", "a\nb", "Ada <ada>", "Ada <a@b> c", "\x00", "<>"])
def test_what_is_no_author_is_told_in_one_line(written):
    with pytest.raises(UsageError, match=r"^--author .*write it as 'Ada Lovelace <ada@example\.org>'"):
        Author.read(written)


@given(st.text(min_size=1).filter(lambda text: text.strip() and text.isprintable() and not set(text) & set("<>")))
def test_an_author_comes_through_toml_as_it_was_written(name):
    project = tomllib.loads(f"[project]\n{Author.read(name).toml()}")
    assert project["project"]["authors"] == [{"name": name.strip()}]


def test_templates_are_no_python_of_this_tree():
    templates = Path(__file__).parents[2] / "quantmind" / "scaffold" / "templates"
    files = [path for path in templates.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".tmpl"}
    assert {path.parent.name for path in files} == {"package", *WRITTEN_KINDS}
