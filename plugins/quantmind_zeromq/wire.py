"""The wire: how a socket notices that the other end is gone, and finds it again."""

from __future__ import annotations

import zmq

_RECONNECT = 50
"""After how many ms an absent stage is looked for again; the pause doubles up to the longest."""

_LONGEST_PAUSE = 1_000
_CONNECT = 2_000
"""How long, in ms, a host may take to answer: the system alone would try ever more seldom, for two minutes."""

_HANDSHAKE = 10_000
_HEARTBEAT = 1_000
_SILENCE = 5_000
_IDLE = 5
"""Seconds after which the system asks whether a silent host is still there, and between two such questions."""

_QUESTIONS = 3


def look_after(socket: zmq.Socket[bytes], address: str, lossless: bool) -> None:
    """Have the socket give up a peer that has gone without a word.

    Where nothing may be lost it gives up hosts only: who does not read does not answer ZeroMQ's heartbeats either.
    """
    socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE)
    if address.startswith("tcp://"):
        socket.setsockopt(zmq.IPV6, int("[" in address))
        socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, _IDLE)
        socket.setsockopt(zmq.TCP_KEEPALIVE_INTVL, _IDLE)
        socket.setsockopt(zmq.TCP_KEEPALIVE_CNT, _QUESTIONS)
    if not lossless:
        socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, _SILENCE)
        socket.setsockopt(zmq.HEARTBEAT_TTL, _SILENCE)


def look_for(socket: zmq.Socket[bytes]) -> None:
    """Have the socket look for its peer until it is there, soon at first and never more seldom than each second."""
    socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, _LONGEST_PAUSE)
    socket.setsockopt(zmq.CONNECT_TIMEOUT, _CONNECT)
