"""Components made for graphs: what they offer, need and take is said by their options."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic import Field, SecretStr, field_validator

from quantmind.events import Fill, Quote, Signal, Target
from quantmind.graph.drawing import draw
from quantmind.kinds import (
    MARKS,
    QUOTES,
    TRADES,
    Allocator,
    Channel,
    Executor,
    Feed,
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
    bars,
)
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load


def channel(word: str) -> Channel:
    return {"quotes": QUOTES, "trades": TRADES, "marks": MARKS}.get(word) or bars(int(word) * 1_000_000_000)


class TapeOptions(Options):
    gives: list[str] = Field(default=["quotes", "trades"], description="Channels, or seconds of bars.")
    only: str = Field(default="", description="The only symbol offered.")


class Tape(Feed[TapeOptions]):
    """Offers what its options say."""

    name = "tape"

    @classmethod
    def offers(cls, options: TapeOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        symbols = [symbol for symbol in symbols if options.only in ("", symbol)]
        return {symbol: frozenset(map(channel, options.gives)) for symbol in symbols}


class Line(Tape):
    """Offers the same, by another name."""

    name = "line"


class NeedsOptions(Options):
    needs: list[str] = Field(default=[], description="Channels, or seconds of bars.")
    history: int = Field(default=0, description="Events to warm up with.")
    facts: bool = Field(default=False, description="Ask for fills and positions.")

    def all(self) -> Needs:
        return Needs(tuple(map(channel, self.needs)), self.history, fills=self.facts, positions=self.facts)


class Cross(Strategy[NeedsOptions]):
    """Needs what its options say."""

    name = "cross"

    @classmethod
    def needs(cls, options: NeedsOptions) -> Needs:
        return options.all()


class Even(Allocator[NoOptions]):
    """Weighs all alike."""

    name = "even"


class Share(SizingRule[NeedsOptions]):
    """Sizes."""

    name = "share"

    @classmethod
    def needs(cls, options: NeedsOptions) -> Needs:
        return options.all()


class Net(Protection[NoOptions]):
    """Protects."""

    name = "net"


class Ceiling(Limit[NeedsOptions]):
    """Limits."""

    name = "ceiling"

    @classmethod
    def needs(cls, options: NeedsOptions) -> Needs:
        return options.all()


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
