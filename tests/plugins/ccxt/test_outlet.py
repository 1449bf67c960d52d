"""The outlet: one order, in batches, and never more than fit."""

from __future__ import annotations

import asyncio

import pytest

from quantmind.events import Book, FundingRate, Mark, Quote, Trade
from quantmind_ccxt.outlet import Outlet
from quantmind_ccxt.stream import Stream

BTC = "BTC/USDT:USDT"


def make(most=1_000):
    streams = {(kind, BTC): Stream(kind, BTC) for kind in ("quote", "trade", "mark", "book", "funding")}
    return Outlet(most, streams), streams


def trade(number):
    return Trade(BTC, number, 1.0, 1.0, 1, number)


async def test_time_never_goes_back():
    outlet, _ = make()
    for ts in (5, 3, 7, 6):
        outlet.give(Mark(BTC, ts, 1.0))
    batch = await anext(outlet.batches())
    assert [event.ts for event in batch] == [5, 5, 7, 7]


async def test_what_came_together_is_one_batch():
    outlet, _ = make()
    batches = outlet.batches()
    outlet.give(trade(1))
    outlet.give(trade(2))
    assert [event.id for event in await anext(batches)] == [1, 2]
    waiting = asyncio.create_task(anext(batches))
    await asyncio.sleep(0)
    assert not waiting.done()
    outlet.give(trade(3))
    assert [event.id for event in await waiting] == [3]


async def test_a_failure_comes_after_what_was_there():
    outlet, _ = make()
    outlet.give(trade(1))
    outlet.fail(ValueError("over"))
    batches = outlet.batches()
    assert len(await anext(batches)) == 1
    with pytest.raises(ValueError, match="over"):
        await anext(batches)


async def test_a_slow_reader_loses_what_was_replaced_first():
    outlet, streams = make(most=100)
    outlet.give(FundingRate(BTC, 0, 0.0001))
    for number in range(1, 40):
        outlet.give(trade(number))
        outlet.give(Quote(BTC, number, 1.0, 2.0, 1.0, 1.0, 0, number))
        outlet.give(Book(BTC, number, (), (), 0, number))
    batch = await anext(outlet.batches())
    assert [event.id for event in batch if isinstance(event, Trade)] == list(range(1, 40))
    assert len(batch) < 100
    assert batch[0] == FundingRate(BTC, 0, 0.0001)
    quotes = [event.update for event in batch if isinstance(event, Quote)]
    assert quotes[-1] == 39
    assert streams["quote", BTC].missing == 39 - len(quotes)
    assert streams["trade", BTC].missing == 0


async def test_a_reader_that_stands_still_costs_no_memory():
    outlet, streams = make(most=100)
    outlet.give(FundingRate(BTC, 0, 0.0001))
    for number in range(1, 10_001):
        outlet.give(trade(number))
    batch = await anext(outlet.batches())
    assert len(batch) <= 101
    ids = [event.id for event in batch if isinstance(event, Trade)]
    assert ids == list(range(ids[0], 10_001))
    assert streams["trade", BTC].missing == 10_000 - len(ids)
    assert batch[0] == FundingRate(BTC, 0, 0.0001)
