import asyncio
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from quantmind.pipeline.notify import Notifier, Watchdog


class Manager:
    """A service manager's end of the protocol."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(0)

    def said(self):
        """Everything that was said and not read yet."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def wait(self, message, seconds=30.0):
        """Wait until a message has come."""
        end = time.monotonic() + seconds
        while message not in self.said():
            assert time.monotonic() < end, f"no {message} within {seconds} s"
            time.sleep(0.01)


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    made = Manager(str(tmp_path / "notify") if request.param == "path" else f"@quantmind-{secrets.token_hex(8)}")
    yield made
    made.socket.close()


def test_every_message_is_what_the_protocol_says(manager):
    notifier = Notifier({"NOTIFY_SOCKET": manager.address})
    notifier.status("waiting for\nthe  venue")
    notifier.ready()
    notifier.watchdog()
    notifier.status("trades")
    notifier.status("trades")
    notifier.stopping()
    expected = ["STATUS=waiting for the venue", "READY=1", "WATCHDOG=1", "STATUS=trades", "STOPPING=1"]
    assert manager.said() == expected


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_time(environ, interval):
    assert Notifier({"NOTIFY_SOCKET": "@quantmind-nobody", **environ}).interval == interval
    without = {key: value for key, value in environ.items() if key != "NOTIFY_SOCKET"}
    assert Notifier(without).interval is None


def test_without_a_manager_nothing_is_done(caplog):
    notifier = Notifier({})
    notifier.ready()
    notifier.status("trades")
    assert caplog.text == ""


def test_only_the_main_process_speaks(manager):
    Notifier({"NOTIFY_SOCKET": manager.address, "WATCHDOG_PID": "1"}).ready()
    notifier = Notifier({"NOTIFY_SOCKET": manager.address})
    notifier._pid += 1
    notifier.ready()
    assert manager.said() == []


@pytest.mark.parametrize("address", ["/nowhere/at/all", "/" + "x" * 200, "@" + "x" * 200, "/with\0zero"])
def test_a_manager_that_cannot_be_reached_is_said_once(address, caplog):
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready()
    notifier.stopping()
    assert len(caplog.records) == 1
    assert "the service manager could not be told READY" in caplog.text


def test_a_manager_that_does_not_read_holds_up_nothing(manager, caplog):
    notifier = Notifier({"NOTIFY_SOCKET": manager.address})
    for _ in range(5_000):
        notifier.watchdog()
    assert len(caplog.records) == 1


async def eventually(condition):
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def test_the_watchdog_is_fed_for_as_long_as_events_make_progress(manager, caplog):
    notifier = Notifier({"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "10000"})
    state = {"handled": 0, "waiting": 0}
    async with Watchdog(notifier, lambda: (state["handled"], state["waiting"])):
        await eventually(lambda: len(manager.said()) > 1)
    manager.said()
    await asyncio.sleep(0.05)
    assert manager.said() == []
    assert caplog.text == ""


async def test_no_task_is_made_where_no_watchdog_is():
    before = len(asyncio.all_tasks())
    async with Watchdog(Notifier({}), lambda: (0, 0)):
        assert len(asyncio.all_tasks()) == before


def test_a_stuck_stage_does_not_feed_the_watchdog(manager, caplog):
    caplog.set_level(logging.WARNING)
    notifier = Notifier({"NOTIFY_SOCKET": manager.address})
    progress = iter([(0, 0), (0, 5), (0, 6), (1, 6), (1, 6), (1, 0), (1, 0)])
    watchdog = Watchdog(notifier, lambda: next(progress))
    fed = []
    for _ in range(7):
        watchdog.beat()
        fed.append(manager.said() == ["WATCHDOG=1"])
    assert fed == [True, False, False, True, False, True, True]
    messages = [record.getMessage() for record in caplog.records]
    stuck, again = "the watchdog is not fed: 5 events wait, and none was handled after 0", "the watchdog is fed again"
    assert len(messages) == 4
    assert messages[0] == stuck
    assert messages[1].startswith(again)
    assert messages[3].startswith(again)


def test_events_that_wait_at_the_first_look_are_no_fault(manager):
    Watchdog(Notifier({"NOTIFY_SOCKET": manager.address}), lambda: (0, 7)).beat()
    assert manager.said() == ["WATCHDOG=1"]


STAGE = """
import asyncio, signal, sys, time
from quantmind.pipeline.notify import Notifier, Watchdog

async def main():
    notifier = Notifier()
    async with Watchdog(notifier, lambda: (0, 0)):
        notifier.ready()
        loop = asyncio.get_running_loop()
        # A callback that never gives way: the loop is frozen, the process is not.
        loop.add_signal_handler(signal.SIGUSR1, time.sleep, 60)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("freeze", [signal.SIGUSR1, signal.SIGSTOP])
def test_a_frozen_loop_stops_the_watchdog(manager, freeze):
    environ = {**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "20000"}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(STAGE)], env=environ)
    try:
        manager.wait("READY=1")
        manager.wait("WATCHDOG=1")
        process.send_signal(freeze)
        # What was under way may yet arrive.
        time.sleep(0.3)
        manager.said()
        time.sleep(0.3)
        assert manager.said() == []
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
