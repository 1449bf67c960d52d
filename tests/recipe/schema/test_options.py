"""What a model takes, its schema takes: with models of every make, and values of every kind."""

import datetime as dt
import enum
import ipaddress
import re
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)

from quantmind.kinds import Duration, Interval, Options
from quantmind.kinds.moment import Moment
from quantmind.recipe.document import Document
from quantmind.recipe.faults import validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.schema.options import options_schema
from quantmind.recipe.schema.text import DEFINITIONS, pattern


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Rank(enum.IntEnum):
    FIRST = 1
    SECOND = 2


class Lenient(enum.Enum):
    YES = "yes"

    @classmethod
    def _missing_(cls, value):
        return cls.YES


class Inner(Options):
    """Inside."""

    level: int = Field(ge=0, description="A level.")
    name: str = Field(default="n", pattern="^[a-z]+$", description="A name.")


class Other(Options):
    """Beside."""

    rate: float = Field(gt=0, lt=1, description="A rate.")


class Nested(Options):
    """Holds itself."""

    below: "Nested | None" = Field(default=None, description="The next.")
    value: int = Field(default=1, description="A value.")


class Before(Options):
    """Reads text, too."""

    value: int = Field(default=1, description="A value.")

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given):
        return {"value": len(given)} if isinstance(given, str) else given


class Renamed(Options):
    """Has another spelling."""

    value: int = Field(default=1, validation_alias=AliasChoices("value", "worth"), description="A value.")


class Stripped(Options):
    """Takes spaces."""

    model_config = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True)

    name: str = Field(default="n", pattern="^[a-z]+$", description="A name.")


class Open(BaseModel):
    """Takes any key."""

    value: int = 1


class Split(Options):
    """Has a field that reads more."""

    parts: list[str] = Field(default=[], description="With commas, or a list.")

    @field_validator("parts", mode="before")
    @classmethod
    def _split(cls, given):
        return given.split(",") if isinstance(given, str) else given


def _halved(value, handler):
    return handler(value[:-1]) if isinstance(value, str) and value.endswith("!") else handler(value)


TYPES = {
    "int": int,
    "bounded int": Annotated[int, Field(ge=1, le=5, multiple_of=2)],
    "float": float,
    "bounded float": Annotated[float, Field(gt=0, lt=1)],
    "decimal": Decimal,
    "bounded decimal": Annotated[Decimal, Field(gt=0, le=Decimal("0.5"), max_digits=3)],
    "bool": bool,
    "str": str,
    "bounded str": Annotated[str, Field(min_length=1, max_length=4)],
    "pattern": Annotated[str, Field(pattern=r"^[a-z]{1,3}(\.[0-9]+)?$")],
    "pattern of letters": Annotated[str, Field(pattern=r"^\w+.?$")],
    "stripped": Annotated[str, StringConstraints(strip_whitespace=True, pattern="^[a-z]+$", max_length=2)],
    "secret": SecretStr,
    "path": Path,
    "duration": Duration,
    "bounded duration": Annotated[Duration, Field(ge=1_000_000_000)],
    "interval": Interval,
    "moment": Moment,
    "date": dt.date,
    "time": dt.datetime,
    "span": dt.timedelta,
    "uuid": uuid.UUID,
    "address": ipaddress.IPv4Address,
    "literal": Literal["a", "b", 3],
    "one": Literal["a"],
    "dollars": Literal["$", "$x"],
    "enum": Colour,
    "numbers": Rank,
    "lenient enum": Lenient,
    "optional": int | None,
    "optional literal": Literal["a", "b"] | None,
    "optional model": Inner | None,
    "optional models": Inner | Other | None,
    "union": Literal["max"] | Annotated[float, Field(gt=0)],
    "text or number": int | str,
    "mixed": Duration | Inner | list[int] | None,
    "model": Inner,
    "recursive": Nested,
    "before": Before,
    "renamed": Renamed,
    "stripped model": Stripped,
    "open": Open,
    "split": Split,
    "list": list[int],
    "bounded list": Annotated[list[str], Field(min_length=1, max_length=2)],
    "set": Annotated[frozenset[Literal["a", "b"]], Field(max_length=1)],
    "tuple": tuple[int, str],
    "tuple of any length": tuple[float | tuple[float, int], ...],
    "mapping": dict[str, int],
    "mapping by literal": dict[Literal["a", "b"], bool],
    "mapping by number": dict[int, str],
    "mapping by pattern": dict[Annotated[str, Field(pattern="^[a-z]$")], int],
    "bounded mapping": Annotated[dict[str, float], Field(min_length=1)],
    "any": Any,
    "before a field": Annotated[int, BeforeValidator(lambda value: len(value) if isinstance(value, str) else value)],
    "said before a field": Annotated[list[str], BeforeValidator(lambda v: [v], json_schema_input_type=str)],
    "wrapped": Annotated[Literal["a"], WrapValidator(_halved)],
    "after": Annotated[int, AfterValidator(abs)],
    "class": re.Pattern,
}
MODELS = {name: create_model("Model", __base__=Options, value=(kind, ...)) for name, kind in TYPES.items()}
SCHEMAS = {name: {**options_schema(model), "definitions": dict(DEFINITIONS)} for name, model in MODELS.items()}

WORDS = """
    a b c abc max red blue yes No TRUE off t 1 0 5 -1 +2 1.0 5.0 2.5 1_000 .5 5. 1e3 1E-2 inf nan 1s 0s 1.5m 250ms 1x
    2024-01-31 20240131 2024-W05-3 2024-01-31T12:00:00Z 2024-13-01 PT1S 10.0.0.1 $ $x $$ $$x a$$ ${V} ${V:-5} x${V}y
    ${file:f} ${credential:c} ${V:-a}! ${V:-1s} ${V:-true} a.1 abcd level name rate worth
""".split()  # noqa: SIM905 - they read better so
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 7),
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0, 2.0, 4.0, 5.5, -1.0, 1e-9, 1e20]),
    st.sampled_from([*WORDS, " 5 ", " a", "a\n", "", "a,b", "a!", "é", "aé\n"]),
)
KEYS = st.sampled_from(["a", "b", "5", "level", "name", "rate", "value", "below", "worth", "parts", "é"])
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=6
)
MEANT = {"V": ["5", "a", "1s", "true", "0.5", "2024-01-31", "red", ""]}
"""What a variable may hold: that one of these makes the value right is enough."""


def taken(model, data):
    """Say whether a recipe may hold these options, for some value of its variable."""
    for value in MEANT["V"]:
        interpolation = Interpolation({"V": value})
        resolved = interpolation.resolve(data)
        findings = Findings(Document("", data), interpolation)
        if interpolation.faults or interpolation.left:
            continue
        if validate(model, resolved, "", findings) is not None and not findings.problems:
            return True
    return False


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_is_one(name):
    Draft7Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["type"] == "object"
    assert "$comment" not in SCHEMAS[name]


@given(name=st.sampled_from(sorted(TYPES)), value=VALUES)
@example(name="dollars", value="$$x")
@example(name="set", value=["a", "a"])
@example(name="moment", value="2024-W05-3")
@example(name="before", value="abc")
@example(name="mapping by number", value={"5": "a"})
@example(name="stripped", value=" a ")
@example(name="wrapped", value="a!")
def test_what_a_model_takes_its_schema_takes(name, value):
    data = {"value": value}
    if taken(MODELS[name], data):
        Draft7Validator(SCHEMAS[name]).validate(data)


REFUSED = [
    ("int", ["a", 2.5, "2.5", [1], {}, None, True, "${1}", "${V"]),
    ("bounded int", [0, 6, 3]),
    ("float", ["a", "1e", None, True, "${}"]),
    ("bounded float", [0, 1]),
    ("bounded decimal", [0, 0.6]),
    ("bool", ["maybe", 2, None, [True]]),
    ("str", [1, None, True, ["a"]]),
    ("bounded str", ["", "abcde"]),
    ("pattern", ["A", "abcd", "a."]),
    ("secret", [5]),
    ("path", [5]),
    ("duration", ["1", "1 s", "1x", -1, None, 1.5, True]),
    ("interval", ["0s", "0.0m", 0]),
    ("moment", ["yesterday", "2024-13-01", "01.02.2024"]),
    ("literal", ["c", 4, None]),
    ("enum", ["green"]),
    ("optional", ["a"]),
    ("optional literal", ["c"]),
    ("optional model", [{}, {"level": -1}, 5, {"level": 1, "levle": 2}]),
    ("optional models", [{"level": -1}, {"rate": 2}, 5]),
    ("union", ["min", 0]),
    ("text or number", [None, [], 2.5]),
    ("mixed", [{}, ["a"], "5 s"]),
    ("model", [None, {"level": "x"}]),
    ("recursive", [{"velue": 1}, {"value": "x"}]),
    ("list", ["a", ["a"], [None], {}]),
    ("bounded list", [[], ["a", "b", "c"]]),
    ("set", [["c"]]),
    ("tuple", [[1], [1, "a", 2], ["a", 1]]),
    ("tuple of any length", [[[1]], ["a"], [[1, 2, 3]]]),
    ("mapping", [{"a": "x"}, []]),
    ("mapping by literal", [{"c": True}, {"a": "maybe"}]),
    ("bounded mapping", [{}]),
    ("said before a field", [["a"]]),
    ("after", ["a"]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED for value in values], ids=repr)
def test_what_a_schema_can_tell_it_refuses(name, value):
    data = {"value": value}
    assert not taken(MODELS[name], data)
    assert not Draft7Validator(SCHEMAS[name]).is_valid(data)


def test_a_missing_and_an_unknown_option_are_refused():
    for data in ({}, {"value": 1, "values": 1}):
        assert not Draft7Validator(SCHEMAS["int"]).is_valid(data)


class Told(Options):
    """Tells defaults."""

    span: Duration = Field(default=60_000_000_000, description="A span.")
    none: Duration = Field(default=0, description="No span.")
    later: Moment | None = Field(default=1_704_067_200_000_000_000, description="A time.")
    either: Duration | Inner = Field(default=5_000_000_000, description="One of two.")
    part: Decimal = Field(default=Decimal("0.0005"), description="A part.")
    whole: Decimal = Field(default=Decimal("10000.00"), description="A whole.")
    names: frozenset[str] = Field(default=frozenset({"b", "c", "a"}), description="Names.")
    path: Path = Field(default=Path("a/b"), description="A path.")
    price: str = Field(default="$5", description="A price.")
    inner: Inner = Field(default=Inner(level=1), description="Inside.")
    rows: tuple[Inner, ...] = Field(default=(Inner(level=1),), description="Rows.")
    key: SecretStr = Field(default=SecretStr("hidden"), description="A key.")
    nothing: int | None = Field(default=None, description="Nothing.")
    colour: Colour = Field(default=Colour.RED, description="A colour.")


def test_defaults_are_written_as_in_a_recipe():
    schema = options_schema(Told)
    defaults = {name: said["default"] for name, said in schema["properties"].items() if "default" in said}
    assert defaults == {
        "span": "1m",
        "none": "0s",
        "later": "2024-01-01T00:00:00Z",
        "either": "5s",
        "part": 0.0005,
        "whole": 10000,
        "names": ["a", "b", "c"],
        "path": "a/b",
        "price": "$$5",
        "rows": [{"level": 1, "name": "n"}],
        "colour": "red",
    }
    assert schema["properties"]["span"]["description"] == "A span. Default: 1m."
    assert "hidden" not in str(schema)
    Draft7Validator({**schema, "definitions": dict(DEFINITIONS)}).validate(defaults)


def test_a_model_that_cannot_be_described_takes_any_mapping():
    class Raising(Options):
        """Raises."""

        @classmethod
        def __get_pydantic_json_schema__(cls, schema, handler):
            raise RuntimeError("boom")

    assert options_schema(Raising) == {
        "type": "object",
        "$comment": "its options model makes no JSON Schema: RuntimeError",
    }


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        (r"^[a-z0-9][a-z0-9_-]{0,63}$", r"^[a-z0-9][a-z0-9_-]{0,63}$"),
        (r"^[A-Za-z0-9_.:\-]+(?:/.)?$", r"^[A-Za-z0-9_.:\-]+(?:/[^\n])?$"),
        (r"^(a|b)*\.c{2}$", r"^(a|b)*\.c{2}$"),
        (r"^\w+$", ""),
        (r"\Aa\z", ""),
        (r"(?i)a", ""),
        (r"(?P<name>a)", ""),
        (r"[a-z&&[^b]]", ""),
        (r"[a--b]", ""),
        (r"a{,3}", ""),
    ],
)
def test_only_patterns_that_mean_the_same_everywhere_are_kept(expression, kept):
    assert pattern(expression) == kept
