"""Rows of data files that can be true, and the refusal of those that cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantmind.errors import QuantMindError
from quantmind.kinds.moment import format_moment

if TYPE_CHECKING:
    import polars as pl


def refuse_unsound(
    paths: Sequence[Path], rows: pl.DataFrame, sound: pl.Expr, fault: Callable[[Mapping[str, Any]], str]
) -> None:
    """Refuse what was read of some files when a row of it is not `sound`; `fault` says what is wrong with such a row.

    Raises:
        QuantMindError: a row is not sound; the first one is named by its time.
    """
    bad = rows.filter(~sound.fill_null(value=False)).head(1)
    if not bad.is_empty():
        row = bad.row(0, named=True)
        raise QuantMindError(
            f"{', '.join(map(str, paths))}: row of {format_moment(row['time'])}: {fault(row)}; correct or remove it"
        )
