from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from quantmind.testing.proving.reach import watched


def test_what_is_written_read_and_started_is_noted_and_modules_are_not(tmp_path):
    (tmp_path / "read").write_text("x")
    with watched() as reach:
        (tmp_path / "read").read_text()
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "file").write_text("x")
        sqlite3.connect(tmp_path / "base").close()
        Path(subprocess.__file__).read_text()
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert list(reach.read) == [str(tmp_path / "read")]
    assert list(reach.written) == [str(tmp_path / name) for name in ("made", "made/file", "base")]
    assert list(reach.started) == [sys.executable]
    assert [words.split()[1] for words in reach.beyond] == ["writes", "writes", "writes", "reads", "starts"]
    (tmp_path / "later").write_text("x")
    assert str(tmp_path / "later") not in reach.written


def test_connections_are_refused_unless_they_are_let():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with watched() as reach, pytest.raises(ConnectionRefusedError, match="is not connected to while"):
            socket.create_connection(address)
        assert list(reach.connected) == [f"127.0.0.1:{address[1]}"]
        with watched(connect=True) as reach:
            socket.create_connection(address).close()
        assert list(reach.connected) == [f"127.0.0.1:{address[1]}"]
        server.accept()[0].close()


def test_who_watches_outside_sees_what_is_seen_inside(tmp_path):
    with watched() as outer, watched() as inner:
        (tmp_path / "a").write_text("x")
    assert list(outer.written) == list(inner.written) == [str(tmp_path / "a")]
