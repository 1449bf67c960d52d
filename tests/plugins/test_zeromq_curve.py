"""CURVE: who has the right keys gets the frames, who has not gets nothing and is counted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

import pytest
import zmq
from click.testing import CliRunner
from pydantic import SecretStr, ValidationError

from quantmind.errors import QuantMindError
from quantmind.kinds.transport import OBSERVER, STAGES
from quantmind.testing import free_port, until
from quantmind_zeromq.commands import zeromq
from quantmind_zeromq.options import CurveOptions
from quantmind_zeromq.transport import ZeroMQ, ZeroMQOptions

ADDRESSES = {stage: f"tcp://10.0.0.{number}:5555" for number, stage in enumerate(STAGES, 1)}


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    assert CliRunner().invoke(zeromq, ["keys", str(folder)]).exit_code == 0
    return folder


@pytest.fixture
def endpoints():
    first = free_port(len(STAGES))
    return {stage: f"tcp://127.0.0.1:{port}" for port, stage in enumerate(STAGES, first)}


def transport(endpoints, keys, stage, *peers, handler=None):
    made = ZeroMQ(ZeroMQOptions(endpoints=endpoints, curve=CurveOptions(keys=str(keys))), "test", stage)
    if peers:
        made.subscribe(peers, handler)
    return made


def hello(publisher):
    """Return what says hello."""
    return lambda: publisher.publish("market", b"hello")


@contextlib.contextmanager
def raw(address, public=None, secret=None, server=None):
    """A subscriber of pyzmq's own."""
    context = zmq.Context()
    made = context.socket(zmq.SUB)
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.SUBSCRIBE, b"")
    if server is not None:
        made.setsockopt(zmq.CURVE_SERVERKEY, server)
        made.setsockopt(zmq.CURVE_PUBLICKEY, public)
        made.setsockopt(zmq.CURVE_SECRETKEY, secret)
    made.connect(address)
    try:
        yield made
    finally:
        made.close()
        context.term()


def faults(**options):
    with pytest.raises(ValidationError) as caught:
        ZeroMQOptions(**options)
    return [(fault["loc"], fault["msg"]) for fault in caught.value.errors()]


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.7", "[fd00::1]", "8.8.8.8", "169.254.1.1"])
def test_an_address_beyond_this_machine_needs_keys(host):
    places = {**dict.fromkeys(STAGES, ""), **ADDRESSES, "feed": f"tcp://{host}:5555"}
    found = dict(faults(endpoints={**places, "sink": "tcp://127.0.0.1:1"}))
    assert set(found) == {("endpoints", "feed"), ("endpoints", "strategy"), ("endpoints", "execution")}
    assert f"{host} is not on this machine: give curve: " in found["endpoints", "feed"]
    assert ZeroMQOptions(endpoints=places, curve={"keys": "keys"}).endpoints == places


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]"])
def test_an_address_on_this_machine_needs_none(host):
    places = {stage: f"tcp://{host}:{port}" for port, stage in enumerate(STAGES, 5555)}
    options = ZeroMQOptions(endpoints=places)
    assert options.endpoint is None
    assert ZeroMQOptions.model_validate(options.model_dump()) == options


@pytest.mark.parametrize(
    "address",
    [
        "tcp://0.0.0.0:5555",
        "tcp://*:5555",
        "tcp://[::]:5555",
        "tcp://eth0:5555",
        "tcp://10.0.0.300:5555",
        "tcp://10.0.0.1",
        "tcp://10.0.0.1:0",
        "tcp://10.0.0.1:70000",
        "tcp://10.0.0.1:5555\n",
        "tcp://10.0.0.1;10.0.0.2:5555",
        "ipc://relative",
        "ipc:///" + "long/" * 25,
        "inproc://bus",
        "",
    ],
)
def test_what_is_no_address_of_a_stage_is_refused(address):
    ((place, words),) = faults(endpoints={**ADDRESSES, "feed": address}, curve={"keys": "keys"})
    assert place == ("endpoints", "feed")
    assert "must be" in words or "too long" in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpoint": "tcp://127.0.0.1:5555", "endpoints": ADDRESSES}, "one of `endpoint`"),
        ({"endpoint": None}, "one of `endpoint`"),
        ({"endpoints": {"feed": "tcp://10.0.0.1:5555"}}, "give strategy, execution, sink too"),
        ({"endpoints": {**ADDRESSES, "sink": ADDRESSES["feed"]}}, "feed and sink have the same"),
        ({"curve": {}}, "give `keys` or `secret_key`"),
        ({"curve": {"secret_key": "s" * 40}}, "give `keys` or `public_keys`"),
        ({"curve": {"keys": "keys", "public_keys": {stage: stage[1] * 40 for stage in STAGES}}}, "once"),
        ({"curve": {"secret_key": "s" * 40, "public_keys": {"feed": "f" * 40}}}, "execution, sink too"),
        ({"curve": {"secret_key": "s" * 40, "public_keys": dict.fromkeys(STAGES, "f")}}, "40 characters"),
        ({"curve": {"keys": "keys", "allow": ["nobody"]}}, "40 characters"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options, words):
    if "endpoints" in options and "curve" not in options:
        options = {**options, "curve": {"keys": "keys"}}
    assert any(words in said for _, said in faults(**options))


def test_checking_options_reads_no_file():
    ZeroMQOptions(endpoints=ADDRESSES, curve={"keys": "/nowhere"})
    ZeroMQ(ZeroMQOptions(endpoints=ADDRESSES, curve={"keys": "/nowhere"}), "test", "feed")


def test_an_address_of_another_machine_cannot_be_listened_on(keys):
    places = {stage: f"tcp://192.0.2.1:{port}" for port, stage in enumerate(STAGES, 5555)}

    async def main():
        with pytest.raises(QuantMindError, match=r"no address of this machine.*endpoints\.feed"):
            await transport(places, keys, "feed").open()

    asyncio.run(main())


def test_stages_and_observers_with_their_keys_hear_each_other(keys, endpoints):
    async def main():
        heard = {name: set() for name in ("strategy", "first", "second")}
        async with (
            transport(endpoints, keys, "feed") as feed,
            transport(endpoints, keys, "strategy", "feed", handler=lambda *one: heard["strategy"].add(one)),
            transport(endpoints, keys, OBSERVER, "feed", handler=lambda *one: heard["first"].add(one)) as observer,
            transport(endpoints, keys, OBSERVER, "feed", handler=lambda *one: heard["second"].add(one)),
        ):
            await until(lambda: all(("feed", b"hello") in one for one in heard.values()), act=hello(feed))
            assert feed.figures == {"handshake_failures": 0, "refused_clients": 0, "waiting_frames": 0}
            assert observer.figures == {"ended_connections": 0}
            with pytest.raises(QuantMindError, match="an observer publishes nothing"):
                observer.publish("market", b"1")
            await observer.drained()

    asyncio.run(main())


def test_keys_may_come_without_a_folder(keys, endpoints):
    def secret(name):
        return SecretStr((keys / f"{name}.key").read_text())

    public = {stage: (keys / f"{stage}.pub").read_text().strip() for stage in STAGES}
    laptop = (keys / "observer.pub").read_text().strip()

    def made(name, *peers, handler=None):
        curve = CurveOptions(secret_key=secret(name), public_keys=public, allow=(laptop,))
        one = ZeroMQ(ZeroMQOptions(endpoints=endpoints, curve=curve), "test", name)
        if peers:
            one.subscribe(peers, handler)
        return one

    async def main():
        heard = set()
        async with (
            made("feed") as feed,
            made("sink", "feed", handler=lambda *_: heard.add("sink")),
            made(OBSERVER, "feed", handler=lambda *_: heard.add(OBSERVER)),
        ):
            await until(lambda: heard == {"sink", OBSERVER}, act=hello(feed))

    asyncio.run(main())
    assert secret("feed").get_secret_value().strip() not in repr(made("feed").options)


def test_an_unknown_key_gets_nothing_and_is_counted_and_named_once(keys, endpoints, caplog):
    public, secret = zmq.curve_keypair()
    server = (keys / "feed.pub").read_bytes().strip()

    async def main():
        heard = []
        async with (
            transport(endpoints, keys, "feed") as feed,
            transport(endpoints, keys, "strategy", "feed", handler=lambda *one: heard.append(one)),
        ):
            with raw(endpoints["feed"], public, secret, server) as stranger:
                await until(lambda: feed.figures["refused_clients"] >= 1, act=hello(feed))
                await until(lambda: len(heard) > 50, act=hello(feed))
                assert not stranger.poll(100)
            with raw(endpoints["feed"], public, secret, server):
                before = feed.figures["refused_clients"]
                await until(lambda: feed.figures["refused_clients"] > before, act=hello(feed))

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    told = [record.getMessage() for record in caplog.records if "refused a client" in record.getMessage()]
    assert len(told) == 1
    assert f"from 127.0.0.1: its key {public[:8].decode()}…" in told[0]
    assert public.decode() not in told[0]


@pytest.mark.parametrize("server_key", [None, "wrong"])
def test_a_client_without_curve_or_with_the_wrong_server_key_gets_nothing(keys, endpoints, server_key):
    public = (keys / "sink.pub").read_bytes().strip()
    secret = (keys / "sink.key").read_bytes().strip()
    server = zmq.curve_keypair()[0] if server_key else None

    async def main():
        heard = []
        async with (
            transport(endpoints, keys, "feed") as feed,
            transport(endpoints, keys, "strategy", "feed", handler=lambda *one: heard.append(one)),
        ):
            with raw(endpoints["feed"], public, secret, server) as stranger:
                await until(lambda: feed.figures["handshake_failures"] >= 1, act=hello(feed))
                await until(lambda: len(heard) > 50, act=hello(feed))
                assert not stranger.poll(100)
            assert feed.figures["refused_clients"] == 0

    asyncio.run(main())


def test_a_server_with_another_key_is_not_heard_and_the_right_one_after_it_is(keys, endpoints):
    secret = zmq.curve_keypair()[1]

    async def main():
        heard = []
        context = zmq.Context()
        impostor = context.socket(zmq.PUB)
        impostor.setsockopt(zmq.LINGER, 0)
        impostor.setsockopt(zmq.CURVE_SERVER, 1)
        impostor.setsockopt(zmq.CURVE_SECRETKEY, secret)
        plain = context.socket(zmq.PUB)
        plain.setsockopt(zmq.LINGER, 0)
        try:
            impostor.bind(endpoints["feed"])
            plain.bind(endpoints["execution"])
            made = transport(endpoints, keys, "strategy", "feed", "execution", handler=lambda *one: heard.append(one))
            async with made:
                for _ in range(50):
                    impostor.send(b"1")
                    plain.send(b"1")
                    await asyncio.sleep(0.01)
                assert heard == []
                impostor.close()
                plain.close()
                context.term()
                async with transport(endpoints, keys, "feed") as feed:
                    await until(lambda: ("feed", b"hello") in heard, act=hello(feed))
                async with transport(endpoints, keys, "execution") as execution:
                    await until(lambda: ("execution", b"hello") in heard, act=hello(execution))
        finally:
            impostor.close()
            plain.close()
            context.term()

    asyncio.run(main())


def test_a_stage_that_is_started_again_is_let_in_again(keys, endpoints):
    async def main():
        heard = []
        async with transport(endpoints, keys, "strategy", "feed", handler=lambda *one: heard.append(one)):
            for _ in range(2):
                heard.clear()
                async with transport(endpoints, keys, "feed") as feed:
                    await until(lambda: bool(heard), act=hello(feed))

    asyncio.run(main())


def test_without_its_keys_nothing_is_opened(keys, endpoints):
    (keys / "feed.key").chmod(0o644)

    async def main():
        with pytest.raises(QuantMindError, match="is open to others"):
            await transport(endpoints, keys, "feed").open()
        host, port = endpoints["feed"].removeprefix("tcp://").split(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), 1).close()

    asyncio.run(main())
