"""Each stage of a live pipeline is killed in turn under load: it comes back, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from quantmind.events import Done, Holdings, Incident, Numbered, Vitals
from quantmind.kinds.transport import OBSERVER, STAGES
from quantmind.pipeline.reception import Reception
from quantmind.plugins import Plugins
from quantmind.trader.journal_reader import JournalReader

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def written(folder, transport):
    plain = {
        "name": "killed",
        "instruments": [BTC, ETH],
        "feeds": [{"synthetic": {"live": True, "quote_interval": "5ms", "trade_interval": "10ms", "seed": 5}}],
        "transport": transport,
        "strategies": [{"restless": {"every": 150}}],
        "allocator": "equal_weight",
        "risk": {
            "sizing": [{"fixed_quantity": {"quantity": "0.5"}}],
            "protection": [{"fixed_stop": {"part": 0.02}}],
            "limits": [{"max_leverage": {"limit": 5}}],
            "max_age": "3s",
        },
        "executor": {"paper": {"account": "killed", "balance": 1000000, "latency": "20ms"}},
        "sinks": ["jsonl", "sqlite"],
    }
    (folder / "killed.yaml").write_text(yaml.safe_dump(plain))
    return "killed.yaml"


class Observer:
    """Hears every stage from outside, and keeps what is needed to judge them."""

    def __init__(self, transport):
        self.transport = transport
        transport.lossless = False
        self.incidents = []
        self.told = []
        self.vitals = {}
        self.numbers = {}
        self.held = None
        self.market = 0
        self.reception = Reception(None, OBSERVER, self.incidents.append)
        transport.subscribe(STAGES, self.hear)

    def hear(self, stage, data):
        frame = self.reception.read(stage, data)
        for message in frame.messages if frame else ():
            if isinstance(message, Vitals):
                self.vitals[stage] = message
            elif isinstance(message, Numbered):
                self.market += len(message.events)
            elif isinstance(message, Done):
                for fact in message.facts:
                    assert self.numbers.setdefault(fact.number, fact) == fact, "one number, two facts"
            elif isinstance(message, Holdings):
                self.held = message
            elif isinstance(message, Incident):
                self.told.append(message)

    def figures(self, stage, name):
        vitals = self.vitals.get(stage)
        return {f.labels: f.value for f in vitals.figures if f.name == name} if vitals else {}


async def until(true, what, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"never: {what}"
        await asyncio.sleep(0.05)


def children(process):
    """Return the process of each stage."""
    found = {}
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--stage" in words:
            found[words[words.index(b"--stage") + 1].decode()] = int(pid)
    return found


def settled(observer):
    """Say whether the pipeline is well: every stage ready, none ailing, and each position with its stop."""
    ready = all(stage in observer.vitals and observer.vitals[stage].state == "ready" for stage in STAGES)
    well = ready and not any(observer.vitals[stage].reasons for stage in STAGES)
    return well and observer.figures("execution", "position").keys() == observer.figures("execution", "stop").keys()


def judged(program, observer):
    """Look at the account's record, and compare with it what the sinks wrote and what was heard."""
    (home,) = (program.folder / "state" / "accounts").iterdir()
    journal = JournalReader.open(home)
    facts = [fact for _, fact in journal.facts()]
    fills = list(journal.fills())
    open_orders = journal.open_orders()
    journal.close()
    assert [fact.number for fact in facts] == list(range(1, len(facts) + 1)), "a fact is missing"
    assert len({fill.execution for fill in fills}) == len(fills), "a fill was booked twice"
    positions = Counter()
    for fill in fills:
        positions[fill.symbol] += fill.quantity if fill.side == "buy" else -fill.quantity
        assert fill.position == positions[fill.symbol], "a position does not follow from its fills"
    for symbol in (BTC, ETH):
        stops = [order for order in open_orders if order.symbol == symbol and order.purpose == "stop"]
        stops = [order for order in stops if order.state != "cancelling"]
        if positions[symbol]:
            assert [order.side for order in stops] == ["sell" if positions[symbol] > 0 else "buy"]
            assert stops[0].close_position
    by_number = {fact.number: fact for fact in facts}
    for number, fact in observer.numbers.items():
        assert by_number[number] == fact, "what was told is not what is on record"
    lines = (program.folder / "state" / "sinks" / "killed" / "events.jsonl").read_text().splitlines()
    wrote = Counter(told["number"] for told in map(json.loads, lines) if "number" in told)
    wanted = {fact.number for fact in facts if type(fact).__name__ != "Valuation"}
    missed = sorted(wanted - set(wrote))
    assert not missed, f"a sink missed {len(missed)} facts, from {missed[0]} to {missed[-1]} of {len(facts)}"
    assert set(wrote.values()) == {1}, "a sink has a fact twice"
    return fills, positions


async def killed(process, observer, stage):
    """Kill a stage, and wait until the pipeline is as it should be."""
    before, market = len(observer.numbers), observer.market
    pid = children(process)[stage]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: children(process).get(stage, pid) != pid, f"{stage} is started again")
    observer.vitals.pop(stage, None)
    await until(lambda: settled(observer), f"all is well again after {stage}")
    await until(lambda: len(observer.numbers) > before + 10, f"it trades on after {stage}")
    await until(lambda: observer.market > market + 100, f"the market comes after {stage}")
    assert process.poll() is None


async def kill_in_turn(program, transport, plain, count):
    name = written(program.folder, plain)
    process = program.start("run", name, "--json")
    observer = Observer(transport)
    kills = Counter()
    try:
        async with transport:
            await until(lambda: settled(observer) and len(observer.numbers) > 20, "the pipeline trades")
            for stage in itertools.islice(itertools.cycle(STAGES), count):
                await killed(process, observer, stage)
                kills[stage] += 1
            await until(lambda: settled(observer), "all is well")
            process.send_signal(signal.SIGTERM)
            output, errors = await asyncio.to_thread(process.communicate, timeout=60)
            await asyncio.sleep(0.5)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    fills, positions = judged(program, observer)
    summary = json.loads(output)
    assert {symbol: Decimal(held) for symbol, held in summary["positions"].items()} == {
        symbol: held for symbol, held in positions.items() if held
    }
    assert len(fills) > 3 * count
    restarts = Counter(incident.of for incident in observer.incidents if incident.what == "restart")
    assert restarts == kills, "each restart is seen, and no other"
    for told in observer.told:
        assert told.what in {"gap", "restart"}, told
        assert told.of in STAGES


def transport(name, **options):
    """Return the observer's end of a transport, and how a recipe writes it."""
    kind = Plugins().find("transport", name)
    return kind(kind.options_model(**options), "killed", OBSERVER), {name: options}


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_over_zeromq(program, free_ports):
    await kill_in_turn(program, *transport("zeromq", endpoint=f"tcp://127.0.0.1:{free_ports}"), 20)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_over_nats(program, nats_url):
    await kill_in_turn(program, *transport("nats", url=nats_url), 8)
