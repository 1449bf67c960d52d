from __future__ import annotations

import io

import pytest

from quantmind.kinds import Run
from quantmind.testing import LocalServer, examples, free_port

TS = 1_704_067_400_250_000_000


@pytest.fixture
def run_of_sink(tmp_path):
    """Return the run that a sink under test belongs to."""
    return Run("demo", tmp_path, io.StringIO())


@pytest.fixture
def one_of_each():
    """Return an event of each type, by its name."""
    return examples.one_of_each(TS)


class NATSServer(LocalServer):
    """A real nats-server, with its store in a folder of the test."""

    def __init__(self, binary, folder, *arguments, jetstream, environ):
        port = free_port()
        self.url = f"nats://127.0.0.1:{port}"
        store = ["--jetstream", "--store_dir", str(folder / "store")] if jetstream else []
        command = [binary, "-a", "127.0.0.1", "-p", str(port), *store, *arguments]
        super().__init__(command, port, folder / "log", environ=environ or None)


@pytest.fixture
def make_nats_server(server_binary, tmp_path):
    """Return what starts servers."""
    binary = server_binary("nats-server", "nats-server")
    made = []

    def make(*arguments, jetstream=True, start=True, **environ):
        folder = tmp_path / f"server{len(made)}"
        folder.mkdir()
        server = NATSServer(binary, folder, *arguments, jetstream=jetstream, environ=environ)
        made.append(server)
        if start:
            server.start()
        return server

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def nats_server(make_nats_server):
    return make_nats_server()
