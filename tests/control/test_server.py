"""The operator's socket: who may use it, what it answers, and that nothing said on it disturbs the run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.control import client, server
from quantmind.control.answers import Request
from quantmind.control.home import SOCKET, Home, opened
from quantmind.control.server import LONGEST_LINE, MOST_CLIENTS, Control
from quantmind.errors import ComponentError, QuantMindError
from quantmind.events import Share, Target, Trade, Upto
from quantmind.kinds import TRADES, Limit, NoOptions, SizingRule
from quantmind.kinds.limit import Stop
from quantmind.market.instruments import KNOWN
from quantmind.pipeline.executing import Executing
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import JournalReader
from quantmind.trader.rules import Rules
from quantmind.trader.trader import Trader
from quantmind_paper.executor import Paper, PaperOptions

BTC = "BTC/USDT:USDT"
D = Decimal
ACCOUNT = "paper-test"


class One(SizingRule[NoOptions]):
    """Holds one."""

    name = "one"

    def budget(self, sizing):
        return D(1)


class Tripwire(Limit[NoOptions]):
    """Stops trading as soon as something is held, unless it was reset."""

    name = "tripwire"
    base = None

    def watch(self, standing):
        held = any(holding.quantity for holding in standing.holdings.values())
        return Stop("reduce", "held 1 > 0") if held and self.base is None else None

    def reset(self, standing):
        self.base = standing.equity

    @property
    def figures(self):
        return {} if self.base is None else {"base": float(self.base)}


class Broken(Paper):
    """Fails at the first cancel."""

    name = "broken"

    def cancel(self, command):
        raise OSError("the line is dead")


class Run:
    """A run that holds one BTC, bought at 100, and is at 110 now."""

    def __init__(self, home, limits=(), executor=Paper) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.limits = limits
        self.stopped = 0
        self.journal = Journal(home, ACCOUNT, "1000", durable=True)
        rules = Rules({BTC: [One(NoOptions(), KNOWN[BTC])]}, {}, limits)
        self.trader = Trader([KNOWN[BTC]], ["a"], rules, Gate(limits), self.journal, D("0.05"))
        self.executor = executor(PaperOptions(balance=D(1000), leverage=D(100)), [KNOWN[BTC]])
        self.executor.prepare({BTC: frozenset({TRADES})})
        self.executing = Executing(self.trader, self.executor, self.journal)
        self.seq = 0

    def begin(self):
        self.executing.start()
        self.price(100.0)
        self.target("1")
        self.price(100.0)
        self.price(110.0)

    def price(self, price):
        self.seq += 1
        self.executing.market(self.seq, Trade(BTC, self.seq * 1_000_000_000, price, 10.0, 1))
        self.executing.commit()

    def target(self, value):
        target = Target(BTC, D(value), (Share("a", D(value)),), self.seq * 1_000_000_000, f"t{self.seq}", "s1")
        self.executing.decided(Upto(self.seq, (), (target,)))

    def control(self, *, live=False):
        return Control(self.home, "r", self.executing, self.stop, account=ACCOUNT, live=live)

    def stop(self):
        self.stopped += 1

    @property
    def position(self):
        return self.trader.account.positions[BTC].quantity


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path / "home")
    made.begin()
    yield made
    made.journal.close()


async def say(home, data, *, lines=1):
    """Say something on the socket; returns the answers, until `lines` of them or the end."""
    with opened(home) as folder:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{SOCKET}")
    try:
        writer.write(data)
        await writer.drain()
        answers = [await asyncio.wait_for(reader.readline(), 5) for _ in range(lines)]
    finally:
        writer.close()
        await writer.wait_closed()
    return [json.loads(answer) if answer else None for answer in answers]


async def ask(home, what, **more):
    (answer,) = await say(home, json.dumps({"ask": what, **more}).encode() + b"\n")
    return answer


class TestSocket:
    async def test_nobody_else_may_use_it_and_it_goes_with_the_run(self, run):
        async with run.control():
            mode = (run.home / SOCKET).stat().st_mode
            assert stat.S_ISSOCK(mode)
            assert stat.S_IMODE(mode) == 0o600
        assert not (run.home / SOCKET).exists()

    def test_it_is_private_from_the_first_moment_whatever_the_umask(self, run):
        before = os.umask(0)
        try:
            with opened(run.home) as folder, server._bound(folder):
                assert stat.S_IMODE((run.home / SOCKET).stat().st_mode) == 0o600
        finally:
            os.umask(before)

    async def test_a_state_folder_with_a_long_path(self, tmp_path):
        run = Run(tmp_path / ("long" * 30) / ("deep" * 30))
        run.begin()
        async with run.control():
            assert (await ask(run.home, "status"))["status"]["seq"] == 3
            home = Home(run.home, "r")
            assert (await asyncio.to_thread(client.status, home)).equity == run.trader.equity()
        run.journal.close()

    async def test_one_that_a_killed_process_left_is_replaced(self, run):
        with opened(run.home) as folder:
            server._bound(folder).close()
        assert not Home(run.home).listens
        async with run.control():
            assert (await ask(run.home, "status"))["status"]["account"] == ACCOUNT

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
    async def test_another_user_is_sent_away(self, run):
        async with run.control():
            # Even where the file would let him.
            for path in (run.home / SOCKET, *run.home.parents):
                if path.stat().st_uid == os.geteuid() and path != path.parent:
                    path.chmod(path.stat().st_mode | 0o077)
            with socket.socket(socket.AF_UNIX) as other:
                here = os.open(run.home, os.O_RDONLY)
                before = os.open(".", os.O_RDONLY)
                os.fchdir(here)
                os.seteuid(65_534)
                try:
                    other.connect(SOCKET)
                finally:
                    os.seteuid(0)
                    os.fchdir(before)
                    os.close(here)
                    os.close(before)
                other.setblocking(False)
                reader, writer = await asyncio.open_unix_connection(sock=other)
                writer.write(b'{"ask": "halt"}\n')
                assert b"user 65534 may not" in await asyncio.wait_for(reader.read(), 5)
                writer.close()
        assert not run.trader.latches.set


class TestStatus:
    async def test_what_is_held_and_worth(self, run):
        async with run.control():
            status = (await ask(run.home, "status"))["status"]
        assert (status["account"], status["run"], status["running"], status["pid"]) == (
            ACCOUNT,
            "r",
            True,
            os.getpid(),
        )
        assert (status["seq"], status["ts"]) == (3, 3_000_000_000)
        (held,) = status["positions"]
        assert (held["symbol"], D(held["quantity"]), D(held["average_price"])) == (BTC, 1, 100)
        assert D(held["unrealised"]) == 10
        assert D(held["strategies"]["a"]["quantity"]) == 1
        assert D(status["equity"]) == run.trader.equity() == D("1009.95")
        assert D(status["wallet"]) == D("999.95")
        assert status["counts"]["fills"] == 1
        assert status["figures"]["executor.paper.fills"] == 1

    async def test_of_a_stopped_account_it_is_what_was_there(self, run):
        async with run.control():
            before = await asyncio.to_thread(client.status, Home(run.home, "r"))
        run.executing.end()
        run.journal.close()
        after = client.status(Home(run.home, "r"))
        assert (after.running, after.pid, after.figures) == (False, None, {})
        for name in ("account", "seq", "ts", "balance", "wallet", "equity", "positions", "orders", "counts"):
            assert getattr(after, name) == getattr(before, name), name
        assert "account   paper-test, run r: stopped" in "\n".join(after.lines())


class TestInstructions:
    async def test_it_is_durable_before_it_is_answered(self, run):
        async with run.control():
            answer = await ask(run.home, "halt", reason="the news")
            with contextlib.closing(JournalReader.open(run.home)) as journal:
                latch = journal.latches()["halted"]
        assert (latch.level, latch.figures, latch.ts) == ("halt", "the news", 3_000_000_000)
        assert answer["outcome"]["changed"] == ["halted"]
        assert answer["outcome"]["latches"] == {"halted": "halt"}

    async def test_live_it_has_the_time_of_the_clock(self, run):
        async with run.control(live=True):
            await ask(run.home, "halt")
        assert run.trader.latches.set["halted"].ts > 1_700_000_000_000_000_000

    async def test_it_takes_effect_between_two_events(self, run):
        async with run.control():
            await ask(run.home, "flatten")
            assert run.position == 1
            run.price(110.0)
            assert run.position == 0
            run.target("-1")
            run.price(110.0)
            assert run.position == 0
            assert run.trader.chronicle.refusals["flattened"] == 1
            assert (await ask(run.home, "resume"))["outcome"]["changed"] == ["flattened"]
            run.price(110.0)
            assert run.position == -1

    async def test_what_is_said_of_a_flattening_is_so(self, run):
        home = Home(run.home, "r", live=True)
        async with run.control():
            outcome = await asyncio.to_thread(client.instruct, home, "flatten", "", "")
            # No price has come since: nothing is closed yet.
            assert run.position == 1
            assert outcome.held == {BTC: 1}
            (said, _) = outcome.lines()
            assert said.endswith(
                f"flattened; entries are cancelled, positions are being closed at market: 1.000 {BTC}; "
                "see `quantmind status`"
            )
            (said, _) = (await asyncio.to_thread(client.instruct, home, "flatten", "", "")).lines()
            assert said.endswith(
                f"was flattened already; positions are being closed at market: 1.000 {BTC}; see `quantmind status`"
            )
            run.price(110.0)
            (said, _) = (await asyncio.to_thread(client.instruct, home, "flatten", "", "")).lines()
            assert said.endswith("was flattened already; no position is held")

    async def test_of_a_stopped_account_it_is_what_the_next_start_does(self, run):
        run.executing.end()
        run.journal.close()
        (said, _) = client.instruct(Home(run.home, "r"), "flatten", "", "").lines()
        assert said.endswith(
            f"flattened while stopped; at the next start entries are cancelled, positions are closed "
            f"at market: 1.000 {BTC}"
        )

    async def test_a_limit_begins_anew_and_only_by_a_reset(self, tmp_path):
        run = Run(tmp_path, (Tripwire(NoOptions()),))
        run.begin()
        async with run.control():
            assert (await ask(run.home, "resume"))["outcome"] | {"ts": 0} == {
                "account": ACCOUNT,
                "run": "r",
                "running": True,
                "action": "resume",
                "changed": [],
                "latches": {"tripwire": "reduce"},
                "seq": 3,
                "ts": 0,
                "held": {BTC: "1.000"},
            }
            assert "tripwire" in (await ask(run.home, "reset", name="halted"))["error"]
            assert (await ask(run.home, "reset", name="tripwire"))["outcome"]["latches"] == {}
            status = (await ask(run.home, "status"))["status"]
        assert status["figures"]["limit.tripwire.0.base"] == 1009.95
        run.journal.close()

    async def test_before_the_start_and_after_the_end_it_is_not_followed(self, tmp_path):
        run = Run(tmp_path)
        async with run.control():
            assert "busy" in await ask(run.home, "halt")
            assert "status" in await ask(run.home, "status")
            run.begin()
            assert "outcome" in await ask(run.home, "halt")
            run.executing.end()
            assert "busy" in await ask(run.home, "resume")
        run.journal.close()

    async def test_one_that_fails_half_way_ends_the_run(self, tmp_path):
        run = Run(tmp_path, executor=Broken)
        run.executing.start()
        run.price(100.0)
        run.target("1")
        made = run.control()
        await made.__aenter__()
        assert "the line is dead; the run ends" in (await ask(run.home, "halt"))["error"]
        assert run.stopped == 1
        with pytest.raises(ComponentError, match="the line is dead"):
            await made.__aexit__(None, None, None)
        assert not (run.home / SOCKET).exists()
        run.journal.close()


class TestClients:
    @pytest.mark.parametrize(
        "garbage",
        [b"halt\n", b"{}\n", b'{"ask": "buy"}\n', b'{"ask": "halt", "now": 1}\n', b"\xff\xfe\n", b"[]\n", b"\n"],
    )
    async def test_garbage_is_answered_and_sent_away(self, run, garbage):
        async with run.control():
            error, end = await say(run.home, garbage, lines=2)
            assert "one JSON object on a line" in error["error"]
            assert end is None
            assert "status" in await ask(run.home, "status")
        assert not run.trader.latches.set

    async def test_a_line_without_an_end(self, run):
        async with run.control():
            (error,) = await say(run.home, b'{"ask": "' + b"x" * LONGEST_LINE)
            assert f"longer than {LONGEST_LINE} bytes" in error["error"]

    @given(data=st.binary(max_size=200))
    async def test_whatever_is_said_nothing_happens(self, data, tmp_path_factory):
        run = Run(tmp_path_factory.mktemp("home"))
        try:
            async with run.control():
                await say(run.home, data + b"\n", lines=1)
                assert "status" in await ask(run.home, "status")
        finally:
            run.journal.close()

    async def test_several_lines_on_one_connection(self, run):
        async with run.control():
            answers = await say(run.home, b'{"ask": "status"}\n{"ask": "halt"}\n{"ask": "resume"}\n', lines=3)
        assert [next(iter(answer)) for answer in answers] == ["status", "outcome", "outcome"]

    async def test_a_client_that_hangs_disturbs_nobody(self, run, monkeypatch):
        monkeypatch.setattr(server, "PATIENCE", 0.3)
        with opened(run.home) as folder:
            async with run.control():
                connect = partial(asyncio.open_unix_connection, f"/proc/self/fd/{folder}/{SOCKET}")
                (_, silent), (_, deaf) = await connect(), await connect()
                silent.write(b'{"ask": ')
                # Far more answers than fit into the buffers between the two.
                deaf.write(b'{"ask": "status"}\n' * 5_000)
                for _ in range(20):
                    assert "status" in await ask(run.home, "status")
                    run.price(110.0)
                await asyncio.sleep(0.8)
                assert run.seq == 23
                for writer in (silent, deaf):
                    writer.transport.abort()

    async def test_twenty_at_once(self, run):
        async with run.control():
            answers = await asyncio.gather(*(ask(run.home, "status") for _ in range(20)))
        assert {D(answer["status"]["equity"]) for answer in answers} == {D("1009.95")}

    async def test_too_many_at_once(self, run):
        with opened(run.home) as folder:
            async with run.control():
                path = f"/proc/self/fd/{folder}/{SOCKET}"
                writers = [(await asyncio.open_unix_connection(path))[1] for _ in range(MOST_CLIENTS)]
                with contextlib.suppress(ConnectionError):
                    assert await ask(run.home, "status") is None
                for writer in writers:
                    writer.close()
                    await writer.wait_closed()
                await asyncio.sleep(0.05)
                assert "status" in await ask(run.home, "status")


class TestCalling:
    def test_nobody_there(self, tmp_path):
        assert client.call(Home(tmp_path), Request("status")) is None
        with pytest.raises(QuantMindError, match="there is no journal"):
            client.status(Home(tmp_path))

    def test_a_process_that_has_the_account_and_does_not_listen(self, run):
        assert Home(run.home).holder() == os.getpid()
        with pytest.raises(QuantMindError, match=rf"process {os.getpid()} has it, but does not answer, for 0.2 s"):
            client.call(Home(run.home, "r"), Request("halt"), 0.2)

    def test_one_that_listens_and_says_nothing(self, run):
        with opened(run.home) as folder, server._bound(folder) as listener:
            listener.listen()
            with pytest.raises(QuantMindError, match="its process does not answer"):
                client.call(Home(run.home, "r"), Request("halt"), 0.2)
