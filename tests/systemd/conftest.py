"""Units as systemd reads them, and a sandbox that gives their programs what the units do."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from quantmind.cli import main

ROOT = Path(__file__).parents[2]
LAUNCHER = Path(__file__).with_name("launcher.py")

RECIPE = """\
name: {name}
instruments: [BTC/USDT:USDT]
feeds:
  - synthetic: {{seed: 7, duration: 5m}}
{transport}
strategies:
  - momentum: {{interval: 10s, fast: 5, slow: 13, rsi: 7}}
allocator: equal_weight
risk:
  sizing:
    - fixed_quantity: {{quantity: 0.1}}
executor:
  paper: {{account: demo, balance: 10000, latency: 50ms}}
sinks:
  - console
"""


class Unit:
    """A unit file: its settings by name, as they are written."""

    def __init__(self, path, *more):
        self.path = path
        self.text = "".join(file.read_text() for file in (path, *more))
        self.settings = {}
        for line in self.text.splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                self.settings.setdefault(key, []).append(value)
                if not value:
                    self.settings[key] = []

    def instance(self, stage):
        """The unit of one stage of a template."""
        return Unit(self.path, *self.path.with_name(f"{self.path.stem}{stage}.service.d").iterdir())

    def __getitem__(self, key):
        return self.settings.get(key, [])

    def one(self, key):
        (value,) = self[key]
        return value

    def command(self, stage=""):
        """The words of ExecStart, as systemd reads those that hold nothing to escape."""
        return shlex.split(self.one("ExecStart").replace("%i", stage))


class Project:
    """A folder with a recipe, and the units that are written for it."""

    def __init__(self, folder, quantmind):
        self.folder = folder
        self.quantmind = quantmind

    def recipe(self, name="small", transport="", project="state: state\n"):
        (self.folder / "quantmind.yaml").write_text(project)
        path = self.folder / f"{name}.yaml"
        path.write_text(RECIPE.format(name=name, transport=transport))
        return path

    def zeromq(self, endpoint, name="small"):
        return self.recipe(name, f'transport: {{zeromq: {{endpoint: "{endpoint}"}}}}')

    def units(self, recipe, *options):
        """Write the units; returns the services by name."""
        output = self.folder / "units"
        code, printed, errors = self.quantmind("systemd", recipe, "--output", output, "--json", *options)
        assert (code, errors) == (0, "")
        self.answer = json.loads(printed)
        return {path.name: Unit(path) for path in sorted(output.glob("*.service"))}

    @property
    def files(self):
        return [path for path in (self.folder / "units").iterdir() if path.is_file()]


@pytest.fixture
def quantmind(capfd):
    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def project(tmp_path, quantmind):
    folder = tmp_path / "project"
    folder.mkdir()
    # A user without privileges reads it there, whatever is above it.
    return Project(folder, quantmind)


@pytest.fixture
def analyze(server_binary, tmp_path):
    """Run systemd-analyze; a manager of a user has its folder of sockets."""
    binary = server_binary("systemd-analyze", "systemd")

    def run(*arguments):
        return subprocess.run(
            [binary, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_COLORS": "0"},
        )

    return run


class Sandbox:
    """Starts the program of a system unit as systemd would, with bubblewrap in its place.

    The root is read-only and the hidden folders are empty; only the unit's own folders can be written, and its system
    calls are filtered.
    """

    def __init__(self, bwrap, folder, syscalls):
        self.bwrap = bwrap
        self.state = folder / "state"
        self.runtime = folder / "runtime"
        self.logs = folder / "logs"
        self.notify = folder / "notify"
        self.calls = folder / "syscalls"
        self.syscalls = syscalls
        for path in (self.state, self.runtime, self.logs):
            path.mkdir()
            if os.getuid() == 0:
                os.chown(path, 65534, 65534)

    def start(self, unit, stage="", command=None, **environ):
        arguments = [self.bwrap, "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        for hidden in ("/home", "/root", "/tmp", "/var/tmp", "/var/lib", "/var/log", "/run"):
            arguments += ["--tmpfs", hidden]
        for path in map(shlex.split, unit["BindReadOnlyPaths"]):
            # Folders on the way are as systemd makes them: bubblewrap's own can be entered by root only.
            for parent in reversed(Path(path[0]).parents[:-2]):
                arguments += ["--perms", "0755", "--dir", str(parent)]
            arguments += ["--ro-bind", path[0], path[0]]
        families = " ".join(unit["RestrictAddressFamilies"])
        self.calls.write_text("\n".join([families, *sorted(self.syscalls(unit["SystemCallFilter"]))]))
        for file in (LAUNCHER, self.calls):
            arguments += ["--ro-bind", str(file), f"/run/{file.name}"]
        folders = {
            f"/var/lib/{unit.one('StateDirectory')}": self.state,
            f"/run/{unit.one('RuntimeDirectory')}": self.runtime,
            f"/var/log/{unit.one('LogsDirectory')}": self.logs,
        }
        for inside, outside in folders.items():
            arguments += ["--perms", "0755", "--dir", str(Path(inside).parent)]
            arguments += ["--bind", str(outside), inside]
        if self.notify.exists():
            arguments += ["--ro-bind", str(self.notify), "/run/notify"]
            environ |= {"NOTIFY_SOCKET": "/run/notify"}
        arguments += ["--remount-ro", "/var/lib", "--remount-ro", "/var/log", "--remount-ro", "/run"]
        assignments = [word for line in unit["Environment"] for word in shlex.split(line)]
        environ |= dict(word.replace("%S", "/var/lib").split("=", 1) for word in assignments)
        for name, value in {"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8", **environ}.items():
            arguments += ["--setenv", name, value]
        arguments += ["--chdir", unit.one("WorkingDirectory"), "--", sys.executable, "/run/launcher.py"]
        return subprocess.Popen(
            [*arguments, *(command or unit.command(stage))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )


@pytest.fixture
def syscalls(analyze):
    """Return the system calls that the filter of a unit lets pass."""
    sets = {}
    for line in analyze("syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.append(line.strip())

    def expanded(name):
        return {call for member in sets[name] for call in (expanded(member) if member in sets else {member})}

    def listed(line):
        return {call for name in line.split() for call in (expanded(name) if name in sets else {name})}

    def passed(lines):
        allowed = set()
        for line in lines:
            allowed = allowed - listed(line[1:]) if line.startswith("~") else allowed | listed(line)
        return allowed | expanded("@default")

    return passed


@pytest.fixture
def sandbox(server_binary, tmp_path, syscalls):
    folder = tmp_path / "sandbox"
    folder.mkdir()
    return Sandbox(server_binary("bwrap", "bubblewrap"), folder, syscalls)
