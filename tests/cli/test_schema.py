import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from quantmind.recipe.document import read_document

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"
MAIN = "import sys; from quantmind.cli import main; sys.exit(main())"


def test_the_schema_is_printed(quantmind):
    code, output, errors = quantmind("schema")
    assert (code, errors) == (0, "")
    schema = json.loads(output)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator(schema).validate(read_document(QUICKSTART).data)


def test_that_of_projects_too(quantmind):
    code, output, _ = quantmind("schema", "--project")
    assert code == 0
    assert list(json.loads(output)["properties"]) == ["logging", "state", "plugins", "limits"]


def test_it_is_written_whole_and_again(quantmind, tmp_path):
    file = tmp_path / "recipe.schema.json"
    assert quantmind("schema", "--output", file) == (0, f"wrote {file}\n", "")
    first = file.read_text()
    assert first == quantmind("schema")[1]
    file.write_text("old")
    file.chmod(0o640)
    assert quantmind("schema", "--output", file)[0] == 0
    assert file.read_text() == first
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_link_stays_one(quantmind, tmp_path):
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    assert quantmind("schema", "--output", link)[0] == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())


def test_a_device_stays_one(quantmind, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    try:
        code, output, errors = quantmind("schema", "--project", "--output", pipe)
        assert (code, output, errors) == (0, f"wrote {pipe}\n", "")
        assert pipe.is_fifo()
    finally:
        os.close(reader)


def test_a_folder_is_refused(quantmind, tmp_path):
    code, output, errors = quantmind("schema", "--output", tmp_path)
    assert (code, output) == (2, "")
    assert errors == f"error: {tmp_path} is a folder: name a file, such as {tmp_path}/recipe.schema.json\n"


def test_what_cannot_be_written_leaves_nothing(quantmind, tmp_path):
    code, output, errors = quantmind("schema", "--output", tmp_path / "no" / "file.json")
    assert (code, output) == (1, "")
    assert errors == f"error: {tmp_path}/no/file.json: cannot be written: No such file or directory\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_plugins_give_the_same_bytes(quantmind, seed):
    command = [sys.executable, "-c", MAIN, "schema"]
    environ = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert done.stdout == quantmind("schema")[1]


@pytest.fixture
def broken(tmp_path_factory, monkeypatch):
    """A third-party distribution that cannot be imported."""
    site = tmp_path_factory.mktemp("broken")
    info = site / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quantmind]\nbroken = broken_sink\n")
    (site / "broken_sink.py").write_text("raise ImportError('boom')")
    monkeypatch.syspath_prepend(str(site))


def sinks(output):
    return set(json.loads(output)["properties"]["sinks"]["items"]["properties"])


def test_only_what_may_be_loaded_is_in_it(quantmind, stranger, tmp_path, monkeypatch):
    assert "stranger" in sinks(quantmind("schema")[1])
    assert "stranger" not in sinks(quantmind("--no-plugins", "schema")[1])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quantmind.yaml").write_text("plugins: {allow: [quantmind]}")
    assert "stranger" not in sinks(quantmind("schema")[1])


def test_a_plugin_that_fails_is_told_and_spoils_nothing(quantmind, broken):
    code, output, errors = quantmind("schema")
    assert code == 0
    assert "console" in sinks(output)
    assert errors.startswith("warning: ")
    assert "boom" in errors
    assert "is not in the schema" in errors
    assert len(errors.splitlines()) == 1


def test_a_project_that_cannot_be_read_is_told(quantmind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quantmind.yaml").write_text("plugin: {}")
    code, output, errors = quantmind("schema")
    assert (code, output) == (78, "")
    assert errors.startswith("error: quantmind.yaml:1:1: plugin: is not known; did you mean plugins?")


def test_help_says_how_editors_find_it(quantmind):
    _, output, _ = quantmind("schema", "--help")
    assert "# yaml-language-server: $schema=../recipe.schema.json" in output
    assert '"yaml.schemas": {"./recipe.schema.json": "recipes/*.yaml"}' in output


@pytest.mark.slow
def test_it_is_made_quickly(process):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        assert process(MAIN, "schema").returncode == 0
        times.append(time.perf_counter() - start)
    # Twice what is promised: the machines of CI are shared.
    assert min(times) < 3
