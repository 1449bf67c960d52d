"""Killed at any step, a writer loses at the most what was not written, doubles nothing, and the next one goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from quantmind.data.store import Store, Writer
from quantmind.data.store.layout import Stream
from quantmind.kinds import TRADES

SCRIPT = Path(__file__).with_name("killed_writer.py")

DAY = 20_000
STREAM = Stream("v", TRADES, "BTC/USDT:USDT")

pytestmark = pytest.mark.slow


def run(folder, step, what):
    """Write until the step, at which the process is killed; returns its code and the events it knew to be written."""
    ended = subprocess.run(
        [sys.executable, SCRIPT, folder, str(step), what], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode, int(ended.stdout.split()[-1])


def ids(store, make):
    return [trade.id for batch in store.read("v", [make.btc], [TRADES]) for trade in batch]


@pytest.mark.parametrize("what", ["write", "compact", "cover"])
def test_killed_at_every_step(tmp_path, make, what):
    steps = 0
    for step in range(1, 200):
        place = tmp_path / f"{what}-{step}"
        place.mkdir()
        code, written = run(place, step, what)
        if code == 0:
            break
        steps += 1
        store = Store(place)
        found = ids(store, make)
        # Two trades are fetched again on purpose, and are there twice until it is noted that all were fetched.
        twice = {n for n in found if found.count(n) > 1}
        assert twice <= ({2, 5} if what == "cover" else set()), f"step {step}: something is there twice"
        assert set(range(written)) <= set(found), f"step {step}: something is lost"
        with Writer(place) as writer:
            missing = [n for n in range(12) if n not in found]
            writer.write("v", [make.trade(n) for n in missing])
            if what == "cover":
                writer.cover(STREAM, DAY, [])
        assert ids(Store(place), make) == list(range(12)), f"step {step}"
        names = [path.name for path in place.rglob("*") if path.is_file() and ".store" not in path.parts]
        assert len(names) == 1, f"step {step}: {names}"
        assert Store(place).manifest(STREAM, DAY).rows == 12
    assert steps > 8
    assert code == 0
