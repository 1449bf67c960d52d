import os
import subprocess
import sys
import textwrap

import pytest

from quantmind.cli import main

SINK = """
from quantmind.hookspecs import hookimpl
from quantmind.kinds import NoOptions, Sink

class Stranger(Sink[NoOptions]):
    '''Comes from elsewhere.'''

    name = "stranger"

@hookimpl
def register_components():
    return [Stranger]
"""


@pytest.fixture
def quantmind(capfd):
    """Call the command in this process: exit code, output, errors."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def process():
    """Run Python code in a process of its own."""

    def run(code, *arguments, **more):
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **more},
        )

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stranger(tmp_path_factory, monkeypatch):
    """A third-party distribution on sys.path."""
    site = tmp_path_factory.mktemp("site")
    info = site / "stranger-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[quantmind]\nstranger = stranger_sink\n")
    (site / "stranger_sink.py").write_text(SINK)
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("stranger_sink", None)
