from pathlib import Path

import pytest

from quantmind.cli.init import write
from quantmind.errors import QuantMindError, UsageError

ROOT = Path(__file__).parents[2]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_project_is_written_that_lints(quantmind, folder):
    code, output, errors = quantmind("init", "deep/down")
    assert (code, errors) == (0, "")
    written = contents(folder / "deep" / "down")
    assert written[Path("quantmind.yaml")] == (ROOT / "quantmind.yaml").read_bytes()
    assert written[Path("recipes/quickstart.yaml")] == (ROOT / "recipes" / "quickstart.yaml").read_bytes()
    assert "wrote deep/down/quantmind.yaml" in output
    last = output.splitlines()[-1]
    assert last.startswith("next: quantmind lint deep/down/recipes/quickstart.yaml")
    assert quantmind("lint", "deep/down/recipes/quickstart.yaml")[0] == 0


def test_an_empty_folder_may_be_there_already(quantmind, folder):
    assert quantmind("init", ".")[0] == 0
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
