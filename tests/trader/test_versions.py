"""Journals of an earlier version: brought to today's when they are opened to be written, and named until then."""

from __future__ import annotations

import sqlite3

import pytest

from quantmind.errors import QuantMindError
from quantmind.events import Quote
from quantmind.kinds import QUOTES, Needs, NoOptions, Strategy
from quantmind.pipeline.folder import RunFolder
from quantmind.testing import run_recipe
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import FILE, JournalReader

BTC = "BTC/USDT:USDT"
RECIPE = {
    "name": "old",
    "instruments": [BTC],
    "strategies": [{"restless_quotes": {}}],
    "allocator": "equal_weight",
    "risk": {"sizing": [{"fixed_quantity": {"quantity": "0.1"}}], "no_trade_band": 0},
    "executor": {"paper": {"balance": 100000}},
}


class Restless(Strategy[NoOptions]):
    """Turns around at every quote."""

    name = "restless_quotes"

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES,))

    def start(self):
        self.side = 1.0

    def on_quote(self, quote):
        self.side = -self.side
        return self.signal(self.side)


@pytest.fixture
def home(tmp_path):
    """The folder of a journal as version 2 wrote it, and the facts that were in it."""
    quotes = [Quote(BTC, n * 1_000_000_000, 50_000.0 + n, 50_001.0 + n, 1.0, 1.0) for n in range(1, 40)]
    outcome = run_recipe(RECIPE, tmp_path, events=quotes, components=[Restless])
    folder = RunFolder.find(tmp_path, outcome.summary.run).path
    reader = JournalReader.open(folder)
    facts = reader.facts()
    reader.close()
    assert len(facts) > 50
    with sqlite3.connect(folder / FILE) as database:
        database.execute("DROP INDEX orders_last")
        database.execute("ALTER TABLE orders DROP COLUMN last")
        database.execute("PRAGMA user_version = 2")
    database.close()
    return folder, facts


def test_one_of_version_2_goes_on(home):
    folder, facts = home
    reader = sqlite3.connect(folder / FILE)
    account, balance = reader.execute("SELECT key, balance FROM account").fetchone()
    reader.close()
    journal = Journal(folder, account, balance, durable=False)
    try:
        assert journal.facts() == facts
        for number in (2, len(facts) // 2, len(facts)):
            assert journal.facts(number) == facts[number - 1 :]
    finally:
        journal.close()


def test_to_be_read_it_is_named(home):
    folder, _ = home
    with pytest.raises(QuantMindError, match="journal of version 2, this program reads 3; one of version 2"):
        JournalReader.open(folder)
