"""A walk over every command: the table of them, a project to walk in, and what is expected of each call.

What can be given wrongly is derived from click's own parameters, so that a new command or option is walked over as
soon as it is there; of a new command the table needs nothing but one call that is right.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import click
import pytest

from quantmind.cli import main
from quantmind.cli.calling.group import quantmind as group

ROOT = Path(__file__).parents[3]
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"
BARS = "BTC_USDT_USDT-1m-futures.csv"

RIGHT = {
    "init": ["fresh"],
    "lint": ["recipe.yaml"],
    "show": ["recipe.yaml"],
    "graph": ["recipe.yaml"],
    "test": ["recipe.yaml"],
    "run": ["recipe.yaml"],
    "risk kelly": ["--win-rate", "0.55", "--reward-risk", "1.5"],
    "risk atr-stop": ["--price", "50000", "--atr", "250", "--side", "long"],
    "risk size": [
        "--balance",
        "10000",
        "--risk",
        "0.01",
        "--stop-distance",
        "500",
        "--price",
        "50000",
        "--step",
        "0.001",
    ],
    "risk liquidation": [
        "--side",
        "long",
        "--quantity",
        "0.4",
        "--entry",
        "50000",
        "--wallet",
        "10000",
        "--maintenance-rate",
        "0.01",
    ],
    "risk ruin": ["--fraction", "0.5", "--drawdown", "0.5"],
    "backtest": ["bars.yaml", "--data", BARS],
    "data record": ["recipe.yaml", "--to", "recorded"],
    "data download": ["library", "BTC/USDT:USDT", "--start", "2024-10-04", "--end", "2024-10-05", "--interval", "1h"],
    "data list": ["store"],
    "data check": ["store"],
    "data convert": [BARS, "--venue", "elsewhere", "--to", "converted"],
    "top": ["recipe.yaml"],
    "tap": ["stages.yaml", "--count", "1"],
    "status": ["first"],
    "halt": ["first"],
    "resume": ["first"],
    "flatten": ["first"],
    "reset": ["first"],
    "export": ["first"],
    "systemd": ["recipe.yaml", "--output", "units"],
    "plugins list": [],
    "plugins show": ["sink", "console"],
    "plugins new": ["moon", "--kind", "strategy", "--into", "fresh"],
    "plugins check": ["console"],
    "plugins readme": ["README.md"],
    "schema": [],
    "doctor": [],
    "completion": ["bash"],
    "venue": ["--port", "0"],
    "zeromq keys": ["keys"],
}
"""Of every command one call that is right, in the project that is walked in."""

ENDLESS = ("tap", "venue")
"""What runs until it is interrupted."""
PATIENCE = 0.5

SLOW = ("venue", "data download", "backtest", "plugins check")
"""Commands that each call of takes long."""

NUMBERS = (
    *("nan", "inf", "-inf", "-0", "0", "1e400", "-1e400", "1e999999999", "9" * 5_000, "-5", "1_0", "0x10"),
    *("text", "", " ", "\u0661\u0662", "a\nb", "x" * 5_000, "\udcff", "2024-02-30", "9999-12-31", "2261-01-01"),
)
NAMES = (
    *NUMBERS,
    "..",
    "/",
    "../..",
    "a/b",
    "-",
    "x" * 300,
    "\x1b[31mred",
    "*",
    "${HOME}",
    "a=b",
    "a=\x07",
    "=",
    "~nobody/x",
)
PATHS = (
    *("missing/file", "folder", "empty", "garbage", "recipe.yaml/below", "", " ", "x" * 300, "new\nline", "\udcff"),
    *("~nobody/x", "-", "/proc/self/mem", "/dev/null", "store", "..", "loop"),
)


def commands():
    """Return every command by its words, as click finds them."""
    found = {}

    def walk(command, ctx, words):
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                try:
                    below = command.get_command(ctx, name)
                except ModuleNotFoundError as error:
                    assert str(error.name).startswith("quantmind.cli.")  # noqa: PT017 - it is not written yet
                    continue
                walk(below, click.Context(below, ctx, name), [*words, name])
        else:
            found[" ".join(words)] = command

    ctx = click.Context(group, info_name="quantmind")
    ctx.params = {"debug": False, "no_plugins": False}
    walk(group, ctx, [])
    return found


COMMANDS = commands()


def mistaken(name, parameter):
    """Return calls of a command in which one parameter is given in every odd way."""
    right = RIGHT.get(name, [])
    words = name.split()
    for value in values(parameter):
        if isinstance(parameter, click.Argument):
            others = [word for word in right if word != right_value(name, parameter)]
            yield (
                [*words, "--", value]
                if not right
                else [*words, value, *others]
                if value[:1] != "-"
                else [*words, *others, "--", value]
            )
        else:
            option = parameter.opts[0]
            at = right.index(option) if option in right else None
            others = right if at is None else [*right[:at], *right[at + 2 :]]
            yield [*words, *others, option, value]


def right_value(name, parameter):
    """Return what the right call gives for an argument."""
    arguments = [each for each in COMMANDS[name].params if isinstance(each, click.Argument)]
    right = RIGHT[name]
    place = arguments.index(parameter)
    return right[place] if place < len(right) and not right[place].startswith("-") else None


def values(parameter):
    """Return odd values of the type of a parameter."""
    kind = parameter.type
    if isinstance(kind, click.Path | click.File):
        return PATHS
    if isinstance(kind, type(click.STRING) | click.types.FuncParamType):
        return NAMES
    return NUMBERS


def pytest_generate_tests(metafunc):
    if "command" in metafunc.fixturenames:
        metafunc.parametrize("command", COMMANDS)
    if "parameter" in metafunc.fixturenames:
        pairs = [
            (name, parameter)
            for name, command in COMMANDS.items()
            for parameter in command.params
            if not getattr(parameter, "is_flag", False)
        ]
        ids = [
            f"{name} {parameter.opts[0] if isinstance(parameter, click.Option) else parameter.name}"
            for name, parameter in pairs
        ]
        marks = [[pytest.mark.slow] if name in SLOW else [] for name, _ in pairs]
        rows = [pytest.param(*pair, id=words, marks=mark) for pair, words, mark in zip(pairs, ids, marks, strict=True)]
        metafunc.parametrize(("name", "parameter"), rows)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A project with a run that is over, a store and files of every kind that a command reads."""
    folder = tmp_path_factory.mktemp("template")
    text = QUICKSTART.read_text().replace("duration: 30m", "duration: 5m")
    (folder / "quantmind.yaml").write_text("state: state\nlogging: {level: error}\n")
    (folder / "recipe.yaml").write_text(
        text + "tests:\n  - {name: one, given: {bars: {interval: 10s, close: [1, 2]}}, expect: {fills: []}}\n"
    )
    endpoint = "transport:\n  zeromq: {endpoint: 'tcp://127.0.0.1:1'}\n"
    (folder / "stages.yaml").write_text(text.replace("feeds:", f"{endpoint}feeds:"))
    (folder / "bars.yaml").write_text(text.replace("interval: 10s", "interval: 1m"))
    rows = [f"{1_704_067_200_000 + n * 60_000},100,110,99,{100 + n % 5},{n + 1}\n" for n in range(60)]
    (folder / BARS).write_text("date,open,high,low,close,volume\n" + "".join(rows))
    (folder / "folder").mkdir()
    (folder / "empty").write_bytes(b"")
    (folder / "garbage").write_bytes(bytes(range(256)) * 40)
    (folder / "loop").symlink_to("loop")
    (folder / "README.md").write_text(
        "# Words\n\n<!-- quantmind: component sink console -->\n<!-- quantmind: end -->\n"
    )
    site = folder / "site" / "library-1.0.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: library\nVersion: 1.0\n")
    (site / "entry_points.txt").write_text("[quantmind]\nlibrary = library_archive\n")
    (site.parent / "library_archive.py").write_text(ARCHIVE)
    with contextlib.chdir(folder):
        for arguments in (
            "run recipe.yaml --record",
            f"data convert {BARS} --venue elsewhere --to store",
        ):
            done = program(folder, *arguments.split())
            assert done.returncode == 0, done
    (run,) = (folder / "state" / "runs").iterdir()
    run.rename(run.with_name("first"))
    return folder


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """A copy of the template, as the working directory."""
    folder = tmp_path / "project"
    shutil.copytree(template, folder, symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder / "site"))
    yield folder
    sys.modules.pop("library_archive", None)


def program(folder, *arguments, **more):
    """Run the command as a process."""
    return subprocess.run(
        [sys.executable, "-m", "quantmind", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "site"), **more},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


@pytest.fixture
def endless():
    """The commands that run until they are interrupted."""
    return ENDLESS


@pytest.fixture
def call(project, capfd):
    """Call the command in this process; what has no end is interrupted."""

    def called(*arguments):
        calling = True

        def interrupt(*_):
            if calling:
                raise KeyboardInterrupt

        before = signal.signal(signal.SIGINT, interrupt)
        endless = bool(set(arguments[:1]) & set(ENDLESS))
        timer = threading.Timer(PATIENCE if endless else 20, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with warnings.catch_warnings():
            if endless:
                # An interrupt on the way up leaves to the end of the process what this process goes on with.
                warnings.simplefilter("ignore", ResourceWarning)
            try:
                code = main(list(arguments))
            finally:
                calling = False
                timer.cancel()
                timer.join()
                signal.signal(signal.SIGINT, before)
            if endless:
                gc.collect()
        output, errors = capfd.readouterr()
        return code, output, errors

    return called


@pytest.fixture
def behaves(project):
    """Check what a call has come to: its code, its words, and what it has left behind."""

    def check(code, output, errors, arguments=()):
        told = (arguments, code, output[-500:], errors[-2_000:])
        assert code in {0, 1, 2, 78, 130}, told
        assert "Traceback" not in output + errors, told
        assert "this is a fault of" not in errors, told
        lines = [line for line in errors.splitlines() if line.startswith("error: ")]
        assert len(lines) <= 1 or code == 78, told
        assert all(line.isprintable() for line in lines), told
        if code in {2, 78}:
            assert output == "", told
            assert lines == errors.splitlines(), told
            assert lines, told
        if "--json" in arguments and output:
            json.loads(output)
        left = [path for path in project.rglob(".*") if path.name not in {".store", ".gitignore", ".local"}]
        assert not left, (*told, left)

    return check


ARCHIVE = '''
from quantmind.events import Bar
from quantmind.hookspecs import hookimpl
from quantmind.kinds import Archive, NoOptions, bars

HOUR = 3_600_000_000_000

class Library(Archive[NoOptions]):
    """Has a bar each hour."""

    name = "library"
    venue = "elsewhere"

    @classmethod
    def reading(cls, path):
        return cls(NoOptions()) if path.read_bytes().startswith(b"LIB") else None

    def channels(self, symbol):
        return frozenset({bars(HOUR)})

    async def fetch(self, symbol, channel, start, end):
        yield [Bar(symbol, at + HOUR, HOUR, 1.0, 1.0, 1.0, 1.0, 1.0) for at in range(start, end, HOUR)]

@hookimpl
def register_components():
    return [Library]
'''


@pytest.fixture(name="right")
def _right():
    return RIGHT


@pytest.fixture(name="every")
def _every():
    return COMMANDS


@pytest.fixture(name="mistaken")
def _mistaken():
    return mistaken
