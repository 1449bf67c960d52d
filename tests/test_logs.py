"""Log lines are JSON where no person reads them, and the project says how severe they must be."""

from __future__ import annotations

import json

import pytest
import yaml

RECIPE = {
    "name": "logged",
    "instruments": ["BTC/USDT:USDT"],
    "feeds": [{"synthetic": {"seed": 7, "duration": "5m"}}],
    "strategies": [{"momentum": {"interval": "5s", "fast": 5, "slow": 13, "rsi": 7}}],
    "allocator": "equal_weight",
    "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.5}}]},
    "executor": "paper",
    "sinks": ["failing_sink"],
}


@pytest.mark.parametrize(("level", "lines"), [("info", 1), ("error", 0)])
def test_a_sink_that_fails_is_logged_as_json(program, level, lines):
    (program.folder / "quantmind.yaml").write_text(f"state: state\nlogging: {{level: {level}}}\n")
    (program.folder / "logged.yaml").write_text(yaml.safe_dump(RECIPE))
    process = program.start("run", "logged.yaml")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    logged = [json.loads(line) for line in errors.splitlines()]
    assert [(line["level"], line["logger"]) for line in logged] == [("warning", "quantmind.pipeline.sinking")] * lines
    for line in logged:
        assert "failing_sink" in line["message"]
