"""The sums behind the manifests and the merging, beside plain sets and sorts."""

import itertools

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from quantmind.data.store.alignment import AT, Source, aligned
from quantmind.data.store.fetching import pieces
from quantmind.data.store.lack import lacking
from quantmind.data.store.layout import Stream
from quantmind.data.store.manifest import joined
from quantmind.data.store.runs import Run, gaps, missing, there, union
from quantmind.kinds import TRADES, bars

DAY = 86_400_000_000_000

runs = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda r: Run(r[0], r[0] + r[1], r[0], r[0] + r[1]))
)
spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda s: (s[0], s[0] + s[1])))


@given(runs)
def test_a_union_of_runs_is_that_of_sets(given_runs):
    several = [set(range(run.first, run.last + 1)) for run in given_runs]
    whole = set().union(*several)
    merged, twice = union(given_runs)
    assert [n for run in merged for n in range(run.first, run.last + 1)] == sorted(whole)
    assert there(merged) == len(whole)
    assert twice == len([n for one in several for n in one]) - len(whole)
    holes = gaps(merged)
    lacks = set(range(min(whole), max(whole) + 1)) - whole if whole else set()
    assert {n for gap in holes for n in range(gap.first, gap.last + 1)} == lacks
    assert missing(holes) == len(lacks)
    assert all(gap.begins == gap.first - 1 and gap.ends == gap.last + 1 for gap in holes)


@given(spans)
def test_what_lacks_is_what_is_in_no_span(given_spans):
    there_ = {n for begins, ends in given_spans for n in range(begins, ends)}
    cut = [(max(a, 10), min(b, 50)) for a, b in joined(given_spans) if max(a, 10) < min(b, 50)]
    found = {n for begins, ends in lacking(cut, 10, 50) for n in range(begins, ends)}
    assert found == set(range(10, 50)) - there_


@given(st.lists(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=4), max_size=4), max_size=5))
def test_sources_side_by_side_give_all_rows_in_order_and_part_none_of_one_time(tables):
    sources = []
    expected = []
    for number, chunks in enumerate(tables):
        rows = sorted(at for chunk in chunks for at in chunk)
        expected += [(at, number) for at in rows]
        sizes = [len(chunk) for chunk in chunks]
        cut = [rows[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(len(sizes))]
        sources.append(Source((pl.DataFrame({AT: some}) for some in cut), rows[0] if rows else 0))
    found = []
    last = -1
    for taken in aligned(sources):
        some = [(at, number) for number, rows in taken for at in rows[AT]]
        assert min(some)[0] > last
        last = max(some)[0]
        found += sorted(some)
    assert found == sorted(expected)


@given(st.integers(0, 400 * 24), st.integers(1, 100 * 24), st.sampled_from([TRADES, bars(60_000_000_000)]))
def test_pieces_are_the_span_without_a_hole(hour, hours, channel):
    begins = 19_700 * DAY + hour * DAY // 24
    found = pieces(Stream("v", channel, "A/B:B"), [(begins, begins + hours * DAY // 24)])
    assert found[0].begins == begins
    assert found[-1].ends == begins + hours * DAY // 24
    assert all(one.ends == other.begins for one, other in itertools.pairwise(found))
    for piece in found:
        whole_month = piece.ends - piece.begins >= 28 * DAY
        assert whole_month or piece.begins // DAY == (piece.ends - 1) // DAY
        assert not (whole_month and channel == TRADES)
