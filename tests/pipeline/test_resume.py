"""A run that is killed at any step of its orders and continued leaves the record of the undisturbed run."""

from __future__ import annotations

import random

import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = 18

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


@pytest.fixture(params=["bars", "bars, late", "quotes", "quotes, late", "bars, protected", "quotes, protected"])
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
    if request.param.endswith("protected"):
        protect(plain, request.param)
    (program.folder / "killed.yaml").write_text(yaml.safe_dump(plain))
    return "killed.yaml"


def protect(plain, kind):
    """Stops, take-profits, limits that latch, funding, limit entries: all that a position can come to."""
    quotes = kind.startswith("quotes")
    interval = "1s" if quotes else "1m"
    plain["risk"] = {
        "sizing": [{"fixed_quantity": {"quantity": "0.5"}}],
        "protection": [
            {"atr_stop": {"interval": interval, "period": 3, "multiplier": 1.5}},
            {"take_profit": {"reward_risk": 1}},
            {"time_stop": {"after": "2s" if quotes else "45m"}},
        ],
        "limits": [
            {"max_leverage": {"limit": 3}},
            {"max_drawdown": {"limit": 0.004 if quotes else 0.03, "then": "flatten"}},
        ],
    }
    if quotes:
        plain["feeds"] = [
            {"synthetic": {"seed": 3, "duration": "40s", "speed": 1_000_000, "funding_interval": "7s", "volatility": 5}}
        ]
        plain["strategies"] = [
            {"restless": {"every": 9}},
            {"momentum": {"interval": "1s", "fast": 2, "slow": 4, "rsi": 3}},
        ]
        plain["entry"] = {"limit": {"offset_ticks": 0, "timeout": "300ms", "then": "market"}}
        plain["executor"]["paper"]["partial_fills"] = True


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
    kind = request.node.callspec.params["recipe"]
    assert undisturbed.count('"type":"fill"') > 40
    if kind.endswith("protected"):
        assert '"purpose":"stop","order_type":"stop_market"' in undisturbed
        assert '"type":"latch"' in undisturbed
        assert '"type":"transfer"' in undisturbed
    if kind.endswith("late"):
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
