from __future__ import annotations

import io
import socket
import subprocess
import time
from typing import Any

import pytest

from quantmind.kinds import Run
from quantmind.testing import examples

TS = 1_704_067_400_250_000_000


@pytest.fixture
def run_of_sink(tmp_path):
    """Return the run that a sink under test belongs to."""
    return Run("demo", tmp_path, io.StringIO())


@pytest.fixture
def one_of_each():
    """Return an event of each type, by its name."""
    return examples.one_of_each(TS)


class NATSServer:
    """A real nats-server on a free loopback port, with its store in a folder of the test."""

    def __init__(self, binary: str, folder: Any, *arguments: str, jetstream: bool = True) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self.folder = folder
        store = ["--jetstream", "--store_dir", str(folder / "store")] if jetstream else []
        self._command = [binary, "-a", "127.0.0.1", "-p", str(self.port), *store, *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **environ: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log, env=environ or None)
        end = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def make_nats_server(server_binary, tmp_path):
    """Return what starts servers."""
    binary = server_binary("nats-server", "nats-server")
    started: list[NATSServer] = []

    def make(*arguments: str, jetstream: bool = True, start: bool = True, **environ: str) -> NATSServer:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        made = NATSServer(binary, folder, *arguments, jetstream=jetstream)
        started.append(made)
        if start:
            made.start(**environ)
        return made

    yield make
    for made in started:
        made.kill()


@pytest.fixture
def nats_server(make_nats_server):
    return make_nats_server()
