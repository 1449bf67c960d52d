"""A disk that is full: the run ends with one line that names the file, and nothing was ordered off the record."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
import yaml

LIMITED = """
import resource
from quantmind.kinds import Executor
perform = Executor.perform
def told(self, approved):
    order = getattr(approved.command, "order", None)
    print("SENT", order, file=sys.stderr, flush=True)
    return perform(self, approved)
import sys
Executor.perform = told
resource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d))
"""


@pytest.fixture
def recipe(program):
    def write(**synthetic):
        plain = {
            "name": "filling",
            "instruments": ["BTC/USDT:USDT"],
            "feeds": [{"synthetic": {"seed": 7, **synthetic}}],
            "strategies": [{"momentum": {"interval": "1s", "fast": 2, "slow": 4, "rsi": 3}}],
            "allocator": "equal_weight",
            "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
            "executor": {"paper": {"account": "demo", "balance": 10000}},
        }
        (program.folder / "filling.yaml").write_text(yaml.safe_dump(plain))
        return "filling.yaml"

    return write


@pytest.mark.parametrize("room", [200_000, 400_000])
def test_what_is_not_on_record_was_not_sent(program, recipe, room):
    errors = program.run(
        "run", recipe(duration="30m", speed=2_000), code=LIMITED % (room, room), code_expected=1
    ).splitlines()
    (run,) = (program.folder / "state" / "runs").iterdir()
    sent = {line.split()[1] for line in errors if line.startswith("SENT ")}
    told = [line for line in errors if not line.startswith("SENT ")]
    assert len(told) == 1, told
    assert told[0].startswith(f"error: {run / 'journal.sqlite'}: cannot be written: ")
    with contextlib.closing(sqlite3.connect(run / "journal.sqlite")) as journal:
        bodies = [json.loads(body) for (body,) in journal.execute("SELECT body FROM orders")]
    recorded = {value for body in bodies for value in body if isinstance(value, str) and value.startswith("qm")}
    assert sent
    assert sent <= recorded


def test_a_recording_that_cannot_be_written_ends_the_run(program, recipe):
    errors = program.run(
        "run", recipe(duration="30m"), "--record", code=LIMITED % (60_000, 60_000), code_expected=1
    ).splitlines()
    told = [line for line in errors if not line.startswith("SENT ")]
    assert len(told) == 1, told
    assert told[0].startswith("error: ")
    assert "cannot be written: File too large: make room" in told[0] or "journal.sqlite: cannot be" in told[0]


def test_a_run_that_cannot_begin_leaves_no_folder(program, recipe):
    errors = program.run("run", recipe(duration="1m"), code=LIMITED % (10, 10), code_expected=1)
    assert errors.endswith("run.json: cannot be written: File too large\n")
    assert errors.count("\n") == 1
    assert not list((program.folder / "state" / "runs").iterdir())
