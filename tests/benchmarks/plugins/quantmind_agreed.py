"""The strategies of the benchmarks: the agreed work, and one that changes its mind at every quote."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import time

from pydantic import Field

from quantmind.events import Quote
from quantmind.hookspecs import hookimpl
from quantmind.kinds import QUOTES, Feed, Needs, Options, Strategy, bars
from quantmind_paper.executor import Paper

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


class ClockedOptions(Options):
    rate: int = Field(default=1_000, gt=0, description="Quotes a second.")


class Clocked(Feed[ClockedOptions]):
    """Gives quotes at a steady rate, each with the time at which it is given."""

    name = "clocked"
    live = True

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({QUOTES}) for symbol in symbols}

    async def events(self):
        symbol = self.instruments[0].symbol
        due = time.perf_counter()
        while True:
            due += 1 / self.options.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            yield [Quote(symbol, time.time_ns(), 50_000.0, 50_000.1, 1.0, 1.0)]


class Timed(Paper):
    """Trades on paper, and writes how old the last quote was at each order."""

    name = "timed"

    def __init__(self, options, instruments):
        super().__init__(options, instruments)
        self.stamp = 0
        self.took = []

    def prepare(self, channels):
        super().prepare(channels)
        self.waiting = (self,)
        match = self.on_market

        def stamped(seq, event):
            self.stamp = event.ts
            return match(seq, event)

        self.on_market = stamped

    def submit(self, command):
        self.took.append(time.time_ns() - self.stamp)
        return super().submit(command)

    async def close(self):
        await super().close()
        ordered = sorted(self.took[len(self.took) // 10 :]) or [0]
        found = {
            "count": len(ordered),
            "p50": ordered[len(ordered) // 2] / 1e3,
            "p99": ordered[len(ordered) * 99 // 100] / 1e3,
        }
        self.leave(json.dumps(found))

    def leave(self, text):
        pathlib.Path(os.environ["TIMED_FILE"]).write_text(text)


@hookimpl
def register_components():
    return [AgreedCross, Clocked, Flip, Timed]
