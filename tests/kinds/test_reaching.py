import asyncio
import socket

import pytest

from quantmind.errors import QuantMindError
from quantmind.kinds import Server
from quantmind.kinds.reaching import best_of, connected, system_error, unreachable


async def test_tls_is_told_from_a_connection():
    async def hello(_, writer):
        writer.write(b"no TLS here\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hello, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await Server.listening("127.0.0.1", port).greet()).words == "takes connections"
        with pytest.raises(QuantMindError, match=r"its TLS is not accepted \(.+\): correct its certificate"):
            await Server.listening("127.0.0.1", port, tls=True).greet()


async def test_a_name_with_several_addresses_of_which_none_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(QuantMindError, match="nobody listens there"):
        async with connected("localhost", port):
            pass


def test_an_address_of_ipv6_is_written_with_its_port():
    assert Server.listening("::1", 80).address == "[::1]:80"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "nobody listens there"),
        (OSError("Multiple exceptions: Connect call failed (a), Connect call failed (b)"), "nobody listens there"),
        (socket.gaierror(-2, "Name or service not known"), "the host's name is not known"),
        (OSError(113, "No route to host"), "cannot be reached (No route to host)"),
        (TimeoutError(110, "Connection timed out"), "cannot be reached (Connection timed out)"),
    ],
)
def test_why_a_host_is_not_reached_is_said_with_what_to_do(error, told):
    assert unreachable(error).startswith(told)
    assert ": " in unreachable(error)


def test_what_the_system_said_is_found_below_what_libraries_say():
    refused = ConnectionRefusedError(111, "Connection refused")
    wrapped = RuntimeError("outer")
    wrapped.__cause__ = ValueError("inner")
    wrapped.__cause__.__cause__ = refused
    assert system_error(wrapped) is refused
    assert system_error(RuntimeError("alone")) is None
    assert system_error(None) is None


async def test_the_shortest_time_counts():
    waits = iter([0.05, 0.0, 0.05])

    async def ask():
        await asyncio.sleep(next(waits))

    assert 0 < await best_of(ask) < 50_000_000
