"""Files of funding rates: when funding was settled, and at what rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.data.rows import FUNDING_TIMES, TIMES, Columns, read
from quantmind.data.soundness import refuse_unsound

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = Columns(
    {"rate": ("rate", "funding_rate", "fundingrate", "last_funding_rate", "open")},
    {"mark": ("mark", "mark_price", "markprice")},
    (*TIMES, *FUNDING_TIMES),
)


def read_funding(paths: Sequence[Path]) -> pl.DataFrame:
    """Read funding rates as rows of `time` (of the settlement), `rate` and `mark` (0 where it is not told).

    Raises:
        QuantMindError: a file cannot be read, or holds a rate or a mark that cannot be true.
    """
    import polars as pl

    rows = read(paths, _COLUMNS).with_columns(pl.col("mark").fill_null(0.0))
    rate, mark = pl.col("rate"), pl.col("mark")
    sound = rate.is_finite() & (rate.abs() < 1) & mark.is_finite() & (mark >= 0)
    refuse_unsound(
        paths,
        rows,
        sound,
        lambda row: f"rate {row['rate']} must be a number between -1 and 1, and mark {row['mark']} a price",
    )
    return rows
