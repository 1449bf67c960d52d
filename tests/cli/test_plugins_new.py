"""`quantmind plugins new`: a package is written whole or not at all, and what to do next is said."""

from __future__ import annotations

import tomllib

import pytest
import yaml

from quantmind.kinds import KINDS


def written(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


FILES = [
    "quantmind-night-owl/.gitignore",
    "quantmind-night-owl/README.md",
    "quantmind-night-owl/pyproject.toml",
    "quantmind-night-owl/quantmind_night_owl.py",
    "quantmind-night-owl/recipes/night_owl.yaml",
    "quantmind-night-owl/test_quantmind_night_owl.py",
]


def test_a_strategy_is_what_is_started_when_nothing_is_said(quantmind, folder):
    code, output, errors = quantmind("plugins", "new", "night-owl")
    assert (code, errors) == (0, "")
    assert written(folder) == FILES
    assert sorted(line.removeprefix("wrote ") for line in output.splitlines()[:6]) == FILES
    assert output.splitlines()[6:] == [
        "next: cd quantmind-night-owl && python -m pip install -e '.[test]'",
        "then:",
        "  pytest",
        "  quantmind plugins check night_owl --kind strategy",
        "  quantmind plugins readme --check README.md",
        "  quantmind test recipes/night_owl.yaml",
        "  quantmind run recipes/night_owl.yaml",
    ]
    project = tomllib.loads((folder / "quantmind-night-owl" / "pyproject.toml").read_text())["project"]
    assert project["name"] == "quantmind-night-owl"
    assert project["entry-points"] == {"quantmind": {"night_owl": "quantmind_night_owl"}}
    assert "authors" not in project


@pytest.mark.parametrize("kind", KINDS)
def test_the_recipe_names_it_and_reads_as_one(quantmind, folder, kind):
    assert quantmind("plugins", "new", "night-owl", "--kind", kind)[0] == 0
    recipe = yaml.safe_load((folder / "quantmind-night-owl" / "recipes" / "night_owl.yaml").read_text())
    assert "night_owl" in str(recipe)
    assert recipe["name"] == "night-owl"


def test_a_command_has_an_entry_point_among_the_commands_and_no_recipe(quantmind, folder):
    code, output, _ = quantmind("plugins", "new", "night-owl", "--kind", "command")
    assert code == 0
    assert [path for path in written(folder) if "recipe" in path] == []
    assert output.endswith("  quantmind night_owl --help\n")
    project = tomllib.loads((folder / "quantmind-night-owl" / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"quantmind.commands": {"night_owl": "quantmind_night_owl:command"}}


def test_it_goes_where_it_is_said(quantmind, folder):
    code, output, _ = quantmind("plugins", "new", "night-owl", "--into", "my plugins", "--author", "Ada <a@b.org>")
    assert code == 0
    assert written(folder) == [f"my plugins/{path}" for path in FILES]
    assert "next: cd 'my plugins/quantmind-night-owl' && python -m pip install" in output
    project = tomllib.loads((folder / "my plugins" / "quantmind-night-owl" / "pyproject.toml").read_text())
    assert project["project"]["authors"] == [{"name": "Ada", "email": "a@b.org"}]


def test_nothing_is_overwritten_and_nothing_else_is_left(quantmind, folder):
    own = folder / "quantmind-night-owl" / "test_quantmind_night_owl.py"
    own.parent.mkdir()
    own.write_text("mine")
    code, output, errors = quantmind("plugins", "new", "night-owl")
    assert (code, output) == (2, "")
    path = "quantmind-night-owl/test_quantmind_night_owl.py"
    assert errors == f"error: {path} is there already: nothing is overwritten, name another folder\n"
    assert written(folder) == [path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["momentum"], "there is a strategy momentum already, of quantmind 0.1.0: choose another name"),
        (["paper"], "there is a module quantmind_paper already"),
        (["run", "--kind", "command"], "quantmind run is a verb already: choose another name"),
        (["venue", "--kind", "command"], "there is a command venue already, of quantmind 0.1.0: choose another name"),
        (["class"], "'class' cannot be the name of a plugin: it is a word of Python: add one to it"),
        (["owl", "--kind", "stratgy"], "--kind: 'stratgy' is not one of"),
        (["owl", "--author", "a\nb"], "--author 'a\\nb': write it as"),
    ],
    ids=lambda value: " ".join(value).replace("\n", " ") if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_clear_line_and_nothing_is_written(quantmind, folder, arguments, said):
    code, output, errors = quantmind("plugins", "new", *arguments)
    assert (code, output) == (2, "")
    assert errors.startswith(f"error: {said}")
    assert errors.count("\n") == 1
    assert written(folder) == []


def test_a_folder_that_cannot_be_written(quantmind, folder):
    (folder / "file").touch()
    code, _, errors = quantmind("plugins", "new", "night-owl", "--into", "file")
    assert code in {1, 2}
    assert errors.startswith("error: file")
    assert errors.count("\n") == 1
    assert written(folder) == ["file"]
