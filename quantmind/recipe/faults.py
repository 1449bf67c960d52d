"""Faults of options: pydantic's errors in plain words, each at its place."""

from __future__ import annotations

import difflib
import enum
import json
import typing
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from quantmind.recipe.findings import Findings
from quantmind.recipe.problems import join

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
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
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


def validate(model: type[M], raw: Any, path: str, findings: Findings) -> M | None:
    """Return the options, or None after noting every fault in them."""
    try:
        options = model.model_validate(raw)
    except ValidationError as error:
        _note(model, raw, path, error, findings)
        return None
    except Exception as error:  # noqa: BLE001 - a validator of a plugin may raise anything
        findings.error(path, f"its options cannot be checked: {type(error).__name__}: {error}")
        return None
    sound = True
    for name, value in raw.items() if isinstance(raw, dict) else ():
        if isinstance(value, bool) and type(getattr(options, name, value)) in (int, float):
            # pydantic takes true for 1; nobody who writes it in a recipe means that.
            findings.error(join(path, name), f"{_NUMBER}, was {shown(value)}")
            sound = False
    return options if sound else None


def suggestion(name: str, known: Collection[str]) -> str:
    """Say that a key is not known, and which one may be meant."""
    close = difflib.get_close_matches(name, sorted(known), 1)
    hint = f"; did you mean {close[0]}?" if close else ";"
    return f"is not known{hint} known: {', '.join(known)}" if known else "is not known: there is nothing to set"


def shown(value: object) -> str:
    """Write a value as a recipe would, shortened."""
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    text = str(value)
    text = text if len(text) <= 60 else text[:59] + "…"
    return text if text.isprintable() and text.strip() == text != "" else json.dumps(text)


def _note(model: type[BaseModel], raw: Any, path: str, error: ValidationError, findings: Findings) -> None:
    """Note each fault once; the branches of a union become one fault."""
    words: dict[str, list[str]] = {}
    was: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        kind, place = fault["type"], fault["loc"]
        at, inner = _descend(path, raw, place)
        if kind == "extra_forbidden":
            fields = _model_at(model, place[:-1])
            findings.error(at, suggestion(str(place[-1]), fields.model_fields if fields else ()), key=True)
            continue
        if kind == "missing":
            at = join(at, str(place[-1]))
        words.setdefault(at, []).append(_sentence(kind, fault))
        if kind != "missing" and at != path and not isinstance(inner, dict | list | None):
            was[at] = _was(model, place, at, inner, findings)
        elif kind.endswith("_type"):
            was[at] = f", was {shown(findings.written(at, inner))}"
    for at, sentences in words.items():
        findings.error(at, " or ".join(dict.fromkeys(sentences)) + was.get(at, ""))


def _descend(path: str, raw: Any, place: tuple[int | str, ...]) -> tuple[str, Any]:
    """Follow a place as far as the data go; pydantic's places also name branches of unions."""
    for part in place:
        if isinstance(raw, dict) and part in raw:
            path, raw = join(path, str(part)), raw[part]
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            path, raw = join(path, part), raw[part]
        else:
            break
    return path, raw


def _sentence(kind: str, fault: Mapping[str, Any]) -> str:
    # A bound of a float is one: `must be above 0.0` would puzzle.
    context = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in fault.get("ctx", {}).items()
    }
    if kind in _WORDS:
        return _WORDS[kind].format(**context)
    message = str(fault["msg"])
    return message[:1].lower() + message[1:]


def _was(model: type[BaseModel], place: tuple[int | str, ...], at: str, value: Any, findings: Findings) -> str:
    """Say what the value was, unless it is a secret or comes from the environment."""
    field = model.model_fields.get(str(place[0])) if place else None
    if field is not None and _secret(field.annotation):
        return ""
    return f", was {shown(findings.written(at, value))}"


def _secret(annotation: Any) -> bool:
    if annotation in (SecretStr, SecretBytes):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_secret(field.annotation) for field in annotation.model_fields.values())
    return any(_secret(argument) for argument in typing.get_args(annotation) if not isinstance(argument, enum.Enum))


def _model_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Return the model that holds a key; None if that is no plain path of models."""
    for part in place:
        field = model.model_fields.get(str(part))
        below = field.annotation if field else None
        if not (isinstance(below, type) and issubclass(below, BaseModel)):
            return None
        model = below
    return model
