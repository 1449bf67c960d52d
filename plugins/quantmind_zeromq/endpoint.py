"""Endpoints: where the sockets of a pipeline's stages are, on this machine or on several."""

from __future__ import annotations

import ipaddress
import re

from quantmind.kinds.transport import STAGES

_TCP = re.compile(r"tcp://(127(?:\.\d{1,3}){3}|localhost):(\d{1,5})", re.ASCII)
_ANYWHERE = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[0-9.]+|localhost):(\d{1,5})", re.ASCII)
_LAST_PORT = 65_535
_LONGEST_PATH = 107
"""What the kernel takes as the name of a local socket, in bytes."""


def check_endpoint(endpoint: str) -> str:
    """Return the endpoint if it is on this machine and has room for every stage.

    Raises:
        ValueError: it is not, or has not.
    """
    if endpoint.startswith("ipc:///"):
        _check_path(max((_path(endpoint, stage) for stage in STAGES), key=len))
        return endpoint
    match = _TCP.fullmatch(endpoint)
    if match is None:
        raise ValueError(
            "must be on this machine, because frames are not encrypted: "
            f"tcp://127.0.0.1:PORT or ipc:///ABSOLUTE/PATH, was {endpoint}; for several machines give `endpoints`"
        )
    last = _LAST_PORT - len(STAGES) + 1
    if not 1 <= int(match[2]) <= last:
        raise ValueError(f"the port must be from 1 to {last}: each stage has its own from it on, was {match[2]}")
    return endpoint


def check_address(text: str) -> str:
    """Return the address of one stage, on whichever machine.

    Raises:
        ValueError: it is none, or the others could not find the stage by it.
    """
    if text.startswith("ipc:///"):
        _check_path(text.removeprefix("ipc://"))
        return text
    match = _ANYWHERE.fullmatch(text)
    if match is None:
        raise ValueError(f"must be tcp://IP-ADDRESS:PORT or ipc:///ABSOLUTE/PATH, was {text}")
    if not 1 <= int(match[2]) <= _LAST_PORT:
        raise ValueError(f"the port must be from 1 to {_LAST_PORT}, was {match[2]}")
    if match[1] != "localhost":
        try:
            host = ipaddress.ip_address(match[1].strip("[]"))
        except ValueError:
            raise ValueError(f"must be tcp://IP-ADDRESS:PORT or ipc:///ABSOLUTE/PATH, was {text}") from None
        if host.is_unspecified or host.is_multicast:
            raise ValueError(f"must be the address at which the other stages find this one, was {text}")
    return text


def remote_host(text: str) -> str:
    """Return the host of an address that other machines reach; empty for one that stays on this machine."""
    match = _ANYWHERE.fullmatch(text)
    if match is None or match[1] == "localhost" or ipaddress.ip_address(match[1].strip("[]")).is_loopback:
        return ""
    return match[1]


def numeric(text: str) -> str:
    """Return an address as ZeroMQ binds to it, by numbers only."""
    return text.replace("tcp://localhost:", "tcp://127.0.0.1:")


def address(endpoint: str, stage: str) -> str:
    """Return the address of a stage's socket: the next ports, or the path with the stage as suffix."""
    match = _TCP.fullmatch(endpoint)
    if match is None:
        return f"ipc://{_path(endpoint, stage)}"
    return numeric(f"tcp://{match[1]}:{int(match[2]) + STAGES.index(stage)}")


def _path(endpoint: str, stage: str) -> str:
    return f"{endpoint.removeprefix('ipc://')}.{stage}"


def _check_path(path: str) -> None:
    longest = len(path.encode())
    if longest > _LONGEST_PATH or "\0" in path:
        raise ValueError(f"the path is too long: with a stage's name it may have {_LONGEST_PATH} bytes, has {longest}")
