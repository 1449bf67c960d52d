"""Tallies: what an account did in one run, and since it began."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Share, Signal, Target, Upto
from quantmind.pipeline.tally import Tally, began
from quantmind.trader.chronicle import Chronicle
from quantmind.trader.journal import Journal

BTC = "BTC/USDT:USDT"
COUNTS = st.integers(0, 10**6)
TALLIES = st.builds(
    Tally,
    signals=COUNTS,
    targets=COUNTS,
    orders=COUNTS,
    fills=COUNTS,
    refusals=st.dictionaries(st.sampled_from(["stale", "halted", "max_leverage"]), st.integers(1, 100)),
)


def plus(one, other):
    codes = sorted({*one.refusals, *other.refusals})
    return Tally(
        signals=one.signals + other.signals,
        targets=one.targets + other.targets,
        orders=one.orders + other.orders,
        fills=one.fills + other.fills,
        refusals={code: one.refusals.get(code, 0) + other.refusals.get(code, 0) for code in codes},
    )


@given(before=TALLIES, run=TALLIES)
def test_what_has_come_to_it_is_the_run(before, run):
    assert plus(before, run).after(before) == run


def test_an_account_began_with_the_first_moment_on_record(tmp_path):
    with contextlib.closing(Journal(tmp_path, "paper-test", "1000", durable=False)) as journal:
        assert began(journal) is None
        chronicle = Chronicle(journal, new_epoch=False)
        for ts in (70, 80):
            signals = (Signal(BTC, "a", 1.0, 1.0, ts, f"s{ts}", ""),)
            targets = (Target(BTC, 1, (Share("a", 1),), ts, f"t{ts}", f"s{ts}"),)
            chronicle.seq += 1
            chronicle.decision(Upto(chronicle.seq, signals, targets), targets)
        chronicle.latch("halted", "halt", "the news", 60)
        chronicle.commit()
        assert began(journal) == 60
