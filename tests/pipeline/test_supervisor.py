"""The supervisor: stages are started, restarted alone, and ended in order; what they print is handed on."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantmind.pipeline import restarts as rules
from quantmind.pipeline.supervisor import SupervisedError, Supervisor

STAGES = ("feed", "strategy", "execution", "sink")
CHILD = """
import json, os, pathlib, signal, sys, time
stage = sys.argv[sys.argv.index("--stage") + 1]
summary = pathlib.Path(sys.argv[sys.argv.index("--summary") + 1])
home = pathlib.Path(os.environ["HOME_OF_TEST"])
log = home / "log"

def note(what):
    with log.open("a") as file:
        file.write(f"{stage} {what}\\n")

starts = home / f"{stage}.starts"
count = int(starts.read_text()) + 1 if starts.exists() else 1
starts.write_text(str(count))
plan = json.loads((home / "plan.json").read_text()).get(stage, [])
todo = plan[count - 1] if count <= len(plan) else "run"

def stop(*_):
    note("stop")
    if stage == "execution":
        summary.write_text(json.dumps({"orders": 7, "sinks": {}}))
    if stage == "sink":
        summary.write_text(json.dumps({"jsonl": "3 events lost"}))
    sys.exit(0)

signal.signal(signal.SIGTERM, (lambda *_: note("deaf")) if todo == "deaf" else stop)
if not isinstance(todo, int):
    (home / f"{stage}.ready").touch()
note("start")
print("hello", flush=True)
print("trouble", file=sys.stderr, flush=True)
if isinstance(todo, int):
    while len(list(home.glob("*.ready"))) < 3:
        time.sleep(0.01)
    sys.exit(todo)
while True:
    time.sleep(0.02)
"""


class Trial:
    """A supervisor over four programs that do as they are told."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        (folder / "child.py").write_text(CHILD)
        monkeypatch.setenv("HOME_OF_TEST", str(folder))
        monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
        self.output, self.errors = io.StringIO(), io.StringIO()

    def make(self, live=True, **plan):
        (self.folder / "plan.json").write_text(json.dumps(plan))
        command = [sys.executable, str(self.folder / "child.py")]
        self.supervisor = Supervisor(STAGES, command, live=live, output=self.output, errors=self.errors)
        return self.supervisor

    def log(self):
        file = self.folder / "log"
        return file.read_text().splitlines() if file.exists() else []

    async def until(self, true):
        end = time.monotonic() + 20
        while not true():
            assert time.monotonic() < end, self.log()
            await asyncio.sleep(0.02)


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setattr(rules, "FIRST", 0.02)
    return Trial(tmp_path, monkeypatch)


async def test_stages_end_in_the_order_of_a_tick_and_their_summaries_are_joined(trial):
    running = asyncio.create_task(trial.make().run())
    await trial.until(lambda: len(trial.log()) == 4)
    trial.supervisor.stop()
    assert await running == {"orders": 7, "sinks": {"jsonl": "3 events lost"}}
    assert trial.log()[4:] == [f"{stage} stop" for stage in STAGES]


async def test_every_line_has_its_stage_before_it(trial):
    running = asyncio.create_task(trial.make().run())
    await trial.until(lambda: trial.output.getvalue().count("hello") == 4)
    trial.supervisor.stop()
    await running
    assert sorted(trial.output.getvalue().splitlines()) == sorted(f"{stage:<9} | hello" for stage in STAGES)
    assert "strategy  | trouble\n" in trial.errors.getvalue()


async def test_a_live_stage_is_started_again_alone(trial):
    running = asyncio.create_task(trial.make(strategy=[1, 1]).run())
    await trial.until(lambda: trial.log().count("strategy start") == 3)
    await asyncio.sleep(0.1)
    assert [trial.log().count(f"{stage} start") for stage in STAGES] == [1, 3, 1, 1]
    trial.supervisor.stop()
    await running


@pytest.mark.parametrize("code", [2, 78])
async def test_a_mistake_is_not_tried_again_and_its_code_is_told(trial, code):
    with pytest.raises(SupervisedError, match=f"stage execution ended with exit code {code}") as caught:
        await trial.make(execution=[code]).run()
    assert caught.value.exit_code == code
    assert trial.log().count("execution start") == 1
    assert trial.log().count("feed stop") == 1


async def test_what_fails_again_and_again_ends_the_pipeline(trial, monkeypatch):
    monkeypatch.setattr(rules, "LONGEST", 0.05)
    told = "stage sink ended with exit code 1 and has been started 10 times"
    with pytest.raises(SupervisedError, match=told) as caught:
        await trial.make(sink=[1] * 20).run()
    assert caught.value.exit_code == 1
    assert trial.log().count("sink start") == rules.MOST + 1


async def test_a_replay_ends_with_the_first_stage_that_fails(trial):
    with pytest.raises(SupervisedError, match="stage strategy ended with exit code 1") as caught:
        await trial.make(live=False, strategy=[1]).run()
    assert caught.value.exit_code == 1
    assert trial.log().count("strategy start") == 1


async def test_a_stage_that_does_not_end_is_killed(trial, monkeypatch):
    monkeypatch.setattr("quantmind.pipeline.supervisor.PATIENCE", 0.3)
    running = asyncio.create_task(trial.make(strategy=["deaf"]).run())
    await trial.until(lambda: len(trial.log()) == 4)
    trial.supervisor.stop()
    with pytest.raises(SupervisedError, match="stage strategy ended with signal 9 while it was stopped") as caught:
        await asyncio.wait_for(running, 10)
    assert caught.value.exit_code == 1
    assert trial.log()[4:] == ["feed stop", "strategy deaf", "execution stop", "sink stop"]


async def test_a_stop_while_a_restart_waits_is_heard(trial, monkeypatch):
    monkeypatch.setattr(rules, "FIRST", 30.0)
    running = asyncio.create_task(trial.make(strategy=[1]).run())
    await trial.until(lambda: len(trial.log()) == 4)
    await asyncio.sleep(0.3)
    trial.supervisor.stop()
    await asyncio.wait_for(running, 10)
    assert trial.log()[4:] == ["feed stop", "execution stop", "sink stop"]


async def test_a_stage_that_is_ended_alone_is_started_again(trial, monkeypatch):
    monkeypatch.setattr("quantmind.pipeline.supervisor._BETWEEN", 0.05)
    running = asyncio.create_task(trial.make(sink=[0]).run())
    await trial.until(lambda: trial.log().count("sink start") == 2)
    trial.supervisor.stop()
    await running


async def test_when_the_feed_has_no_more_the_others_end(trial, monkeypatch):
    monkeypatch.setattr("quantmind.pipeline.supervisor._FAREWELL", 0.2)
    await asyncio.wait_for(trial.make(feed=[0]).run(), 10)
    assert sorted(trial.log()[4:]) == ["execution stop", "sink stop", "strategy stop"]


def test_a_reader_that_has_gone_or_stands_still_holds_up_nobody(program, free_ports):
    (program.folder / "live.yaml").write_text((Path(__file__).parents[2] / "recipes" / "live.yaml").read_text())
    process = program.start("run", "live.yaml", DURATION="5m", ENDPOINT=f"tcp://127.0.0.1:{free_ports}")
    try:
        assert " | " in process.stderr.readline()
        process.stdout.close()
        process.stderr.close()
        time.sleep(5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in {0, 1, 141}
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_stages_do_not_outlive_a_supervisor_that_is_killed(program, free_ports):
    recipe = (Path(__file__).parents[2] / "recipes" / "live.yaml").read_text()
    (program.folder / "live.yaml").write_text(recipe)
    process = program.start("run", "live.yaml", DURATION="5m", ENDPOINT=f"tcp://127.0.0.1:{free_ports}")
    try:
        end = time.monotonic() + 30
        found = []
        while len(found) < 4:
            assert time.monotonic() < end
            time.sleep(0.1)
            found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        time.sleep(3)
        process.send_signal(signal.SIGKILL)
        while any(_runs(pid) for pid in found):
            assert time.monotonic() < end + 30, found
            time.sleep(0.1)
    finally:
        process.kill()
        process.communicate()
        subprocess.run(["kill", "-9", *[pid for pid in found if _runs(pid)]], check=False, capture_output=True)


def _runs(pid):
    try:
        return b"--stage" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
