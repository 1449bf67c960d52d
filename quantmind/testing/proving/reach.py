"""Reach: what a component reaches for beyond itself while it is checked: files, connections, other programs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAKING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "sqlite3.connect"}
_CONNECTING = {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"}
_STARTING = {"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork"}
_CODE = (".py", ".pyc", ".so", ".pth", ".zip")


class Reach:
    """What was reached for, each once, in the order it was."""

    def __init__(self) -> None:
        self.written: dict[str, None] = {}
        """Files and folders that were made, opened for writing, renamed or removed."""
        self.read: dict[str, None] = {}
        """Files that were read, modules and what comes with Python apart."""
        self.connected: dict[str, None] = {}
        """Addresses that were looked up, connected to, or listened on."""
        self.started: dict[str, None] = {}
        """Programs that were started."""

    @property
    def beyond(self) -> list[str]:
        """All of it, in words."""
        return [
            *(f"it writes {path}" for path in self.written),
            *(f"it reads {path}" for path in self.read),
            *(f"it connects to {address}" for address in self.connected),
            *(f"it starts {program}" for program in self.started),
        ]


_watching: list[tuple[Reach, bool]] = []
_installed = [False]


@contextlib.contextmanager
def watched(*, connect: bool = False) -> Iterator[Reach]:
    """Note what is reached for meanwhile, by any thread; without `connect` every connection is refused.

    Python tells of it by its audit events: a library that opens sockets in C of its own is not seen.
    """
    if not _installed[0]:
        # A hook stays for good; while nothing is watched it does nothing.
        sys.addaudithook(_audited)
        _installed[0] = True
    reach = Reach()
    _watching.append((reach, connect))
    try:
        yield reach
    finally:
        _watching.remove((reach, connect))


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    for reach, connect in tuple(_watching):
        _note(reach, connect, event, arguments)


def _note(reach: Reach, connect: bool, event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        _opened(reach, *arguments)
    elif event in _MAKING:
        for argument in arguments[:2]:
            if isinstance(argument, str | bytes | os.PathLike):
                reach.written[_absolute(argument)] = None
    elif event in _CONNECTING:
        address = _address(event, arguments)
        if address:
            reach.connected[address] = None
            if not connect:
                raise ConnectionRefusedError(f"{address} is not connected to while a component is checked")
    elif event in _STARTING:
        reach.started[str(arguments[0] if arguments else event)] = None


def _opened(reach: Reach, path: object, mode: object, flags: object) -> None:
    if not isinstance(path, str | bytes | os.PathLike):
        return
    absolute = _absolute(path)
    if absolute.startswith(("/dev/", "/proc/", "/sys/")) and not absolute.startswith("/dev/shm/"):  # noqa: S108 - files
        return
    if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & _WRITING):
        if "__pycache__" not in absolute:
            reach.written[absolute] = None
    elif not (absolute.endswith(_CODE) or absolute.startswith((sys.prefix, sys.base_prefix)) or _is_part(absolute)):
        reach.read[absolute] = None


def _is_part(path: str) -> bool:
    """Say whether a file comes with an installation: time zones, and what lies in a package."""
    return "/zoneinfo/" in path or "/site-packages/" in path or Path(path).is_dir()


def _address(event: str, arguments: tuple[Any, ...]) -> str:
    if event == "socket.getaddrinfo":
        host, port = arguments[:2]
    else:
        address = arguments[1]
        if not isinstance(address, tuple):
            return str(address)
        host, port = address[:2]
    if host is None or (event == "socket.bind" and not port):
        # A look at what this machine can do.
        return ""
    return f"{host.decode() if isinstance(host, bytes) else host}:{port}"


def _absolute(path: str | bytes | os.PathLike[Any]) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - a Path would follow what does not exist
