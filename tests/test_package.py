"""What holds for the whole tree: who may know whom, what is public, and what a reducer may not touch."""

import ast
import importlib.metadata
import pkgutil
import re
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from pydantic import ValidationError

import quantmind
import quantmind.events
import quantmind.kinds
import quantmind.testing
from quantmind.events import Purpose
from quantmind.kinds import KINDS, Options
from quantmind.plugins import Plugins

ROOT = Path(__file__).parents[1]
CORE = ROOT / "quantmind"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENTRIES = PROJECT["project"]["entry-points"]["quantmind"]
COMMANDS = PROJECT["project"]["entry-points"]["quantmind.commands"]
NAMES = set(ENTRIES) - set(get_args(Purpose))
"""What the core may not name; the purposes of orders are the field's words, whatever rule asks for them."""
OWN = Plugins(only_own=True, environ={})
FOUND = [row for row in OWN.all() if row.kind]
COMPONENTS = [pytest.param(OWN.find(row.kind, row.name), id=f"{row.kind}-{row.name}") for row in FOUND]
SOURCES = sorted([*CORE.rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
DECIDING = sorted(
    [
        CORE / "decider.py",
        CORE / "market" / "indicators.py",
        *(
            path
            for kind in ("strategy", "allocator")
            for row in FOUND
            if row.kind == kind
            for path in (ROOT / "plugins" / row.module).glob("*.py")
        ),
    ]
)
REDUCERS = sorted(
    [
        CORE / "decider.py",
        *(
            path
            for folder in ("trader", "ledger", "simulation", "market", "events")
            for path in (CORE / folder).rglob("*.py")
        ),
    ]
)


def named(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text(), str(path))


def imported(path):
    """Yield every module and every name of a module that a file imports, dotted."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def counts(node):
    """Say whether an expression goes through whole numbers: `1 for ...`, `len(x) for ...`, or truths."""
    if not isinstance(node, ast.GeneratorExp):
        return False
    text = ast.unparse(node.elt)
    return text == "1" or text.startswith(("len(", "isinstance(")) or isinstance(node.elt, ast.Compare)


def sums(path):
    """Yield the line of each call of the builtin sum that neither counts nor starts from a Decimal."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sum":
            if counts(node.args[0]):
                continue
            starts = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
            if not any(ast.unparse(s) in {"Decimal(0)", "_ZERO"} for s in starts):
                yield node.lineno


IMPURE = re.compile(
    r"(time|random|secrets|uuid|threading|multiprocessing|concurrent|subprocess|socket|asyncio"
    r"|numpy\.random|zoneinfo)(\..*)?"
)
IMPURE_CALLS = re.compile(
    r".*\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic|perf_counter)(_ns)?"
    r"|os\.(urandom|getrandom)|uuid[14]|getenv|environ)"
)


def impurities(path):
    """Yield what a file uses that is not the same in a repetition."""
    nodes = list(ast.walk(tree(path)))
    seeded = {
        id(node.func.value)
        for node in nodes
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) == "random.Random"
    }
    uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == "random"]
    only_seeded = bool(uses) and all(id(node) in seeded for node in uses)
    yield from (name for name in imported(path) if IMPURE.fullmatch(name) and not (name == "random" and only_seeded))
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Name) and IMPURE_CALLS.fullmatch(ast.unparse(node)):
            yield ast.unparse(node)


def plugin_names(path):
    """Yield where a file names a plugin's module, or a component of one."""
    text = path.read_text()
    yield from re.findall(r"\bquantmind_\w+", text)
    yield from (name for name in imported(path) if name.split(".")[0] == "plugins")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES:
            yield node.value


class TestTheRulesSeeWhatTheyForbid:
    """A rule that cannot fail protects nothing."""

    @pytest.mark.parametrize(
        "code",
        [
            "import time\n",
            "from datetime import datetime\nnow = datetime.now()\n",
            "import datetime as d\nnow = d.datetime.now()\n",
            "from uuid import uuid4\n",
            "from random import Random\n",
            "from concurrent.futures import ThreadPoolExecutor\n",
            "import threading\n",
            "import random\nr = random.Random()\n",
            "import random\nr = random.Random(1)\nx = random.random()\n",
            "import os\nseed = os.urandom(4)\n",
        ],
    )
    def test_impurities(self, tmp_path, code):
        (tmp_path / "a.py").write_text(code)
        assert list(impurities(tmp_path / "a.py"))

    def test_sums(self, tmp_path):
        (tmp_path / "a.py").write_text("a = sum(x)\nb = sum(x, Decimal(0))\nc = fsum(x)\nd = sum(len(y) for y in x)\n")
        assert list(sums(tmp_path / "a.py")) == [1]

    @pytest.mark.parametrize(
        "code",
        [
            "import quantmind_paper\n",
            "from plugins import x\n",
            "import plugins.a\n",
            "if a == 'momentum': pass\n",
        ],
    )
    def test_plugin_names(self, tmp_path, code):
        (tmp_path / "a.py").write_text(code)
        assert list(plugin_names(tmp_path / "a.py"))


SUMS = {"kelly"}
"""Commands of `quantmind risk` that are called as the components that hold their formula are, after who found it."""


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=named)
def test_the_core_names_no_plugin(path):
    permitted = SUMS if CORE / "cli" / "risk" in path.parents else set()
    assert [name for name in plugin_names(path) if name not in permitted] == []


@pytest.mark.parametrize("path", [p for p in SOURCES if CORE not in p.parents], ids=named)
def test_plugins_are_imported_by_their_own_name(path):
    assert [name for name in imported(path) if name.split(".")[0] == "plugins"] == []


def test_what_decides_is_looked_for_in_the_right_places():
    assert {path.parent.name for path in DECIDING} >= {
        "quantmind",
        "market",
        "quantmind_momentum",
        "quantmind_mean_reversion",
        "quantmind_allocators",
    }
    assert all(path.is_file() for path in [*DECIDING, *REDUCERS])


@pytest.mark.parametrize("path", sorted({*DECIDING, *CORE.rglob("*.py")}), ids=named)
def test_floats_are_never_added_up_by_sum(path):
    assert list(sums(path)) == []


@pytest.mark.parametrize("path", sorted({*REDUCERS, *DECIDING}), ids=named)
def test_a_reducer_has_no_clock_no_chance_and_no_threads(path):
    assert list(impurities(path)) == []


def test_installed_entry_points_are_those_of_the_project():
    installed = {
        point.name: point.value
        for point in importlib.metadata.entry_points(group="quantmind")
        if point.dist is not None and point.dist.name == "quantmind"
    }
    assert installed == ENTRIES, "install the project again"


def test_every_component_has_its_entry_point_and_its_module():
    assert [row for row in OWN.all() if row.fault] == []
    assert {row.name: row.module for row in FOUND} == ENTRIES
    assert len({(row.kind, row.name) for row in FOUND}) == len(FOUND)


def test_every_folder_of_plugins_is_registered_and_described():
    folders = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {module.partition(".")[0] for module in (*ENTRIES.values(), *COMMANDS.values())}
    assert [name for name in folders if not (ROOT / "plugins" / name / "README.md").is_file()] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_is_described(component):
    assert component.summary().endswith(".")
    assert component.kind in KINDS
    model = component.options_model
    assert issubclass(model, Options)
    assert [name for name, field in model.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_refuses_unknown_options(component):
    with pytest.raises(ValidationError) as refusal:
        component.options_model.model_validate({"no_such_option": 1})
    assert ("extra_forbidden", ("no_such_option",)) in [(e["type"], e["loc"]) for e in refusal.value.errors()]


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_readme_of_a_plugin_names_every_option(component):
    readme = (ROOT / "plugins" / component.__module__.split(".")[0] / "README.md").read_text()
    assert [name for name in component.options_model.model_fields if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    "module", [quantmind, quantmind.events, quantmind.kinds, quantmind.testing], ids=lambda m: m.__name__
)
def test_what_is_public_is_listed(module):
    submodules = {info.name for info in pkgutil.iter_modules(module.__path__)}
    exported = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not (isinstance(value, ModuleType) and name in submodules)
    }
    assert exported | ({"__version__"} & set(vars(module))) == set(module.__all__)
    assert len(module.__all__) == len(set(module.__all__))


def test_the_version_is_said_once():
    assert quantmind.__version__ == PROJECT["project"]["version"]
    assert importlib.metadata.version("quantmind") == quantmind.__version__
    assert f"\n## {quantmind.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_top_level_holds_nothing_else():
    plain = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    ignored = {name.strip("/") for name in (ROOT / ".gitignore").read_text().split()}
    assert plain - ignored == {
        "quantmind",
        "plugins",
        "recipes",
        "tests",
        "pyproject.toml",
        "quantmind.yaml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    }


def test_nothing_is_left_to_be_done():
    # Written so that this file does not hold the words itself.
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    kept = [*ROOT.glob("*.*"), ROOT / ".ci" / "run", *SOURCES]
    kept += [path for folder in ("plugins", "recipes", "tests") for path in (ROOT / folder).rglob("*.*")]
    texts = {path for path in kept if path.is_file() and path.suffix in {"", ".py", ".md", ".yaml", ".toml"}}
    assert len(texts) > 100
    assert [named(path) for path in sorted(texts) if words.search(path.read_text())] == []


def test_the_core_is_typed_for_its_users():
    assert (CORE / "py.typed").is_file()


def test_the_ci_script_is_sound():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in script.read_text()
    assert subprocess.run(["bash", "-n", script], check=False, timeout=20).returncode == 0
