import builtins
import resource

import pytest

from quantmind.doctor import machine as module
from quantmind.doctor.machine import machine


def found(subject):
    (finding,) = (each for each in machine() if each.subject == subject)
    return finding


@pytest.fixture
def group(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_CGROUP", tmp_path)
    return tmp_path


def test_this_machine_will_do():
    assert {each.state for each in machine()} <= {"ok", "warning"}
    assert found("event loop").words.startswith("uvloop ")


@pytest.mark.parametrize(("limit", "state"), [(256, "warning"), (4_096, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_open_files_are_judged(monkeypatch, limit, state):
    monkeypatch.setattr(module.resource, "getrlimit", lambda _: (limit, resource.RLIM_INFINITY))
    assert found("open files").state == state


@pytest.mark.parametrize(("quota", "state"), [("50000 100000", "warning"), ("max 100000", "ok"), ("torn", "ok")])
def test_a_part_of_a_processor_is_told(group, quota, state):
    (group / "cpu.max").write_text(quota)
    assert found("processors").state == state


def test_the_memory_of_a_container_counts(group):
    (group / "memory.max").write_text(str(600 << 20))
    (group / "memory.current").write_text(str(200 << 20))
    memory = found("memory")
    assert (memory.state, memory.words) == ("warning", "400 MiB free")


def test_a_loop_that_does_not_run_has_failed(monkeypatch):
    real = builtins.__import__

    def broken(name, *rest):
        if name == "uvloop":
            raise ImportError("no such symbol")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", broken)
    assert found("event loop").told == "uvloop does not run: ImportError: no such symbol: pip install uvloop"


def test_lacking_time_zones_are_told(monkeypatch):
    import zoneinfo

    def missing(name):
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", missing)
    assert found("time zones").state == "warning"
