"""A local server: it is waited for, killed, silenced and started again; and free ports are free."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.testing import LocalServer, free_port

ECHO = """
import os, socket, sys, time
time.sleep(0.1)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", os.environ.get("WHO"), flush=True)
while True:
    client, _ = server.accept()
    client.sendall(client.recv(100))
    client.close()
"""


@pytest.fixture
def server(tmp_path):
    port = free_port()
    return LocalServer([sys.executable, "-c", ECHO, str(port)], port, tmp_path / "log", environ={"WHO": "me"})


def asked(server, seconds=10.0):
    with socket.create_connection(("127.0.0.1", server.port), seconds) as client:
        client.sendall(b"hello")
        return client.recv(100)


def test_it_is_there_until_its_end(server):
    with server:
        assert asked(server) == b"hello"
    with pytest.raises(ConnectionError):
        asked(server)


def test_it_may_be_killed_and_started_again(server, tmp_path):
    with server:
        server.kill()
        server.kill()
        with pytest.raises(ConnectionError):
            asked(server)
        server.start()
        assert asked(server) == b"hello"
    assert (tmp_path / "log").read_text() == "listening me\n" * 2


def test_it_may_fall_silent_and_go_on(server):
    with server:
        server.signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            asked(server, 0.2)
        server.signal(signal.SIGCONT)
        assert asked(server) == b"hello"
    server.signal(signal.SIGCONT)


def test_one_that_does_not_come_up_is_told_with_what_it_wrote(tmp_path, monkeypatch):
    monkeypatch.setattr("quantmind.testing.local_server._STARTS", 2)
    port = free_port()
    made = LocalServer([sys.executable, "-c", "raise SystemExit('no such folder')"], port, tmp_path / "log")
    with pytest.raises(AssertionError, match=f"does not listen at port {port}; it wrote: no such folder"):
        made.start()


def test_one_that_never_listens_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("quantmind.testing.local_server.PATIENCE", 0.3)
    made = LocalServer([sys.executable, "-c", "import time; time.sleep(60)"], free_port(), tmp_path / "log")
    with pytest.raises(AssertionError, match="does not listen"):
        made.start()
    assert made._process is None


def test_a_program_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        LocalServer([str(tmp_path / "nothing")], free_port(), tmp_path / "log").start()


@given(st.integers(1, 6))
def test_ports_in_a_row_are_free(count):
    first = free_port(count)
    with contextlib.ExitStack() as stack:
        for port in range(first, first + count):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))


def test_more_ports_than_there_are_is_an_error():
    with pytest.raises(OSError, match="no 70000 free ports in a row"):
        free_port(70_000)
