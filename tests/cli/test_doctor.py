"""`quantmind doctor` as its user sees it."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from quantmind.doctor import examination, recipes
from quantmind.testing import free_port
from tests.doctor.served import RECIPE

ROOT = Path(__file__).parents[2]
SERVED = RECIPE + 'sinks: [{redis: {url: "redis://me:hidden-word@127.0.0.1:PORT/0"}}]\n'


@pytest.fixture(autouse=True)
def _patient(monkeypatch, tmp_path):
    """Wait as long as a busy machine takes."""
    monkeypatch.setattr(examination, "PATIENCE", 100.0)
    monkeypatch.setattr(recipes, "PATIENCE", 60.0)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def recipe(folder):
    port = free_port()
    (folder / "r.yaml").write_text(SERVED.replace("PORT", str(port)))
    return port


@pytest.mark.usefixtures("folder")
def test_a_sound_environment_ends_with_0(quantmind, tmp_path):
    code, output, errors = quantmind("doctor")
    lines = output.splitlines()
    assert (code, errors) == (0, ""), output
    assert all(re.match(r"(ok     |warning)  \S", line) for line in lines[:-1])
    for subject in ("quantmind", "python", "platform", "dependencies", "open files", "processors", "memory", "clock"):
        assert any(line[9:].startswith(subject) for line in lines), subject
    assert any(str(tmp_path) in line for line in lines if "state folder" in line)
    assert re.fullmatch(r"(\d+ warning, )?\d+ ok", lines[-1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("folder")
def test_json_is_an_object_for_each_line(quantmind):
    code, output, _ = quantmind("doctor", "--json")
    rows = json.loads(output)
    assert code == 0
    assert {"subject", "state", "words", "advice"} == set(rows[0])
    assert {row["state"] for row in rows} <= {"ok", "warning"}


def test_a_server_that_is_not_there_ends_with_1_and_keeps_its_password(quantmind, recipe):
    code, output, errors = quantmind("doctor", "r.yaml")
    assert (code, errors) == (1, "")
    words = f"redis redis://127.0.0.1:{recipe}/0: nobody listens there: start the server, or correct the address"
    assert any(line.startswith("FAILED ") and line.endswith(words) for line in output.splitlines()), output
    assert "hidden" not in output
    code, output, errors = quantmind("doctor", "--json", "r.yaml")
    assert (code, errors) == (1, "")
    assert "hidden" not in output


def test_without_a_recipe_nothing_goes_over_the_network(quantmind, folder, monkeypatch):
    def refused(*_):
        raise AssertionError("a connection was made")

    # The event loop that is tried has a pair of sockets of its own, which are connected to nobody.
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert quantmind("doctor")[0] == 0


@pytest.mark.parametrize(
    ("project", "told"),
    [
        ("nonsense: 1\n", "nonsense: is not known"),
        ("a: [\n", "is no YAML"),
        ("plugins: {allow: [nobody]}\n", "is not on the allow-list"),
    ],
)
def test_a_project_that_cannot_be_used_is_told(quantmind, folder, project, told):
    (folder / "quantmind.yaml").write_text(project)
    code, output, errors = quantmind("doctor")
    assert (code, errors) == (0 if "allow" in project else 1, "")
    assert told in output
    assert "python" in output


def test_a_recipe_that_cannot_be_run_is_told(quantmind, folder):
    (folder / "r.yaml").write_text(SERVED.replace("quantity: 10", "quantity: -1"))
    code, output, errors = quantmind("doctor", "r.yaml")
    assert (code, errors) == (1, "")
    assert "risk.sizing[0].fixed_quantity.quantity: must be above 0, was -1" in output


def test_whatever_is_broken_it_says_so_in_a_line(quantmind, folder, stranger):
    (stranger / "stranger_sink.py").write_text("raise MemoryError('no room')\n")
    sys.modules.pop("stranger_sink", None)
    (folder / "quantmind.yaml").write_text("state: quantmind.yaml/below\n")
    code, output, errors = quantmind("doctor")
    assert (code, errors) == (1, "")
    failed = [line for line in output.splitlines() if line.startswith("FAILED")]
    assert any("MemoryError: no room" in line for line in failed)
    assert any("quantmind.yaml is no folder" in line for line in failed)
    assert "Traceback" not in output


@pytest.mark.parametrize("arguments", [["no.yaml"], ["."], ["--jso"]])
def test_wrong_usage_ends_with_2(quantmind, folder, arguments):
    code, output, _ = quantmind("doctor", *arguments)
    assert (code, output) == (2, "")


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_are_for_terminals_that_want_them(folder, no_color):
    parent, child = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}
    environ["NO_COLOR"] = no_color
    process = subprocess.Popen([sys.executable, "-m", "quantmind", "doctor"], stdout=child, stderr=child, env=environ)
    os.close(child)
    shown = b""
    try:
        while chunk := os.read(parent, 4096):
            shown += chunk
    except OSError:
        pass
    os.close(parent)
    assert process.wait(timeout=100) in {0, 1}
    assert (b"\x1b[32mok" in shown) == (not no_color)
