"""The tables of an export as Parquet or CSV files in a folder: all of them, or none."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantmind.errors import QuantMindError, UsageError

if TYPE_CHECKING:
    from quantmind.export.table import Table
    from quantmind.trader.journal_reader import JournalReader


def write(journal: JournalReader, tables: Iterable[Table], folder: Path, *, parquet: bool) -> list[Path]:
    """Write a file for each table into a new folder, which appears when all is written.

    Raises:
        UsageError: the folder is there already.
        QuantMindError: it cannot be written.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already: nothing is overwritten, name another folder with --output")
    waiting = folder.parent / f".{folder.name}.{os.getpid()}"
    try:
        waiting.mkdir(parents=True)
        names = [_write(journal, table, waiting, parquet) for table in tables]
        waiting.rename(folder)
    except OSError as error:
        raise QuantMindError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return [folder / name for name in names]


def _write(journal: JournalReader, table: Table, folder: Path, parquet: bool) -> str:
    path = folder / f"{table.name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.names)
        switches = [n for n, column in enumerate(table.columns) if column.kind == "yes_no"]
        writer.writerows(_plain(row, switches) for row in table.rows(journal))
    if not parquet:
        return path.name
    import polars as pl

    kinds: dict[str, Any] = {
        "text": pl.String,
        "decimal": pl.String,
        "whole": pl.Int64,
        "number": pl.Float64,
        "yes_no": pl.Boolean,
    }
    into = path.with_suffix(".parquet")
    schema = {column.name: kinds[column.kind] for column in table.columns}
    # In this way polars never holds more than a part of a table.
    try:
        pl.scan_csv(path, schema=schema).sink_parquet(into)
    except pl.exceptions.PolarsError as error:
        raise QuantMindError(f"{into.name}: cannot be written: {str(error).partition(chr(10))[0]}") from error
    path.unlink()
    return into.name


def _plain(row: tuple[Any, ...], switches: list[int]) -> tuple[Any, ...]:
    if not switches:
        return row
    values = list(row)
    for n in switches:
        values[n] = "true" if values[n] else "false"
    return tuple(values)
