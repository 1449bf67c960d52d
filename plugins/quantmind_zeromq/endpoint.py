"""Endpoints: where the sockets of a pipeline's stages are, on this machine only."""

from __future__ import annotations

import re

STAGES = ("feed", "strategy", "execution", "sink")
"""The order of the stages' ports."""

_TCP = re.compile(r"tcp://(127(?:\.\d{1,3}){3}|localhost):(\d{1,5})", re.ASCII)
_LAST_PORT = 65_535
_LONGEST_PATH = 107
"""What the kernel takes as the name of a local socket, in bytes."""


def check_endpoint(endpoint: str) -> str:
    """Return the endpoint if it is on this machine and has room for every stage.

    Raises:
        ValueError: it is not, or has not.
    """
    if endpoint.startswith("ipc:///"):
        longest = max(len(_path(endpoint, stage).encode()) for stage in STAGES)
        if longest > _LONGEST_PATH or "\0" in endpoint:
            raise ValueError(
                f"the path is too long: with a stage's name it may have {_LONGEST_PATH} bytes, has {longest}"
            )
        return endpoint
    match = _TCP.fullmatch(endpoint)
    if match is None:
        raise ValueError(
            "must be on this machine, because frames are not encrypted: "
            f"tcp://127.0.0.1:PORT or ipc:///ABSOLUTE/PATH, was {endpoint}"
        )
    last = _LAST_PORT - len(STAGES) + 1
    if not 1 <= int(match[2]) <= last:
        raise ValueError(f"the port must be from 1 to {last}: each stage has its own from it on, was {match[2]}")
    return endpoint


def address(endpoint: str, stage: str) -> str:
    """Return the address of a stage's socket: the next ports, or the path with the stage as suffix."""
    match = _TCP.fullmatch(endpoint)
    if match is None:
        return f"ipc://{_path(endpoint, stage)}"
    # ZeroMQ binds to numbers only.
    host = "127.0.0.1" if match[1] == "localhost" else match[1]
    return f"tcp://{host}:{int(match[2]) + STAGES.index(stage)}"


def _path(endpoint: str, stage: str) -> str:
    return f"{endpoint.removeprefix('ipc://')}.{stage}"
