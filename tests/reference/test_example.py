import enum
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import AfterValidator, BaseModel, Field, SecretStr

from quantmind.errors import QuantMindError
from quantmind.kinds import Duration, Interval, NoOptions, Options, Sink
from quantmind.kinds.moment import Moment
from quantmind.reference.example import example
from quantmind.reference.option import models


class Way(enum.Enum):
    UP = "up"


class Inner(Options):
    size: Decimal = Field(gt=0, examples=[Decimal("0.1")], description="A size.")
    given: int = Field(default=1, description="Given.")


class Strange:
    pass


def sink(annotation, field=None):
    """Make a component with one required option of a type."""

    class Model(Options):
        one: annotation = field if field is not None else Field(description="One.")

    class Made(Sink[Model]):
        """Made up."""

        name = "made"

    return Made


def refuse(value):
    raise ValueError("never")


def test_nothing_is_said_of_what_needs_nothing():
    class Plain(Sink[NoOptions]):
        """Plain."""

        name = "plain"

    assert example(Plain) == {}


def test_examples_of_fields_are_taken_as_yaml_holds_them():
    class Model(Options):
        part: Decimal = Field(examples=[Decimal("0.02"), 1], description="A part.")
        whole: Decimal = Field(examples=[Decimal("3.0")], description="Whole.")
        inner: Inner = Field(examples=[Inner(size=Decimal(2))], description="Inner.")
        path: Path = Field(examples=[Path("a/b")], description="A path.")
        several: tuple[Way, ...] = Field(examples=[(Way.UP,)], description="Several.")
        optional: int | None = Field(default=None, examples=[5], description="Optional.")
        left: int = Field(default=3, description="Left out.")

    class Made(Sink[Model]):
        """Made up."""

        name = "made"

    made = example(Made)
    assert made == {
        "part": 0.02,
        "whole": 3,
        "inner": {"size": 2},
        "path": "a/b",
        "several": ["up"],
        "optional": 5,
    }
    assert type(made["whole"]) is int
    assert Model.model_validate(made).part == Decimal("0.02")


TYPES = [
    bool,
    int,
    float,
    Decimal,
    str,
    Path,
    SecretStr,
    Any,
    Interval,
    Duration,
    Moment,
    Way,
    Literal["a", "b"],
    Inner,
    int | None,
    Duration | Inner,
    list[int],
    tuple[str, ...],
    tuple[str, int],
    frozenset[str],
    dict[str, float],
    dict[str, list[Path]],
    list[Inner],
    dict[Literal["feed", "sink"], str],
    Annotated[int, Field(ge=250, le=260)],
    Annotated[int, Field(gt=1_000, multiple_of=7)],
    Annotated[float, Field(gt=0.001, lt=0.002)],
    Annotated[Decimal, Field(lt=-5)],
    Annotated[str, Field(min_length=30)],
    Annotated[str, Field(max_length=1)],
    Annotated[str, Field(pattern="^https?://")],
    Annotated[list[int], Field(min_length=3)],
    Annotated[frozenset[str], Field(min_length=2)],
    Annotated[Duration, Field(ge=604_800_000_000_000)],
    dict[str, Annotated[float, Field(ge=0, le=1)]],
]


@pytest.mark.parametrize("annotation", TYPES, ids=range(len(TYPES)))
def test_a_value_is_made_up_where_the_type_tells_one(annotation):
    component = sink(annotation)
    component.options_model.model_validate(example(component))


def test_a_secret_is_taken_from_where_secrets_are():
    assert example(sink(SecretStr)) == {"one": "${credential:example}"}


def test_a_model_inside_has_what_it_requires():
    assert example(sink(Inner)) == {"one": {"size": 0.1}}


@pytest.mark.parametrize(
    "annotation",
    [Strange, Annotated[str, AfterValidator(refuse)], Annotated[str, Field(pattern="^[0-9]{7}x$")]],
    ids=["a class of the author's", "a check", "a pattern"],
)
def test_what_cannot_be_made_up_is_named(annotation):
    with pytest.raises(QuantMindError) as refusal:
        example(sink(annotation))
    said = "sink made: the required option `one` has no example: write Field(..., examples=[VALUE])"
    assert str(refusal.value) == said


def test_an_option_inside_of_one_is_named_by_its_path():
    class Deep(Options):
        deeper: Strange = Field(description="Strange.")

    with pytest.raises(QuantMindError, match=r"`one\.deeper` has no example"):
        example(sink(Deep))


def test_a_model_that_must_hold_itself_ends():
    class Loop(Options):
        again: "Loop" = Field(description="Itself.")

    Loop.model_rebuild(_types_namespace={"Loop": Loop})
    with pytest.raises(QuantMindError, match="has no example"):
        example(sink(Loop))


def test_the_example_of_every_own_component_is_valid(component):
    component.options_model.model_validate(example(component))


def required(model: type[BaseModel], path=""):
    for name, field in model.model_fields.items():
        if field.is_required():
            yield f"{path}{name}", field
        for _, below in models(field.annotation):
            yield from required(below, f"{path}{name}.")


def test_every_required_option_of_our_own_has_an_example(component):
    assert [path for path, field in required(component.options_model) if not field.examples] == []


def test_words_of_a_literal_stay_texts():
    assert get_args(Literal["a"]) == ("a",)
    assert example(sink(Literal["a", "b"])) == {"one": "a"}
