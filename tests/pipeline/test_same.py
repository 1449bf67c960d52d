"""The same recipe on the same data makes the same decisions, however it is run."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time

import pytest
import yaml

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def recipe(program, real_bars, free_ports):
    """Write a recipe over four days of real BTC and ETH bars; its strategies read fills."""

    def write(name="same", speed="max", end="2025-05-22T00:00:00", transport=None):
        plain = {
            "name": name,
            "instruments": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
            "feeds": [real_bars(end, speed)],
            "strategies": [
                {"take_profit_cross": {"interval": "1m"}},
                {"momentum": {"interval": "5m"}},
                {"mean_reversion": {"interval": "1m"}},
            ],
            "allocator": "equal_weight",
            "risk": {
                "sizing": [{"fixed_quantity": {"quantity": "0.9"}}],
                "protection": [{"atr_stop": {"interval": "5m", "multiplier": 4}}, {"take_profit": {"reward_risk": 2}}],
                "limits": [{"max_leverage": {"limit": 3}}, {"max_order_notional": {"limit": 20000}}],
            },
            "entry": {"limit": {"offset_ticks": 1, "timeout": "90s", "then": "market"}},
            "executor": {"paper": {"account": "same", "balance": 30000, "latency": "250ms"}},
            "sinks": ["jsonl", {"sqlite": {}}],
        }
        if transport:
            zeromq = {"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}}
            plain["transport"] = zeromq if transport is True else transport
        path = program.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(plain))
        return path.name

    return write


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def undisturbed(program, recipe):
    """The export of a plain run."""
    summary = program.summary(recipe(), PYTHONHASHSEED="0")
    export = program.export(summary["run"])
    assert summary["fills"] > 300
    assert summary["refusals"]
    kinds = {json.loads(line)["type"] for line in export.splitlines()}
    decided = {"signal", "target", "order", "fill", "transfer", "refusal"}
    assert kinds == {*decided, "valuation", "position", "account"}
    purposes = {json.loads(line).get("purpose") for line in export.splitlines()}
    assert purposes >= {"target", "stop", "take_profit"}
    return export


REVERSED = """
import importlib.metadata as metadata
found = metadata.entry_points
def backwards(**wanted):
    return metadata.EntryPoints(reversed(tuple(found(**wanted))))
metadata.entry_points = backwards
"""


def test_another_hash_seed(program, recipe, undisturbed):
    summary = program.summary(recipe(), PYTHONHASHSEED="12345")
    assert hashed(program.export(summary["run"])) == hashed(undisturbed)


def test_plugins_found_in_another_order(program, recipe, undisturbed):
    summary = program.summary(recipe(), code=REVERSED)
    assert hashed(program.export(summary["run"])) == hashed(undisturbed)


def test_a_million_times_real_time(program, recipe, undisturbed):
    summary = program.summary(recipe("paced", speed=1_000_000))
    assert hashed(program.export(summary["run"])) == hashed(undisturbed)


def test_another_python(program, recipe, undisturbed):
    python = os.environ.get("QUANTMIND_OTHER_PYTHON")
    if not python:
        pytest.skip("needs QUANTMIND_OTHER_PYTHON, an interpreter of another version with the dependencies")
    summary = program.summary(recipe(), python=python)
    assert hashed(program.export(summary["run"], python=python)) == hashed(undisturbed)


def test_recorded_and_repeated_exactly(program, recipe, undisturbed):
    summary = program.summary(recipe(), "--record")
    assert hashed(program.export(summary["run"])) == hashed(undisturbed)
    assert "exactly" in program.run("run", "--exact", summary["run"])


def staged(program, name, *arguments, stages=("feed", "strategy", "execution", "sink")):
    """Run a recipe in four processes; returns the summary of execution."""
    started = {stage: program.start("run", name, "--stage", stage, "--json", *arguments) for stage in stages}
    printed = {}
    try:
        for stage, process in started.items():
            printed[stage] = process.communicate(timeout=60)
    finally:
        for process in started.values():
            process.kill()
    for stage, process in started.items():
        assert process.returncode == 0, (stage, printed[stage])
    return json.loads(printed["execution"][0])


def test_four_processes_over_zeromq(program, recipe, undisturbed):
    summary = staged(program, recipe("networked", transport=True), "--record")
    assert hashed(program.export(summary["run"])) == hashed(undisturbed)
    assert "exactly" in program.run("run", "--exact", summary["run"])


def test_four_processes_started_in_another_order(program, recipe, undisturbed):
    name = recipe("networked", transport=True)
    summary = staged(program, name, stages=("sink", "execution", "strategy", "feed"))
    assert hashed(program.export(summary["run"])) == hashed(undisturbed)


def sunk(program, summary):
    """Return what the jsonl sink wrote."""
    return (program.folder / "state" / "runs" / summary["run"] / "events.jsonl").read_text()


def test_only_the_transport_differs(program, recipe, nats_url):
    written = {"inproc": "inproc", "zeromq": True, "nats": {"nats": {"url": nats_url}}}
    summaries = {name: program.summary(recipe(transport=transport)) for name, transport in written.items()}
    exports = {name: hashed(program.export(summary["run"])) for name, summary in summaries.items()}
    assert len(set(exports.values())) == 1, exports
    files = {name: hashed(sunk(program, summary)) for name, summary in summaries.items()}
    assert len(set(files.values())) == 1, files
    figures = [
        {key: value for key, value in summary.items() if key not in {"run", "latency_us"}}
        for summary in summaries.values()
    ]
    assert figures[0] == figures[1] == figures[2]


def test_a_stage_that_dies_ends_the_others(program, recipe):
    name = recipe("networked", transport=True, speed=2000)
    started = {
        stage: program.start("run", name, "--stage", stage) for stage in ("feed", "strategy", "execution", "sink")
    }
    try:
        # Trading has begun when the first decisions are on file.
        while not any(path.stat().st_size for path in program.folder.glob("state/runs/*/events.jsonl")):
            time.sleep(0.05)
        started["strategy"].send_signal(signal.SIGKILL)
        for stage in ("feed", "execution", "sink"):
            _, errors = started[stage].communicate(timeout=60)
            assert started[stage].returncode == 1, errors
            assert "strategy" in errors
    finally:
        for process in started.values():
            process.kill()
            process.communicate()
