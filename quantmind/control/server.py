"""The control of a run: a local socket by which its operator looks at it and instructs it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from quantmind.control.answers import Action, Outcome, Request, changed, in_force, plain
from quantmind.control.home import SOCKET, address
from quantmind.control.status import Status
from quantmind.errors import QuantMindError
from quantmind.events import Instruction
from quantmind.pipeline.executing import Executing

LONGEST_LINE = 8_192
"""Bytes in a request at the most."""
MOST_CLIENTS = 64
PATIENCE = 10.0
"""Seconds after which a client that says nothing, or takes nothing, is sent away."""

_CREDENTIALS = struct.Struct("3i")
_decode = msgspec.json.Decoder(Request).decode
_encode = msgspec.json.Encoder().encode


class Control:
    """Answers whoever is the same user on a socket in the account's home, or root.

    It runs between two batches of market events, like everything asynchronous: an instruction takes effect between
    two events, at once where the run waits for the next one, and is answered when it is durable. The journal's lock
    is held all the while, so a socket that is there already is that of a process that died.
    """

    def __init__(
        self, home: Path, run: str, executing: Executing, stop: Callable[[], None], *, account: str, live: bool
    ) -> None:
        self._home = home
        self._run = run
        self._account = account
        self._executing = executing
        self._stop = stop
        self._live = live
        self._clients: set[asyncio.Task[Any]] = set()
        self._failure: Exception | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        self._folder = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            listener = _bound(self._folder)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LONGEST_LINE)
        except OSError as error:
            os.close(self._folder)
            raise QuantMindError(f"{self._home / SOCKET}: cannot be listened on: {error.strerror}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send everyone away, and remove the socket.

        Raises:
            QuantMindError: an instruction failed half-way, which ended the run.
        """
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCKET, dir_fd=self._folder)
        os.close(self._folder)
        if self._failure is not None and kind is None:
            raise self._failure

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client, line by line, until it goes or says what cannot be understood."""
        task = asyncio.current_task()
        if task is not None:
            self._clients.add(task)
            task.add_done_callback(self._clients.discard)
        try:
            goes_on = len(self._clients) <= MOST_CLIENTS
            while goes_on:
                async with asyncio.timeout(PATIENCE):
                    goes_on = await self._converse(reader, writer)
            writer.close()
        except (TimeoutError, OSError):
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one line; says whether another one may come."""
        try:
            line = await reader.readline()
            if not line:
                return False
            user = _user(writer)
            if user not in {0, os.geteuid()}:
                _tell(writer, {"error": f"user {user} may not instruct this process"})
                return False
            request = _decode(line)
        except (ValueError, msgspec.MsgspecError) as error:
            reason = str(error) if isinstance(error, msgspec.MsgspecError) else f"longer than {LONGEST_LINE} bytes"
            _tell(writer, {"error": f"a request is one JSON object on a line: {reason}"})
            return False
        _tell(writer, self._answer(request))
        await writer.drain()
        return True

    def _answer(self, request: Request) -> dict[str, Any]:
        if request.ask == "status":
            try:
                return {"status": plain(Status.of(self._executing, self._account, self._run))}
            except QuantMindError as error:
                return {"error": str(error)}
        if not self._executing.trading:
            return {"busy": "the run is starting or ending"}
        return self._instruct(request.ask, request)

    def _instruct(self, action: Action, request: Request) -> dict[str, Any]:
        executing, trader = self._executing, self._executing.trader
        latches = trader.latches
        before = dict(latches.set)
        ts = time.time_ns() if self._live else trader.now
        instruction = Instruction(action, ts, request.reason, request.name)
        try:
            latches.cleared(instruction)
        except QuantMindError as error:
            return {"error": str(error)}
        try:
            executing.instruct(instruction)
            executing.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, the run ends with it
            self._failure = error
            self._stop()
            return {"error": f"{error}; the run ends"}
        outcome = Outcome(
            self._account,
            self._run,
            running=True,
            action=action,
            changed=changed(before, latches.set),
            latches=in_force(latches),
            seq=trader.chronicle.seq,
            ts=ts,
            held={symbol: held.quantity for symbol, held in trader.account.positions.items() if held.quantity},
        )
        return {"outcome": plain(outcome)}


def _bound(folder: int) -> socket.socket:
    """Make the socket, which nobody else may use from the first moment on, in place of one that was left behind."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET, dir_fd=folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # A bound socket's mode is that of the descriptor, less the umask; setting that would concern every thread.
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(address(folder))
    except BaseException:
        listener.close()
        raise
    return listener


def _user(writer: asyncio.StreamWriter) -> int:
    """Return the user that a client was when it connected."""
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(peer)[1]
    return user


def _tell(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(_encode(answer) + b"\n")
