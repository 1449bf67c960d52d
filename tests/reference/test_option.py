from decimal import Decimal

import pytest
from pydantic import Field, SecretStr

from quantmind.kinds import Duration, Interval, NoOptions, Options
from quantmind.kinds.moment import Moment
from quantmind.recipe.document import parse
from quantmind.recipe.entry import Entry
from quantmind.reference.example import example
from quantmind.reference.option import WORKED_OUT, options


class Tier(Options):
    """Fees."""

    volume: Decimal = Field(description="From when on.")
    fee: Decimal = Field(default=Decimal("0.0005"), description="The fee.")


class Many(Options):
    """One of each."""

    interval: Interval = Field(default=60_000_000_000, description="Bars.")
    wait: Duration = Field(default=0, description="Waiting.")
    late: Duration | None = Field(default=90_000_000_000, description="Late.")
    start: Moment = Field(default=1_704_067_200_000_000_000, description="From when.")
    part: Decimal = Field(default=Decimal("1E-7"), gt=0, le=1, description="A  part\nof it.")
    price: float = Field(default=50_000.0, description="Price.")
    ratio: float = Field(default=0.25, description="Ratio.")
    on: bool = Field(default=True, description="Whether.")
    word: str = Field(default="1", description="A word.")
    template: str = Field(default="${HOME}", description="A template.")
    left_out: str | None = Field(default=None, description="Nothing.")
    empty: dict[str, str] = Field(default={}, description="Nothing either.")
    made: list[int] = Field(default_factory=lambda: [1, 2], description="Made.")
    password: SecretStr = Field(default=SecretStr("hunter2"), description="A secret.")
    wanted: int = Field(ge=2, description="It is needed.")
    tiers: tuple[Tier, ...] = Field(default=(), description="Tiers.")
    first: Tier = Field(default=Tier(volume=Decimal(0)), description="The first.")
    named: dict[str, Tier] = Field(default={}, description="By name.")
    either: Duration | Tier = Field(default=0, description="Either.")
    spelt: int = Field(default=1, alias="spelled", description="Otherwise.")


ROWS = {row.name: row for row in options(Many)}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("interval", "1m"),
        ("wait", "0s"),
        ("late", "90s"),
        ("start", "2024-01-01T00:00:00Z"),
        ("part", "0.0000001"),
        ("price", "50000"),
        ("ratio", "0.25"),
        ("on", "true"),
        ("word", '"1"'),
        ("template", '"$${HOME}"'),
        ("left_out", ""),
        ("empty", ""),
        ("made", "[1, 2]"),
        ("password", "**********"),
        ("wanted", ""),
        ("first", ""),
        ("first.fee", "0.0005"),
        ("spelled", "1"),
    ],
)
def test_a_default_is_written_as_in_a_recipe(name, default):
    assert ROWS[name].default == default


def test_models_inside_are_rows_below_their_own():
    names = list(ROWS)
    assert names[names.index("tiers") :] == [
        *("tiers", "tiers[].volume", "tiers[].fee"),
        *("first", "first.volume", "first.fee"),
        *("named", "named.NAME.volume", "named.NAME.fee"),
        *("either", "either.volume", "either.fee"),
        "spelled",
    ]
    assert [row.name for row in options(Entry)] == ["limit", "limit.offset_ticks", "limit.timeout", "limit.then"]


def test_what_is_required_secret_and_bounded_is_told():
    assert [name for name, row in ROWS.items() if row.required and "." not in name] == ["wanted"]
    assert ROWS["tiers[].volume"].required
    assert [name for name, row in ROWS.items() if row.secret] == ["password"]
    assert [ROWS[name].need for name in ("wanted", "left_out", "empty", "late")] == [
        "required",
        "optional",
        "optional",
        "",
    ]
    assert (ROWS["part"].type, ROWS["part"].bounds, ROWS["part"].description) == (
        "number",
        "above 0, at most 1",
        "A part of it.",
    )
    assert options(NoOptions) == ()


def test_no_default_of_a_secret_is_written():
    assert "hunter2" not in repr(ROWS)


def test_a_default_that_goes_by_the_others_is_not_made_up():
    class Follows(Options):
        one: int = Field(default=1, description="One.")
        two: int = Field(default_factory=lambda data: data["one"] + 1, description="Two.")
        three: int = Field(default_factory=lambda: int("none"), description="Three.")

    assert [row.default for row in options(Follows)] == ["1", WORKED_OUT, WORKED_OUT]


def test_the_same_option_of_two_ways_is_told_once_and_a_model_that_holds_itself_ends():
    class Other(Options):
        seed: int = Field(default=0, description="Another seed.")

    class Another(Options):
        seed: int = Field(default=0, description="Another seed.")
        deeper: "Another | None" = Field(default=None, description="Itself.")

    Another.model_rebuild(_types_namespace={"Another": Another})

    class Ways(Options):
        way: Other | Another = Field(description="A way.")

    assert [row.name for row in options(Ways)] == ["way", "way.seed", "way.deeper"]


def test_every_default_of_our_own_components_is_read_back_by_a_recipe(component):
    rows = {row.name: row for row in options(component.options_model)}
    written = {name: rows[name].default for name in component.options_model.model_fields if rows[name].default}
    text = "".join(f"{name}: {default}\n" for name, default in written.items() if not rows[name].secret)
    read = parse(text.encode(), "x.yaml").data or {}
    made = component.options_model.model_validate({**example(component), **read})
    for name in read:
        field = component.options_model.model_fields[name]
        assert getattr(made, name) == field.get_default(call_default_factory=True)
