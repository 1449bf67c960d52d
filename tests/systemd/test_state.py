from pathlib import Path

import pytest

from quantmind.errors import UsageError
from quantmind.project import Project


@pytest.mark.parametrize("project", ["state: mine\n", "", None])
def test_the_state_folder_of_a_unit_goes_before_that_of_the_project(tmp_path, project):
    if project is not None:
        (tmp_path / "quantmind.yaml").write_text(project)
    environ = {"QUANTMIND_STATE": "/var/lib/quantmind", "STATE_DIRECTORY": "/var/lib/other"}
    assert Project.find(tmp_path, environ).state == Path("/var/lib/quantmind")


def test_systemds_own_variable_does_not(tmp_path):
    (tmp_path / "quantmind.yaml").write_text("state: mine\n")
    assert Project.find(tmp_path, {"STATE_DIRECTORY": "/var/lib/other"}).state == tmp_path / "mine"


def test_a_relative_state_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="must be an absolute path, was state"):
        Project.find(tmp_path, {"QUANTMIND_STATE": "state"})
