"""The vigil over live feeds, in one process too."""

from __future__ import annotations

import asyncio
import time

import pytest

from quantmind.errors import ComponentError
from quantmind.events import Quote, Refusal, Vitals
from quantmind.kinds import QUOTES, Feed, Needs, NoOptions, Strategy, bars
from quantmind.metrics import STREAM_GAPS
from quantmind.pipeline.vigil import Vigil
from quantmind.recipe.wiring import Wiring
from quantmind.testing import run_recipe

SECOND = 1_000_000_000
BTC = "BTC/USDT:USDT"
UNPROVEN = "the order book is not proven"
TOLD = f"feed ailing: {UNPROVEN}"


class Ailing(Feed[NoOptions]):
    """Says a quote every 50 ms, and for its first 1.5 s that its book is not proven."""

    name = "ailing"
    live = True

    @classmethod
    def offers(cls, options, symbols):
        return dict.fromkeys(symbols, frozenset({QUOTES}))

    async def events(self):
        self.began = time.monotonic()
        while time.monotonic() - self.began < 3.5:
            yield [Quote(BTC, time.time_ns(), 50_000.0, 50_000.1, 1.0, 1.0)]
            await asyncio.sleep(0.05)

    def ailments(self):
        return {BTC: UNPROVEN} if time.monotonic() - self.began < 1.5 else {}

    def figures(self):
        return [STREAM_GAPS.figure(3, "quote", BTC)]


class Buyer(Strategy[NoOptions]):
    """Wants to be long from the first quote on."""

    name = "buyer"

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES,))

    def on_quote(self, event):
        return [self.signal(1.0)]


def test_what_a_feed_says_ails_it_is_refused_and_told_and_made_up_for(tmp_path, caplog):
    recipe = {
        "name": "watched",
        "instruments": [BTC],
        "feeds": ["ailing"],
        "strategies": ["buyer"],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
        "executor": {"paper": {"balance": 10000}},
    }
    outcome = run_recipe(recipe, tmp_path, components=[Ailing, Buyer])
    assert {(refusal.code, refusal.figures) for refusal in outcome.of(Refusal)} == {("stale", TOLD)}
    assert outcome.summary.fills == 1
    assert f"ailing: {TOLD} ({BTC}); nothing is entered" in caplog.messages
    vitals = outcome.of(Vitals)
    assert vitals[0].symbols == ((BTC, TOLD),)
    assert vitals[-1].symbols == ()
    assert STREAM_GAPS.figure(3, "quote", BTC) in vitals[0].figures


class TestVigil:
    @pytest.fixture
    def clock(self):
        return [100.0]

    def vigil(self, clock, *channels, feed=None):
        wiring = Wiring(({},), (), {BTC: frozenset(channels)}, {}, {}, fills=False, positions=False)
        return Vigil([feed] if feed else [], wiring, 10 * SECOND, now=lambda: clock[0])

    def test_silence_is_told_after_max_age(self, clock):
        vigil = self.vigil(clock, QUOTES, bars(60 * SECOND))
        clock[0] += 10
        assert vigil.reasons() == ()
        clock[0] += 2
        assert vigil.reasons() == ("no market event has come for 12 s",)
        assert vigil.ailing() == ("feed: no market event has come for 12 s",)
        vigil.heard()
        assert vigil.reasons() == ()
        assert vigil.ailing() == ()

    def test_bars_alone_may_be_silent_until_the_next_one(self, clock):
        vigil = self.vigil(clock, bars(60 * SECOND))
        clock[0] += 70
        assert vigil.reasons() == ()
        clock[0] += 1
        assert vigil.reasons()

    def test_what_ails_has_the_feed_and_the_symbol_with_it(self, clock):
        class Lost(Ailing):
            """Ails."""

            name = "lost"

            def ailments(self):
                return {"": "no connection", BTC: "no book"}

        vigil = self.vigil(clock, QUOTES, feed=Lost(NoOptions(), ()))
        assert vigil.reasons() == ("feed lost: no connection",)
        assert vigil.symbols() == ((BTC, "feed lost: no book"),)
        assert vigil.ailing() == ("feed lost: no connection", f"feed lost: no book ({BTC})")

    def test_a_feed_that_fails_is_named(self, clock):
        class Broken(Ailing):
            """Raises."""

            name = "broken"

            def ailments(self):
                raise ValueError("no")

        vigil = self.vigil(clock, QUOTES, feed=Broken(NoOptions(), ()))
        with pytest.raises(ComponentError, match="feed broken failed: ValueError: no"):
            vigil.reasons()
