"""A server on this machine, for the tests of what talks to one."""

from __future__ import annotations

import contextlib
import os
import signal as signals
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from quantmind.testing.waiting import PATIENCE

_PAUSE = 0.02
_MOMENT = 0.2
_STARTS = 20
_ATTEMPTS = 100
_PORTS = 65_536
_LAST = 2_000
"""Characters of what it wrote that are told."""


def free_port(count: int = 1) -> int:
    """Return a free loopback port; with a `count`, the first of so many in a row.

    Raises:
        OSError: there is none.
    """
    for _ in range(_ATTEMPTS):
        with contextlib.ExitStack() as stack:
            port: int = stack.enter_context(_listening(0)).getsockname()[1]
            if port + count > _PORTS:
                continue
            with contextlib.suppress(OSError):
                for number in range(port + 1, port + count):
                    stack.enter_context(_listening(number))
                return port
    raise OSError(f"no {count} free ports in a row")


class LocalServer:
    """A server process that listens at a loopback port: it is waited for, and may be killed and started again.

    `command` is its program and arguments, in order. What it writes goes to the file `log`, and the last of it into the
    message when it does not come up. `environ` has the variables of its process by name, those of this one without.

        port = free_port()
        with LocalServer(["redis-server", "--port", str(port)], port, tmp_path / "log") as server:
            server.kill()
            server.start()
    """

    def __init__(
        self, command: Sequence[str], port: int, log: Path, *, environ: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        """Where it listens, on 127.0.0.1."""
        self._command = list(command)
        self._log = log
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            AssertionError: it does not come up.
            OSError: its program is not there.
        """
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill it."""
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            AssertionError: it ends again and again, or does not listen in 30 s; says what it wrote last.
            OSError: its program is not there.
        """
        end = time.monotonic() + PATIENCE
        # A client that tried to come back while nobody listened can hold the port for a moment.
        for _ in range(_STARTS):
            process = self._run()
            while process.poll() is None and time.monotonic() < end:
                if self._listens():
                    return
                time.sleep(_PAUSE)
            self.kill()
            if time.monotonic() > end:
                break
            time.sleep(_MOMENT)
        wrote = self._log.read_text(errors="replace")[-_LAST:].strip()
        raise AssertionError(f"{self._command[0]} does not listen at port {self.port}; it wrote: {wrote}")

    def signal(self, number: signals.Signals) -> None:
        """Send its process the signal `number`: SIGSTOP lets it fall silent, SIGCONT go on."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it, as a crash would, and wait for its end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _run(self) -> subprocess.Popen[bytes]:
        environ = os.environ if self._environ is None else self._environ
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environ)  # noqa: S603 - the test's
        self._process = process
        return process

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0 and probe.getsockname() != probe.getpeername()


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))
