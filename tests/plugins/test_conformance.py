"""Every installed component keeps the promises of its kind, and the tests of plugins use what strangers have."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path

import polars as pl
import pytest

from quantmind.kinds import BOOKS, QUOTES, TRADES
from quantmind.market.instruments import KNOWN
from quantmind.testing import check_archive, check_command, check_component, check_feed
from quantmind_binance.raw import BinanceRaw
from quantmind_files import Replay

HERE = Path(__file__).parent
BTC, ETH = KNOWN
INSTRUMENTS = tuple(KNOWN.values())

PUBLIC = {
    "quantmind.data.store": "the store of recorded market data, for feeds that play it",
    "quantmind.errors": "what a plugin raises",
    "quantmind.events": "what is said between the parts, and the codec that transports carry",
    "quantmind.hookspecs": "how a plugin registers",
    "quantmind.kinds": "the contracts that a plugin fulfils",
    "quantmind.market": "instruments, bars, the book and indicators",
    "quantmind.metrics": "the names under which feeds and sinks publish figures",
    "quantmind.risk": "the sums behind rules",
    "quantmind.simulation": "the one matching engine, for executors and venues that simulate",
    "quantmind.testing": "these checks, and what stands in for the rest of a pipeline",
}
"""What the tests of a plugin may import of QuantMind, and why an author needs it."""

GIVEN = {
    "atr_stop": [{}, {"trailing": False, "period": 1, "multiplier": "0.1"}],
    "fixed_stop": [{"part": "0.02"}, {"part": "0.02", "trailing": True}],
    "max_exposure": [{"gross": 3}, {"net": 1, "per_symbol": "0.5"}],
    "liquidation_distance": [{"limit": "0.1", "then": "flatten"}],
    "margin_ratio": [{"limit": "0.5", "then": "reduce"}],
    "fixed_fraction": [{"fraction": "0.01", "cap": 2}],
    "volatility_target": [{"target": "0.2", "window": 10}],
    "kelly": [
        {"win_rate": "0.55", "reward_risk": "1.5"},
        {"measured": {"wins": 11, "losses": 9, "reward_risk": "1.2"}},
        {"returns": {"interval": "1h", "window": 30}},
    ],
    "momentum": [{"interval": "1m", "rsi": 2, "fast": 2, "slow": 3}],
    "mean_reversion": [{"window": 5, "width": 0.5}],
    "paper": [
        {"latency": {"longest": "900ms"}, "partial_fills": True, "queue": True, "slippage": {"ticks": 1}},
        {"margin": "isolated", "limit_fills": "optimistic", "participation": 0.1},
    ],
    "synthetic": [{"duration": "5s", "funding_interval": "2s"}, {"duration": "1s", "speed": 1000}],
    "jsonl": [{"events": ["quote", "fill"]}],
    "sqlite": [{"events": ["bar", "target"]}],
}
"""Options that components are tried with beside those of their examples."""


def found():
    from quantmind.plugins import Plugins

    plugins = Plugins(only_own=True, environ={})
    for row in plugins.all():
        yield row, plugins.find(row.kind, row.name)


CASES = [
    pytest.param(kind, options, id=f"{row.kind}-{row.name}-{index}" if index else f"{row.kind}-{row.name}")
    for row, kind in found()
    for index, options in enumerate((None, *GIVEN.get(row.name, ())))
]
COMMANDS = {point.name: point for point in entry_points(group="quantmind.commands") if point.dist.name == "quantmind"}


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_a_component_keeps_the_promises_of_its_kind(kind, options):
    told = list(check_component(kind, options))
    assert [f"{promise.words}: {promise.fault}" for promise in told if promise.fault] == []
    assert len(told) > 10


def test_no_option_is_given_to_what_is_not_there():
    assert set(GIVEN) <= {row.name for row, _ in found()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_keeps_its_promises(name):
    check_command(COMMANDS[name].load())


def test_a_replay_of_files_keeps_the_promises_of_feeds(tmp_path):
    start = datetime(2024, 1, 1, tzinfo=UTC)
    closes = [100.0 + n % 7 for n in range(30)]
    rows = {"date": [start + timedelta(minutes=n) for n in range(30)], "volume": [1.0] * 30}
    for name, price in (("bars", 0.0), ("marks", 0.5)):
        prices = [close + price for close in closes]
        pl.DataFrame({**rows, **dict.fromkeys(("open", "high", "low", "close"), prices)}).write_parquet(
            tmp_path / f"{name}.parquet"
        )
    options = {
        "files": {symbol: str(tmp_path / "bars.parquet") for symbol in (BTC, ETH)},
        "marks": {BTC: str(tmp_path / "marks.parquet")},
        "start": "2024-01-01T00:10:00Z",
    }
    check_feed(Replay(Replay.options_model.model_validate(options), INSTRUMENTS))


def test_a_recording_keeps_the_promises_of_feeds_and_archives(tmp_path):
    ms = 1_700_000_000_000
    said = [
        {"stream": "btcusdt@bookTicker", "data": {
            "e": "bookTicker", "u": 10 + n, "s": "BTCUSDT", "b": f"{100 + n}", "B": "1", "a": f"{101 + n}", "A": "2",
            "T": ms + n, "E": ms + n, "ps": "BTCUSDT"}}
        for n in range(20)
    ] + [
        {"stream": "btcusdt@trade", "data": {
            "e": "trade", "E": ms + 20 + n, "T": ms + 20 + n, "s": "BTCUSDT", "t": 100 + n, "p": "100.5", "q": "0.1",
            "X": "MARKET", "m": False}}
        for n in range(20)
    ]  # fmt: skip
    path = tmp_path / "recording"
    path.write_text(
        "".join(f"{(ms + n) * 1_000_000} {json.dumps(line, separators=(',', ':'))}\n" for n, line in enumerate(said))
    )
    options = {"raw": {BTC: str(path)}, "channels": ["quote", "trade"]}
    check_feed(Replay(Replay.options_model.model_validate(options), INSTRUMENTS[:1]))
    archive = BinanceRaw(BinanceRaw.options_model.model_validate({"file": str(path)}))
    check_archive(archive, span=(ms * 1_000_000, (ms + 30) * 1_000_000))
    assert {QUOTES, TRADES, BOOKS} <= archive.channels(BTC)


def test_the_tests_of_plugins_import_what_strangers_have_and_their_plugin():
    strange = []
    for path in sorted(HERE.rglob("*.py")):
        for module in imported(ast.parse(path.read_text())):
            top = module.partition(".")[0]
            if top == "tests":
                strange.append(f"{path.name}: {module}")
            if top != "quantmind" or (module == "quantmind.plugins" and path == Path(__file__)):
                continue
            if ".".join(module.split(".")[:2]) not in PUBLIC:
                strange.append(f"{path.name}: {module}")
    assert strange == []


def imported(tree):
    """Yield the modules that a test imports, and those that the scripts in its texts do."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if node.module != "quantmind" else f"quantmind.{node.names[0].name}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^\s*(?:from|import) (quantmind\.[\w.]+)", node.value, re.MULTILINE)
