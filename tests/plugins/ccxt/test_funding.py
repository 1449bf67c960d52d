"""Funding: a rate is given out at its settlement, once, with the mark of that moment."""

from __future__ import annotations

import pytest

from quantmind.events import FundingRate
from quantmind.testing import until
from quantmind_binance.wire import MS, MarkPriceUpdate
from quantmind_ccxt import funding
from quantmind_ccxt.funding import Settlements
from quantmind_ccxt.stream import Stream

BTC = "BTC/USDT:USDT"
HOURS = 3_600_000
EIGHT = 8 * HOURS


def told(at, rate="0.0001", mark="50000", due=EIGHT):
    return MarkPriceUpdate("BTCUSDT", mark, at, rate, due)


class Watched:
    """Settlements, and what they gave out."""

    def __init__(self, *answers) -> None:
        self.out = []
        self.asked = []
        self.answers = list(answers)
        self.stream = Stream("funding", BTC)
        self.settlements = Settlements(self.stream, self.out.append, self._fetch)

    async def _fetch(self, symbol, start, end):
        self.asked.append((symbol, start, end))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def hear(self, *messages):
        for message in messages:
            self.settlements.heard(message, 7)


def test_a_rate_is_given_out_when_the_next_one_is_announced():
    one = Watched()
    one.hear(told(EIGHT - 2_000, "0.0003"), told(EIGHT - 1_000, "0.0002", "50001"))
    assert one.out == []
    one.hear(told(EIGHT + 10, "0.0005", "50002", 2 * EIGHT), told(EIGHT + 1_000, "0.0006", "50003", 2 * EIGHT))
    assert one.out == [FundingRate(BTC, EIGHT * MS, 0.0002, 50001.0, 7)]
    assert one.stream.events == 1


def test_what_is_said_after_the_settlement_of_the_old_one_does_not_count():
    one = Watched()
    one.hear(told(EIGHT - 1_000, "0.0002"), told(EIGHT, "0.0009"), told(EIGHT + 1_000, "0.0005", due=2 * EIGHT))
    assert [event.rate for event in one.out] == [0.0002]


def test_an_announcement_that_is_moved_is_no_settlement():
    one = Watched()
    one.hear(told(HOURS, due=EIGHT), told(2 * HOURS, due=4 * HOURS))
    assert one.out == []


async def test_what_was_settled_while_nothing_was_heard_is_fetched(monkeypatch):
    monkeypatch.setattr(funding, "_PAUSES", (0, 0, 0))
    settled = [FundingRate(BTC, EIGHT * MS, 0.0004, 50010.0), FundingRate(BTC, 2 * EIGHT * MS, 0.0005, 50020.0)]
    one = Watched(OSError("no way"), [], settled)
    one.hear(told(HOURS), told(2 * EIGHT + 5_000, due=3 * EIGHT))
    await until(lambda: one.out)
    assert one.out == settled
    assert one.asked == [(BTC, EIGHT * MS, (2 * EIGHT + 5_000) * MS)] * 3
    assert (one.stream.backfilled, one.stream.gaps, one.stream.missing) == (2, 1, 0)
    await one.settlements.close()


async def test_a_settlement_that_nobody_tells_is_missing(monkeypatch, caplog):
    monkeypatch.setattr(funding, "_PAUSES", (0,))
    one = Watched([])
    one.hear(told(HOURS), told(EIGHT + 5_000, due=2 * EIGHT))
    await until(lambda: one.stream.missing)
    assert one.out == []
    assert "funding is missing" in caplog.text
    await one.settlements.close()


@pytest.mark.parametrize("silent", [told(HOURS, due=0), MarkPriceUpdate("BTCUSDT", "1", HOURS)])
def test_a_contract_without_funding_settles_nothing(silent):
    one = Watched()
    one.hear(silent, silent)
    assert one.out == []
