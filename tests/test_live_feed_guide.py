"""The README's live feed: it outlives its server, and tells what was lost on the way."""

import asyncio
import contextlib
import re
import types
from pathlib import Path

import pytest

from quantmind.errors import QuantMindError
from quantmind.events import Bar, Trade
from quantmind.kinds import TRADES, Needs, bars
from quantmind.market.instruments import KNOWN
from quantmind.metrics import RECONNECTS, STREAM_EVENTS, STREAM_GAPS
from quantmind.testing import FeedStage, check_feed, free_port, until

README = Path(__file__).parents[1] / "README.md"
BTC, ETH = KNOWN
MINUTE = 60_000_000_000


@pytest.fixture(scope="module")
def tape():
    """The module that the README writes."""
    (code,) = re.findall(r"^```python quantmind_tape\.py\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    module = types.ModuleType("quantmind_tape")
    exec(compile(code, "quantmind_tape.py", "exec"), vars(module))
    return module


class Server:
    """A tape, which may be stopped and started again."""

    def __init__(self):
        self.port = free_port()
        self._server = None
        self._writers = []

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *raised):
        await self.stop()

    async def start(self):
        self._server = await asyncio.start_server(
            lambda _, writer: self._writers.append(writer), "127.0.0.1", self.port
        )

    async def stop(self):
        self._server.close()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._writers.clear()

    async def say(self, *lines):
        await until(lambda: self._writers, "nobody has connected")
        self._writers[-1].write("".join(f"{line}\n" for line in lines).encode())


def feed_of(tape, port, **options):
    return tape.Tape(tape.TapeOptions(symbol=BTC, port=port, **options), [KNOWN[BTC]])


def told(feed):
    """Return its figures by their metrics."""
    return {figure.name: figure.value for figure in feed.figures()}


async def test_what_is_lost_on_the_way_is_told_and_the_rest_goes_on(tape):
    async with Server() as server, FeedStage(feed_of(tape, server.port), Needs((TRADES,))) as stage:
        feed = stage.feed
        assert feed.ailments() == {"": "it is not connected yet"}
        await server.say("7 1000 50000.5 0.1 1", "", "8 2000 50001 0.2 -1")
        await stage.until(lambda: len(stage.events) == 2)
        assert stage.events[0] == Trade(BTC, 1000, 50000.5, 0.1, 1, 7)
        assert feed.ailments() == {}
        await server.stop()
        await stage.until(feed.ailments)
        await server.start()
        await server.say("8 2000 50001 0.2 -1", "11 3000 50002 0.3 1")
        await stage.until(lambda: len(stage.events) == 3)
        assert [event.id for event in stage.events] == [7, 8, 11]
        assert feed.ailments() == {}
        names = RECONNECTS.name, STREAM_EVENTS.name, STREAM_GAPS.name
        assert [told(feed)[name] for name in names] == [1, 3, 1]


@pytest.mark.parametrize(
    ("lines", "why"),
    [([""], "the connection is lost: nothing has come"), (["", "8 2000"], "the connection is lost: not enough values")],
    ids=["silence", "half a line"],
)
async def test_a_connection_that_is_of_no_use_is_made_again(tape, lines, why):
    async with Server() as server, FeedStage(feed_of(tape, server.port, silence="100ms"), Needs((TRADES,))) as stage:
        feed = stage.feed
        await server.say(*lines)
        await stage.until(lambda: feed.ailments().get("", "").startswith(why), lambda: str(feed.ailments()))
        await stage.until(lambda: feed.connections > 1)


async def test_bars_are_built_of_its_trades(tape):
    async with Server() as server, FeedStage(feed_of(tape, server.port), Needs((bars(MINUTE),))) as stage:
        await server.say(*(f"{number} {number * MINUTE // 2} {number} 1 1" for number in range(1, 8)))
        await stage.until(lambda: stage.of(Bar))
        assert [bar.interval for bar in stage.of(Bar)] == [MINUTE] * len(stage.of(Bar))


async def test_it_offers_its_symbol_and_names_its_server(tape):
    options = tape.TapeOptions(symbol=BTC, port=free_port())
    assert tape.Tape.offers(options, [BTC, ETH]) == {BTC: {TRADES}}
    (server,) = tape.Tape.servers(options)
    with pytest.raises(QuantMindError, match="nobody listens there"):
        await server.greet()


def test_it_keeps_the_promises_of_a_feed(tape):
    check_feed(feed_of(tape, free_port()))
    assert tape.register_components() == [tape.Tape]
