from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest
import yaml

from quantmind.testing import free_port
from quantmind_nats.options import NATSOptions
from quantmind_nats.transport import NATS

FACTS = ("order", "fill", "transfer", "funding", "latch", "valuation", "refusal")


def write(program, name, feed, url=""):
    recipe = {
        "name": name,
        "instruments": ["BTC/USDT:USDT"],
        "feeds": [{"synthetic": feed}],
        "strategies": [{"momentum": {"interval": "1s", "fast": 3, "slow": 8, "rsi": 5}}],
        "allocator": "equal_weight",
        "risk": {
            "sizing": [{"fixed_quantity": {"quantity": 0.1}}],
            "protection": [{"atr_stop": {"interval": "1s", "period": 5, "multiplier": 3}}],
            "limits": [{"max_leverage": {"limit": 3}}],
        },
        "executor": {"paper": {"account": name, "balance": 10000, "latency": "50ms"}},
        "sinks": [{"jsonl": {"events": [*FACTS]}}],
    }
    if url:
        recipe["transport"] = {"nats": {"url": url}}
    (program.folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    return f"{name}.yaml"


@pytest.mark.parametrize("jetstream", [True, False], ids=["jetstream", "plain"])
def test_a_replay_over_nats_is_the_same_as_in_one_process(program, make_nats_server, jetstream):
    server = make_nats_server(jetstream=jetstream)
    feed = {"seed": 7, "duration": "5m"}
    plain = program.summary(write(program, "plain", feed))
    networked = program.summary(write(program, "networked", feed, server.url))
    assert plain["fills"] > 10
    assert program.export(networked["run"]) == program.export(plain["run"])


def facts(folder: Path) -> list[int]:
    """Return the numbers of the facts that the sink stage has written."""
    lines = [line for path in folder.glob("state/sinks/*/events.jsonl") for line in path.read_text().splitlines(True)]
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [event["number"] for event in events if "number" in event]


def wait_for_facts(program, count: int) -> None:
    end = time.monotonic() + 40
    while len(facts(program.folder)) < count:
        assert time.monotonic() < end, "no more facts came"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_live_pipeline_outlives_its_server(program, nats_server):
    name = write(program, "live", {"live": True, "seed": 3, "quote_interval": "5ms"}, nats_server.url)
    process = program.start("run", name)
    try:
        wait_for_facts(program, 3)
        nats_server.kill()
        time.sleep(1)
        before = len(facts(program.folder))
        nats_server.start()
        wait_for_facts(program, before + 3)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=40)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    assert "connected again" in errors
    numbers = facts(program.folder)
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.slow
async def test_a_cluster_outlives_one_of_its_servers(make_nats_server, tmp_path):
    first = free_port(3)
    ports = range(first, first + 3)
    routes = ",".join(f"nats://127.0.0.1:{port}" for port in ports)
    servers = [
        make_nats_server(
            *("--name", f"n{port}", "--cluster_name", "c", "--cluster", f"nats://127.0.0.1:{port}", "--routes", routes)
        )
        for port in ports
    ]
    urls = [server.url for server in servers]
    heard: list[int] = []
    options = NATSOptions(url=urls, replicas=3)
    execution, sink, strategy = (NATS(options, "demo", stage) for stage in ("execution", "sink", "strategy"))
    sink.subscribe(("execution",), lambda _, frame: heard.append(int(frame)))
    for one in (execution, sink, strategy):
        one.lossless = False
    await asyncio.sleep(3)
    async with execution, sink, strategy:
        strategy.keep("BTC/USDT:USDT", b"target")
        sent = 0
        async with asyncio.timeout(30):
            while not heard:
                sent += 1
                execution.publish("facts", b"%d" % sent, f"id-{sent}")
                await asyncio.sleep(0.1)
            await strategy.drained()
        for killed in (None, 0):
            if killed is not None:
                servers[killed].kill()
            for _ in range(200):
                sent += 1
                execution.publish("facts", b"%d" % sent, f"id-{sent}")
                await asyncio.sleep(0.002)
            async with asyncio.timeout(30):
                await execution.drained()
                while heard[-1] != sent:  # noqa: ASYNC110 - what comes is counted
                    await asyncio.sleep(0.05)
        assert heard == list(range(heard[0], sent + 1))
        assert list(await execution.kept("strategy")) == [b"target"]
        servers[1].kill()
        asking = asyncio.create_task(execution.kept("strategy"))
        # Longer than one question is waited for: whoever is left cannot answer, and the one killed first comes back.
        await asyncio.sleep(8)
        assert not asking.done()
        servers[0].start()
        assert list(await asking) == [b"target"]
        assert execution._recorder.active
