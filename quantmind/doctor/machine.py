"""The machine: open files, processors, memory, the event loop and the time zones."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from quantmind.doctor.finding import Finding, failed, ok, warning

_FILES = 1_024
"""A stage with a hundred instruments has some 300 sockets and files open; a sweep opens more."""
_MEMORY = 512 << 20
"""A stage takes some 100 MB with its libraries, and there are four."""
_MEBIBYTE = 1 << 20
_CGROUP = Path("/sys/fs/cgroup")


def machine() -> Iterator[Finding]:
    """Look at what this process may use."""
    yield _files()
    yield _cores()
    yield _memory()
    yield _event_loop()
    yield _time_zones()


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        return warning("open files", f"at most {soft}", f"`ulimit -n {_FILES}` or more, LimitNOFILE= in a unit")
    shown = ["without limit" if limit == resource.RLIM_INFINITY else f"{limit}" for limit in (soft, hard)]
    return ok("open files", f"at most {shown[0]} (hard limit {shown[1]})")


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _quota()
    if share is not None and share < cores:
        words = f"{cores}, of which this process may use {share:g}"
        return warning("processors", words, "give its group a whole one") if share < 1 else ok("processors", words)
    return ok("processors", str(cores))


def _quota() -> float | None:
    """Return how many processors the control group may use; None without a limit."""
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _memory() -> Finding:
    free = _available()
    if free is None:
        return ok("memory", "cannot be seen here")
    limit = _group_memory()
    if limit is not None and limit < free:
        free = limit
    words = f"{free / _MEBIBYTE:,.0f} MiB free"
    if free < _MEMORY:
        return warning("memory", words, f"a pipeline of four processes needs {_MEMORY // _MEBIBYTE} MiB")
    return ok("memory", words)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(found[0][1]) * 1024 if found else None


def _group_memory() -> int | None:
    """Return what is left of the control group's memory; None without a limit."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        return None if limit == "max" else int(limit) - int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return None


def _event_loop() -> Finding:
    try:
        import uvloop

        loop = uvloop.new_event_loop()
        loop.run_until_complete(_nothing())
        loop.close()
    except Exception as error:  # noqa: BLE001 - a library that does not fit this machine fails in its own way
        return failed("event loop", f"uvloop does not run: {type(error).__name__}: {error}", "pip install uvloop")
    return ok("event loop", f"uvloop {version('uvloop')}")


async def _nothing() -> None:
    pass


def _time_zones() -> Finding:
    from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Europe/Berlin")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return warning("time zones", "there are no data of them", "install tzdata; QuantMind itself goes by UTC")
    return ok("time zones", next((path for path in TZPATH if Path(path).is_dir()), "of the package tzdata"))
