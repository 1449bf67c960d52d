import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("arguments", [[], ["--format", "mermaid"], ["--format", "dot"], ["--json"]], ids=" ".join)
def test_every_recipe_can_be_drawn(quantmind, recipe, arguments):
    code, output, errors = quantmind("graph", recipe, *arguments)
    assert code == 0
    assert errors == ""
    assert output.endswith("\n")
    assert all(len(line) <= 100 for line in output.splitlines()) or arguments


def test_the_text_is_what_the_guide_shows(quantmind):
    assert quantmind("graph", QUICKSTART) == quantmind("graph", QUICKSTART, "--format", "text")
    _, output, _ = quantmind("graph", QUICKSTART)
    assert output.startswith("quickstart: BTC/USDT:USDT, in one process\n\nFEED\n  feed       synthetic ")
    assert "    │ bars of 10s\n    ▼\nSTRATEGY\n" in output


def test_json_has_nodes_and_flows(quantmind):
    _, output, _ = quantmind("graph", QUICKSTART, "--json")
    drawn = json.loads(output)
    keys = {node["key"] for node in drawn["nodes"]}
    assert {"feed1", "bars1", "strategy1", "allocator1", "trader1", "executor1", "sink1"} <= keys
    assert {flow[end] for flow in drawn["flows"] for end in ("source", "target")} <= keys


def test_faults_are_told_as_run_does(quantmind, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        QUICKSTART.read_text().replace("fast: 5", "fast: 0").replace("allocator: equal", "allocator: eqal")
    )
    code, output, errors = quantmind("graph", recipe)
    assert code == 78
    assert output == ""
    lines = errors.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"error: {recipe}:")
    assert "must be at least 1, was 0" in lines[0]
    assert "did you mean equal_weight?" in lines[1]
    assert quantmind("run", recipe)[::2] == (78, errors)


def test_a_wiring_that_cannot_be_is_told(quantmind, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(QUICKSTART.read_text().replace("interval: 10s", "interval: 10s\n      rsi: 0"))
    assert quantmind("graph", recipe)[0] == 78


def test_unset_variables_are_warnings(quantmind, tmp_path, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    recipe = tmp_path / "r.yaml"
    recipe.write_text(QUICKSTART.read_text().replace("account: demo", "account: ${NOWHERE}"))
    code, output, errors = quantmind("graph", recipe)
    assert code == 0
    assert "warning: executor.paper.account: the environment variable NOWHERE is not set" in errors
    assert "executor   paper" in output


def test_two_formats_are_one_too_many(quantmind):
    code, _, errors = quantmind("graph", QUICKSTART, "--json", "--format", "dot")
    assert code == 2
    assert errors == "error: --json is a format of its own: leave --format or --json out\n"


def test_a_terminal_of_ascii_still_gets_the_graph():
    command = [
        sys.executable,
        "-c",
        "import sys; from quantmind.cli import main; sys.exit(main())",
        "graph",
        QUICKSTART,
    ]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, check=False, env=environ)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
