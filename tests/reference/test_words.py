import enum
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar, Union

import pytest
from annotated_types import Ge, Gt, Len
from pydantic import Field, PositiveInt, SecretStr, StringConstraints

from quantmind.kinds import Duration, Interval, Options
from quantmind.kinds.moment import Moment
from quantmind.reference.words import words


class Inner(Options):
    """A model inside of options."""


class Way(enum.Enum):
    UP = "up"
    DOWN = "down"


Literals = Literal["a", "b"]
Symbol = NewType("Symbol", str)
Bound = TypeVar("Bound", bound=Decimal)


TYPES = [
    (int, "whole number"),
    (float, "number"),
    (Decimal, "number"),
    (str, "text"),
    (Symbol, "text"),
    (Bound, "number"),
    (bool, "true or false"),
    (Path, "path"),
    (Any, "anything"),
    (date, "date"),
    (timedelta, "duration"),
    (SecretStr, "secret text"),
    (Interval, "duration"),
    (Duration, "duration"),
    (Moment, "time"),
    (Inner, "mapping"),
    (Duration | None, "duration"),
    (Optional[int], "whole number"),  # noqa: UP045 - older plugins write it so
    (Union[int, str], "whole number or text"),  # noqa: UP007 - older plugins write it so
    (Duration | Inner, "duration or mapping"),
    (Literal["market", "cancel"], "one of market, cancel"),
    (Literal["max"], "max"),
    (Literal["max"] | Annotated[float, Field(gt=0)], "max or number, above 0"),
    (Literal[Literals, 1], "one of a, b, 1"),
    (Literal["1"], '"1"'),
    (Way, "one of up, down"),
    (list[int], "list of whole numbers"),
    (tuple[Decimal, ...], "list of numbers"),
    (tuple[str, int], "list of texts and whole numbers"),
    (Sequence[str], "list of texts"),
    (frozenset[Literal["quote", "trade"]], "list, any of quote, trade"),
    (list[Inner], "list of mappings"),
    (list[list[Path]], "list of lists of paths"),
    (list[bool], "list of true or false"),
    (list, "list of anything"),
    (dict[str, Decimal], "mapping of names to numbers"),
    (Mapping[Literal["feed", "sink"], str], "mapping of feed, sink to texts"),
    (dict, "mapping of names to anything"),
    (dict[str, Annotated[float, Field(ge=0, le=1)]], "mapping of names to numbers, each at least 0, at most 1"),
    (PositiveInt, "whole number, above 0"),
    (Annotated[float, Gt(0), Field(le=0.5)], "number, above 0, at most 0.5"),
    (Annotated[Duration, Ge(60_000_000_000)], "duration, at least 1m"),
    (Annotated[int, Field(multiple_of=5, lt=100)], "whole number, below 100, a multiple of 5"),
    (Annotated[str, Field(min_length=1)], "text, at least 1 character"),
    (
        Annotated[str, StringConstraints(pattern=r"^\d+$", max_length=5)],
        r"text, at most 5 characters, matching `^\d+$`",
    ),
    (Annotated[list[int], Len(1, 3)], "list of whole numbers, at least 1 entry, at most 3 entries"),
]


@pytest.mark.parametrize(
    ("annotation", "expected"), TYPES, ids=[f"{index}-{words}" for index, (_, words) in enumerate(TYPES)]
)
def test_a_type_in_plain_words(annotation, expected):
    assert str(words(annotation)) == expected


def test_what_a_field_demands_is_told_too():
    class Some(Options):
        one: Decimal | None = Field(default=None, gt=0, le=1)

    field = Some.model_fields["one"]
    assert str(words(field.annotation, field.metadata)) == "number, above 0, at most 1"


@pytest.mark.parametrize("annotation", [SecretStr | None, list[SecretStr], dict[str, SecretStr], str | SecretStr])
def test_a_secret_is_one_wherever_it_is(annotation):
    assert words(annotation).secret
