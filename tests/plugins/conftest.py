from __future__ import annotations

import io
import socket
import subprocess
import time
from decimal import Decimal
from typing import Any

import pytest

from quantmind.events import (
    Bar,
    Book,
    Fill,
    Funding,
    FundingRate,
    Latch,
    Mark,
    OrderState,
    OrderUpdate,
    Part,
    Quote,
    Refusal,
    Share,
    Signal,
    Target,
    Ticker,
    Trade,
    Transfer,
    Valuation,
)
from quantmind.kinds import Run

BTC = "BTC/USDT:USDT"
TS = 1_704_067_400_250_000_000


@pytest.fixture
def run_of_sink(tmp_path):
    """Return the run that a sink under test belongs to."""
    return Run("demo", tmp_path, io.StringIO())


@pytest.fixture
def one_of_each():
    """Return an event of each type, by its name."""
    return {
        "signal": Signal(BTC, "momentum", 1.0, 0.42, TS, "s1", "1-2"),
        "target": Target(BTC, Decimal("0.21"), (Share("momentum", Decimal("0.21")),), TS, "t1", "s1"),
        "order": OrderUpdate(
            1, "o1", BTC, "buy", Decimal("0.100"), Decimal(0), False, OrderState.ACCEPTED, TS, "t1"
        ),
        "fill": Fill(
            2, "f1", "o1", BTC, "buy", Decimal("0.100"), Decimal("50012.3"), Decimal("2.5006150"), Decimal(0),
            Decimal("0.100"), Decimal("5.00123E+4"), TS, "t1", "x1", True,
            (Part("momentum", Decimal("0.100"), Decimal(0), Decimal("2.5006150")),),
        ),
        "transfer": Transfer(
            4, "x1", BTC, Decimal("50012.25"),
            (Part("momentum", Decimal("0.1"), Decimal(0)), Part("reversion", Decimal("-0.1"), Decimal("1E-8"))),
            TS, "t1",
        ),
        "funding": Funding(
            5, "u1", BTC, Decimal("0.0001"), Decimal(50500), Decimal("0.4"), Decimal("-2.02"),
            (Part("momentum", Decimal("0.4"), Decimal("-2.02")),), TS, "1-2", "e1",
        ),
        "latch": Latch(6, "max_drawdown", "flatten", "drawdown 0.1008 >= 0.1", TS, "1-2"),
        "valuation": Valuation(7, TS, Decimal("10000.5"), ((BTC, 50012.25),)),
        "refusal": Refusal(
            3, BTC, "buy", Decimal("0.300"), "max_leverage", "leverage 3.2 > limit 3", TS, "t1"
        ),
        "quote": Quote(BTC, TS, 50012.2, 50012.3, 0.1, 1e16),
        "trade": Trade(BTC, TS, 50012.3, 0.001, 1, 7),
        "bar": Bar(BTC, TS, 60_000_000_000, 1.0, 2.0, 0.1, 1.5, 1e-07),
        "mark": Mark(BTC, TS, 50012.25),
        "funding_rate": FundingRate(BTC, TS, 0.0001, 50500.0),
        "ticker": Ticker(BTC, TS, 49000.0, 50500.0, 48900.5, 50012.2, 1234.5, 61_000_000.0),
        "book": Book(BTC, TS, ((50012.2, 0.1),), ((50012.3, 2.0), (50012.4, 1.0))),
    }  # fmt: skip


class NATSServer:
    """A real nats-server on a free loopback port, with its store in a folder of the test."""

    def __init__(self, binary: str, folder: Any, *arguments: str, jetstream: bool = True) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self.folder = folder
        store = ["--jetstream", "--store_dir", str(folder / "store")] if jetstream else []
        self._command = [binary, "-a", "127.0.0.1", "-p", str(self.port), *store, *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **environ: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log, env=environ or None)
        end = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def make_nats_server(server_binary, tmp_path):
    """Return what starts servers."""
    binary = server_binary("nats-server", "nats-server")
    started: list[NATSServer] = []

    def make(*arguments: str, jetstream: bool = True, start: bool = True, **environ: str) -> NATSServer:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        made = NATSServer(binary, folder, *arguments, jetstream=jetstream)
        started.append(made)
        if start:
            made.start(**environ)
        return made

    yield make
    for made in started:
        made.kill()


@pytest.fixture
def nats_server(make_nats_server):
    return make_nats_server()
