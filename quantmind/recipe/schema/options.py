"""The JSON Schema of an options model: draft-07, and of the values that a recipe may write."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, core_schema

from quantmind.recipe.schema.values import Values
from quantmind.recipe.written import plain, timed

_LOOSENING = (
    "alias_generator",
    "coerce_numbers_to_str",
    "populate_by_name",
    "str_strip_whitespace",
    "str_to_lower",
    "str_to_upper",
    "validate_by_name",
)
"""Settings of a model with which it takes more than its fields say."""


def options_schema(model: type[BaseModel], *, interpolated: bool = True) -> dict[str, Any]:
    """Return the schema of a model's options; one that cannot be made takes any mapping, and says so."""
    try:
        made = model.model_json_schema(by_alias=True, schema_generator=_Generator)
        return Values(made.pop("$defs", {}), interpolated=interpolated).schema(made)
    except Exception as error:  # noqa: BLE001 - the model of a plugin may raise anything
        return {"type": "object", "$comment": f"its options model makes no JSON Schema: {type(error).__name__}"}


class _Generator(GenerateJsonSchema):
    """Says what the models take of plain data, where pydantic's own schema says less than that."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as pydantic declares it

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        model: type[BaseModel] = schema["cls"]
        made = super().model_schema(schema)
        if _takes_more(model, schema["schema"]):
            return {"description": made.get("description", "")}
        for name, field in model.model_fields.items():
            if isinstance(described := made.get("properties", {}).get(name), dict):
                described.pop("default", None)
                if (default := _default(field)) is not None:
                    described["default"] = default
        return made

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> dict[str, Any]:
        if schema["schema"]["type"] == "model-fields" or "json_schema_input_schema" in schema:
            return super().function_before_schema(schema)
        return {}

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> dict[str, Any]:
        if schema["schema"]["type"] == "model-fields" or "json_schema_input_schema" in schema:
            return super().function_wrap_schema(schema)
        return {}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "number"}
        for key, word in (("ge", "minimum"), ("gt", "exclusiveMinimum"), ("le", "maximum"), ("lt", "exclusiveMaximum")):
            if key in schema:
                made[word] = _number(schema[key])  # type: ignore[literal-required] # the four keys above
        return made

    def float_schema(self, schema: core_schema.FloatSchema) -> dict[str, Any]:
        made = super().float_schema(schema)
        # Is 0.3 a multiple of 0.1? Every validator rounds in its own way.
        made.pop("multipleOf", None)
        return made

    def str_schema(self, schema: core_schema.StringSchema) -> dict[str, Any]:
        if any(schema.get(key) for key in ("strip_whitespace", "to_lower", "to_upper")):
            return {"type": "string"}
        made = super().str_schema(schema)
        return {**made, "type": ["string", "number"]} if schema.get("coerce_numbers_to_str") else made

    def enum_schema(self, schema: core_schema.EnumSchema) -> dict[str, Any]:
        kind: type[enum.Enum] = schema["cls"]
        # A class may read other values as one of its own, and one of numbers takes them in quotes.
        if kind._missing_.__func__ is not enum.Enum._missing_.__func__ or issubclass(kind, int | float):  # type: ignore[attr-defined] # a class method has one
            return {}
        return super().enum_schema(schema)

    def set_schema(self, schema: core_schema.SetSchema) -> dict[str, Any]:
        return _not_unique(super().set_schema(schema))

    def frozenset_schema(self, schema: core_schema.FrozenSetSchema) -> dict[str, Any]:
        return _not_unique(super().frozenset_schema(schema))

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> dict[str, Any]:  # noqa: ARG002 - pydantic's signature
        return {}


def _takes_more(model: type[BaseModel], schema: Mapping[str, Any]) -> bool:
    """Say whether a model may take what its fields do not say, such as other spellings of its keys."""
    if any(model.model_config.get(setting) for setting in _LOOSENING):
        return True
    if any(field.validation_alias is not None for field in model.model_fields.values()):
        return True
    while schema["type"] != "model-fields":
        # A validator that comes first may make anything of anything, unless the model has the last word on its schema.
        if schema["type"] in {"function-before", "function-wrap", "function-plain"}:
            return "__get_pydantic_json_schema__" not in vars(model)
        if "schema" not in schema:
            return True
        schema = schema["schema"]
    return False


def _not_unique(made: dict[str, Any]) -> dict[str, Any]:
    """A set takes what is written twice."""
    return {key: value for key, value in made.items() if key not in {"uniqueItems", "maxItems"}}


def _default(field: FieldInfo) -> Any:
    """Return a default as a recipe writes it; None where there is none to tell, or its own options tell it."""
    if field.is_required() or field.default is None or isinstance(field.default, SecretStr | SecretBytes | BaseModel):
        return None
    return _plain(timed(field.default, field.annotation, field.metadata))


def _plain(value: Any) -> Any:
    """Return a value as JSON writes it; None where it cannot."""
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, BaseModel):
        return {
            name: _plain(timed(getattr(value, name), field.annotation, field.metadata))
            for name, field in type(value).model_fields.items()
            if getattr(value, name) is not None
        }
    value = plain(value)
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Decimal):
        return _number(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> Any:
    """Return a number as JSON has it; a whole one without a point."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
