"""A file of trade results: one on a line, or a column of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from quantmind.cli.risk.figures import read_figure
from quantmind.errors import QuantMindError, UsageError

COLUMNS = ("result", "realised", "pnl", "profit", "return")
"""The names that a column of results goes by; the first one that the header has is taken."""


def read_results(path: Path) -> list[Decimal]:
    """Read the results of a file; empty lines and those that begin with # are left out.

    Raises:
        UsageError: there is no such file.
        QuantMindError: it cannot be read, a line holds no number, or there are no results.
    """
    if not path.is_file():
        raise UsageError(f"--file: {path}: no such file; it is looked up from {Path.cwd()}")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8, save it as that"
        raise QuantMindError(f"{path}: cannot be read: {reason}") from error
    results: list[Decimal] = []
    column: int | None = None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        row = next(csv.reader([text]))
        if column is None:
            column = _column(path, number, row)
            if read_figure(row[column]) is None:
                continue
        cell = row[column].strip() if column < len(row) else ""
        result = read_figure(cell)
        if result is None:
            raise QuantMindError(f'{path}:{number}: "{cell}" is no number; write one result on a line, such as -12.5')
        results.append(result)
    if not results:
        raise QuantMindError(f"{path}: has no results; write one on a line, such as -12.5")
    return results


def _column(path: Path, number: int, row: Sequence[str]) -> int:
    """Return which column of the first row holds the results."""
    names = [name.strip().lower() for name in row]
    for known in COLUMNS:
        if known in names:
            return names.index(known)
    if len(row) == 1 and read_figure(row[0]) is not None:
        return 0
    raise QuantMindError(
        f"{path}:{number}: which column holds the results? Name it {COLUMNS[0]}, or write one result on a line"
    )
