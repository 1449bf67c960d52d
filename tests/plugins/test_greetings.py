"""What components say of the servers they talk to, against servers."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import redis
from click.testing import CliRunner

from quantmind.errors import QuantMindError
from quantmind.kinds.transport import STAGES
from quantmind.testing import LocalServer, free_port
from quantmind_ccxt import Ccxt
from quantmind_ccxt.options import CcxtOptions
from quantmind_nats.options import NATSOptions
from quantmind_nats.transport import NATS
from quantmind_redis import Redis
from quantmind_redis.options import RedisOptions
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue
from quantmind_zeromq.commands import zeromq
from quantmind_zeromq.options import ZeroMQOptions
from quantmind_zeromq.transport import ZeroMQ

pytestmark = pytest.mark.timeout(120)


async def greeted(component, options):
    (server,) = component.servers(options)
    return await server.greet()


async def refused(component, options):
    (server,) = component.servers(options)
    with pytest.raises(QuantMindError) as caught:
        await server.greet()
    assert "hidden" not in f"{caught.value}{server.address}"
    return str(caught.value)


async def test_who_is_no_redis_is_told():
    async def other(_, writer):
        writer.write(b'INFO {"server_name": "other"}\r\n')
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        words = await refused(Redis, RedisOptions(url=f"redis://127.0.0.1:{port}/0"))
    assert words == "what listens there is no Redis: correct `url`"


class TestRedis:
    @pytest.fixture
    def port(self, server_binary, tmp_path):
        port, binary = free_port(), server_binary("redis-server", "redis-server")
        unix = ["--unixsocket", str(tmp_path / "redis.sock")]
        command = [binary, "--port", str(port), "--save", "", "--requirepass", "hidden-word", *unix]
        with LocalServer(command, port, tmp_path / "redis.log"):
            yield port

    async def test_it_says_its_version_and_how_far_away_it_is(self, port, tmp_path):
        options = RedisOptions(url=f"redis://:hidden-word@127.0.0.1:{port}/0")
        assert Redis.servers(options)[0].address == f"redis://127.0.0.1:{port}/0"
        greeting = await greeted(Redis, options)
        assert (greeting.words.startswith("Redis "), greeting.took > 0, greeting.warning) == (True, True, False)
        unix = RedisOptions(url=f"unix://:hidden-word@{tmp_path / 'redis.sock'}")
        assert "hidden" not in Redis.servers(unix)[0].address
        assert (await greeted(Redis, unix)).words == greeting.words

    async def test_a_user_that_may_little_is_let_in(self, port):
        with contextlib.closing(redis.Redis(port=port, password="hidden-word")) as client:
            client.execute_command("ACL", "SETUSER", "few", "on", ">hidden-few", "~*", "+ping", "+get")
        greeting = await greeted(Redis, RedisOptions(url=f"redis://few:hidden-few@127.0.0.1:{port}/0"))
        assert greeting.words == "a Redis"

    async def test_one_that_is_nearly_full_is_told(self, port):
        with contextlib.closing(redis.Redis(port=port, password="hidden-word")) as client:
            client.config_set("maxmemory", client.info("memory")["used_memory"])
        greeting = await greeted(Redis, RedisOptions(url=f"redis://:hidden-word@127.0.0.1:{port}/0"))
        assert greeting.warning
        assert "of its maxmemory is used: give it more" in greeting.words

    @pytest.mark.parametrize("login", ["", ":hidden-other@", "hidden-me:hidden-word@"])
    async def test_a_wrong_password_is_told(self, port, login):
        told = await refused(Redis, RedisOptions(url=f"redis://{login}127.0.0.1:{port}/0"))
        assert told == "it does not let this user in: correct user and password of `url`"

    async def test_a_database_that_is_not_there_is_told(self, port):
        told = await refused(Redis, RedisOptions(url=f"redis://:hidden-word@127.0.0.1:{port}/999"))
        assert told.startswith("it refuses: ")

    async def test_one_that_is_not_there_is_told(self, tmp_path):
        told = await refused(Redis, RedisOptions(url=f"redis://127.0.0.1:{free_port()}/0"))
        assert told.startswith("nobody listens")
        assert "cannot be reached" in await refused(Redis, RedisOptions(url=f"unix://{tmp_path}/no.sock"))
        assert "name is not known" in await refused(Redis, RedisOptions(url="redis://no-such-host.invalid"))


class TestNats:
    async def test_it_says_its_version_and_how_far_away_it_is(self, nats_url):
        greeting = await greeted(NATS, NATSOptions(url=nats_url))
        assert greeting.words.startswith("NATS 2.")
        assert greeting.words.endswith(" with JetStream")
        assert greeting.took > 0

    async def test_one_that_stores_nothing_is_told(self, make_nats_server):
        told = await refused(NATS, NATSOptions(url=make_nats_server(jetstream=False).url))
        assert told.endswith("but without JetStream: switch it on (nats-server -js)")

    async def test_stages_with_names_of_their_own_are_tried(self, make_nats_server, tmp_path):
        config = tmp_path / "nats.conf"
        config.write_text("authorization {users: [{user: execution, password: hidden-word}]}\n")
        url = make_nats_server("-c", str(config)).url
        greeting = await greeted(NATS, NATSOptions(url=url, user="{stage}", password="hidden-word"))
        assert greeting.words.endswith(" with JetStream, lets the execution stage in")
        for options in ({"user": "{stage}", "password": "hidden-other"}, {}):
            assert (await refused(NATS, NATSOptions(url=url, **options))).startswith(
                "refuses this stage's user: correct"
            )

    async def test_every_server_of_a_cluster_is_named(self):
        port = free_port()
        options = NATSOptions(url=f"nats://127.0.0.1:{port},tls://127.0.0.1:{port}")
        first, second = NATS.servers(options)
        assert (first.address, second.address) == options.url
        with pytest.raises(QuantMindError, match="nobody listens there"):
            await first.greet()

    async def test_one_that_is_no_nats_is_told(self):
        async def hello(_, writer):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

        port = free_port()
        async with await asyncio.start_server(hello, "127.0.0.1", port):
            assert await refused(NATS, NATSOptions(url=f"nats://127.0.0.1:{port}"))


class TestZeroMQ:
    async def test_stages_that_do_not_run_are_no_fault(self, free_ports):
        servers = ZeroMQ.servers(ZeroMQOptions(endpoint=f"tcp://127.0.0.1:{free_ports}"))
        assert [server.address for server in servers] == [
            f"tcp://127.0.0.1:{free_ports + place} ({stage})" for place, stage in enumerate(STAGES)
        ]
        assert {(await server.greet()).words for server in servers} == {"free: its stage does not run"}

    @pytest.mark.parametrize("kind", ["tcp", "ipc"])
    async def test_a_stage_that_runs_is_known_by_its_greeting(self, free_ports, tmp_path, kind):
        endpoint = f"tcp://127.0.0.1:{free_ports}" if kind == "tcp" else f"ipc://{tmp_path}/zmq"
        options = ZeroMQOptions(endpoint=endpoint)
        async with ZeroMQ(options, "demo", "feed"):
            feed, strategy, *_ = ZeroMQ.servers(options)
            greeting = await feed.greet()
            assert (greeting.words, greeting.took > 0) == ("ZMTP 3.1, NULL", True)
            assert (await strategy.greet()).words == "free: its stage does not run"

    async def test_keys_must_be_on_both_sides(self, free_ports, tmp_path):
        folder = tmp_path / "keys"
        assert CliRunner().invoke(zeromq, ["keys", str(folder)]).exit_code == 0
        plain = ZeroMQOptions(endpoint=f"tcp://127.0.0.1:{free_ports}")
        keyed = ZeroMQOptions(endpoint=plain.endpoint, curve={"keys": str(folder)})
        async with ZeroMQ(keyed, "demo", "feed"):
            assert (await ZeroMQ.servers(keyed)[0].greet()).words == "ZMTP 3.1, CURVE"
            with pytest.raises(QuantMindError, match="the recipe has none and the feed stage that runs has keys"):
                await ZeroMQ.servers(plain)[0].greet()

    async def test_something_else_in_its_place_is_told(self, free_ports):
        async def hello(_, writer):
            writer.write(b"SSH-2.0-other\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(hello, "127.0.0.1", free_ports):
            with pytest.raises(QuantMindError, match="something listens there that is not ZeroMQ"):
                await ZeroMQ.servers(ZeroMQOptions(endpoint=f"tcp://127.0.0.1:{free_ports}"))[0].greet()

    async def test_a_folder_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(QuantMindError, match="nowhere is no folder: make it"):
            await ZeroMQ.servers(ZeroMQOptions(endpoint=f"ipc://{tmp_path}/nowhere/zmq"))[0].greet()


class TestCcxt:
    async def test_a_venue_answers_and_shows_its_clock(self):
        venue = Venue(VenueOptions(port=0, history="30m"))
        await venue.start()
        try:
            options = CcxtOptions(url=venue.url)
            assert Ccxt.servers(options)[0].address == f"binanceusdm at {venue.url}"
            greeting = await greeted(Ccxt, options)
            assert (greeting.words, greeting.took > 0) == ("answers", True)
            # It is this machine's clock, told in whole milliseconds.
            assert abs(greeting.clock) <= greeting.doubt + 2_000_000
        finally:
            await venue.stop()

    async def test_one_that_is_not_there_is_told(self):
        told = await refused(Ccxt, CcxtOptions(url=f"http://127.0.0.1:{free_port()}"))
        assert told.startswith("nobody listens there")

    async def test_one_that_answers_with_something_else_is_told(self):
        async def page(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\nsorry\n")
            await writer.drain()
            writer.close()

        port = free_port()
        async with await asyncio.start_server(page, "127.0.0.1", port):
            assert "502" in await refused(Ccxt, CcxtOptions(url=f"http://127.0.0.1:{port}"))
