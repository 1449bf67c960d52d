"""Faults of options: pydantic's errors in plain words, each at its place."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from quantmind.blame import place, told
from quantmind.kinds.options import WRITTEN
from quantmind.recipe.findings import Findings
from quantmind.recipe.option_types import field_is_secret, models_at
from quantmind.recipe.problems import ENOUGH, holders, join, shortened

M = TypeVar("M", bound=BaseModel)

_WHOLE, _NUMBER, _TEXT = "must be a whole number", "must be a number", "must be text (in quotes)"
_LIST, _MAPPING, _BOOL = "must be a list", "must be a mapping", "must be true or false"
_WORDS = {
    "missing": "is missing",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a finite number",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE + " that is not so large",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bool_type": _BOOL,
    "bool_parsing": _BOOL,
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_too_short": "must have at least {min_length} character{s}",
    "string_too_long": "must have at most {max_length} character{s}",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have at least {min_length} entr{ies}",
    "too_long": "must have at most {max_length} entr{ies}",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "path_type": "must be a path",
    "none_required": "must be null",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
SLUG_WORDS = "must be 1 to 64 small letters, digits, - and _, beginning with a letter or a digit"

_MOST_WHOLE = (1 << 63) - 1
"""The largest whole number that can be recorded."""

_MOST_DIGITS = 60
_MOST_MAGNITUDE = 30
"""Powers of ten: nothing that is traded is larger, or smaller than its inverse."""

_MOST_LISTED = 30
"""Known names that are listed at the most."""

_QUOTED = re.compile(r"'([^']*)'")

_THOUSAND = 3
"""Digits that may have been set apart by a comma."""

_LONGEST_GUESS = 100
"""Characters of a name that is compared with known ones at the most."""


def validate(model: type[M], raw: Any, path: str, findings: Findings, *, written: bool = True) -> M | None:
    """Return the options, or None after noting every fault in them; spans that are `written` must have a unit."""
    try:
        options = model.model_validate(raw, context=WRITTEN if written else None)
    except ValidationError as error:
        _note(model, raw, path, error, findings)
        return None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a validator of a plugin may raise anything
        at = place(error, model.__module__.partition(".")[0])
        findings.error(path, f"its options cannot be checked: {told(error)}{at}; a fault of its plugin")
        return None
    if not isinstance(options, model):
        findings.error(path, "its options' validator must return self; a fault of its plugin")
        return None
    sound = True
    for at, value, message in _unwieldy(raw, options, path):
        findings.error(at, message + ("" if _hides(model, at, path) else f", was {shown(findings.written(at, value))}"))
        sound = False
    return options if sound else None


def suggestion(name: str, known: Collection[str]) -> str:
    """Say that a key is not known, and which one may be meant."""
    if not known:
        return "is not known: there is nothing to set"
    close = nearest(name, known)
    return f"is not known{f'; did you mean {close}?' if close else ';'} known: {listed(known)}"


def listed(names: Collection[str]) -> str:
    """Write names one after another; of very many the first."""
    return ", ".join(list(names)[:_MOST_LISTED]) + (", …" if len(names) > _MOST_LISTED else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that may be meant; empty if none is like it."""
    close = difflib.get_close_matches(name, sorted(known), 1) if len(name) <= _LONGEST_GUESS else []
    if close:
        return close[0]
    return next((other for other in known if other.lower() == name.lower()), "")


def shown(value: object) -> str:
    """Write a value as a recipe would, shortened."""
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    text = str(value)
    text = shortened(text, 60)
    return text if text.isprintable() and text.strip() == text != "" else json.dumps(text)


def _note(model: type[BaseModel], raw: Any, path: str, error: ValidationError, findings: Findings) -> None:
    """Note each fault once; the branches of a union become one fault."""
    words: dict[str, list[str]] = {}
    was: dict[str, str] = {}
    coarse: set[str] = set()
    """Where something of another type is also taken: what is wrong below it says more."""
    for fault in _faults(error):
        kind, place = fault["type"], fault["loc"]
        at, inner = _descend(path, raw, place)
        if kind == "extra_forbidden":
            fields = _field_names(model, place[:-1])
            findings.error(at, _torn(raw, place) or suggestion(str(place[-1]), fields), key=True)
            continue
        if kind == "missing":
            at = join(at, str(place[-1]))
        sentence = _sentence(kind, fault)
        if kind == "missing":
            sentence += _wanted(model, place)
        elif kind in {"literal_error", "enum"} and isinstance(inner, str) and findings.written(at, inner) == inner:
            close = nearest(inner, _QUOTED.findall(sentence))
            sentence += f"; did you mean {close}?" if close else ""
        words.setdefault(at, []).append(sentence)
        if kind != "missing" and at != path and not isinstance(inner, dict | list | None):
            was[at] = _was(model, place, at, inner, findings)
        elif kind.endswith("_type"):
            coarse.add(at)
            was[at] = f", was {shown(findings.written(at, inner))}"
    for at in coarse & {parent for other in words for parent in holders(other)}:
        del words[at]
    for at, sentences in words.items():
        first, *others = dict.fromkeys(sentences)
        told = " or ".join([first, *(other.removeprefix("must be ") for other in others)])
        told, question, guess = told.partition("; did you mean ")
        findings.error(at, told + was.get(at, "") + question + guess)


def _torn(raw: Any, place: tuple[int | str, ...]) -> str:
    """Say how to write the number of which an unknown key is the end: `{quantity: 0,1}`; empty if it is of none."""
    name = place[-1]
    _, holder = _descend("", raw, place[:-1])
    if not (isinstance(holder, dict) and str(name).isdecimal() and holder.get(name, "") is None):
        return ""
    keys = list(holder)
    before = holder[keys[max(keys.index(name) - 1, 0)]]
    if isinstance(before, bool) or not isinstance(before, int):
        return ""
    thousands = f"{before}{name} or " if before and len(str(name)) == _THOUSAND else ""
    return f"is not known: a comma separates entries: write {thousands}{before}.{name}"


def _faults(error: ValidationError) -> Iterable[Mapping[str, Any]]:
    """Return what pydantic found; of very much the first, as all of it at once would fill the memory."""
    if error.error_count() <= ENOUGH:
        return error.errors(include_url=False, include_input=False)
    text = error.json(include_url=False, include_input=False, include_context=False)
    decoder, at, faults = json.JSONDecoder(), 1, []
    for _ in range(min(2 * ENOUGH, error.error_count())):
        fault, end = decoder.raw_decode(text, at)
        faults.append({**fault, "loc": tuple(fault["loc"])})
        at = end + 1
    return faults


def _descend(path: str, raw: Any, place: tuple[int | str, ...]) -> tuple[str, Any]:
    """Follow a place as far as the data go; pydantic's places also name branches of unions."""
    for part in place:
        if isinstance(raw, dict) and part in raw:
            path, raw = join(path, str(part)), raw[part]
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            path, raw = join(path, part), raw[part]
    return path, raw


def _sentence(kind: str, fault: Mapping[str, Any]) -> str:
    # A bound of a float is one: `must be above 0.0` would puzzle.
    context = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in fault.get("ctx", {}).items()
    }
    if kind == "literal_error" and " or " not in str(context.get("expected", " or ")):
        return f"must be {context['expected']}"
    if kind == "string_pattern_mismatch" and context.get("pattern") == f"^{SLUG.pattern}$":
        return SLUG_WORDS
    if kind in _WORDS and ("ctx" in fault or "{" not in _WORDS[kind]):
        one = 1 in (context.get("min_length"), context.get("max_length"))
        return _WORDS[kind].format(**context, s="" if one else "s", ies="y" if one else "ies")
    message = str(fault["msg"])
    return message[:1].lower() + message[1:]


def _was(model: type[BaseModel], place: tuple[int | str, ...], at: str, value: Any, findings: Findings) -> str:
    """Say what the value was, unless it is a secret or comes from the environment."""
    field = model.model_fields.get(str(place[0])) if place else None
    if field is not None and field_is_secret(field):
        return ""
    return f", was {shown(findings.written(at, value))}"


def _hides(model: type[BaseModel], at: str, path: str) -> bool:
    """Say whether what stands at a path below the options is a secret, or beside one."""
    name = at.removeprefix(path).removeprefix(".").partition(".")[0].partition("[")[0]
    field = model.model_fields.get(name)
    return field is not None and field_is_secret(field)


def _unwieldy(raw: Any, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    """Yield path, value and fault of what pydantic takes, but nobody who writes it in a recipe means."""
    if isinstance(raw, dict | list):
        for part, below, member in _members(raw, value):
            yield from _unwieldy(below, member, join(path, part))
    elif message := _wrong_size(raw, value):
        yield path, raw, message


def _members(raw: Any, value: Any) -> Iterator[tuple[int | str, Any, Any]]:
    """Yield the members of what was written that became some of a value, and what they became."""
    if isinstance(raw, dict) and isinstance(value, BaseModel):
        yield from ((name, raw[name], getattr(value, name)) for name in type(value).model_fields if name in raw)
    elif isinstance(raw, dict) and isinstance(value, Mapping):
        yield from ((name, raw[name], value[name]) for name in raw if name in value)
    elif isinstance(raw, list) and isinstance(value, list | tuple) and len(value) == len(raw):
        yield from zip(range(len(raw)), raw, value, strict=True)


def _wrong_size(raw: Any, value: Any) -> str:
    """Say what is wrong with a number; empty if nothing is, or it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return ""
    if isinstance(raw, bool):
        # It takes true for 1.
        return _NUMBER
    if isinstance(value, int) and abs(value) > _MOST_WHOLE:
        return f"{_WHOLE} that is not so large"
    if isinstance(value, Decimal) and value.is_finite() and not _tradable(value):
        return f"{_NUMBER} that is not so large, so small or so long"
    return ""


def _tradable(value: Decimal) -> bool:
    """Say whether sums with a number are exact and short."""
    return abs(value.adjusted()) <= _MOST_MAGNITUDE and len(str(value)) <= _MOST_DIGITS


def _wanted(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """Say what to write for an option that is missing."""
    name = str(place[-1])
    for holder in models_at(model, place[:-1]):
        if (field := holder.model_fields.get(name)) is not None:
            means = f" ({field.description.removesuffix('.')})" if field.description else ""
            example = next((each for each in field.examples or () if not isinstance(each, list | dict)), None)
            return f": write {name}: {'and its value' if example is None else shown(example)}{means}"
    return ""


def _field_names(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    return list(dict.fromkeys(name for holder in models_at(model, place) for name in holder.model_fields))
