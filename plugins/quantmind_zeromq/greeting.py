"""The greeting of a stage's socket: whether it is ZeroMQ that listens there, with or without keys."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.kinds import Greeting, Server
from quantmind_zeromq.endpoint import remote_host

_SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
_OURS = _SIGNATURE + b"\x03"
"""The beginning of a greeting of ZMTP 3 (https://rfc.zeromq.org/spec/23): it is answered with the whole of the peer's,
which would count a refused client if we went on.
"""
_LENGTH = 64
_PATIENCE = 2.0


def socket_of(stage: str, address: str, keyed: bool) -> Server:
    """Return the socket of a stage; no frame of a pipeline is asked for."""
    return Server(f"{address} ({stage})", partial(_greet, stage, address, keyed))


async def _greet(stage: str, address: str, keyed: bool) -> Greeting:
    began = time.monotonic_ns()
    try:
        reader, writer = await _connected(address)
    except (ConnectionRefusedError, FileNotFoundError):
        if host := remote_host(address):
            raise QuantMindError(
                f"nobody listens there: start the {stage} stage on {host}, or correct its address"
            ) from None
        return _absent(stage, address)
    try:
        writer.write(_OURS)
        async with asyncio.timeout(_PATIENCE):
            told = await reader.readexactly(_LENGTH)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        told = b""
    finally:
        writer.transport.abort()
    if not (told.startswith(b"\xff") and told[9:10] == b"\x7f"):
        raise QuantMindError(
            f"something listens there that is not ZeroMQ: stop it, or give the {stage} stage another place"
        )
    mechanism = told[12:32].rstrip(b"\0").decode("ascii", "replace")
    if (mechanism == "CURVE") != keyed:
        here, there = ("keys", "none") if keyed else ("none", "keys")
        raise QuantMindError(f"the recipe has {here} and the {stage} stage that runs has {there}: start it again")
    return Greeting(f"ZMTP {told[10]}.{told[11]}, {mechanism}", time.monotonic_ns() - began)


async def _connected(address: str) -> Any:
    kind, _, rest = address.partition("://")
    if kind == "ipc":
        return await asyncio.open_unix_connection(rest)
    host, _, port = rest.rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port))


def _absent(stage: str, address: str) -> Greeting:
    """Say that a stage of this machine does not run, and whether it could listen."""
    kind, _, rest = address.partition("://")
    folder = Path(rest).parent
    if kind == "ipc" and not folder.is_dir():
        raise QuantMindError(f"{folder} is no folder: make it, or correct the address of the {stage} stage")
    return Greeting("free: its stage does not run")
