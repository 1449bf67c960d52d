from __future__ import annotations

import pytest
from pydantic import ValidationError

from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TRADES, bars
from quantmind.market.instruments import KNOWN
from quantmind_paper.executor import Paper, PaperOptions

MINUTE = 60_000_000_000
ALL = frozenset({QUOTES, BOOKS, TRADES, MARKS, FUNDING, bars(MINUTE), bars(5 * MINUTE)})


@pytest.mark.parametrize(
    ("offered", "options", "wanted"),
    [
        (ALL, {}, {QUOTES, BOOKS, MARKS, FUNDING}),
        (ALL, {"queue": True}, {QUOTES, BOOKS, TRADES, MARKS, FUNDING}),
        (ALL - {QUOTES, BOOKS}, {}, {TRADES, MARKS, FUNDING}),
        (ALL - {QUOTES, BOOKS, TRADES, FUNDING}, {}, {bars(MINUTE), MARKS}),
    ],
)
def test_it_wants_the_finest_prices(offered, options, wanted):
    assert Paper.wants(PaperOptions(**options), offered) == wanted


@pytest.mark.parametrize(
    "options",
    [
        {"latency": {"shortest": "2ms", "longest": "1ms"}},
        {"latency": {"measured": []}},
        {"fee_tiers": [{"volume": 5, "maker_fee": 0, "taker_fee": 0}]},
        {"leverage": 0},
        {"participation": 0},
        {"slippage": {"ticks": -1}},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValidationError):
        PaperOptions.model_validate(options)


@pytest.mark.parametrize("latency", ["250ms", {"longest": "9ms"}, {"measured": ["1ms", "2ms"]}])
def test_what_waits_is_the_same_object_for_ever(latency):
    executor = Paper(PaperOptions.model_validate({"latency": latency}), tuple(KNOWN.values()))
    waiting = executor.waiting
    executor.prepare(dict.fromkeys(KNOWN, ALL))
    assert executor.waiting is waiting
    assert not waiting
    assert executor.figures == {"fills": 0.0, "decided_by_path": 0.0}
