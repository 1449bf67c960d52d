"""The README is run: its commands, its recipes, its plugin; and its tables are what there is."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from quantmind.cli import VERBS
from quantmind.hookspecs import Hooks
from quantmind.kinds import KINDS
from quantmind.plugins import Plugins
from quantmind_venue.faults.reading import Script
from tests.documented.api import API

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RUN_NAME = re.compile(r"\b\d{8}-\d{6}-\w+")

pytestmark = pytest.mark.timeout(120)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


PROJECT = [block for block in blocks("yaml") if block.startswith("# quantmind.yaml\n")]
WHOLE = [block for block in blocks("yaml") if block.startswith("name:")]
FAULTS = [block for block in blocks("yaml") if block.startswith("- ")]
PARTS = [block for block in blocks("yaml") if block not in [*WHOLE, *FAULTS, *PROJECT]]


def rows(heading):
    """Return the cells of the table of a section."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [tuple(cell.strip("`") for cell in line.split(" | ")) for line in lines[1:]]


@pytest.fixture
def shell(tmp_path, free_ports):
    """Run commands beside a copy of the recipes, with this environment's quantmind first in the path."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "quantmind"
    command.write_text(f"#!{sys.executable}\nimport sys\nfrom quantmind.cli import main\nsys.exit(main())\n")
    command.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    shutil.copytree(ROOT / "recipes", work / "recipes")
    shutil.copy(ROOT / "quantmind.yaml", work)
    environ = {
        **os.environ,
        "PATH": os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "ENDPOINT": f"tcp://127.0.0.1:{free_ports}",
        "DURATION": "6s",
    }
    environ.pop("STATE_DIRECTORY", None)

    def start(line, **more):
        return subprocess.Popen(
            ["bash", "-c", line],
            cwd=work,
            env={**environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(*lines, **more):
        """Run lines at the same time; returns the output of each."""
        started = [start(line, **more) for line in lines]
        try:
            printed = [process.communicate(timeout=60) for process in started]
        finally:
            for process in started:
                process.kill()
        for process, line, (output, errors) in zip(started, lines, printed, strict=True):
            assert process.returncode == 0, (line, output, errors)
        return [output for output, _ in printed]

    run.start = start
    run.work = work
    run.state = tmp_path / "state" / "quantmind"
    return run


def last_run(state):
    """Return the name of the newest run."""
    return max((state / "runs").iterdir(), key=lambda folder: folder.stat().st_mtime_ns).name


def test_the_first_screen_has_the_two_commands_and_ci_runs_the_second():
    run, test = blocks("sh")[:2]
    assert README.index(test) < 1_000
    for command in (run, test):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv --without-pip .venv && python3 -m pip --python .venv install ")
    assert run.endswith(" && .venv/bin/quantmind run recipes/quickstart.yaml\n")
    assert test.endswith(" install pip -e '.[dev]' && .venv/bin/pytest\n")
    assert test.strip() in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_command_runs(shell, data):
    later = blocks("sh")[2:]
    assert len(later) == 16
    ran = []
    shell("quantmind run recipes/quickstart.yaml")
    recorded = last_run(shell.state)
    for block in later:
        lines = block.splitlines()
        if lines[0] == "quantmind venue":
            # It wants two terminals, and has a test of its own.
            ran += lines
            continue
        if any(line.endswith("&") for line in lines):
            shell(block)
            ran += lines
            continue
        if all("--stage" in line for line in lines):
            outputs = shell(*lines)
            assert any("fill " in output for output in outputs)
            ran += lines
            continue
        for line in lines:
            # The README's run has a name of its own: here it is the run that was made just before.
            if RUN_NAME.search(line):
                shell(RUN_NAME.sub(recorded, line))
            else:
                shell(line, DATA=str(data / "binance_usdm_bars"))
                if line.startswith("quantmind run"):
                    recorded = last_run(shell.state)
            ran.append(line)
    worked = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines() if line[0] == "$"]
    verbs = {line.split()[1] for line in [*ran, *worked] if line.startswith("quantmind ")}
    assert verbs == {*VERBS, "zeromq", "venue"}


def until(process, wanted):
    """Read what a process prints until a line has it; returns the line."""
    for line in process.stdout:
        if wanted in line:
            return line
    pytest.fail(f"it ended without {wanted!r}: {process.communicate()[1]}")


def test_a_venue_and_who_trades_on_it_in_two_terminals(shell):
    (block,) = [block for block in blocks("sh") if block.startswith("quantmind venue\n")]
    first, second = block.splitlines()
    venue = shell.start(f"exec {first}")
    try:
        until(venue, "Simulated Binance USD-M at http://127.0.0.1:8900")
        run = shell.start(second.replace("quantmind run", "exec quantmind run"), PYTHONUNBUFFERED="1")
        try:
            until(run, " fill ")
            run.send_signal(signal.SIGINT)
            output, errors = run.communicate(timeout=30)
        finally:
            run.kill()
        assert run.returncode == 0, errors
        assert re.search(r"^  fills +[1-9]", output, re.MULTILINE)
        venue.send_signal(signal.SIGINT)
        assert venue.wait(timeout=30) == 0
    finally:
        venue.kill()
        venue.communicate()


def test_market_data_is_fetched_and_converted(shell, data):
    for name in ("binance_usdm_bars/BTC_USDT_USDT-1m-futures.feather", "binance_usdm_raw/btcusdt_20240808.gz"):
        shutil.copy(data / name, shell.work)
    (block,) = blocks("bash")
    for line in block.splitlines():
        if "download" not in line:
            shell(line)
            continue
        # The internet is not there: a line that is right gets as far as the address.
        where = "retries=0 --set base_url" if "binance_archive" in line else "url"
        process = shell.start(f"{line} --to market --set {where}=http://127.0.0.1:1")
        told = "".join(process.communicate(timeout=60))
        assert process.returncode == 1, told
        assert "127.0.0.1:1" in told
    assert "binanceusdm  bar-1m   BTC/USDT:USDT" in shell("quantmind data list market")[0]


def test_a_list_of_faults_is_one_that_the_venue_reads(tmp_path):
    (block,) = FAULTS
    (tmp_path / "faults.yaml").write_text(block)
    faults = Script(tmp_path / "faults.yaml").faults
    assert [name for each in faults for name in each] == ["close", "swallow", "drop_reply"]


def test_every_worked_sum_comes_out(shell):
    (block,) = blocks("console")
    sums = block.removeprefix("$ ").split("\n$ ")
    assert len(sums) == 3
    for each in sums:
        command, expected = each.split("\n", 1)
        assert shell(command)[0].strip() == expected.strip()


def test_the_quickstart_prints_what_is_shown(shell):
    (output,) = shell("quantmind run recipes/quickstart.yaml")
    printed = output.splitlines()
    (shown,) = blocks("text")
    first, last = shown.split("...\n")
    assert printed[: first.count("\n")] == first.splitlines()
    end = printed[-last.count("\n") :]
    differs = re.compile(r"run |  latency ")
    for real, said in zip(end, last.splitlines(), strict=True):
        assert differs.match(said) or real == said
        assert real.split()[0] == said.split()[0]
    assert len([line for line in printed if " fill " in line]) >= 1


def test_the_replay_recipe_trades(shell, data):
    (output,) = shell("quantmind run recipes/replay.yaml --json", DATA=str(data / "binance_usdm_bars"))
    assert yaml.safe_load(output)["fills"] > 100


def test_the_recipe_shown_is_the_quickstart():
    assert WHOLE[0] in (ROOT / "recipes" / "quickstart.yaml").read_text()


def test_the_protected_recipe_shown_is_the_one_there_is():
    whole = yaml.safe_load((ROOT / "recipes" / "protected.yaml").read_text())
    assert whole.pop("tests")
    assert yaml.safe_load(WHOLE[1]) == whole


def test_the_recipe_tests_shown_are_those_of_the_protected_recipe():
    (shown,) = [block for block in PARTS if block.startswith("tests:")]
    assert shown in (ROOT / "recipes" / "protected.yaml").read_text()


def test_every_recipe_lints(shell):
    files = sorted(path.name for path in (ROOT / "recipes").glob("*.yaml"))
    assert {"quickstart.yaml", "replay.yaml", "zeromq.yaml"} <= set(files)
    (output,) = shell("quantmind lint recipes/*.yaml")
    assert output.splitlines() == [f"recipes/{name}: ok" for name in files]


@pytest.fixture
def site(tmp_path):
    """Build the tutorial's module with its lines of TOML as pip would, and unpack its wheel."""
    source = tmp_path / "source"
    source.mkdir()
    (project,) = blocks("toml")
    (module,) = blocks(r"python quantmind_turtle\.py")
    assert len(project.splitlines()) == 8
    name = tomllib.loads(project)["project"]["entry-points"]["quantmind"]["turtle"]
    (source / "pyproject.toml").write_text(project)
    (source / f"{name}.py").write_text(module)
    # What an author has beside the module must not keep it from being built.
    (source / "test_turtle.py").write_text("")
    (source / "recipes").mkdir()
    (source / "recipes" / "turtle.yaml").write_text("")
    built = subprocess.run(
        [sys.executable, "-c", "from setuptools.build_meta import build_wheel; build_wheel('dist')"],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_eight_lines_of_toml_make_a_plugin(shell, site):
    here = {"PYTHONPATH": str(site)}
    (listed,) = shell("quantmind plugins list", **here)
    assert re.search(r"^strategy +turtle +quantmind-turtle 1\.0 +Follows breakouts ", listed, re.MULTILINE)
    (recipe,) = blocks(r"yaml recipes/turtle\.yaml")
    (shell.work / "recipe.yaml").write_text(recipe)
    assert shell("quantmind lint recipe.yaml", **here) == ["recipe.yaml: ok\n"]
    (output,) = shell("quantmind run recipe.yaml", **here)
    assert " fill " in output


def test_every_yaml_block_is_a_recipe_that_is_tried():
    assert [yaml.safe_load(block)["name"] for block in WHOLE] == ["quickstart", "protected"]


@pytest.mark.parametrize("block", PARTS, ids=lambda block: block.split(":")[0])
def test_a_part_of_a_recipe_goes_with_the_rest_of_one(shell, block):
    rest = "protected" if block.startswith("tests:") else "quickstart"
    recipe = yaml.safe_load((ROOT / "recipes" / f"{rest}.yaml").read_text())
    (shell.work / "recipe.yaml").write_text(yaml.safe_dump({**recipe, **yaml.safe_load(block)}))
    assert shell("quantmind lint recipe.yaml") == ["recipe.yaml: ok\n"]


@pytest.mark.parametrize("block", PROJECT)
def test_a_quantmind_yaml_holds_for_the_recipes_below_it(shell, block):
    (shell.work / "quantmind.yaml").write_text(block)
    assert shell("quantmind lint recipes/quickstart.yaml") == ["recipes/quickstart.yaml: ok\n"]
    assert "quantmind.yaml:" in shell("quantmind show recipes/quickstart.yaml")[0]


def test_what_is_generated_is_current(shell):
    files = [ROOT / "README.md", *sorted((ROOT / "plugins").glob("*/README.md"))]
    shell(f"quantmind --no-plugins plugins readme --check {' '.join(map(str, files))}")


def test_every_verb_component_and_hook_is_in_a_table():
    assert [command.removeprefix("quantmind ") for command, _ in rows("Commands")][: len(VERBS)] == list(VERBS)
    found = [(row.kind, row.name) for row in Plugins(only_own=True, environ={}).all()]
    assert [(kind, name.strip("`")) for kind, name, _ in rows("Components")] == found
    hooks = [name for name in vars(Hooks) if not name.startswith("_")]
    assert [hook for hook in hooks if f"\n| `{hook}(" not in README] == []


def test_the_table_of_the_public_api_is_what_the_linter_checks():
    assert re.findall(r"^\| `(quantmind\.[\w.]+)` \| (.*) \|$", README, re.MULTILINE) == list(API.items())


def test_every_kind_is_in_the_table_of_kinds():
    section = README.split("\n## Writing plugins\n", 1)[1]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) >= {*KINDS, "command"}


def test_every_file_that_is_named_is_there():
    # The tutorial's files are the reader's.
    before, rest = README.split("\n## Your own strategy in fifteen minutes\n", 1)
    named = re.findall(r"(?<![\w/.])(?:tests|plugins|recipes|quantmind)/[\w./-]+\w", before + rest.split("\n## ", 1)[1])
    assert "tests/benchmarks/bench_backtest.py" in named
    assert [path for path in named if not (ROOT / path).exists()] == []
