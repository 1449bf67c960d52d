"""Order books: proven while every change has come, and only then."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Quote
from quantmind.market.book import Change
from quantmind.testing import until
from quantmind_ccxt.books import SNAPSHOT_LEVELS, BookKeeper
from quantmind_ccxt.stream import Stream

BTC = "BTC/USDT:USDT"


def change(first, last, previous, bid=100.0, size=1.0):
    return Change(last, first, last, previous, [(bid, size)], [])


class Keeper:
    """A keeper of a book, the venue's answers that it is given, and what it gave out."""

    def __init__(self, *snapshots) -> None:
        self.snapshots = list(snapshots)
        self.out = []
        self.asked = 0
        self.stream = Stream("book", BTC)
        self.keeper = BookKeeper(self.stream, 5, self.out.append, self._fetch)

    async def _fetch(self, symbol):
        assert symbol == BTC
        self.asked += 1
        answer = self.snapshots.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, tuple) else (answer, answer, [(99.0, 1.0)], [(101.0, 2.0)])

    async def settled(self):
        await until(lambda: self.keeper._task is None)


@pytest.fixture
async def keep():
    made = []

    def make(*snapshots):
        made.append(Keeper(*snapshots))
        return made[-1]

    yield make
    for each in made:
        await each.keeper.close()


async def test_changes_wait_for_the_snapshot_and_follow_it(keep):
    one = keep(12)
    one.keeper.change(change(9, 11, 8), 1)
    one.keeper.change(change(12, 14, 11, bid=99.5), 2)
    assert (one.out, one.keeper.proven, one.stream.proven) == ([], False, 0)
    await one.settled()
    assert [book.update for book in one.out] == [14]
    assert one.out[0].bids == ((99.5, 1.0), (99.0, 1.0))
    assert one.out[0].received == 2
    one.keeper.change(change(15, 15, 14), 3)
    assert [book.update for book in one.out] == [14, 15]
    assert (one.stream.proven, one.stream.gaps, one.stream.events) == (1, 0, 2)


async def test_a_gap_makes_the_book_unproven_until_a_newer_snapshot(keep):
    one = keep(10, 10, 25)
    one.keeper.change(change(10, 11, 9), 1)
    await one.settled()
    one.keeper.change(change(20, 21, 19), 1)
    assert (one.keeper.proven, one.stream.proven, one.stream.gaps) == (False, 0, 1)
    assert "lost changes after 11" in one.keeper.reason
    one.keeper.change(change(22, 26, 21), 1)
    await one.settled()
    assert one.asked == 3
    assert [book.update for book in one.out] == [11, 26]
    assert one.stream.proven == 1
    assert one.stream.completeness < 1


async def test_a_snapshot_that_cannot_be_had_is_asked_for_again(keep):
    one = keep(OSError("no way"), 10)
    one.keeper.change(change(10, 11, 9), 1)
    await one.settled()
    assert one.asked == 2
    assert one.keeper.proven


async def test_a_change_that_comes_twice_changes_nothing(keep):
    one = keep(10)
    one.keeper.change(change(10, 11, 9), 1)
    await one.settled()
    one.keeper.change(change(10, 11, 9), 1)
    assert (one.stream.duplicates, one.stream.gaps, len(one.out)) == (1, 0, 1)
    assert one.keeper.proven


async def test_a_lost_connection_is_a_gap_if_the_numbers_say_so(keep):
    one = keep(10, 30, 35)
    one.keeper.change(change(10, 11, 9), 1)
    await one.settled()
    one.keeper.lose("was cut")
    assert (one.keeper.proven, one.keeper.reason) == (False, "was cut")
    one.keeper.change(change(30, 31, 29), 1)
    await one.settled()
    assert (one.stream.gaps, one.keeper.proven) == (1, True)
    one.keeper.lose("was cut")
    one.keeper.change(change(32, 35, 31), 1)
    await one.settled()
    assert one.stream.gaps == 1


async def test_a_venue_that_counts_anew_is_followed(keep):
    one = keep(1000, 5)
    one.keeper.change(change(1000, 1001, 999), 1)
    await one.settled()
    one.keeper.lose("was cut")
    one.keeper.change(change(5, 6, 4), 1)
    await one.settled()
    one.keeper.change(change(7, 7, 6), 1)
    assert [book.update for book in one.out] == [1001, 6, 7]
    assert one.stream.duplicates == 0


async def test_a_quote_of_the_same_change_that_differs_makes_the_book_unproven(keep):
    one = keep(10, (12, 12, [(99.5, 1.5)], [(101.0, 2.0)]))
    one.keeper.change(change(10, 11, 9, bid=99.5), 1)
    await one.settled()
    one.keeper.check(Quote(BTC, 1, 99.5, 101.0, 1.0, 2.0, 1, 11))
    assert one.keeper.proven
    one.keeper.check(Quote(BTC, 1, 99.5, 101.0, 1.5, 2.0, 1, 12))
    one.keeper.change(change(12, 12, 11), 1)
    assert not one.keeper.proven
    assert "differs from the quote of change 12" in one.keeper.reason
    await one.settled()
    assert one.keeper.proven
    assert [(book.update, book.bids[0]) for book in one.out] == [(11, (99.5, 1.0)), (12, (99.5, 1.5))]


async def test_a_book_at_the_edge_of_its_snapshot_is_fetched_again(keep):
    bids = [(100.0 - level * 0.1, 1.0) for level in range(SNAPSHOT_LEVELS)]
    one = keep((10, 10, bids, [(101.0, 1.0)]), 13)
    one.keeper.change(change(10, 11, 9), 1)
    await one.settled()
    falling = Change(12, 12, 12, 11, [(price, 0.0) for price, _ in bids[:-3]] + [(-50.0, 1.0), (-60.0, 1.0)], [])
    one.keeper.change(falling, 1)
    assert not one.keeper.proven
    assert "edge of its snapshot" in one.keeper.reason
    await asyncio.sleep(0)
    one.keeper.change(change(13, 14, 12), 1)
    await one.settled()
    assert one.keeper.proven


class Truth:
    """A venue's book, of which every state is known by its number."""

    def __init__(self, steps) -> None:
        self.last = 100
        self.bids = {50.0: 1.0}
        self.states = {self.last: dict(self.bids)}
        self.changes = [self._step(*step) for step in steps]
        self.sent = 0

    def _step(self, width, price, size):
        previous, self.last = self.last, self.last + width
        self.bids[price] = size
        self.states[self.last] = {price: size for price, size in self.bids.items() if size}
        return Change(self.last, previous + 1, self.last, previous, [(price, size)], [])

    def snapshot(self):
        last = self.changes[self.sent - 1].last if self.sent else 100
        return last, last, list(self.states[last].items()), []


@given(
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from([48.0, 49.0, 50.0, 51.0]), st.sampled_from([0.0, 1.0, 2.0]))),
    st.data(),
)
def test_whatever_is_lost_repeated_or_late_what_is_shown_is_true(steps, data):
    truth, shown = Truth(steps), []

    async def fetch(symbol):
        for _ in range(data.draw(st.integers(0, 2))):
            await asyncio.sleep(0)
        return truth.snapshot()

    async def run():
        keeper = BookKeeper(Stream("book", BTC), 10, shown.append, fetch)
        late = None
        for change in truth.changes:
            truth.sent += 1
            fate = data.draw(st.sampled_from(["comes", "comes", "comes", "twice", "lost", "late", "cut"]))
            if fate == "cut":
                keeper.lose("was cut")
            for each in {"lost": [], "late": [], "cut": [], "twice": [change] * 2}.get(fate, [change]):
                keeper.change(each, 1)
            if late is not None:
                keeper.change(late, 1)
            late = change if fate == "late" else None
            if data.draw(st.booleans()):
                await asyncio.sleep(0)
        await keeper.close()
        for book in shown:
            assert dict(book.bids) == truth.states[book.update]
        updates = [book.update for book in shown]
        assert updates == sorted(set(updates))

    asyncio.run(run())
