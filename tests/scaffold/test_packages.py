"""A stranger's way, for each kind: the wheel in a fresh environment, a new package, and all that is said to do next."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quantmind.scaffold.name import Name
from quantmind.scaffold.package import WRITTEN_KINDS, steps

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Environment:
    """A virtual environment outside of the checkout, and a home of its own."""

    def __init__(self, folder, home):
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        self.work = folder / "work"
        self.work.mkdir()
        left_out = {
            "PYTHONPATH",
            "PYTEST_ADDOPTS",
            "STATE_DIRECTORY",
            "QUANTMIND_STATE",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
            "VIRTUAL_ENV",
        }
        self.environ = {key: value for key, value in os.environ.items() if key not in left_out}
        # pip goes on by its own settings, which may be in the home that is ours.
        self.pip_environ = {**self.environ}
        self.environ |= {"PATH": os.pathsep.join([str(self.python.parent), os.environ["PATH"]]), "HOME": home}
        self.run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")

    def run(self, *command, cwd=None, code=0, environ=None):
        """Run a command; returns all that it printed."""
        done = subprocess.run(
            [str(each) for each in command],
            cwd=cwd or self.work,
            env=environ or self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def pip(self, *arguments, cwd=None):
        """Install with the pip of the tests, by the settings of whoever runs them."""
        command = [sys.executable, "-m", "pip", "--python", self.folder / "venv", "install", "--quiet"]
        return self.run(*command, *arguments, cwd=cwd, environ=self.pip_environ)

    def shell(self, line, cwd):
        """Run a line as it is printed for the user."""
        return self.run("bash", "-c", line, cwd=cwd)


@pytest.fixture
def home():
    """A home as short as others are: the path of a socket below it has 107 bytes at the most."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


@pytest.fixture
def fresh(tmp_path, home):
    """An environment with nothing but the wheel of this tree."""
    environment = Environment(tmp_path, home)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path / "dist", ROOT]
    environment.run(*build, environ=environment.pip_environ)
    environment.pip(*(tmp_path / "dist").glob("*.whl"))
    return environment


def folder_of(fresh, kind):
    return fresh.work / f"quantmind-my-{kind}"


def first_steps(fresh, kind):
    """Start a package, as its author would; returns the lines that it says to go on with."""
    printed = fresh.run(
        "quantmind", "plugins", "new", f"my-{kind}", "--kind", kind, "--author", "Ada <ada@example.org>"
    )
    assert f"next: cd quantmind-my-{kind} && python -m pip install -e '.[test]'\nthen:\n" in printed
    return [line.strip() for line in printed.partition("then:\n")[2].splitlines()]


def try_out(fresh, kind, lines):
    """Do what is said to do, and what the author of a package does besides."""
    folder = folder_of(fresh, kind)
    component = f"my_{kind}"
    for line in lines:
        printed = fresh.shell(line, folder)
        if line.startswith("quantmind plugins check"):
            assert "FAILED" not in printed
            assert "advice" not in printed
            assert "left out" not in printed
        elif line.startswith("quantmind run"):
            assert "fills " in printed
    if kind != "command":
        assert fresh.run("quantmind", "lint", f"recipes/{component}.yaml", cwd=folder).endswith(": ok\n")
    for command in (["check"], ["format", "--check"]):
        fresh.run(sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", ".", cwd=folder)
    return component


def test_packages_of_every_kind_work_as_generated(fresh):
    # What the checks draw their examples with is no part of QuantMind itself.
    refused = fresh.run("quantmind", "plugins", "check", "momentum", code=1)
    assert refused.endswith("pip install hypothesis\n")

    # The first one in the very words that are printed, with a build of its own.
    lines = {"strategy": first_steps(fresh, "strategy")}
    fresh.pip("--editable", ".[test]", cwd=folder_of(fresh, "strategy"))
    with ThreadPoolExecutor(2) as pool:
        rest = [kind for kind in WRITTEN_KINDS if kind != "strategy"]
        lines |= zip(rest, pool.map(lambda kind: first_steps(fresh, kind), rest), strict=True)
        assert lines == {kind: steps(Name.read(f"my-{kind}"), kind) for kind in lines}

        # The others without a build environment for each.
        fresh.pip("hatchling", "editables")
        editable = [each for kind in rest for each in ("--editable", folder_of(fresh, kind))]
        fresh.pip("--no-deps", "--no-build-isolation", *editable)
        listed = [row.split()[:4] for row in fresh.run("quantmind", "plugins", "list").splitlines()]
        for kind in WRITTEN_KINDS:
            assert [kind, f"my_{kind}", f"quantmind-my-{kind}", "0.1.0"] in listed

        typed = pool.submit(check_types, fresh)
        # The slow ones first, so that none is left alone in the end.
        order = sorted(WRITTEN_KINDS, key=lambda kind: kind not in {"transport", "allocator", "strategy"})
        tried = [pool.submit(try_out, fresh, kind, lines[kind]) for kind in order]
        built = pool.submit(check_wheel, fresh)
        for each in (typed, *tried, built):
            each.result()


def check_types(fresh):
    """Check all modules and their tests as strictly as mypy can."""
    files = [path for kind in WRITTEN_KINDS for path in folder_of(fresh, kind).glob("*.py")]
    assert len(files) == 2 * len(WRITTEN_KINDS)
    python = ["--python-executable", fresh.python, "--cache-dir", fresh.folder / "mypy"]
    fresh.run(sys.executable, "-m", "mypy", "--strict", *python, *files)


def check_wheel(fresh):
    """See that a wheel of a package has its modules, whatever it is called, and no tests and no recipes beside them."""
    folder = fresh.folder / "renamed"
    left_out = shutil.ignore_patterns("__pycache__", ".*_cache")
    shutil.copytree(folder_of(fresh, "strategy"), folder, ignore=left_out)
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text().replace('name = "quantmind-my-strategy"', 'name = "renamed"'))
    for name in ("second.py", "conftest.py", "test_second.py"):
        (folder / name).write_text("")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        fresh.folder / "built",
        folder,
    ]
    fresh.run(*build, environ=fresh.pip_environ)
    (wheel,) = (fresh.folder / "built").glob("*.whl")
    listed = fresh.run(sys.executable, "-m", "zipfile", "--list", wheel).splitlines()[1:]
    assert [line.split()[0] for line in listed if ".dist-info/" not in line] == [
        "quantmind_my_strategy.py",
        "second.py",
    ]
