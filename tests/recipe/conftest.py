"""Components made for the tests of recipes: what they offer and need is said by their options."""

import textwrap
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, SecretStr, field_validator, model_validator

from quantmind.kinds import (
    MARKS,
    QUOTES,
    Allocator,
    Channel,
    Duration,
    Executor,
    Feed,
    Interval,
    Limit,
    Needs,
    NoOptions,
    Options,
    Protection,
    Sink,
    SizingRule,
    Strategy,
    Transport,
    bars,
)
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems
from tests.recipe.tape import NeedsOptions, Tape


class Wire(Feed[NoOptions]):
    """A live feed."""

    name = "wire"
    live = True

    @classmethod
    def offers(cls, options: NoOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        return {symbol: frozenset({QUOTES}) for symbol in symbols}


class CrossOptions(Options):
    interval: Interval = Field(default=60_000_000_000, description="The bars it needs.")
    fast: int = Field(default=5, gt=1, description="The short average.")
    fills: bool = Field(default=False, description="Ask for fills.")
    history: int = Field(default=20, description="Bars to warm up with.")


class Cross(Strategy[CrossOptions]):
    """Needs bars."""

    name = "cross"

    @classmethod
    def needs(cls, options: CrossOptions) -> Needs:
        return Needs((bars(options.interval),), options.history, fills=options.fills)


class EvenOptions(Options):
    at_most: int = Field(default=9, description="Strategies it can weigh.")


class Even(Allocator[EvenOptions]):
    """Weighs all alike."""

    name = "even"

    @classmethod
    def check(cls, options: EvenOptions, strategies: Mapping[str, Sequence[str]]) -> Sequence[str]:
        return [f"too many for {symbol}" for symbol, ids in strategies.items() if len(ids) > options.at_most]


class ShareOptions(Options):
    fraction: Decimal = Field(default=Decimal("0.5"), gt=0, le=1, description="Part of the equity.")
    mode: Literal["full", "half"] = Field(default="full", description="How much of it.")
    ratio: float = Field(default=0.5, description="A float.")


class Share(SizingRule[ShareOptions]):
    """Holds a part of the equity."""

    name = "share"


class CeilingOptions(Options):
    limit: Decimal = Field(default=Decimal(3), gt=0, description="Times the equity.")


class Ceiling(Limit[CeilingOptions]):
    """Limits leverage."""

    name = "ceiling"


class Cap(Ceiling):
    """Caps the leverage."""

    name = "cap"
    capabilities = frozenset({"caps_leverage"})


class Fence(Limit[NeedsOptions]):
    """Needs what its options say."""

    name = "fence"

    @classmethod
    def needs(cls, options: NeedsOptions) -> Needs:
        return options.all(facts=True)


class Goal(Protection[NoOptions]):
    """Takes profits and gives no stop."""

    name = "goal"


class Net(Protection[NeedsOptions]):
    """Gives a stop, of what its options say."""

    name = "net"
    capabilities = frozenset({"protects"})

    @classmethod
    def needs(cls, options: NeedsOptions) -> Needs:
        return options.all()


class Scale(SizingRule[NeedsOptions]):
    """Sizes by what its options say."""

    name = "scale"

    @classmethod
    def needs(cls, options: NeedsOptions) -> Needs:
        return options.all()


class DeskOptions(Options):
    account: str = Field(default="demo", description="The account.")
    latency: Duration = Field(default=50_000_000, description="Delay of an order.")
    key: SecretStr = Field(default=SecretStr(""), description="An API key.")


class Desk(Executor[DeskOptions]):
    """Wants marks and quotes, where they are offered."""

    name = "desk"

    @classmethod
    def wants(cls, options: DeskOptions, offered: frozenset[Channel]) -> frozenset[Channel]:
        return offered & {QUOTES, MARKS}


class Floor(Desk):
    """Trades at a venue."""

    name = "floor"
    capabilities = frozenset({"live"})


class Inner(Options):
    level: int = Field(default=1, ge=0, description="A level.")


class PaperTrailOptions(Options):
    path: str = Field(default="out", description="Where to.")
    inner: Inner = Field(default=Inner(), description="More options.")
    tags: dict[str, int] = Field(default={}, description="Numbers by name.")
    both: int | str = Field(default=1, description="A union.")

    @field_validator("path")
    @classmethod
    def _plain(cls, value: str) -> str:
        if value == "explode":
            raise RuntimeError("boom")
        if value == "exit":
            raise SystemExit(3)
        return value

    @model_validator(mode="after")
    def _whole(self):
        return None if self.path == "forgotten" else self


class PaperTrail(Sink[PaperTrailOptions]):
    """Keeps everything."""

    name = "trail"


class Pipe(Transport[NoOptions]):
    """Carries nothing."""

    name = "pipe"


COMPONENTS = (
    Tape,
    Wire,
    Cross,
    Even,
    Share,
    Scale,
    Goal,
    Net,
    Ceiling,
    Cap,
    Fence,
    Desk,
    Floor,
    PaperTrail,
    Pipe,
)

RECIPE = """\
name: test
instruments: [BTC/USDT:USDT]
feeds:
  - tape: {}
strategies:
  - cross: {interval: 1m, fast: 5}
allocator: even
risk:
  sizing: [{share: {fraction: 0.5}}]
executor:
  desk: {account: demo}
sinks:
  - trail
"""


@pytest.fixture
def plugins():
    return Plugins(allow=(), extra=COMPONENTS, environ={})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory: paths are shown relative to it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Bench:
    """Writes recipes into a folder and reads them."""

    recipe = RECIPE

    def __init__(self, folder: Path, plugins: Plugins) -> None:
        self.folder = folder
        self.plugins = plugins
        self.environ: dict[str, str] = {}

    def write(self, text: str, file: str = "r.yaml") -> Path:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def with_changes(self, *changes: tuple[str, str]) -> str:
        text = RECIPE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return text

    def project(self) -> Project:
        return Project.find(self.folder, self.environ)

    def load(self, *changes: tuple[str, str]):
        return load(self.write(self.with_changes(*changes)), self.plugins, self.project(), self.environ)

    def refused(self, *changes: tuple[str, str]) -> list[str]:
        with pytest.raises(RecipeProblems) as refusal:
            self.load(*changes)
        return str(refusal.value).splitlines()


@pytest.fixture
def bench(folder, plugins):
    return Bench(folder, plugins)
