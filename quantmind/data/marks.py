"""Files of mark prices: bars of the mark become the mark that was known at each time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.data.rows import Columns, read
from quantmind.errors import QuantMindError
from quantmind.kinds.moment import format_moment

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
    sound = pl.all_horizontal(
        (pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(value=False) for name in rows.columns[1:]
    )
    bad = rows.filter(~sound).head(1)
    if not bad.is_empty():
        time, opened, closed = bad.row(0)
        raise QuantMindError(
            f"{', '.join(map(str, paths))}: row of {format_moment(time)}: open {opened} and close {closed} must be "
            "prices above 0; correct or remove it"
        )
    opens = rows.select("time", price="open")
    interval = rows["time"].diff().min()
    if interval is None:
        return opens
    end = pl.col("time") + interval
    ends = rows.filter((end != pl.col("time").shift(-1)).fill_null(value=True)).select(time=end, price="close")
    return pl.concat([opens, ends], rechunk=False).sort("time")
