"""Signals at any time: nothing is said, nothing stays half-written, and the code is the documented one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from quantmind.export.tables import TABLES

STARTED = "from quantmind.cli import main; print(end='.', file=sys.stderr, flush=True); sys.exit(main())"
ENDED = {signal.SIGINT: 130, signal.SIGTERM: -signal.SIGTERM, signal.SIGHUP: -signal.SIGHUP}
CALLS = {
    "export": ["export", "first", "--format", "parquet", "--output", "tables"],
    "init": ["init", "fresh"],
    "data convert": ["data", "convert", "BTC_USDT_USDT-1m-futures.csv", "--venue", "elsewhere", "--to", "converted"],
    "run": ["run", "recipe.yaml"],
    "backtest": ["backtest", "bars.yaml", "--data", "BTC_USDT_USDT-1m-futures.csv"],
    "data record": ["data", "record", "recipe.yaml", "--to", "recorded"],
    "tap": ["tap", "stages.yaml"],
    "venue": ["venue", "--port", "0"],
    "zeromq keys": ["zeromq", "keys", "keys"],
}
FIRST = 0.005
"""Seconds until signals are seen to; before that the interpreter answers them itself."""


@pytest.fixture(autouse=True)
def heard():
    """Let a closed terminal be a signal here, though whoever started the tests has it ignored, as nohup does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def start(project):
    """Start the command, and return when the first line of ours has run."""
    started = []

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", f"import sys; {STARTED}", *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project / "site")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr.read(1) == "."
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def after(start, behaves, name, number, delay, again=None):
    """Return how a command ended that was told to after a while."""
    process = start(*CALLS[name])
    time.sleep(delay)
    process.send_signal(number)
    if again is not None:
        time.sleep(again)
        process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    told = (name, number, delay, process.returncode, output, errors)
    # A command may be done before it is told to end.
    assert process.returncode in {0, ENDED[number]} or again is not None, told
    assert not errors, told
    behaves(0, output if process.returncode == 0 else "", errors, CALLS[name])
    return process.returncode


@pytest.mark.parametrize("number", ENDED, ids=lambda number: number.name)
def test_a_signal_while_it_starts(start, behaves, number):
    # Whatever the command, this is where it is imported.
    for delay in (FIRST, 0.02, 0.06):
        after(start, behaves, "export", number, delay)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "number"),
    [
        *((name, signal.SIGINT) for name in CALLS),
        *((name, signal.SIGTERM) for name in ("run", "data record", "export")),
        ("run", signal.SIGHUP),
    ],
    ids=str,
)
def test_a_signal_at_any_time(start, behaves, project, name, number):
    for step in range(8):
        after(start, behaves, name, number, FIRST + step * 0.11)
        if (project / "tables").exists():
            assert len(list((project / "tables").iterdir())) == len(TABLES)
        for left in ("tables", "fresh", "converted", "recorded", "keys"):
            subprocess.run(["rm", "-rf", project / left], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run", "tap", "venue"])
def test_two_interrupts(start, behaves, name):
    for step in range(4):
        assert after(start, behaves, name, signal.SIGINT, 0.2 + step * 0.15, again=0.01) in {0, 130, -signal.SIGINT}


def test_a_terminal_that_is_closed_ends_a_run_in_order(program, live_recipe):
    process = program.start("run", str(live_recipe), "--json")
    try:
        deadline = time.monotonic() + 60
        while not list(program.folder.glob("state/accounts/*/journal.sqlite")):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        process.send_signal(signal.SIGHUP)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert output.startswith("{")


def test_who_ignores_a_closed_terminal_is_not_ended_by_one(project):
    venue = f"{sys.executable} -m quantmind venue --port 0"
    line = f"trap '' HUP; {venue} & sleep 2; kill -HUP $!; sleep 0.5; kill -INT $!; wait $!"
    done = subprocess.run(["bash", "-c", line], cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
