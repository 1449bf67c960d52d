"""Components made for graphs: what they offer, need and take is said by their options."""

from typing import Any

import pytest
from pydantic import Field, SecretStr, field_validator

from quantmind.events import Fill, Quote, Signal, Target
from quantmind.graph.drawing import draw
from quantmind.kinds import (
    MARKS,
    QUOTES,
    Allocator,
    Channel,
    Executor,
    Limit,
    Needs,
    NoOptions,
    Options,
    Protection,
    Run,
    Sink,
    SizingRule,
    Strategy,
    Transport,
)
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from tests.recipe.tape import NeedsOptions, Tape


class Line(Tape):
    """Offers the same, by another name."""

    name = "line"


class FactsOptions(NeedsOptions):
    facts: bool = Field(default=False, description="Ask for fills and positions.")


class Cross(Strategy[FactsOptions]):
    """Needs what its options say."""

    name = "cross"

    @classmethod
    def needs(cls, options: FactsOptions) -> Needs:
        return options.all(facts=options.facts)


class Even(Allocator[NoOptions]):
    """Weighs all alike."""

    name = "even"


class Share(SizingRule[FactsOptions]):
    """Sizes."""

    name = "share"

    @classmethod
    def needs(cls, options: FactsOptions) -> Needs:
        return options.all(facts=options.facts)


class Net(Protection[NoOptions]):
    """Protects."""

    name = "net"


class Ceiling(Limit[FactsOptions]):
    """Limits."""

    name = "ceiling"

    @classmethod
    def needs(cls, options: FactsOptions) -> Needs:
        return options.all(facts=options.facts)


class DeskOptions(Options):
    key: SecretStr = Field(default=SecretStr("k"), description="A key that begins with k.")

    @field_validator("key")
    @classmethod
    def _check(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("k"):
            raise ValueError("must begin with k")
        return value


class Desk(Executor[DeskOptions]):
    """Wants quotes and marks, where they are offered."""

    name = "desk"

    @classmethod
    def wants(cls, options: DeskOptions, offered: frozenset[Channel]) -> frozenset[Channel]:
        return offered & {QUOTES, MARKS}


class Trail(Sink[NoOptions]):
    """Keeps decisions, fills and quotes."""

    name = "trail"

    @property
    def events(self) -> frozenset[type[Any]]:
        return frozenset({Signal, Target, Fill, Quote})


class Broken(Sink[NoOptions]):
    """Cannot be made."""

    name = "broken"

    def __init__(self, options: NoOptions, run: Run) -> None:
        raise OSError("boom")


class Pipe(Transport[NoOptions]):
    """Carries frames."""

    name = "pipe"


COMPONENTS = (Tape, Line, Cross, Even, Share, Net, Ceiling, Desk, Trail, Broken, Pipe)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


@pytest.fixture
def recipe():
    """A recipe as plain data."""
    return {
        "name": "test",
        "instruments": [BTC, ETH],
        "feeds": [{"tape": {}}],
        "strategies": [{"cross": {"needs": ["60"], "history": 20}}],
        "allocator": "even",
        "risk": {"sizing": ["share"]},
        "executor": "desk",
        "sinks": ["trail"],
    }


@pytest.fixture
def plugins():
    return Plugins(allow=(), extra=COMPONENTS, environ={})


@pytest.fixture
def drawn(plugins, tmp_path):
    """Draw a recipe."""

    def make(data, project=None):
        return draw(load(data, plugins, project or Project(tmp_path), {}))

    return make
