from types import SimpleNamespace

import msgspec
import pytest

from quantmind.data.store import Store, Writer
from quantmind.events import Bar, Quote, Trade
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, bars

MINUTE = 60_000_000_000
DAY = 86_400_000_000_000
T = 20_000 * DAY
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
ALL = (BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, bars(MINUTE), bars(5 * MINUTE))


def trade(n, ts=None, symbol=BTC):
    return Trade(symbol, T + n * 1_000_000 if ts is None else ts, 100.0 + n / 8, 0.5, 1 if n % 2 else -1, n, T + n)


def bar(n, symbol=BTC, volume=3.0, interval=MINUTE):
    return Bar(symbol, T + (n + 1) * interval, interval, 100.0, 101.0, 99.5, 100.5, volume)


def quote(n, symbol=BTC):
    return Quote(symbol, T + n * 1_000_000, 100.0 + n, 100.1 + n, 1.0, 2.0, T + n * 1_000_000 + 7, n)


@pytest.fixture(scope="session")
def make():
    """Makes events: those of number n come n steps after a midnight."""
    return SimpleNamespace(trade=trade, bar=bar, quote=quote, midnight=T, minute=MINUTE, day=DAY, btc=BTC, eth=ETH)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def fill(folder):
    """Write events of a venue into the store, and close it."""

    def write(events, venue="v", **options):
        with Writer(folder, **options) as writer:
            step = options.get("rows", 10_000)
            for first in range(0, len(events), step):
                writer.write(venue, events[first : first + step])
        return Store(folder)

    return write


@pytest.fixture(scope="session")
def everything():
    """Read all events of a store, of whatever channel."""

    def read(store, venue="v", symbols=(BTC, ETH), channels=ALL, **span):
        return [event for batch in store.read(venue, symbols, channels, **span) for event in batch]

    return read


@pytest.fixture(scope="session")
def encoded():
    """Return events as sorted bytes, in which no NaN and no -0.0 is another's equal."""
    return lambda events: sorted(msgspec.msgpack.encode(event) for event in events)


@pytest.fixture
def files(folder):
    """Name the data files of the store, and what does not belong there."""

    def names():
        return sorted(path.name for path in folder.rglob("*") if path.is_file() and ".store" not in path.parts)

    return names
