"""The keys of `expect` in a recipe test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import Field, create_model

from quantmind.recipe.expect import Expect, Wanted, WantedList
from quantmind.recipe.faults import shown, suggestion, validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.problems import join


def _entry(name: str, summary: str, figures: Mapping[str, str], /, **others: tuple[Any, str]) -> type[Wanted]:
    """Make the model of an entry: figures may also be said to be `_above` or `_below` one."""
    fields: dict[str, Any] = {
        key: (kind | None, Field(default=None, description=text)) for key, (kind, text) in others.items()
    }
    for key, text in figures.items():
        for relation, words in (("", ""), ("_above", " It is above this."), ("_below", " It is below this.")):
            fields[key + relation] = (Decimal | None, Field(default=None, description=text + words))
    return create_model(name, __base__=Wanted, __doc__=summary, **fields)


_SYMBOL = (str, "The symbol.")
_SIDE = (Literal["buy", "sell"], "The side.")

_PURPOSE = Literal["target", "stop", "take_profit", "flatten"]

LISTS: Mapping[str, tuple[type[Wanted], str]] = {
    "signals": (
        _entry(
            "SignalWanted",
            "A signal that was sent.",
            {"direction": "In [-1, 1]; 0 is flat.", "confidence": "In [0, 1]."},
            strategy=(str, "The id of the strategy."),
            symbol=_SYMBOL,
        ),
        "direction",
    ),
    "targets": (_entry("TargetWanted", "A Target.", {"value": "In [-1, 1]."}, symbol=_SYMBOL), "value"),
    "orders": (
        _entry(
            "OrderWanted",
            "An order, as it was at the end.",
            {
                "quantity": "The quantity.",
                "filled": "What was filled of it.",
                "price": "The price of a limit order.",
                "trigger": "The price that triggers it; the last one, if it was moved.",
                "stop": "A trigger of a protective stop of the position that it opened or increased.",
                "take_profit": "A trigger of a take-profit of that position.",
            },
            purpose=(_PURPOSE, "Why it was made; left out, to reach a Target."),
            side=_SIDE,
            symbol=_SYMBOL,
            type=(str, "market, limit, stop_market, take_profit_market or trailing_stop_market."),
            reduce_only=(bool, "Whether it may only reduce the position."),
            state=(str, "How it ended: filled, cancelled or rejected; accepted while it is open."),
            reason=(str, "Why it was rejected or cancelled."),
        ),
        "side",
    ),
    "refusals": (
        _entry(
            "RefusalWanted",
            "A refusal of an increase, or of a part of it.",
            {"quantity": "What was refused."},
            code=(str, "The code."),
            side=_SIDE,
            symbol=_SYMBOL,
        ),
        "code",
    ),
    "fills": (
        _entry(
            "FillWanted",
            "A fill.",
            {
                "quantity": "The quantity.",
                "price": "The price.",
                "fee": "The fee.",
                "realised": "What it realised.",
                "position": "The signed position it led to.",
                "average_price": "The average price of that position.",
            },
            side=_SIDE,
            symbol=_SYMBOL,
            purpose=(_PURPOSE, "The purpose of its order."),
            maker=(bool, "Whether its order rested before."),
        ),
        "side",
    ),
    "funding": (
        _entry(
            "FundingWanted",
            "A settlement of funding.",
            {"amount": "What was received; negative when paid.", "rate": "The rate.", "mark": "The mark price."},
            symbol=_SYMBOL,
        ),
        "amount",
    ),
    "transfers": (
        _entry("TransferWanted", "A transfer between strategies.", {"price": "The mark price."}, symbol=_SYMBOL),
        "symbol",
    ),
    "latches": (
        _entry(
            "LatchWanted",
            "A latch that was set; cleared, when its level is null.",
            {},
            name=(str, "The limit, or the operator."),
            level=(Literal["reduce", "flatten", "halt"], "What it does."),
        ),
        "name",
    ),
}
"""The keys that are lists: the model of their entries, and the key that a plain value is taken for."""

TOTALS = _entry(
    "TotalsWanted",
    "Figures at the end.",
    {
        "equity": "The balance and the unrealised profit.",
        "pnl": "The equity less the balance to begin with.",
        "fees": "All fees.",
        "drawdown": "The largest fall of the equity from its peak, as a part of it.",
    },
)
KEYS = (*LISTS, "position", *TOTALS.model_fields)


def read_expect(raw: Any, symbols: Sequence[str], path: str, findings: Findings) -> Expect | None:
    """Read an `expect`; None after noting what is wrong."""
    before = len(findings.problems)
    if not isinstance(raw, dict) or not raw:
        findings.error(
            path, f"must be a mapping of at least one of {', '.join(LISTS)}, position, equity, was {shown(raw)}"
        )
        return None
    for key in raw:
        if key not in KEYS:
            findings.error(join(path, key), suggestion(key, KEYS), key=True)
    lists = {key: _list(key, raw[key], join(path, key), findings) for key in LISTS if key in raw}
    totals = validate(TOTALS, {key: raw[key] for key in TOTALS.model_fields if key in raw}, path, findings)
    positions = _positions(raw["position"], symbols, join(path, "position"), findings) if "position" in raw else {}
    return Expect(lists, totals, positions) if totals and len(findings.problems) == before else None


def _list(key: str, raw: Any, path: str, findings: Findings) -> WantedList:
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
        wanted.append(validate(model, given, join(path, index), findings))
    return WantedList(tuple(entry for entry in wanted if entry is not None), exactly)


def _positions(raw: Any, symbols: Sequence[str], path: str, findings: Findings) -> dict[str, dict[str, Decimal]]:
    """Read one figure, or one by symbol; each a figure, or one by strategy."""
    whole = isinstance(raw, dict) and any("/" in key for key in raw)
    if not whole and len(symbols) > 1:
        findings.error(path, f"must be by symbol, {{{symbols[0]}: ...}}: there are several")
        return {}
    positions = {}
    for symbol, held in raw.items() if whole else [(symbols[0], raw)]:
        at = join(path, symbol) if whole else path
        if symbol not in symbols:
            findings.error(at, suggestion(symbol, symbols), key=True)
        by_strategy = held if isinstance(held, dict) else {"": held}
        positions[symbol] = {
            strategy: _figure(value, join(at, strategy) if strategy else at, findings)
            for strategy, value in by_strategy.items()
        }
    return positions


def _figure(value: Any, path: str, findings: Findings) -> Decimal:
    try:
        figure = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        figure = Decimal("NaN")
    if not figure.is_finite():
        findings.error(path, f"must be a number, was {shown(value)}")
        return Decimal(0)
    return figure
