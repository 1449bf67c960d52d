import itertools
import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from quantmind.cli.init import write
from quantmind.errors import QuantMindError, UsageError
from quantmind.recipe.document import read_document

ROOT = Path(__file__).parents[2]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def steps(output):
    """Return what is printed to go on with: the next line, and those after it without their comments."""
    lines = output.partition("next: ")[2].splitlines()
    assert lines[1] == "then:"
    return [line.partition("#")[0].strip() for line in (lines[0], *lines[2:])]


def test_a_project_is_written_that_lints(quantmind, folder):
    code, output, errors = quantmind("init", "deep/down")
    assert (code, errors) == (0, "")
    written = contents(folder / "deep" / "down")
    assert written[Path("quantmind.yaml")] == (ROOT / "quantmind.yaml").read_bytes()
    assert written[Path("recipes/quickstart.yaml")].endswith((ROOT / "recipes" / "quickstart.yaml").read_bytes())
    assert set(written) == {
        Path("quantmind.yaml"),
        Path("recipe.schema.json"),
        *(path.relative_to(ROOT) for path in (ROOT / "recipes").iterdir()),
    }
    assert "wrote deep/down/quantmind.yaml" in output
    assert "wrote deep/down/recipe.schema.json" in output
    assert quantmind("lint", *sorted((folder / "deep" / "down" / "recipes").iterdir()))[0] == 0


def test_what_is_said_to_do_next_works(quantmind, folder, monkeypatch):
    _, output, _ = quantmind("init", "my trading")
    first, *others = steps(output)
    assert first == "cd 'my trading' && quantmind run recipes/quickstart.yaml"
    monkeypatch.chdir(folder / "my trading")
    monkeypatch.setenv("QUANTMIND_STATE", str(folder / "state"))
    for line in (first.partition(" && ")[2], *others):
        words = (sorted(Path().glob(word)) if "*" in word else [word] for word in line.split()[1:])
        code, output, errors = quantmind(*itertools.chain.from_iterable(words))
        assert code == 0, (line, output, errors)


def test_an_editor_finds_the_schema_by_the_first_line_of_each_recipe(quantmind, folder, monkeypatch):
    quantmind("init", "p")
    recipes = sorted((folder / "p" / "recipes").iterdir())
    assert recipes
    for recipe in recipes:
        first, second = recipe.read_text().splitlines()[:2]
        name = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)[1]
        schema = json.loads((recipe.parent / name).read_text())
        Draft7Validator(schema).validate(read_document(recipe).data)
        # What to do when it is stale stands where it is noticed.
        assert second.endswith(": quantmind schema --output recipe.schema.json")
    monkeypatch.chdir(folder / "p")
    written = (folder / "p" / "recipe.schema.json").read_text()
    assert written == quantmind("schema")[1]
    assert quantmind("schema", "--output", "recipe.schema.json")[0] == 0
    assert (folder / "p" / "recipe.schema.json").read_text() == written


def test_the_schema_has_what_may_be_loaded(quantmind, stranger, folder):
    assert quantmind("init", "all")[0] == 0
    assert quantmind("--no-plugins", "init", "own")[0] == 0
    found = {
        name: json.loads((folder / name / "recipe.schema.json").read_text())["properties"]["sinks"]["items"][
            "properties"
        ]
        for name in ("all", "own")
    }
    assert set(found["all"]) - set(found["own"]) == {"stranger"}


def test_a_plugin_that_fails_is_told_and_spoils_nothing(quantmind, stranger, folder):
    (stranger / "stranger_sink.py").write_text("raise ImportError('boom')")
    code, _, errors = quantmind("init", "p")
    assert code == 0
    assert errors.startswith("warning: stranger_sink of stranger is not in the schema: ")
    assert errors.count("\n") == 1
    assert (folder / "p" / "recipe.schema.json").is_file()


def test_an_empty_folder_may_be_there_already(quantmind, folder):
    code, output, _ = quantmind("init", ".")
    assert code == 0
    assert steps(output)[0] == "quantmind run recipes/quickstart.yaml"
    assert (folder / "recipes" / "quickstart.yaml").is_file()


def test_nothing_is_overwritten_and_nothing_else_is_left(quantmind, folder):
    recipes = folder / "p" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "quickstart.yaml").write_text("mine")
    code, output, errors = quantmind("init", "p")
    assert (code, output) == (2, "")
    assert errors.startswith("error: p/recipes/quickstart.yaml is there already: nothing is overwritten")
    assert contents(folder) == {Path("p/recipes/quickstart.yaml"): b"mine"}


def test_a_file_where_the_folder_should_be(quantmind, folder):
    (folder / "p").write_text("mine")
    code, _, errors = quantmind("init", "p")
    assert code == 2
    assert errors.startswith("error: p")
    assert contents(folder) == {Path("p"): b"mine"}


def test_when_writing_fails_nothing_is_left(tmp_path):
    with pytest.raises(QuantMindError, match="cannot be written: File name too long"):
        write({Path("a/b.yaml"): b"1", Path("c" * 300): b"2"}, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_a_dangling_link_is_not_followed(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is there already"):
        write({Path("a"): b"1"}, tmp_path)
    assert not (tmp_path / "nowhere").exists()
