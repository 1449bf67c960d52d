"""Files and credentials in recipes: opened by the stage whose section it is, and shown by nobody."""

from __future__ import annotations

import json
import os

import pytest

from quantmind.pipeline.build import identity
from quantmind.recipe.lint import lint
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems
from quantmind.recipe.references import LONGEST
from quantmind.recipe.show import tree

KEYED = ("account: demo", "account: demo, key: '${credential:venue.key}'")
TRAILED = ("  - trail", "  - trail: {path: '${file:where.txt}'}")


@pytest.fixture
def secrets(bench):
    """A folder of credentials, and a file beside the recipe."""
    folder = bench.folder / "credentials"
    folder.mkdir()
    (folder / "venue.key").write_text("hunter2 ${HOME} $$\n")
    (bench.folder / "where.txt").write_text("out/trail.log\n")
    bench.environ["CREDENTIALS_DIRECTORY"] = str(folder)
    return folder


def loaded(bench, *changes, stage=None):
    return load(bench.write(bench.with_changes(*changes)), bench.plugins, bench.project(), bench.environ, stage=stage)


def test_the_text_is_put_in_without_its_line_end_and_not_expanded_again(bench, secrets):
    recipe = loaded(bench, KEYED, TRAILED)
    assert recipe.executor.options.key.get_secret_value() == "hunter2 ${HOME} $$"
    assert str(recipe.sinks[0].options.path) == "out/trail.log"


def test_neither_is_shown(bench, secrets):
    recipe = loaded(bench, KEYED, TRAILED)
    for told in (json.dumps(recipe.resolved, default=str), str(tree(recipe)), repr(recipe.executor.options)):
        assert "hunter2" not in told
    assert "out/trail.log" not in json.dumps(recipe.resolved, default=str)
    assert "credential venue.key" in str(tree(recipe))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("${file:nowhere.txt}", "the file nowhere.txt cannot be read: there is no such file"),
        ("${file:.}", "the file . cannot be read: there is no such file"),
        ("${credential:other}", "the credential other cannot be read: there is no such file"),
        ("${credential:../venue.key}", "the name of a credential has letters, digits"),
        ("${file:large.txt}", f"the file large.txt has more than {LONGEST} bytes"),
        ("${file:bytes.bin}", "the file bytes.bin is no UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(bench, secrets, written, why):
    (bench.folder / "large.txt").write_text("x" * (LONGEST + 1))
    (bench.folder / "bytes.bin").write_bytes(b"\xff\xfe")
    (line,) = bench.refused(("  - trail", f"  - trail: {{path: '{written}'}}"))
    assert why in line
    assert "sinks[0].trail.path" in line


def test_all_that_cannot_be_read_is_told_at_once(bench):
    lines = bench.refused(KEYED, TRAILED)
    assert len(lines) == 2
    assert "CREDENTIALS_DIRECTORY is not set" in "".join(lines)


def test_a_fault_does_not_tell_the_value(bench, secrets):
    (secrets / "limit").write_text("not a number: hunter2")
    lines = bench.refused(("account: demo", "account: demo, latency: '${credential:limit}'"))
    assert len(lines) == 1
    assert "executor.desk.latency" in lines[0]
    assert "hunter2" not in lines[0]


def test_lint_opens_nothing(bench):
    os.mkfifo(bench.folder / "where.txt")
    problems = lint(bench.write(bench.with_changes(KEYED, TRAILED)), bench.plugins, bench.project(), {})
    assert problems == ()


def test_a_stage_opens_its_own_only(bench, secrets):
    (secrets / "venue.key").unlink()
    os.mkfifo(secrets / "venue.key")
    assert str(loaded(bench, KEYED, TRAILED, stage="sink").sinks[0].options.path) == "out/trail.log"
    for stage in ("feed", "strategy", "observer"):
        recipe = loaded(bench, KEYED, TRAILED, stage=stage)
        assert recipe.executor.options.key.get_secret_value() == "${credential:venue.key}"
        assert str(recipe.sinks[0].options.path) == "${file:where.txt}"
    with pytest.raises(RecipeProblems):
        loaded(bench, KEYED, TRAILED, stage="execution")


def test_variables_of_other_stages_need_not_be_set(bench):
    changes = (("account: demo", "account: demo, key: '${KEY}'"), ("  - trail", "  - trail: {path: '${OUT}'}"))
    assert loaded(bench, *changes, stage="strategy").name
    with pytest.raises(RecipeProblems) as refusal:
        loaded(bench, *changes, stage="execution")
    assert [problem.path for problem in refusal.value.problems] == ["executor.desk.key"]


def test_stages_with_other_secrets_are_of_one_pipeline(bench, secrets):
    found = {
        identity(loaded(bench, KEYED, TRAILED, stage=stage)) for stage in ("feed", "strategy", "execution", "sink")
    }
    found.add(identity(loaded(bench, KEYED, TRAILED)))
    assert len(found) == 1
    assert identity(loaded(bench, KEYED)) not in found
