"""The keys of `expect` in a recipe test."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, create_model

from quantmind.recipe.expect import Wanted

_RELATIONS = (("", ""), ("_above", " It is above this."), ("_below", " It is below this."))


def _entry(name: str, summary: str, figures: Mapping[str, str], /, **others: tuple[Any, str]) -> type[Wanted]:
    """Make the model of an entry: figures may also be said to be `_above` or `_below` one."""
    fields: dict[str, Any] = {
        key: (kind | None, Field(default=None, description=text)) for key, (kind, text) in others.items()
    }
    for key, text in figures.items():
        for relation, words in _RELATIONS:
            fields[key + relation] = (Decimal | None, Field(default=None, description=text + words))
    return create_model(name, __base__=Wanted, __doc__=summary, **fields)


def _protective(name: str, summary: str) -> tuple[type[Wanted], str]:
    """Make the model of the resting orders of one purpose; a plain value is a trigger."""
    model = _entry(
        name,
        summary,
        {
            "trigger": "The price that triggers it; the last one, if it was moved.",
            "first_trigger": "The price that triggered it when it was placed.",
            "quantity": "The quantity it was placed with; it closes the position, whatever this is by then.",
            "filled": "What was filled of it.",
        },
        side=_SIDE,
        symbol=_SYMBOL,
        state=(str, "How it ended: filled, cancelled or rejected; accepted while it rests."),
        reason=(str, "Why it was rejected or cancelled."),
    )
    return model, "trigger"


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
    "stops": _protective("StopWanted", "A protective stop, as it was at the end."),
    "take_profits": _protective("TakeProfitWanted", "A take-profit, as it was at the end."),
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

ByLine = Decimal | dict[str, Decimal | dict[str, Decimal]]
"""A figure, or one for each strategy or symbol; of a symbol one for each strategy, too."""

FIGURES: Mapping[str, tuple[Any, str]] = {
    "position": (ByLine, "The signed position; by symbol where there are several."),
    "equity": (Decimal, "The balance and the unrealised profit."),
    "pnl": (ByLine, "What was earned, after fees and funding; by strategy or symbol, too."),
    "fees": (ByLine, "All fees; by strategy or symbol, too."),
    "drawdown": (Decimal, "The largest fall of the equity from its peak, as a part of it."),
}
"""The keys that are figures at the end: what may be written, and what they mean."""


def _totals() -> type[Wanted]:
    fields: dict[str, Any] = {
        key + relation: (kind, Field(default=None, description=text + words))
        for key, (kind, text) in FIGURES.items()
        for relation, words in _RELATIONS
    }
    return create_model("TotalsWanted", __base__=Wanted, __doc__="Figures at the end.", **fields)


TOTALS = _totals()
KEYS = (*LISTS, *TOTALS.model_fields)
