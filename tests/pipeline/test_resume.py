"""A run that is killed at any step of its orders and continued leaves the record of the undisturbed run."""

from __future__ import annotations

import random

import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = 16

# Every commit of the journal and every command to the executor is two steps: before it and after it.
KILL_AT = """
import atexit, os, signal, sys
from quantmind.kinds import Executor
from quantmind.trader.journal import Journal
steps = 0
def step():
    global steps
    steps += 1
    if steps == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
def around(owner, name):
    plain = getattr(owner, name)
    def wrapped(*arguments):
        step()
        said = plain(*arguments)
        step()
        return said
    setattr(owner, name, wrapped)
around(Journal, "commit")
around(Executor, "perform")
atexit.register(lambda: print("steps", steps, file=sys.stderr))
"""


@pytest.fixture(params=["bars", "bars, late", "quotes", "quotes, late"])
def recipe(request, program, real_bars):
    """Real bars, or quotes of a made-up market, paced so that each command waits for the disk.

    Orders that arrive late, or a strategy that changes its mind before they fill: then cancels race with fills.
    """
    latency = "0s"
    if request.param.endswith("late"):
        latency = "90s" if request.param.startswith("bars") else "150ms"
    plain = {
        "name": "killed",
        "instruments": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
        "feeds": [real_bars("2025-05-18T12:00:00", 100_000_000)],
        "strategies": [{"take_profit_cross": {}}, {"mean_reversion": {}}],
        "allocator": "equal_weight",
        "risk": {
            "sizing": [{"fixed_quantity": {"quantity": "0.9"}}],
            "limits": [{"max_leverage": {"limit": 1.5}}],
        },
        "sinks": ["jsonl", "sqlite"],
        "executor": {"paper": {"balance": 30000, "latency": latency}},
    }
    if request.param.startswith("quotes"):
        plain["feeds"] = [{"synthetic": {"seed": 3, "duration": "12s", "speed": 1_000_000}}]
        plain["strategies"] = [{"restless": {"every": 1 if latency == "0s" else 3}}]
        plain["risk"]["limits"] = [{"max_leverage": {"limit": 3}}]
    (program.folder / "killed.yaml").write_text(yaml.safe_dump(plain))
    return "killed.yaml"


def steps_of(program, recipe):
    process = program.start("run", recipe, code=KILL_AT.format(step=-1))
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    return output.split()[1], int(errors.split()[-1])


def killed(program, *arguments, step):
    """Run with a kill at a step; says whether it came to that."""
    process = program.start("run", *arguments, code=KILL_AT.format(step=step))
    output, errors = process.communicate(timeout=100)
    assert process.returncode in (0, -9), (output, errors)
    return process.returncode == -9


def test_killed_at_any_step_and_continued(request, program, recipe):
    name, steps = steps_of(program, recipe)
    undisturbed = program.export(name)
    events = (program.folder / "state" / "runs" / name / "events.jsonl").read_text()
    assert undisturbed.count('"type":"fill"') > 40
    if request.node.callspec.params["recipe"] != "bars":
        assert '"cancelling"' in undisturbed
    choice = random.Random(2)
    for step in sorted(choice.sample(range(1, steps + 1), KILLS)):
        before = {path.name for path in program.folder.glob("state/runs/*")}
        assert killed(program, recipe, step=step)
        (run,) = {path.name for path in program.folder.glob("state/runs/*")} - before
        # Every third one is killed once more on its way.
        if step % 3 == 0:
            killed(program, recipe, "--resume", run, step=choice.randrange(1, 20))
        program.run("run", "--resume", run)
        assert program.export(run) == undisturbed, f"killed at step {step}"
        assert (program.folder / "state" / "runs" / run / "events.jsonl").read_text() == events
