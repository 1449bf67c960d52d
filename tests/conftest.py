"""What every test may use: the real market data, and the program as its user would start it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Machines are noisy: how long an example takes is no fault of what is tested. In CI hypothesis has it so by itself.
settings.register_profile("patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ROOT = Path(__file__).parents[1]
STRANGERS = ROOT / "tests" / "strangers"


ONE_AT_A_TIME = ("tests/pipeline/", "tests/systemd/", "tests/observing/", "tests/control/", "tests/plugins/test_")
"""Tests of several processes that time each other out: run in parallel they would wait for each other."""


def pytest_collection_modifyitems(items):
    """Keep in one worker what must not run beside its like."""
    for item in items:
        path = item.path.relative_to(ROOT).as_posix() if item.path.is_relative_to(ROOT) else ""
        if path.startswith(ONE_AT_A_TIME):
            item.add_marker(pytest.mark.xdist_group("processes"))


@pytest.fixture(autouse=True)
def logging_as_it_was():
    """Take back what a run in this process says of the log: the next test has its own."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    logging.disable(logging.NOTSET)
    for handler in [handler for handler in root.handlers if type(handler) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture(scope="session")
def data():
    """The folder of recorded market data."""
    folder = Path(os.environ.get("QUANTMIND_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs real market data: set QUANTMIND_TEST_DATA to its folder")
    return folder


@pytest.fixture
def real_bars(data):
    """Make a feed of the recorded one-minute bars of BTC and ETH, from 2025-05-18 on."""

    def feed(end, speed):
        files = {
            f"{coin}/USDT:USDT": str(data / "binance_usdm_bars" / f"{coin}_USDT_USDT-1m-futures.feather")
            for coin in ("BTC", "ETH")
        }
        return {"replay": {"files": files, "start": "2025-05-18T00:00:00", "end": end, "speed": speed}}

    return feed


@pytest.fixture
def free_ports():
    """The first of four free loopback ports in a row."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        if port > 65_000:
            continue
        others = [socket.socket() for _ in range(4)]
        try:
            for offset, other in enumerate(others):
                other.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        finally:
            for other in others:
                other.close()
        return port
    pytest.fail("no four free ports in a row")
    return 0


@pytest.fixture
def nats_url(server_binary, tmp_path):
    """The address of a NATS server with JetStream, for as long as the test lasts."""
    binary = server_binary("nats-server", "nats-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binary, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "jetstream")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < end, "nats-server does not listen"
                time.sleep(0.02)
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


class Program:
    """The installed program, in a project folder of its own, with a third party's plugins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = (STRANGERS, ROOT, ROOT / "plugins")
        (folder / "quantmind.yaml").write_text("state: state\n")

    def start(self, *arguments: str, python: str = sys.executable, code: str = "", **environ: str):
        """Start it; `code` runs in the process before the program."""
        command = [python, "-c", f"{code}\nimport sys\nfrom quantmind.cli import main\nsys.exit(main())", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, self.paths)),
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code_expected: int = 0, **options):
        """Run it to the end; returns what it printed."""
        process = self.start(*arguments, **options)
        try:
            output, errors = process.communicate(timeout=100)
        finally:
            process.kill()
        assert process.returncode == code_expected, (arguments, process.returncode, output, errors)
        return output if code_expected == 0 else errors

    def summary(self, *arguments: str, **options):
        """Run a recipe; returns its summary."""
        return json.loads(self.run("run", "--json", *arguments, **options))

    def export(self, name: str, **options) -> str:
        """Export a run."""
        return self.run("export", name, **options)


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


@pytest.fixture(scope="session")
def server_binary():
    """Return the path of a server's binary; without it the test is skipped, or fails where servers are required."""

    def find(binary: str, package: str) -> str:
        found = shutil.which(binary, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if found is None:
            reason = f"needs {binary}: apt-get install {package}"
            if os.environ.get("QUANTMIND_REQUIRE_SERVERS"):
                pytest.fail(reason)
            pytest.skip(reason)
        return found

    return find
