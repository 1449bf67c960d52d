"""The `tests` of a recipe: what it must do in a market that is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from quantmind.recipe.expect import Expect
from quantmind.recipe.expecting import Known, read_expect
from quantmind.recipe.faults import shown, suggestion, validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.given import SERIES, Account, Given
from quantmind.recipe.problems import join

_ADVICE = {
    "name": "write name: and what the recipe does in this test",
    "given": "write given: and a market, such as {bars: {interval: 1m, close: [100, 101]}}",
    "expect": "write expect: and what comes of it, such as {orders: []}",
}
_KEYS = tuple(_ADVICE)
_MARKET = ", ".join(SERIES)


class RecipeTest(msgspec.Struct, frozen=True):
    """One test of a recipe."""

    name: str
    given: Given
    expect: Expect
    path: str
    """Its place, such as `tests[0]`."""
    written: Mapping[str, Any]
    """As it is written."""


def read_tests(
    raw: Any,
    symbols: Sequence[str],
    findings: Findings,
    strategies: Sequence[str] | None = None,
    check: Callable[[Given, str], None] | None = None,
) -> tuple[RecipeTest, ...]:
    """Read the tests of a recipe that trades `symbols`, noting what is wrong with them.

    `strategies` are the ids of the recipe's; None where they could not be read. What is given may have a `check` of
    its own, which is told the path of it.
    """
    if not isinstance(raw, list):
        findings.error("tests", f"must be a list: write - before each entry, was {shown(raw)}")
        return ()
    known = Known(symbols, strategies)
    tests = [_test(entry, known, join("tests", index), findings, check) for index, entry in enumerate(raw)]
    first: dict[str, RecipeTest] = {}
    for test in tests:
        if test is not None and first.setdefault(test.name, test) is not test:
            findings.error(join(test.path, "name"), f"is the name of {first[test.name].path} too: give it another")
    return tuple(test for test in tests if test is not None)


def _test(
    raw: Any, known: Known, path: str, findings: Findings, check: Callable[[Given, str], None] | None
) -> RecipeTest | None:
    if not isinstance(raw, dict):
        findings.error(path, f"must be a mapping of name, given and expect, was {shown(raw)}")
        return None
    for key in raw:
        if key not in _KEYS:
            findings.error(join(path, key), suggestion(key, _KEYS), key=True)
    for key in _KEYS:
        if key not in raw:
            findings.error(join(path, key), f"is missing: {_ADVICE[key]}")
    name = raw.get("name")
    if "name" in raw and not (isinstance(name, str) and name.strip() and name.isprintable()):
        findings.error(join(path, "name"), f"must be text on one line, was {shown(name)}")
    given = _given(raw["given"], known.symbols, join(path, "given"), findings) if "given" in raw else None
    if given is not None and check is not None:
        check(given, join(path, "given"))
    expect = read_expect(raw["expect"], known, join(path, "expect"), findings) if "expect" in raw else None
    return RecipeTest(name, given, expect, path, raw) if isinstance(name, str) and given and expect else None


def _given(raw: Any, symbols: Sequence[str], path: str, findings: Findings) -> Given | None:
    if not isinstance(raw, dict):
        findings.error(path, f"must be a mapping, such as {{equity: 10000, bars: {{...}}}}, was {shown(raw)}")
        return None
    before = len(findings.problems)
    known = (*Account.model_fields, *SERIES)
    for key in raw:
        if key not in known:
            findings.error(join(path, key), suggestion(key, known), key=True)
    account = validate(
        Account, {key: value for key, value in raw.items() if key in Account.model_fields}, path, findings
    )
    market: dict[str, dict[str, Any]] = {symbol: {} for symbol in symbols}
    for key, model in SERIES.items():
        for symbol, at, series in _by_symbol(raw.get(key), symbols, join(path, key), findings):
            market[symbol][key] = validate(model, series, at, findings)
    # What depends on a variable that is not set cannot be read, and is no problem more.
    read = all(series is not None for of in market.values() for series in of.values())
    if len(findings.problems) > before or account is None or not read:
        return None
    for symbol, written in market.items():
        if not written:
            findings.error(path, f"has no market of {symbol}: write at least one of {_MARKET}")
    return Given(account, market) if len(findings.problems) == before else None


def _by_symbol(raw: Any, symbols: Sequence[str], path: str, findings: Findings) -> list[tuple[str, str, Any]]:
    """Return symbol, path and series of each; written directly they are of the only symbol."""
    if raw is None:
        return []
    if not (isinstance(raw, dict) and any("/" in key for key in raw)):
        if len(symbols) == 1:
            return [(symbols[0], path, raw)]
        findings.error(path, f"must be by symbol, {{{symbols[0]}: {{...}}}}: the recipe has several")
        return []
    for symbol in raw:
        if symbol not in symbols:
            findings.error(join(path, symbol), suggestion(symbol, symbols), key=True)
    return [(symbol, join(path, symbol), series) for symbol, series in raw.items() if symbol in symbols]
