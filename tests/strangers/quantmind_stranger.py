"""A third party's plugin, as the tests install it: strategies that read fills and that break, a sink that fails."""

from __future__ import annotations

from pydantic import Field

from quantmind.hookspecs import hookimpl
from quantmind.kinds import QUOTES, Interval, Needs, Options, Sink, Strategy, bars
from quantmind.market.indicators import EMA


class CrossOptions(Options):
    interval: Interval = Field(default="1m", validate_default=True, description="Length of a bar.")
    fast: int = Field(default=5, gt=1, description="Bars in the fast average.")
    slow: int = Field(default=13, gt=1, description="Bars in the slow average.")
    profit: float = Field(default=0.002, gt=0, description="Part of the average price to take.")


class TakeProfitCross(Strategy[CrossOptions]):
    """Follows two averages, and leaves when its fills have earned enough."""

    name = "take_profit_cross"

    @classmethod
    def needs(cls, options):
        return Needs((bars(options.interval),), history=10 * options.slow, fills=True)

    def start(self):
        self.fast, self.slow = EMA(self.options.fast), EMA(self.options.slow)
        self.side = self.wanted = 0
        self.position = self.average = 0.0

    def on_fill(self, fill):
        self.position, self.average = float(fill.position), float(fill.average_price)

    def on_bar(self, bar):
        fast, slow = self.fast.update(bar.close), self.slow.update(bar.close)
        if fast is None or slow is None:
            return None
        side = 1 if fast > slow else -1
        wanted = self.wanted
        if side != self.side:
            self.side = wanted = side
        elif self.position * (bar.close - self.average) > abs(self.position) * self.average * self.options.profit:
            wanted = 0
        if wanted == self.wanted:
            return None
        self.wanted = wanted
        return self.signal(wanted, 0.7)


class RestlessOptions(Options):
    every: int = Field(default=2, ge=1, description="Quotes between two changes of mind.")


class Restless(Strategy[RestlessOptions]):
    """Turns all its symbols around before their orders can fill."""

    name = "restless"
    scope = "universe"

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES,), fills=True)

    def start(self):
        self.seen = self.fills = 0

    def on_fill(self, fill):
        self.fills += 1

    def on_quote(self, quote):
        self.seen += 1
        if self.seen % self.options.every:
            return None
        turn = self.seen // self.options.every + self.fills
        return [
            self.signal((-1.0, 0.0, 1.0)[(turn + place) % 3], 0.5, symbol) for place, symbol in enumerate(self.symbols)
        ]


class BreaksOptions(Options):
    after: int = Field(default=3, ge=1, description="Bars that go well.")


class Breaks(Strategy[BreaksOptions]):
    """Raises after some bars."""

    name = "breaks"

    @classmethod
    def needs(cls, options):
        return Needs((bars(60_000_000_000),))

    def start(self):
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen > self.options.after:
            raise RuntimeError("the strategy's own fault")


class FailingSinkOptions(Options):
    pass


class FailingSink(Sink[FailingSinkOptions]):
    """Fails at every batch."""

    name = "failing_sink"

    async def write(self, batch):
        raise OSError("the disk is full")


@hookimpl
def register_components():
    return [TakeProfitCross, Restless, Breaks, FailingSink]
