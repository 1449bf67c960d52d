import math
import subprocess
import sys
import textwrap

import pytest

from quantmind.data.store import Store, Writer
from quantmind.data.store.layout import Stream, manifest_path
from quantmind.errors import QuantMindError
from quantmind.events import FundingRate, Quote, Trade
from quantmind.kinds import FUNDING, QUOTES, TRADES, bars


def test_a_row_group_is_written_when_it_is_full_or_old_enough(folder, make, files):
    now = 0.0
    with Writer(folder, rows=3, seconds=60, clock=lambda: now) as writer:
        writer.write("v", [make.trade(n) for n in range(2)])
        writer.write("v", [make.quote(1)])
        assert (files(), writer.written, writer.waiting) == ([], 0, 3)
        writer.write("v", [make.trade(2)])
        assert (files(), writer.written, writer.waiting) == (["part-000001.parquet"], 3, 1)
        now = 59.9
        writer.settle()
        assert writer.written == 3
        now = 60.0
        writer.settle()
        assert (writer.written, writer.waiting) == (4, 0)
        writer.write("v", [make.trade(3)])
        now = 119.9
        writer.write("v", [make.quote(2)])
        assert writer.written == 4
        now = 120.0
        writer.write("v", [])
        assert writer.written == 5


def test_too_much_in_memory_is_written(folder, make, monkeypatch):
    monkeypatch.setattr("quantmind.data.store.writer.MOST_WAITING", 10)
    with Writer(folder) as writer:
        writer.write("v", [make.trade(n) for n in range(6)])
        writer.write("v", [make.quote(n) for n in range(4)])
        assert writer.written == 0
        writer.write("v", [make.quote(5)])
        assert writer.written == 11


def test_each_day_has_its_files_and_a_day_that_is_over_becomes_one(folder, make, files, everything):
    hour = 3_600_000_000_000
    made = [make.trade(n, ts=make.midnight + n * hour) for n in range(30)]
    with Writer(folder, rows=4) as writer:
        for event in made:
            writer.write("v", [event])
        assert files() == [
            *["part-000001.parquet"] * 2,
            *["part-000002.parquet"] * 1,
            *[f"part-00000{n}.parquet" for n in (3, 4, 5, 6)],
        ]
        over = writer.over()
        assert over == [(Stream("v", TRADES, make.btc), make.midnight // make.day)]
        assert writer.over() == []
        writer.compact(over)
        assert files() == ["part-000001-000006.parquet", "part-000001.parquet"]
        late = make.trade(99, ts=make.midnight + 5)
        writer.write("v", [late])
    assert files() == ["part-000001-000007.parquet", "part-000001-000002.parquet"] or len(files()) == 2
    assert everything(Store(folder)) == sorted([*made, late], key=lambda event: event.ts)


def test_the_next_writer_goes_on_with_the_next_number(folder, make, files, everything):
    for n in range(3):
        with Writer(folder) as writer:
            writer.write("v", [make.trade(n)])
    assert files() == ["part-000001-000003.parquet"]
    assert everything(Store(folder)) == [make.trade(n) for n in range(3)]


def test_two_writers_of_one_store_are_refused(folder, make):
    with Writer(folder) as writer:
        with pytest.raises(QuantMindError, match=r"process \d+ writes to this store; .*another folder"):
            Writer(folder)
        writer.write("v", [make.trade(1)])
    Writer(folder).close()


def test_a_store_that_is_written_can_be_read(folder, make, everything):
    with Writer(folder, rows=2) as writer:
        writer.write("v", [make.trade(n) for n in range(2)])
        assert everything(Store(folder)) == [make.trade(0), make.trade(1)]


def test_an_event_that_cannot_be_stored_is_named(folder, make):
    for wrong in (
        Trade(make.btc, make.midnight, 1.0, 1.0, 1, 2**63),
        Quote(make.btc, make.midnight, "1", 1.0, 1.0, 1.0),
    ):
        with (
            pytest.raises(QuantMindError, match=r"v BTC/USDT:USDT (trade|quote): an event cannot be written: \S"),
            Writer(folder) as writer,
        ):
            writer.write("v", [wrong])


def test_a_folder_that_cannot_be_made_is_told_on_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(QuantMindError, match=r"cannot be written: (File exists|Not a directory)$"):
        Writer(tmp_path / "file" / "store")


FULL = """
    import resource, sys
    from pathlib import Path
    from quantmind.data.store import Writer
    from quantmind.errors import QuantMindError
    from quantmind.events import Trade
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    day = 20_000 * 86_400_000_000_000
    made = [Trade("BTC/USDT:USDT", day + n * 10**6, 100 + (n * 7919 % 1000) / 8, n / 3, 1, n) for n in range(40_000)]
    writer = Writer(folder, rows=rows)
    writer.write("v", made[:rows])
    limit = next(folder.rglob("*.parquet")).stat().st_size * 3 // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        if rows == 10_000:
            writer.write("v", made[rows:])
        else:
            writer.write("v", made[rows : 2 * rows])
            writer.close()
    except QuantMindError as error:
        print(error)
    try:
        writer.close()
    except OSError:
        pass
"""


@pytest.mark.parametrize(("rows", "kept"), [(10_000, 10_000), (1_000, 2_000)])
def test_a_full_disk_is_one_line_and_leaves_what_was_written(folder, rows, kept, everything, files):
    """The second time it is the compaction that finds no room."""
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), folder, str(rows)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.count("\n") == 1, ended.stdout + ended.stderr
    assert "cannot be written: " in ended.stdout
    assert "File too large" in ended.stdout
    assert [event.id for event in everything(Store(folder))] == list(range(kept))
    assert not [name for name in files() if name.endswith(".tmp")]


def test_a_manifest_tells_what_lacks_and_is_made_again_from_the_parts(fill, make, folder):
    present = [n for n in range(1, 100) if n not in (10, 11, 50)]
    store = fill([*(make.trade(n) for n in present), make.trade(99)], rows=30)
    stream, day = Stream("v", TRADES, make.btc), make.midnight // make.day
    manifest = store.manifest(stream, day)
    assert (manifest.rows, manifest.missing, manifest.gap_count, manifest.duplicates) == (97, 3, 2, 1)
    assert math.isclose(manifest.completeness, 96 / 99)
    assert [(gap.first, gap.last) for gap in manifest.gaps] == [(10, 11), (50, 50)]
    assert manifest.gaps[0].begins == make.trade(9).ts
    assert manifest.gaps[0].ends == make.trade(12).ts
    assert (manifest.first, manifest.last) == (make.trade(1).ts, make.trade(99).ts)
    path = manifest_path(folder, stream, day)
    for damage in (b"", b"{}", b'{"parts": {}}', None):
        path.unlink() if damage is None else path.write_bytes(damage)
        assert store.manifest(stream, day) == manifest


def test_bars_and_unnumbered_events_are_counted_too(fill, make):
    rows = [*(make.bar(n) for n in (0, 1, 2, 5, 5)), *(make.quote(n) for n in (1, 2, 2)), make.quote(0)]
    store = fill(rows)
    day = make.midnight // make.day
    bars_, quotes = (store.manifest(Stream("v", c, make.btc), day) for c in (bars(make.minute), QUOTES))
    assert (bars_.rows, bars_.missing, bars_.duplicates, bars_.completeness) == (5, 2, 1, 4 / 6)
    assert (quotes.rows, quotes.duplicates, quotes.completeness) == (4, 1, None)


def test_a_venue_that_numbers_with_holes_tells_no_completeness(fill, make):
    store = fill([make.trade(n * 17) for n in range(50)])
    manifest = store.manifest(Stream("v", TRADES, make.btc), make.midnight // make.day)
    assert (manifest.completeness, manifest.missing, manifest.gaps) == (None, 0, [])


def test_what_was_fetched_as_a_whole_is_noted_and_each_event_kept_once(folder, make, everything):
    day = make.midnight // make.day
    stream = Stream("v", TRADES, make.btc)
    with Writer(folder, rows=5) as writer:
        writer.write("v", [make.trade(n) for n in range(1, 13)])
        # The same trades from another source, which does not tell when they came.
        writer.write(
            "v",
            [
                Trade(*(getattr(make.trade(n), f) for f in ("symbol", "ts", "price", "size", "side", "id")))
                for n in range(1, 21)
            ],
        )
        writer.cover(stream, day, [(make.midnight, make.midnight + 7)])
        writer.cover(stream, day, [(make.midnight + 7, make.midnight + 9)])
        writer.cover(stream, day + 1, [(make.midnight + make.day, make.midnight + 2 * make.day)])
    found = everything(Store(folder))
    assert found[:12] == [make.trade(n) for n in range(1, 13)]
    assert [event.id for event in found] == list(range(1, 21))
    for again in range(2):
        store = Store(folder)
        assert store.manifest(stream, day).covered == [(make.midnight, make.midnight + 9)]
        assert store.manifest(stream, day + 1).covered == [(make.midnight + make.day, make.midnight + 2 * make.day)]
        assert store.manifest(stream, day + 1).rows == 0
        if not again:
            for path in (folder / ".store").rglob("*.json"):
                path.unlink()


def test_one_settlement_is_kept_of_sources_that_differ_by_some_ms(folder, make, everything):
    day, ms = make.midnight // make.day, 1_000_000
    hours = 8 * 60 * make.minute
    with Writer(folder, rows=3) as writer:
        writer.write("v", [FundingRate(make.btc, make.midnight + n * hours, 0.0001) for n in range(3)])
        writer.write("v", [FundingRate(make.btc, make.midnight + n * hours + 5 * ms, 0.0001) for n in range(3)])
        writer.cover(Stream("v", FUNDING, make.btc), day, [(make.midnight, make.midnight + make.day)])
    assert [event.ts for event in everything(Store(folder))] == [make.midnight + n * hours for n in range(3)]


def test_leftovers_of_a_killed_writer_are_removed(fill, folder, make, files, everything):
    fill([make.trade(n) for n in range(4)], rows=2)
    place = next(folder.rglob("*.parquet")).parent
    (place / ".part-000003.parquet.tmp").write_bytes(b"half")
    (place / "part-000002.parquet").write_bytes(next(place.glob("part-*-*.parquet")).read_bytes())
    assert len(everything(Store(folder))) == 4
    Writer(folder).close()
    assert files() == ["part-000001-000002.parquet"]


def test_a_damaged_part_is_named(fill, folder, make, everything):
    store = fill([make.trade(1)])
    part = next(folder.rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(QuantMindError, match=r"part-000001\.parquet: cannot be read: .+"):
        everything(store)


def test_memory_is_bounded_while_a_store_is_read(fill, make, folder):
    fill([make.trade(n) for n in range(300_000)], rows=100_000)
    code = """
        import resource, sys
        from pathlib import Path
        from quantmind.data.store import Store
        from quantmind.kinds import TRADES
        store = Store(Path(sys.argv[1]))
        batches = store.read("v", ["BTC/USDT:USDT"], [TRADES])
        next(batches)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert sum(len(batch) for batch in batches) == 290_000
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), folder], capture_output=True, text=True, timeout=60, check=True
    )
    # All of them as events would be 60 MB.
    assert int(ended.stdout) < 40_000
