from pathlib import Path

import pytest

from quantmind.project import Project
from quantmind.recipe.problems import RecipeProblems


def test_the_nearest_file_above_counts(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "quantmind.yaml").write_text("logging: {level: debug}\n")
    assert Project.find(tmp_path / "a" / "b", {}).level == "debug"
    (tmp_path / "a" / "quantmind.yaml").write_text("plugins: {allow: [mine]}\n")
    project = Project.find(tmp_path / "a" / "b", {})
    assert (project.level, project.allow) == ("info", ("mine",))
    assert project.file == tmp_path / "a" / "quantmind.yaml"


def test_the_state_folder_is_seen_from_the_file(tmp_path):
    (tmp_path / "quantmind.yaml").write_text("state: runs/here\n")
    assert Project.find(tmp_path, {"STATE_DIRECTORY": "/other"}).state == tmp_path / "runs" / "here"


@pytest.mark.parametrize(
    ("environ", "state"),
    [
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/x"}, Path("/var/lib/a")),
        ({"XDG_STATE_HOME": "/x"}, Path("/x/quantmind")),
        ({"XDG_STATE_HOME": "relative"}, Path.home() / ".local/state/quantmind"),
        ({}, Path.home() / ".local/state/quantmind"),
    ],
)
def test_without_one_the_state_folder_is_where_the_system_says(tmp_path, environ, state):
    (tmp_path / "quantmind.yaml").write_text("# nothing but comments\nlimits:\n")
    project = Project.find(tmp_path, environ)
    assert project.state == state
    assert (project.limits, project.allow) == ((), None)


def test_every_problem_is_told_with_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("quantmind.yaml").write_text(
        "loging: {}\nlogging: {level: loud}\nplugins: {alow: []}\nstate: 5\nlimits: {a: b}\n"
    )
    with pytest.raises(RecipeProblems) as refusal:
        Project.find(Path(), {})
    assert str(refusal.value).splitlines() == [
        ("quantmind.yaml:1:1: loging: is not known; did you mean logging? known: logging, state, plugins, limits"),
        "quantmind.yaml:2:18: logging.level: must be one of 'debug', 'info', 'warning' or 'error', was loud",
        "quantmind.yaml:3:11: plugins.alow: is not known; did you mean allow? known: allow",
        "quantmind.yaml:4:8: state: must be text (in quotes), was 5",
        "quantmind.yaml:5:9: limits: must be a list, was a mapping",
    ]
