"""What a stage tells the service manager while it runs."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest


class Manager:
    """The socket of a service manager, which reads all the time, and all that was said to it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o777)
        self.path = path
        self.said = []
        # The kernel keeps ten messages for who does not read, and whoever speaks then is not heard.
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self):
        while message := self.socket.recv(4096):
            self.said.append(message.decode())

    def hear(self):
        return self.said

    def close(self):
        self.socket.shutdown(socket.SHUT_RD)
        self._reading.join()
        self.socket.close()

    def wait(self, message, since=0, seconds=15.0):
        end = time.monotonic() + seconds
        while not any(said.startswith(message) for said in self.hear()[since:]):
            assert time.monotonic() < end, (message, self.said)
            time.sleep(0.02)


def live(recipe):
    """Have a recipe run at the wall clock."""
    recipe.write_text(recipe.read_text().replace("duration: 5m", "live: true"))
    return recipe


def start(project, unit, manager, **environ):
    return subprocess.Popen(
        unit.command(),
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000", **environ},
    )


@pytest.fixture
def managers(tmp_path):
    made = {stage: Manager(tmp_path / stage) for stage in ("feed", "strategy", "execution", "sink")}
    yield made
    for manager in made.values():
        manager.close()


@pytest.mark.slow
def test_stages_are_ready_beat_stop_and_say_so(project, managers, free_ports, tmp_path):
    recipe = live(project.zeromq(f"tcp://127.0.0.1:{free_ports}"))
    units = project.units(recipe)
    state = {"QUANTMIND_STATE": str(tmp_path / "state")}
    order = ("sink", "execution", "strategy", "feed")
    processes = {}
    try:
        for stage in order:
            processes[stage] = start(project, units[f"quantmind-small-{stage}.service"], managers[stage], **state)
        for stage in order:
            managers[stage].wait("READY=1")
        for stage in order:
            managers[stage].wait("STATUS=")
            managers[stage].wait("WATCHDOG=1", since=len(managers[stage].said))
        frozen = processes["strategy"]
        frozen.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        since = len(managers["strategy"].hear())
        time.sleep(1)
        assert "WATCHDOG=1" not in managers["strategy"].hear()[since:]
        frozen.send_signal(signal.SIGCONT)
        managers["strategy"].wait("WATCHDOG=1", since=since)
        for stage in reversed(order):
            processes[stage].terminate()
            managers[stage].wait("STOPPING=1")
            assert processes[stage].wait(30) == 0, processes[stage].stderr.read()
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_one_process_is_ready_beats_stops_and_says_so(project, managers, tmp_path):
    recipe = live(project.recipe())
    (unit,) = project.units(recipe).values()
    manager = managers["feed"]
    process = start(project, unit, manager, QUANTMIND_STATE=str(tmp_path / "state"))
    try:
        manager.wait("READY=1")
        manager.wait("WATCHDOG=1", since=len(manager.said))
        process.terminate()
        manager.wait("STOPPING=1")
        assert process.wait(30) == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate()
