"""The redis sink: what a real Redis shows, and that nobody waits for one that is away."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import signal
import time
from decimal import Decimal

import pytest
import redis
import yaml
from pydantic import ValidationError

from quantmind.events import Fill, Incident, Quote, Trade, Valuation, Vitals
from quantmind.kinds import Run
from quantmind.metrics import LAG, REFUSALS
from quantmind.testing import LocalServer, free_port, until
from quantmind_redis import Redis
from quantmind_redis.options import RedisOptions

BTC = "BTC/USDT:USDT"
pytestmark = pytest.mark.timeout(60)


class RedisServer(LocalServer):
    """A redis-server that forgets everything when it is killed."""

    def __init__(self, binary, folder, *arguments):
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *arguments]
        super().__init__(command, port, folder / "redis.log")

    def client(self, **options):
        return redis.Redis(port=self.port, decode_responses=True, **options)


@pytest.fixture
def server(server_binary, tmp_path):
    with RedisServer(server_binary("redis-server", "redis-server"), tmp_path) as made:
        yield made


@pytest.fixture
def make(tmp_path):
    def sink(url, **options):
        return Redis(RedisOptions(url=url, interval="10ms", **options), Run("run-1", tmp_path, io.StringIO()))

    return sink


def quote(n, price=100.0):
    return Quote(BTC, time.time_ns() + n, price, price + 0.5, 2.0, 3.0, time.time_ns() + n + 1_500_000)


async def showing(condition):
    """Wait for what a Redis shows, which may be away meanwhile."""

    def holds():
        with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
            return condition()
        return False

    await until(holds)


async def test_the_latest_quote_with_its_spread_and_latency(server, make):
    async with make(server.url) as sink:
        await sink.write([quote(1), quote(2, 200.0)])
        with server.client() as client:
            await showing(lambda: client.hget(f"quantmind:quote:{BTC}", "bid") == "200.0")
            shown = client.hgetall(f"quantmind:quote:{BTC}")
    assert float(shown["spread"]) == 0.5
    assert float(shown["spread_bps"]) == pytest.approx(0.5 / 200.25 * 10_000)
    assert float(shown["feed_latency_ms"]) == pytest.approx(1.5, abs=1.0)
    assert shown["ask_size"] == "3.0"


async def test_the_last_ticks_the_newest_first(server, make):
    async with make(server.url, ticks=5) as sink:
        for n in range(20):
            await sink.write([Trade(BTC, n + 1, 100.0 + n, 1.0, 1, n)])
            await asyncio.sleep(0.005)
        with server.client() as client:
            key = f"quantmind:ticks:{BTC}"
            await showing(lambda: client.llen(key) == 5 and json.loads(client.lindex(key, 0))["id"] == 19)
            shown = [json.loads(text)["id"] for text in client.lrange(key, 0, -1)]
    assert shown == [19, 18, 17, 16, 15]


async def test_rates_uptime_positions_vitals_and_incidents(server, make):
    half, whole = Decimal("0.5"), Decimal(100)
    fill = Fill(1, "e1", "qm1-1-1", BTC, "buy", half, whole, half, half, half, whole, 5, "t1", "x1")
    vitals = Vitals("feed", 1, 77, "ready", ("slow",), (LAG.figure(0.25), REFUSALS.figure(3, "stale")))
    async with make(server.url, prefix="mine", stream=100) as sink:
        await sink.write([fill, vitals, Valuation(2, 6, Decimal("9999.5"), ((BTC, 100.0),))])
        await sink.write(
            [Incident("sink", 5, "gap", "feed", "market", 3), Incident("sink", 6, "gap", "feed", "market", 4)]
        )
        for n in range(150):
            await sink.write([quote(n)])
            await asyncio.sleep(0.01)
        with server.client() as client:
            await showing(lambda: float(client.hget("mine:feed", "quote_per_second") or 0) > 0)
            assert client.hget("mine:positions", BTC) == "0.5"
            assert client.hget("mine:account", "equity") == "9999.5"
            stage = client.hgetall("mine:stage:feed")
            assert (stage["state"], stage["reasons"], stage["lag_seconds"]) == ("ready", "slow", "0.25")
            assert stage["refusals_total{stale}"] == "3.0"
            assert client.hget("mine:incident_counts", "gap:feed") == "7"
            assert json.loads(client.lindex("mine:incidents", 0))["count"] == 4
            kinds = [fields["type"] for _, fields in client.xrange("mine:events")]
            assert kinds == ["fill", "valuation"]
            feed = client.hgetall("mine:feed")
            assert float(feed["uptime_seconds"]) > 1
            assert feed["run"] == "run-1"
            assert 0 < client.ttl("mine:feed") <= 86_400


async def test_a_redis_that_is_not_there_costs_nothing_and_is_shown_everything_when_it_comes(server, make, caplog):
    server.kill()
    async with make(server.url, ticks=3, stream=50, buffer=10) as sink:
        began = time.monotonic()
        for n in range(20_000):
            await sink.write([quote(n), Trade(BTC, n + 1, 1.0, 1.0, 1, n)])
        assert time.monotonic() - began < 20
        await until(lambda: "cannot be reached" in caplog.text)
        await sink.write([Valuation(n, n, Decimal(n), ((BTC, 100.0),)) for n in range(1, 31)])
        server.start()
        with server.client() as client:
            await showing(lambda: client.llen(f"quantmind:ticks:{BTC}") == 3)
            await showing(lambda: client.hget("quantmind:feed", "dropped") is not None)
            assert client.hget("quantmind:account", "equity") == "30"
            assert client.xlen("quantmind:events") == 10
            await showing(lambda: int(client.hget("quantmind:feed", "dropped")) >= 20)
            await showing(lambda: client.hget("quantmind:feed", "reconnects") == "1")
    assert caplog.text.count("cannot be reached") == 1
    assert "it is there again" in caplog.text


async def test_a_redis_that_is_killed_under_load_comes_back_with_the_whole_state(server, make):
    async with make(server.url, ticks=4) as sink:
        stop = asyncio.Event()

        async def load():
            n = 0
            while not stop.is_set():
                n += 1
                await sink.write([quote(n), Trade(BTC, n, 1.0, 1.0, 1, n)])
                await asyncio.sleep(0.001)

        loading = asyncio.create_task(load())
        with server.client() as client:
            await sink.write([Valuation(1, 1, Decimal(123), ((BTC, 100.0),))])
            for _ in range(3):
                await showing(lambda: client.hget("quantmind:account", "equity") == "123")
                await showing(lambda: client.llen(f"quantmind:ticks:{BTC}") == 4)
                server.kill()
                await asyncio.sleep(0.3)
                server.start()
            await showing(lambda: client.hget("quantmind:account", "equity") == "123")
        stop.set()
        await loading


async def test_every_tick_that_is_not_shown_is_counted(server, make):
    server.kill()
    async with make(server.url, ticks=10) as sink:
        for n in range(100):
            await sink.write([Trade(BTC, n + 1, 1.0, 1.0, 1, n)])
            await asyncio.sleep(0.01)
        server.start()
        with server.client() as client:
            await showing(lambda: client.llen(f"quantmind:ticks:{BTC}") == 10)
            await showing(lambda: client.hget("quantmind:feed", "dropped") == "90")


async def test_what_another_run_held_is_not_shown_and_forgotten_keys_expire_again(server, make):
    with server.client() as client:
        client.hset("quantmind:positions", BTC, "7")
        async with make(server.url, stream=10) as sink:
            await sink.write([quote(1), Valuation(1, 1, Decimal(5), ())])
            await showing(lambda: client.xlen("quantmind:events") == 1)
            assert not client.exists("quantmind:positions")
            client.flushall()
            await sink.write([quote(2), Valuation(2, 2, Decimal(6), ())])
            await showing(lambda: client.ttl("quantmind:events") > 0 and client.ttl("quantmind:account") > 0)
            await showing(lambda: client.ttl(f"quantmind:quote:{BTC}") > 0)


async def test_a_redis_that_hangs_holds_up_nobody(server, make):
    sink = make(server.url)
    await sink.open()
    try:
        await sink.write([quote(1)])
        with server.client() as client:
            await showing(lambda: client.exists(f"quantmind:quote:{BTC}"))
        server.signal(signal.SIGSTOP)
        began = time.monotonic()
        for n in range(1_000):
            await sink.write([quote(n)])
        assert time.monotonic() - began < 5
    finally:
        began = time.monotonic()
        await sink.close()
        assert time.monotonic() - began < 5
        server.signal(signal.SIGCONT)


async def test_a_wrong_password_is_like_a_redis_that_is_away(server_binary, tmp_path, make, caplog):
    with RedisServer(server_binary("redis-server", "redis-server"), tmp_path, "--requirepass", "hunter2") as locked:
        async with make(f"redis://:wrong@127.0.0.1:{locked.port}/0") as sink:
            await sink.write([quote(1)])
            await until(lambda: "cannot be reached" in caplog.text)
        async with make(f"redis://:hunter2@127.0.0.1:{locked.port}/0") as sink:
            await sink.write([quote(1)])
            with locked.client(password="hunter2") as client:
                await showing(lambda: client.exists(f"quantmind:quote:{BTC}"))
        assert "wrong" not in caplog.text.replace("wrong number", "")


@pytest.mark.parametrize("url", ["http://localhost", "redis://", "unix://", "localhost:6379"])
def test_a_url_that_is_none_is_refused_without_being_told_again(url):
    with pytest.raises(ValidationError, match="redis://HOST:PORT/DB"):
        RedisOptions(url=url)


def test_a_pipeline_shows_itself(server, program):
    plain = {
        "name": "shown",
        "instruments": [BTC],
        "feeds": [{"synthetic": {"duration": "30m", "seed": 7}}],
        "strategies": [{"momentum": {"interval": "10s", "fast": 5, "slow": 13, "rsi": 7}}],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": "0.1"}}]},
        "executor": {"paper": {"balance": 10000}},
        "sinks": [{"redis": {"url": server.url}}],
    }
    (program.folder / "shown.yaml").write_text(yaml.safe_dump(plain))
    summary = program.summary("shown.yaml")
    with server.client() as client:
        assert int(client.hget("quantmind:feed", "quote_total")) == 18_000
        assert client.hget("quantmind:feed", "run") == summary["run"]
        assert client.llen(f"quantmind:ticks:{BTC}") == 100
        assert client.hexists("quantmind:positions", BTC)
