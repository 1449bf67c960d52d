"""A third party's plugin for the corpus: components that can be wired wrongly."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from quantmind.hookspecs import hookimpl
from quantmind.kinds import QUOTES, Allocator, Executor, Feed, Needs, NoOptions, Options, Sink, Strategy, bars

MINUTE = 60_000_000_000


class MinutesOptions(Options):
    symbols: list[str] = Field(default=["BTC/USDT:USDT"], description="What it has bars of.")
    length: int = Field(default=MINUTE, gt=0, description="The length of its bars, in ns.")


class Minutes(Feed[MinutesOptions]):
    """Replays bars and nothing else."""

    name = "minutes"

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({bars(options.length)}) for symbol in symbols if symbol in options.symbols}


class Ticker(Feed[NoOptions]):
    """Streams quotes live."""

    name = "ticker"
    live = True

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({QUOTES}) for symbol in symbols}


class UnsureOptions(Options):
    address: str = Field(description="Where it listens.")


class Unsure(Feed[UnsureOptions]):
    """Cannot say what it offers."""

    name = "unsure"

    @classmethod
    def offers(cls, options, symbols):
        raise KeyError(f"nothing is known of {options.address}")


class Deaf(Strategy[NoOptions]):
    """Needs nothing."""

    name = "deaf"

    @classmethod
    def needs(cls, options):
        return Needs(())


class Quiet(Strategy[NoOptions]):
    """Watches quotes."""

    name = "quiet"

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES,))


class Undecided(Strategy[NoOptions]):
    """Cannot say what it needs."""

    name = "undecided"

    @classmethod
    def needs(cls, options):
        raise LookupError("it depends")


class Picky(Allocator[NoOptions]):
    """Wants no more than one strategy, and says which there are."""

    name = "picky"

    @classmethod
    def check(cls, options, strategies):
        return [f"{symbol} has {' and '.join(ids)}: one is enough" for symbol, ids in strategies.items() if ids[1:]]


class Broker(Executor[NoOptions]):
    """Trades with real money."""

    name = "broker"
    capabilities = frozenset({"live"})

    @classmethod
    def wants(cls, options, offered):
        return frozenset()


class VaultOptions(Options):
    path: str = Field(default="vault", description="Where to.")
    token: SecretStr = Field(default=SecretStr(""), description="Who asks.")
    shards: int = Field(default=1, ge=1, le=64, description="How many files.")

    @field_validator("path")
    @classmethod
    def _sound(cls, value):
        if value.startswith("!"):
            raise ValueError(f"cannot begin with !, was {value!r}; without it: {value[1:].upper()}, {value[1:]}")
        if value == "explode":
            raise RuntimeError("the author\ndid not expect this")
        return value

    @field_validator("token")
    @classmethod
    def _long(cls, value):
        if 0 < len(value.get_secret_value()) < 3:
            raise ValueError("must have at least 3 characters")
        return value


class Vault(Sink[VaultOptions]):
    """Keeps everything."""

    name = "vault"


@hookimpl
def register_components():
    return [Minutes, Ticker, Unsure, Deaf, Quiet, Undecided, Picky, Broker, Vault]
