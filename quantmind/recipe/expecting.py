"""Reads the `expect` of a recipe test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from quantmind.recipe.expect import Expect, WantedFigure, WantedList
from quantmind.recipe.expectations import FIGURES, KEYS, LISTS, TOTALS, ByLine
from quantmind.recipe.faults import shown, suggestion, validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.problems import join


class Known(msgspec.Struct, frozen=True):
    """What an expectation may name; strategies are None where they could not be read."""

    symbols: Sequence[str]
    strategies: Sequence[str] | None = None

    def check(self, strategy: str, path: str, findings: Findings, *, key: bool = False) -> None:
        """Note a strategy that the recipe does not have: nothing would ever come of it."""
        if self.strategies is not None and strategy not in self.strategies:
            findings.error(path, suggestion(strategy, self.strategies), key=key)


def read_expect(raw: Any, known: Known, path: str, findings: Findings) -> Expect | None:
    """Read an `expect`; None after noting what is wrong."""
    before = len(findings.problems)
    if not isinstance(raw, dict) or not raw:
        findings.error(path, f"must be a mapping of at least one of {', '.join((*LISTS, *FIGURES))}, was {shown(raw)}")
        return None
    for key in raw:
        if key not in KEYS:
            findings.error(join(path, key), suggestion(key, KEYS), key=True)
    lists = {key: _list(key, raw[key], known, join(path, key), findings) for key in LISTS if key in raw}
    given = {key: raw[key] for key in TOTALS.model_fields if key in raw}
    # Figures by their lines are read one by one, so that each fault has its place.
    by_line = {key: value for key, value in given.items() if isinstance(value, dict) and _has_lines(key)}
    totals = validate(TOTALS, {key: value for key, value in given.items() if key not in by_line}, path, findings)
    figures: list[WantedFigure] = []
    for key in given:
        if key in by_line or totals is not None:
            value = by_line[key] if key in by_line else getattr(totals, key)
            figures += _figures(key, value, known, path, findings)
    return Expect(lists, tuple(figures)) if len(findings.problems) == before else None


def _has_lines(key: str) -> bool:
    return FIGURES[_name(key)][0] is ByLine


def _name(key: str) -> str:
    return key.removesuffix("_above").removesuffix("_below")


def _list(key: str, raw: Any, known: Known, path: str, findings: Findings) -> WantedList:
    exactly = isinstance(raw, dict) and set(raw) == {"exactly"}
    path, entries = (join(path, "exactly"), raw["exactly"]) if exactly else (path, raw)
    if not isinstance(entries, list):
        findings.error(path, f"must be a list, or exactly: and a list, was {shown(entries)}")
        return WantedList((), exactly)
    model, plain = LISTS[key]
    wanted = []
    for index, entry in enumerate(entries):
        given = entry if isinstance(entry, dict) else {plain: entry}
        if key == "orders":
            given = {"purpose": "target", **given}
        at = join(path, index)
        wanted.append(validate(model, given, at, findings))
        if isinstance(strategy := given.get("strategy"), str) and "strategy" in model.model_fields:
            known.check(strategy, join(at, "strategy"), findings)
    return WantedList(tuple(entry for entry in wanted if entry is not None), exactly)


def _figures(key: str, value: Any, known: Known, path: str, findings: Findings) -> Iterator[WantedFigure]:
    """Yield the figures that a key wants: one directly, or by symbol, by strategy, or by both."""
    name = _name(key)
    of_symbols = isinstance(value, dict) and any("/" in line for line in value)
    symbol = known.symbols[0] if name == "position" and not of_symbols else ""
    if symbol and len(known.symbols) > 1:
        findings.error(join(path, key), f"must be by symbol, {{{symbol}: ...}}: there are several")
        return
    for line, held in value.items() if of_symbols else [(symbol, value)]:
        at = join(key, line) if of_symbols else key
        if line and line not in known.symbols:
            findings.error(join(path, at), suggestion(line, known.symbols), key=True)
        if held == {}:
            findings.error(join(path, at), "must be a number, or one by strategy, was an empty mapping")
        for strategy, figure in held.items() if isinstance(held, dict) else [("", held)]:
            place = join(at, strategy) if strategy else at
            if strategy:
                known.check(strategy, join(path, place), findings, key=True)
            number = _number(figure, join(path, place), findings)
            yield WantedFigure(place, name, key.removeprefix(name), number, (line, strategy))


def _number(value: Any, path: str, findings: Findings) -> Decimal:
    try:
        figure = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        figure = Decimal("NaN")
    if not figure.is_finite():
        findings.error(path, f"must be a number, was {shown(value)}")
    return figure
