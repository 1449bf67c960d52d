"""The state folder: whether it can be written to, how fast, how much room it has, and on what it lies."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from quantmind.doctor.finding import Finding, failed, ok, warning
from quantmind.project import Project

_GIBIBYTE, _MEBIBYTE = 1 << 30, 1 << 20
_LEAST_ROOM = 100 * _MEBIBYTE
"""SQLite's log of a journal grows to 40 MiB before it is folded in, and the journal by as much then."""
_ROOM = _GIBIBYTE
_LEAST_INODES, _INODES = 100, 10_000
"""A run has some ten files; a year of one symbol's bars, trades and quotes in the store has a thousand."""
_SLOW = 0.1
"""Seconds that a durable write may take: each command of a live account waits for one."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "ncpfs", "gpfs"})
_SHARED = frozenset({"9p", "virtiofs", "vboxsf", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "drvfs"})
_MOUNTS = Path("/proc/self/mountinfo")
_FLEETING = frozenset({"tmpfs", "ramfs"})


def state(project: Project) -> Iterator[Finding]:
    """Look at the state folder, or at where it will be made."""
    folder = project.state
    if project.file is not None:
        yield ok("project", f"{project.file}")
    else:
        yield ok("project", "no quantmind.yaml here or above: the defaults hold")
    place = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path("/"))
    if not place.is_dir():
        yield failed("state folder", f"{folder}: {place} is no folder", "move it, or set state: in quantmind.yaml")
        return
    yield _written(folder, place)
    yield from _room(place)
    yield from _file_system(place)


def _written(folder: Path, place: Path) -> Finding:
    if place != folder:
        if not os.access(place, os.W_OK | os.X_OK):
            advice = f"make it and give it to this user, or set state: in quantmind.yaml (chown {place})"
            return failed("state folder", f"{folder} is not there and cannot be made in {place}", advice)
        return ok("state folder", f"{folder}, made with the first run")
    probe = folder / f".doctor-{os.getpid()}"
    try:
        try:
            with probe.open("xb") as file:
                file.write(b"quantmind doctor\n")
                file.flush()
                began = time.monotonic()
                os.fsync(file.fileno())
                took = time.monotonic() - began
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        advice = "see to its owner and permissions, or set state: in quantmind.yaml"
        return failed("state folder", f"{folder} cannot be written to: {error.strerror}", advice)
    words = f"{folder}, a durable write takes {took * 1e3:.1f} ms"
    if took > _SLOW:
        return warning("state folder", words, "every order waits for one: use a faster disk")
    return ok("state folder", words)


def _room(place: Path) -> Iterator[Finding]:
    room = os.statvfs(place)
    free, inodes = room.f_bavail * room.f_frsize, room.f_favail
    words = f"{free / _GIBIBYTE:,.1f} GiB free" if free >= _GIBIBYTE else f"{free / _MEBIBYTE:,.0f} MiB free"
    if free < _LEAST_ROOM:
        yield failed("disk", words, "make room: trading stops when the journal cannot be written")
    elif free < _ROOM:
        yield warning("disk", words, "make room before it is full: trading stops then")
    else:
        yield ok("disk", words)
    # Some file systems make inodes as they go, and say 0 of 0.
    if room.f_files and inodes < _INODES:
        tell = failed if inodes < _LEAST_INODES else warning
        yield tell("disk", f"room for {inodes:,} more files", "remove small files, or move the state folder")


def _file_system(place: Path) -> Iterator[Finding]:
    kind, mount = _mounted(place)
    if not kind:
        return
    words = f"{kind} at {mount}"
    if kind in _NETWORK:
        yield failed("file system", words, "SQLite's log does not work over a network: use a disk of this machine")
    elif kind in _SHARED:
        yield warning("file system", words, "it is shared with another machine: SQLite's locks may not hold there")
    elif kind in _FLEETING:
        yield warning("file system", words, "it is memory, and gone with the next start: use a disk for live accounts")
    elif kind == "overlay":
        yield warning("file system", words, "it goes with the container: mount a volume for live accounts")
    else:
        yield ok("file system", words)


def _mounted(place: Path) -> tuple[str, str]:
    """Return the type of the file system that a place lies on, and where that is mounted."""
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return "", ""
    real = os.path.realpath(place)
    best = ("", "")
    for line in lines:
        fields, _, rest = line.partition(" - ")
        mount = fields.split()[4].encode().decode("unicode_escape")
        # Of two mounts at one place the later one covers the earlier.
        if (real == mount or real.startswith(mount.rstrip("/") + "/")) and len(mount) >= len(best[1]):
            best = (rest.split()[0], mount)
    return best
