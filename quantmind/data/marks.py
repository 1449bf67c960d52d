"""Files of mark prices: bars of the mark become the mark that was known at each time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.data.rows import Columns, read
from quantmind.data.soundness import refuse_unsound

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = Columns({"open": ("open",), "close": ("close",)})


def read_marks(paths: Sequence[Path]) -> pl.DataFrame:
    """Read bars of the mark price, of any interval, as rows of `time` and `price`.

    The open of a bar is the mark at its open time. The close is the mark at its end, where no bar begins there.
    Nothing is known of the time between: high and low would look ahead.

    Raises:
        QuantMindError: a file cannot be read, or holds a price that cannot be true.
    """
    import polars as pl

    rows = read(paths, _COLUMNS)
    sound = pl.all_horizontal(pl.col(name).is_finite() & (pl.col(name) > 0) for name in rows.columns[1:])
    refuse_unsound(
        paths, rows, sound, lambda row: f"open {row['open']} and close {row['close']} must be prices above 0"
    )
    opens = rows.select("time", price="open")
    interval = rows["time"].diff().min()
    if interval is None:
        return opens
    end = pl.col("time") + interval
    ends = rows.filter((end != pl.col("time").shift(-1)).fill_null(value=True)).select(time=end, price="close")
    return pl.concat([opens, ends], rechunk=False).sort("time")
