import pytest
import yaml

from quantmind.graph.drawing import draw
from quantmind.graph.sketching import sketch
from quantmind.project import Project
from quantmind.recipe.problems import RecipeProblems


@pytest.fixture
def sketched(recipe, plugins, tmp_path):
    """Read a recipe with changes from a file."""

    def read(environ=None, **changes):
        file = tmp_path / "r.yaml"
        file.write_text(yaml.safe_dump({**recipe, **changes}))
        return sketch(file, plugins, Project(tmp_path), environ or {})

    return read


def test_a_variable_that_is_not_set_is_a_warning(sketched):
    found = sketched(executor={"desk": {"key": "${KEY}"}})
    assert [problem.path for problem in found.warnings] == ["executor.desk.key"]
    assert found.warnings[0].severity == "warning"
    assert draw(found.recipe).node("executor1").name == "desk"


@pytest.mark.parametrize("reference", ["${file:key}", "${credential:key}"])
def test_files_and_credentials_are_not_opened(sketched, reference):
    # As it is written, the text is no key: it is as if left out.
    found = sketched(executor={"desk": {"key": reference}})
    assert found.warnings == ()
    assert draw(found.recipe).node("executor1").name == "desk"


def test_what_must_be_known_must_be_set(sketched):
    with pytest.raises(RecipeProblems, match=r"instruments\[0\]: the environment variable SYMBOL is not set"):
        sketched(instruments=["${SYMBOL}"])
    assert sketched({"SYMBOL": "BTC/USDT:USDT"}, instruments=["${SYMBOL}"]).recipe.name == "test"


def test_faults_are_all_told(sketched):
    with pytest.raises(RecipeProblems) as refusal:
        sketched(allocator="odd", name="A B")
    assert [problem.path for problem in refusal.value.problems] == ["allocator", "name"]
