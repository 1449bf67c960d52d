"""The `instruments` of a recipe."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from pydantic import Field, field_validator

from quantmind.kinds import Options
from quantmind.market.instruments import KNOWN, Instrument, tiers
from quantmind.recipe.faults import nearest, shown, validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.problems import join

_UNIFIED = re.compile(r"([A-Z0-9]{1,30})/([A-Z0-9]{1,30}):([A-Z0-9]{1,30})")
_QUOTES = ("USDT", "USDC", "USD")

Positive = Annotated[Decimal, Field(gt=0)]


class MaintenanceTier(Options):
    """A maintenance margin tier."""

    floor: Decimal = Field(ge=0, description="The notional from which on it holds.")
    rate: Decimal = Field(gt=0, lt=1, description="Maintenance margin, as a part of the notional.")


class Steps(Options):
    """The steps of an instrument that is not known."""

    tick: Positive = Field(description="The smallest step of its price.")
    step: Positive = Field(description="The smallest step of its quantity, in base currency.")
    min_notional: Decimal = Field(default=Decimal(0), ge=0, description="The smallest order value the venue takes.")
    max_quantity: Positive | None = Field(default=None, description="The largest quantity of one market order.")
    maintenance: tuple[MaintenanceTier, ...] | None = Field(
        default=None,
        description="Maintenance margin by notional, from floor 0 on; left out, the venue's where they are known, "
        "else 2 percent.",
    )

    @field_validator("maintenance")
    @classmethod
    def _rise(cls, value: tuple[MaintenanceTier, ...] | None) -> tuple[MaintenanceTier, ...] | None:
        if value is not None and (not value or value[0].floor != 0):
            raise ValueError("must begin with floor 0, such as [{floor: 0, rate: 0.01}]")
        for lower, higher in itertools.pairwise(value or ()):
            for name in ("floor", "rate"):
                if getattr(lower, name) >= getattr(higher, name):
                    raise ValueError(
                        f"every {name} must be above the one before, but "
                        f"{getattr(higher, name)} follows {getattr(lower, name)}"
                    )
        return value

    def instrument(self, symbol: str) -> Instrument:
        """Make the instrument of these steps."""
        made = Instrument(symbol, self.tick, self.step, self.min_notional, self.max_quantity)
        if self.maintenance is not None:
            return msgspec.structs.replace(made, tiers=tiers(*((tier.floor, tier.rate) for tier in self.maintenance)))
        return msgspec.structs.replace(made, tiers=KNOWN.get(symbol, made).tiers)


def read_instruments(raw: Any, findings: Findings) -> tuple[Instrument, ...] | None:
    """Return the instruments, in order; None after noting what is wrong with them."""
    before = len(findings.problems)
    instruments: dict[str, Instrument] = {}
    for path, symbol, steps in _entries(raw, findings):
        if symbol in instruments:
            findings.error(path, f"{symbol} is named twice: leave one out", key=_is_key(path))
        elif instrument := _instrument(path, symbol, steps, findings):
            instruments[symbol] = instrument
    if raw in ([], {}):
        findings.error("instruments", "must name at least one instrument, such as BTC/USDT:USDT")
    return tuple(instruments.values()) if instruments and len(findings.problems) == before else None


def _entries(raw: Any, findings: Findings) -> Iterator[tuple[str, str, Any]]:
    """Yield path, symbol and steps of each entry, however it is written."""
    if isinstance(raw, dict):
        for symbol, steps in raw.items():
            yield join("instruments", symbol), symbol, steps
        return
    if not isinstance(raw, list):
        told = shown(findings.written("instruments", raw))
        findings.error("instruments", f"must be a list, such as [BTC/USDT:USDT], was {told}")
        return
    for index, entry in enumerate(raw):
        path = join("instruments", index)
        if isinstance(entry, str):
            yield path, entry, None
        elif isinstance(entry, dict) and len(entry) == 1:
            for symbol, steps in entry.items():
                yield join(path, symbol), symbol, steps
        else:
            findings.error(path, f"must be a symbol, or SYMBOL: {{tick: ..., step: ...}}, was {shown(entry)}")


def _is_key(path: str) -> bool:
    """Say whether a symbol is a key, and no text that may have come from outside."""
    return not path.endswith("]")


def _instrument(path: str, symbol: str, steps: Any, findings: Findings) -> Instrument | None:
    match = _UNIFIED.fullmatch(symbol)
    told = symbol if _is_key(path) else str(findings.written(path, symbol))
    wrong = ""
    if match is None:
        # What is guessed from a value would tell of it.
        guess = _unified(symbol) if told == symbol else ""
        hint = f"did you mean {guess}?" if guess else "write it as BASE/QUOTE:SETTLE, such as BTC/USDT:USDT"
        wrong = f"{shown(told)} is not a unified symbol; {hint}"
    elif match[2] != match[3]:
        settles = (
            f"{shown(told)} settles in {match[3]}, not in {match[2]}" if told == symbol else f"{told} is not linear"
        )
        wrong = f"{settles}: only linear perpetuals are traded, such as BTC/USDT:USDT"
    elif steps is None and symbol not in KNOWN:
        known = {other.partition("/")[0]: other for other in KNOWN}
        near = known.get(nearest(match[1], known), "") if told == symbol else ""
        hint = f"did you mean {near}? If not, " if near else ""
        wrong = (
            f"the steps of {shown(told)} are not known: {hint}write them, {shown(told)}: {{tick: 0.01, step: 0.001}}"
        )
    if wrong:
        findings.error(path, wrong, key=_is_key(path))
        return None
    if steps is None:
        return KNOWN[symbol]
    options = validate(Steps, steps, path, findings)
    return options.instrument(symbol) if options else None


def _unified(spelling: str) -> str:
    """Guess the unified symbol behind a venue's spelling: `BTCUSDT`, `btc-usdt`, `BTC/USDT`."""
    letters = re.sub(r"[^A-Z0-9]", "", spelling[:40].upper().partition(":")[0])
    for ending in ("PERP", "SWAP"):
        letters = letters.removesuffix(ending)
    for quote in _QUOTES:
        if letters.endswith(quote) and letters != quote:
            return f"{letters.removesuffix(quote)}/{quote}:{quote}"
    return ""
