"""The order book: what it shows, and what it takes for proven."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Book
from quantmind.market.book import BookGap, Change, OrderBook

BTC = "BTC/USDT:USDT"


def change(first, last, previous, bids=(), asks=(), ts=7):
    return Change(ts, first, last, previous, bids, asks)


@pytest.fixture
def book():
    book = OrderBook(BTC)
    assert book.snapshot(5, 100, [(9.0, 1.0), (8.0, 2.0)], [(11.0, 3.0), (10.0, 4.0)])
    return book


def test_it_shows_the_best_levels_first(book):
    assert (book.best_bid, book.best_ask) == ((9.0, 1.0), (10.0, 4.0))
    assert book.top(1, 3) == Book(BTC, 5, ((9.0, 1.0),), ((10.0, 4.0),), 3, 100)
    assert book.asks() == ((10.0, 4.0), (11.0, 3.0))


def test_changes_set_and_take_away_levels(book):
    assert book.update(change(99, 101, 98, bids=[(9.5, 1.5), (9.0, 0.0)], asks=[(10.0, 5.0), (12.0, 0.0)]))
    assert book.bids() == ((9.5, 1.5), (8.0, 2.0))
    assert book.asks() == ((10.0, 5.0), (11.0, 3.0))
    assert (book.ts, book.last, book.crossed) == (7, 101, False)


def test_what_it_contains_already_changes_nothing(book):
    assert not book.update(change(90, 99, 89, bids=[(9.5, 1.0)]))
    assert book.update(change(100, 102, 99))
    assert not book.update(change(100, 102, 99, bids=[(9.5, 1.0)]))
    assert book.best_bid == (9.0, 1.0)


@pytest.mark.parametrize("first", [change(101, 103, 100), change(98, 103, 97), change(100, 100, 97)])
def test_the_first_change_contains_the_snapshots_number_or_follows_it(book, first):
    assert book.update(first)


@pytest.mark.parametrize("late", [change(102, 103, 101), change(110, 120, 105)])
def test_a_hole_after_the_snapshot_is_seen(book, late):
    with pytest.raises(BookGap, match=r"is missing: 100 was the last"):
        book.update(late)
    assert not book.proven


def test_a_hole_is_seen_and_what_comes_after_it_waits_for_the_next_snapshot(book):
    book.update(change(99, 101, 98))
    with pytest.raises(BookGap):
        book.update(change(105, 106, 104, bids=[(9.5, 1.0)]))
    assert not book.update(change(107, 108, 106, asks=[(9.9, 1.0)]))
    assert not book.snapshot(5, 102, [(9.0, 1.0)], [(10.0, 4.0)]), "there is a hole between this one and what waits"
    assert book.snapshot(5, 105, [(9.0, 1.0)], [(10.0, 4.0)])
    assert (book.best_bid, book.best_ask, book.last) == ((9.5, 1.0), (9.9, 1.0), 108)


def test_changes_wait_for_the_snapshot():
    book = OrderBook(BTC)
    assert not book.update(change(1, 5, 0, bids=[(1.0, 1.0)]))
    assert not book.update(change(6, 8, 5, bids=[(2.0, 1.0)]))
    assert not book.proven
    assert book.snapshot(5, 6, [(1.5, 1.0)], [])
    assert book.best_bid == (2.0, 1.0)
    assert book.best_ask == (0.0, 0.0)


def test_without_the_number_before_changes_are_numbered_without_holes(book):
    assert book.update(change(101, 103, None))
    assert book.update(change(104, 104, None))
    with pytest.raises(BookGap):
        book.update(change(106, 107, None))


def test_after_a_lost_connection_it_is_not_proven(book):
    book.lose()
    assert not book.proven
    assert not book.update(change(101, 102, 100))
    assert book.snapshot(5, 101, [(9.0, 1.0)], [(10.0, 4.0)])
    assert book.last == 102


levels = st.lists(st.tuples(st.integers(1, 30).map(float), st.integers(0, 3).map(float)), max_size=6)


@given(levels, levels, st.lists(st.tuples(levels, levels), max_size=20), st.integers(0, 20))
def test_it_is_what_a_plain_table_is(bids, asks, changes, at):
    """Wherever the snapshot comes, the book is that of a reader who never missed anything."""
    plain = (dict(bids), dict(asks))
    snapshots = []
    for index in range(len(changes) + 1):
        for side in plain:
            for price in [price for price, size in side.items() if not size]:
                del side[price]
        snapshots.append((dict(plain[0]), dict(plain[1])))
        if index < len(changes):
            for side, change_ in zip(plain, changes[index], strict=True):
                side.update(change_)
    book = OrderBook(BTC)
    at = min(at, len(changes))
    for index, (bid, ask) in enumerate(changes):
        if index == at:
            assert book.snapshot(0, 10 * at, snapshots[at][0].items(), snapshots[at][1].items())
        book.update(change(10 * index + 5, 10 * index + 10, 10 * index, bid, ask))
    if at == len(changes):
        assert book.snapshot(0, 10 * at, snapshots[at][0].items(), snapshots[at][1].items())
    assert book.bids() == tuple(sorted(snapshots[-1][0].items(), reverse=True))
    assert book.asks() == tuple(sorted(snapshots[-1][1].items()))
    assert book.last == 10 * len(changes)
