from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import yaml

START = datetime(2024, 1, 1, tzinfo=UTC)


def bars(minutes=600, first=0, every=1, base=100.0, amplitude=5.0):
    """Make bars that go up and down in triangles of an hour, from some minutes after the start on."""
    opens = []
    for n in range(0, minutes, every):
        phase = (first + n) % 60
        opens.append(base + amplitude * (phase if phase < 30 else 60 - phase) / 30)
    closes = [*opens[1:], opens[-1]]
    return pl.DataFrame(
        {
            "date": [START + timedelta(minutes=first + n) for n in range(0, minutes, every)],
            "open": opens,
            "high": [max(pair) + 0.1 for pair in zip(opens, closes, strict=True)],
            "low": [min(pair) - 0.1 for pair in zip(opens, closes, strict=True)],
            "close": closes,
            "volume": [100.0] * len(opens),
        }
    )


@pytest.fixture
def save():
    """Save rows as a file of the format that its name says."""

    def write(rows, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name.endswith(".parquet"):
            rows.write_parquet(path)
        elif path.name.endswith(".csv"):
            rows.write_csv(path)
        else:
            rows.write_ipc(path, compression="lz4")
        return path

    return write


@pytest.fixture
def make_bars():
    return bars


@pytest.fixture
def plain():
    """A recipe that needs a venue, as plain data."""
    return {
        "name": "demo",
        "instruments": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
        "feeds": [{"synthetic": {"duration": "1m"}}],
        "strategies": [{"momentum": {"interval": "5m", "fast": 2, "slow": 5, "rsi": 3}}],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 2}}]},
        "executor": {"paper": {"balance": 5000, "latency": "1s"}},
        "sinks": ["console"],
    }


@pytest.fixture
def recipe_file(tmp_path, plain):
    def write(**changes):
        path = tmp_path / "demo.yaml"
        path.write_text(yaml.safe_dump({**plain, **changes}))
        return path

    return write
