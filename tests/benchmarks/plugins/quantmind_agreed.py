"""The strategies of the benchmarks: the agreed work, and one that changes its mind at every quote."""

from __future__ import annotations

from pydantic import Field

from quantmind.hookspecs import hookimpl
from quantmind.kinds import QUOTES, Needs, Options, Strategy, bars

MINUTE = 60_000_000_000


class CrossOptions(Options):
    every_bar: bool = Field(default=False, description="Signal on every bar, with a confidence that hardly moves.")


class AgreedCross(Strategy[CrossOptions]):
    """EMA(10) over EMA(20), seeded with the first close; silent before bar 20; on a change only."""

    name = "agreed_cross"

    @classmethod
    def needs(cls, options):
        return Needs((bars(MINUTE),))

    def start(self):
        self.fast = self.slow = 0.0
        self.count = self.side = 0

    def on_bar(self, bar):
        close = bar.close
        self.count += 1
        if self.count == 1:
            self.fast = self.slow = close
            return None
        fast = self.fast = self.fast + 2 / 11 * (close - self.fast)
        slow = self.slow = self.slow + 2 / 21 * (close - self.slow)
        if self.count < 20:
            return None
        side = 1 if fast > slow else -1 if fast < slow else self.side
        if self.options.every_bar:
            self.side = side
            return self.signal(side, 0.98 + 0.005 * (self.count % 4))
        if side == self.side:
            return None
        self.side = side
        return self.signal(side)


class FlipOptions(Options):
    every: int = Field(default=1, ge=0, description="Quotes between two changes of direction; 0 for never.")


class Flip(Strategy[FlipOptions]):
    """Turns around at every n-th quote."""

    name = "flip"

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES,))

    def start(self):
        self.side = 1
        self.left = self.every = self.options.every

    def on_quote(self, quote):
        if not self.every:
            return None
        self.left -= 1
        if self.left:
            return None
        self.left = self.every
        self.side = -self.side
        return self.signal(self.side)


@hookimpl
def register_components():
    return [AgreedCross, Flip]
