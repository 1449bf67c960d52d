"""A bad day: faults at random, by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any


def random_faults(seed: int, mean: int, spellings: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield faults and the times (ns from the start) at which they are to be armed, for ever.

    They are those that an honest venue shows on a bad day; the same ones for the same seed.
    """
    draw = random.Random(f"bad day {seed}")  # noqa: S311 - the same faults for the same seed
    orders = "POST /fapi/v1/order"
    at = 0.0
    while True:
        at += draw.expovariate(1 / mean)
        choices: list[dict[str, Any]] = [
            {"delay": {"on": "* /*", "by": "300ms", "jitter": "2s", "count": "all", "for": "5s"}},
            {"drop_reply": {"on": orders, "when": draw.choice(["before", "after"]), "for": "30s"}},
            {"answer": {"on": "* /fapi/*", "status": 503, "code": -1008, "count": 3, "for": "30s"}},
            {"answer": {"on": orders, "status": 408, "code": -1007, "when": draw.choice(["before", "after"])}},
            {"rate_limit": {"seconds": 5}},
            {"close": {}},
            {"close": {"path": draw.choice(["public", "market", "private"])}},
            {"half_open": {"path": draw.choice(["public", "market", "private"])}},
            {"swallow": {"on": draw.choice(["*@*", "user"]), "for": "30s"}},
            {"duplicate": {"on": draw.choice(["*@*", "user"]), "for": "30s"}},
            {"reorder": {"on": draw.choice(["*@*", "user"]), "for": "30s"}},
            {"book_gap": {"symbol": draw.choice(spellings)}},
            {"set_clock": {"by": draw.choice(["-1500ms", "1500ms"])}},
            {"expire_listen_key": {}},
        ]
        yield int(at), draw.choice(choices)
