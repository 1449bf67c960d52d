"""What the tests of the venue's account say in short."""

from __future__ import annotations

import json
from decimal import Decimal as D
from types import SimpleNamespace

import aiohttp
import pytest

from quantmind.events import FundingRate, Mark, Quote
from quantmind_venue.account.account import Account
from quantmind_venue.api import private, public
from quantmind_venue.api.limits import Limits
from quantmind_venue.api.signing import Signing
from quantmind_venue.api.ws_api import WebSocketApi
from quantmind_venue.clock import Clock
from quantmind_venue.errors import VenueError
from quantmind_venue.listing import Listing
from quantmind_venue.market.board import Board
from quantmind_venue.options import KEY, SECRET, VenueOptions
from quantmind_venue.server import Venue
from quantmind_venue.streaming.hub import Hub

START = 1_700_000_000_000_000_000


class Desk:
    """One account on a market that the test makes: no sockets, a clock that goes on when told."""

    def __init__(self, *spellings, balance="10000"):
        self.clock = Clock(START, "virtual")
        self.listing = Listing(spellings or ("BTCUSDT", "ETHUSDT"))
        self.hub = Hub()
        self.limits = Limits(enforced=False)
        self.board = Board(self.clock, self.listing, self.hub)
        self.account = Account(self.clock, self.listing, self.board, self.hub, SimpleNamespace(balance=D(balance)))
        self.signing = Signing(KEY, SECRET, self.clock)
        self.told = []
        self.account.stream.listen(self.told.append)
        self.routes = {(route.method, route.path): route for route in [*public.routes(self), *private.routes(self)]}
        self.messages = WebSocketApi(self)

    def quote(self, bid, ask=None, size=5.0, symbol="BTCUSDT", ask_size=None):
        """Show a best bid and ask."""
        ask = bid + float(self.listing[symbol].tick) if ask is None else ask
        unified = self.listing[symbol].symbol
        self.board.quoted(
            symbol, Quote(unified, self.clock.ns(), bid, ask, size, size if ask_size is None else ask_size), {}
        )

    def mark(self, price, symbol="BTCUSDT"):
        self.board.marked(symbol, price, price, self.clock.now())

    def wait(self, seconds):
        """Let time go by; what is due is done with the next event or request."""
        self.clock._now += int(seconds * 1e9)
        self.account.timers.check(self.clock.now())

    def call(self, method, path, **sent):
        """Call an endpoint."""
        version, _, name = path.partition("/") if path[:2] in {"v1", "v2", "v3"} else ("v1", "", path)
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in sent.items()}
        return self.routes[method, f"/fapi/{version}/{name}"].handler(self, texts)

    def order(self, side="BUY", type="LIMIT", quantity="0.010", **more):
        sent = {"symbol": "BTCUSDT", "side": side, "type": type, "quantity": quantity} | more
        if type == "LIMIT":
            sent.setdefault("timeInForce", "GTC")
        return self.call("POST", "order", **sent)

    def market(self, side="BUY", quantity="0.010", **more):
        return self.order(side, "MARKET", quantity, newOrderRespType="RESULT", **more)

    def algo(self, side="SELL", type="STOP_MARKET", **more):
        return self.call(
            "POST", "algoOrder", **({"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": side, "type": type} | more)
        )

    def refused(self, method, path, **sent):
        """Call an endpoint that refuses; returns the code."""
        with pytest.raises(VenueError) as caught:
            self.call(method, path, **sent)
        return caught.value.code

    def position(self, symbol="BTCUSDT"):
        return self.account.ledger.position(self.listing[symbol]).quantity

    def events(self, kind):
        return [message for message in self.told if message["e"] == kind]

    def algo_states(self, client=None):
        return [each["o"]["X"] for each in self.events("ALGO_UPDATE") if client in {None, each["o"]["caid"]}]


@pytest.fixture
def desk():
    """An account with a price of 50,000 to trade at."""
    made = Desk()
    made.quote(50_000.0)
    made.mark(50_000.0)
    return made


@pytest.fixture
def desks():
    """Make accounts on markets of their own."""
    return Desk


@pytest.fixture
async def venues():
    """Start venues on free ports, and stop them after the test."""
    started = []

    async def start(sent=None, **options):
        venue = Venue(VenueOptions(**({"port": 0, "history": "30m"} | options)), sent)
        started.append(venue)
        await venue.start()
        return venue

    yield start
    for venue in started:
        await venue.stop()


@pytest.fixture
async def http():
    """A plain client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
def recording(data):
    """A raw recording of BTCUSDT."""
    return data / "binance_usdm_raw" / "btcusdt_20240808.gz"


__all__ = ["Desk", "FundingRate", "Mark"]
