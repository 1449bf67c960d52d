"""Each ExecStart really starts without privileges, with a read-only root, its own folders and filtered calls."""

import json
import re

import pytest


def finished(process, seconds=90):
    try:
        output, errors = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, output, errors


def test_the_sandbox_takes_away_what_a_unit_does(project, sandbox):
    (unit,) = project.units(project.recipe()).values()
    code = """
import ctypes, json, os, socket
found = {}
def tried(name, action):
    try:
        action()
        found[name] = "done"
    except OSError as error:
        found[name] = error.strerror
tried("root", lambda: open("/etc/quantmind-was-here", "w"))
tried("project", lambda: open("here", "w"))
tried("state", lambda: open(os.environ["QUANTMIND_STATE"] + "/here", "w"))
tried("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
tried("chroot", lambda: os.chroot("/"))
tried("setpriority", lambda: os.setpriority(os.PRIO_PROCESS, 0, 5))
import mmap
tried("written code", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC))
found["uid"] = os.getuid()
print(json.dumps(found))
"""
    python = unit.command()[0].rpartition("/")[0] + "/python"
    status, output, errors = finished(sandbox.start(unit, command=[python, "-c", code]))
    assert status == 0, errors
    found = json.loads(output)
    assert found.pop("uid") != 0
    assert found.pop("state") == "done"
    denied = {"Read-only file system", "Operation not permitted", "Permission denied"}
    assert set(found) == {"root", "project", "packets", "chroot", "setpriority", "written code"}
    assert set(found.values()) <= denied, found


@pytest.mark.slow
def test_a_recipe_in_one_process(project, sandbox):
    (unit,) = project.units(project.recipe()).values()
    code, output, errors = finished(sandbox.start(unit))
    assert code == 0, errors
    assert re.search(r"fills +[1-9]", output), output
    (run,) = (sandbox.state / "runs").iterdir()
    assert (run / "run.json").is_file()
    assert not (project.folder / "state").exists()


@pytest.mark.slow
@pytest.mark.parametrize("template", [False, True])
@pytest.mark.parametrize("endpoint", ["tcp", "ipc"])
def test_a_recipe_in_stages(project, sandbox, free_ports, template, endpoint):
    address = f"tcp://127.0.0.1:{free_ports}" if endpoint == "tcp" else "ipc:///run/quantmind/small/bus"
    units = project.units(project.zeromq(address), *(["--template"] if template else []))
    stages = ("sink", "execution", "strategy", "feed")
    if template:
        stage_units = {stage: units["quantmind-small@.service"].instance(stage) for stage in stages}
    else:
        stage_units = {stage: units[f"quantmind-small-{stage}.service"] for stage in stages}
    processes = {stage: sandbox.start(unit, stage) for stage, unit in stage_units.items()}
    ended = {}
    try:
        for stage, process in processes.items():
            ended[stage] = finished(process)
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()
    assert {stage: code for stage, (code, _, _) in ended.items()} == dict.fromkeys(stages, 0), ended
    (run,) = (sandbox.state / "runs").iterdir()
    assert (run / "journal.sqlite").is_file(), list(run.iterdir())
