"""Files and credentials in recipes: opened by the stage whose section it is, and shown by nobody."""

from __future__ import annotations

import json
import os
import textwrap

import pytest
from pydantic import Field, field_validator

from quantmind.kinds import Options, Sink
from quantmind.kinds.transport import STAGES
from quantmind.pipeline.build import identity
from quantmind.plugins import Plugins
from quantmind.recipe.lint import lint
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems
from quantmind.recipe.references import LONGEST
from quantmind.recipe.show import tree
from quantmind.recipe.wiring import wire

KEYED = ("account: demo", "account: demo, key: '${credential:venue.key}'")
TRAILED = ("  - trail", "  - trail: {path: '${file:where.txt}'}")


class DiaryOptions(Options):
    path: str = Field(description="Where to.")

    @field_validator("path")
    @classmethod
    def _refused(cls, value):
        raise ValueError(f"must be a place of diaries, was {value!r}")


class Diary(Sink[DiaryOptions]):
    """Says what it was given."""

    name = "diary"


@pytest.fixture
def secrets(bench):
    """A folder of credentials, and a file beside the recipe."""
    folder = bench.folder / "credentials"
    folder.mkdir()
    (folder / "venue.key").write_text("hunter2 ${HOME} $$\n")
    (bench.folder / "where.txt").write_text("out/trail.log\n")
    (bench.folder / "where.txt").chmod(0o644)
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
        ("${file:.}", "the file . cannot be read: it is a folder"),
        ("${credential:other}", "the credential other cannot be read: there is no such file"),
        ("${credential:../venue.key}", "the name of a credential has letters, digits"),
        ("${file:~nobody-of-that-name/key}", "the file ~nobody-of-that-name/key cannot be read: there is no such home"),
        ("${file:${OUT}}", "the name of a file cannot hold another ${...}"),
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


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["file", "credential"])
@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("folder", "cannot be read: it is a folder"),
        ("pipe", "cannot be read: it is no plain file"),
        ("/dev/zero", "cannot be read: it is no plain file"),
        ("/dev/stdin/x", "cannot be read: Not a directory"),
        ("itself", "cannot be read: Too many levels of symbolic links"),
        ("nowhere", "cannot be read: there is no such file"),
    ],
)
def test_what_is_no_plain_file_is_not_waited_for(bench, secrets, kind, made, why):
    path = (secrets if kind == "credential" else bench.folder) / "odd"
    if made == "folder":
        path.mkdir()
    elif made == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name if made == "itself" else made)
    (line,) = bench.refused(("  - trail", f"  - trail: {{path: '${{{kind}:odd}}'}}"))
    assert f"sinks[0].trail.path: the {kind} odd {why}" in line


@pytest.mark.parametrize("written", ["${file:secret}", "x${credential:secret}y"])
@pytest.mark.parametrize("said", ["{0}", "{0!r}", "{1}", "the end is {2}", "host {3} is not known"])
def test_no_part_of_a_secret_is_told_however_a_plugin_writes_it(bench, secrets, written, said):
    secret = "redis://User:Hunter2@Secret-Host:6379/0"
    for folder in (bench.folder, secrets):
        (folder / "secret").write_text(secret)

    class Teller(Sink[DiaryOptions]):
        """Tells what it was given."""

        name = "teller"

    class TellerOptions(DiaryOptions):
        @field_validator("path")
        @classmethod
        def _refused(cls, value):
            raise ValueError(said.format(value, value.upper(), value[-20:], value[20:].partition(":")[0]))

    Teller.options_model = TellerOptions
    others = [bench.plugins.find(row.kind, row.name) for row in bench.plugins.all() if row.kind]
    bench.plugins = Plugins((), (*others, Teller), environ={})
    (line,) = bench.refused(("  - trail", f"  - teller: {{path: '{written}'}}"))
    assert line.startswith("r.yaml:13:20: sinks[0].teller.path: ")
    assert "hunter2" not in line.lower()
    assert "secret-host" not in line.lower()


def test_a_secret_is_not_told_of_another_value(bench, secrets):
    (secrets / "id").write_text("hunter2-hunter2")
    changes = (
        "  - cross: {interval: 1m, fast: 5}\n",
        "  - cross:\n    id: '${credential:id}'\n  - cross:\n    id: '${credential:id}'\n",
    )
    (line,) = bench.refused(changes)
    assert "has the same id as strategies[0].cross, ${credential:id}: write an id:" in line


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


@pytest.mark.parametrize("written", ["${file:where.txt}", "${credential:venue.key}", "${SOMEWHERE}"])
def test_what_a_validator_says_does_not_tell_the_value(bench, secrets, written):
    (secrets / "venue.key").write_text("hunter2\n")
    (bench.folder / "where.txt").write_text("hunter2\n")
    bench.environ["SOMEWHERE"] = "hunter2"
    others = [bench.plugins.find(row.kind, row.name) for row in bench.plugins.all() if row.kind]
    bench.plugins = Plugins((), (*others, Diary), environ={})
    (line,) = bench.refused(("  - trail", f"  - diary: {{path: 'a/{written}'}}"))
    assert "sinks[0].diary.path: must be a place of diaries" in line
    assert "hunter2" not in line
    (line,) = bench.refused(("  - trail", f"  - '{written}'"))
    assert f"sinks[0]: no sink is called {written}" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o644])
def test_a_secret_in_a_file_that_others_can_get_at_is_refused(bench, mode):
    key = bench.folder / "key"
    key.write_text("hunter2\n")
    change = ("account: demo", "account: demo, key: '${file:key}'")
    key.chmod(0o600)
    assert loaded(bench, change).executor.options.key.get_secret_value() == "hunter2"
    key.chmod(mode)
    (line,) = bench.refused(change)
    assert "r.yaml:11:30: executor.desk.key: is a secret, but others can get at the file key: chmod 600 it" in line
    assert loaded(bench, change, stage="strategy").name


def test_a_path_counts_from_the_folder_of_the_recipe(bench, secrets, tmp_path_factory, monkeypatch):
    file = bench.write(bench.with_changes(TRAILED))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert load(file, bench.plugins, bench.project(), {}).sinks[0].options.path == "out/trail.log"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("${credential:a b}", "the name of a credential has letters, digits"),
        ("${file:${OUT}}", "the name of a file cannot hold another ${...}"),
        ("${file:a\\nb}", "the path of a file is printable and on one line, was 'a\\nb'"),
    ],
)
def test_lint_tells_of_names_that_cannot_be(bench, written, why):
    file = bench.write(bench.with_changes(("  - trail", f'  - trail: {{path: "{written}"}}')))
    (problem,) = lint(file, bench.plugins, bench.project(), {})
    assert problem.severity == "error"
    assert why in problem.message
    assert str(problem).count("\n") == 0


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


def test_a_figure_of_another_stage_must_be_set_where_it_is_checked(bench):
    change = ("account: demo", "account: demo, latency: '${LATENCY}'")
    for stage in ("strategy", "observer"):
        with pytest.raises(RecipeProblems) as refusal:
            loaded(bench, change, stage=stage)
        (problem,) = refusal.value.problems
        assert problem.path == "executor.desk.latency"
        assert "what it refers to must be set here too, because it is checked" in problem.message
    bench.environ["LATENCY"] = "20ms"
    assert loaded(bench, change, stage="strategy").executor.options.latency == 20_000_000


def test_no_stage_opens_what_tests_name(bench):
    text = bench.with_changes() + textwrap.dedent("""\
        tests:
          - name: ${credential:never} ${file:never} ${NEVER}
            given: {equity: 1, bars: {interval: 1m, close: [1, 2]}}
            expect: {orders: []}
        """)
    file = bench.write(text)
    for stage in (*STAGES, "observer"):
        assert load(file, bench.plugins, bench.project(), {}, stage=stage).name


def test_every_stage_can_be_wired(bench, secrets):
    wirings = [wire(loaded(bench, KEYED, TRAILED, stage=stage)) for stage in (None, *STAGES)]
    assert all(wiring == wirings[0] for wiring in wirings)


def test_the_run_folder_of_one_stage_is_that_of_the_others(bench, secrets):
    resolved = [loaded(bench, KEYED, TRAILED, stage=stage).resolved for stage in (None, *STAGES)]
    assert all(each == resolved[0] for each in resolved)


def test_stages_with_other_secrets_are_of_one_pipeline(bench, secrets):
    found = {
        identity(loaded(bench, KEYED, TRAILED, stage=stage)) for stage in ("feed", "strategy", "execution", "sink")
    }
    found.add(identity(loaded(bench, KEYED, TRAILED)))
    assert len(found) == 1
    assert identity(loaded(bench, KEYED)) not in found
