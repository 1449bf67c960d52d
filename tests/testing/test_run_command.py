"""A call of the command inside a test is what its user sees."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from quantmind.testing import run_command


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("lint", "nothing.yaml"),
        ("no-such-verb",),
        ("risk", "kelly", "--win-rate", 0.55, "--reward-risk", "1.5", "--json"),
        ("zeromq", "keys", ""),
    ],
)
def test_it_is_what_a_process_would_have_written(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process = subprocess.run(
        [sys.executable, "-m", "quantmind", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    ended = run_command(*arguments)
    assert (ended.code, ended.output, ended.errors) == (process.returncode, process.stdout, process.stderr)


def test_nothing_is_written_elsewhere_and_the_log_is_as_it_was(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = [*root.handlers], root.level, root.manager.disable
    assert run_command("init", "there").code == 0
    assert run_command("run", "there/recipes/quickstart.yaml", "--json").code == 0
    assert ([*root.handlers], root.level, root.manager.disable) == before
    assert capfd.readouterr() == ("", "")
