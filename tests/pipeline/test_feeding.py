"""One ordered stream of market events out of several feeds."""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.errors import ComponentError, QuantMindError, RecipeError
from quantmind.events import Bar, Mark, Quote, Trade
from quantmind.kinds import MARKS, QUOTES, TRADES, Feed, NoOptions, bars
from quantmind.market.bars import Built
from quantmind.pipeline.feeding import MOST_AT_ONCE, Feeding
from quantmind.recipe.wiring import Wiring

BTC, ETH = SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class Given(Feed[NoOptions]):
    """Gives out batches; ends with an error if there is one."""

    name = "given"

    def __init__(self, batches, error=None, speed=None, history=()):
        super().__init__(NoOptions(), ())
        self.batches = batches
        self.error = error
        self.pace = speed
        self.before = history
        self.ended = False

    @property
    def speed(self):
        return self.pace

    async def events(self):
        try:
            for batch in self.batches:
                yield batch
            if self.error:
                raise self.error
        finally:
            self.ended = True

    async def history(self, symbol, _, count):
        return [event for event in self.before if event.symbol == symbol][-count:]


class Live(Given):
    """The same as it happens: a number is a pause in seconds, None is one without end."""

    name = "happening"
    live = True

    async def events(self):
        try:
            for batch in self.batches:
                if batch is None:
                    await asyncio.Event().wait()
                elif isinstance(batch, float):
                    await asyncio.sleep(batch)
                else:
                    yield batch
            if self.error:
                raise self.error
        finally:
            self.ended = True


def wiring(feeds=1, built=(), history=None, wanted=None):
    channels = {symbol: frozenset({TRADES, QUOTES, MARKS, bars(MINUTE)}) for symbol in SYMBOLS}
    return Wiring(wanted or (channels,) * feeds, tuple(built), channels, history or {}, {}, False, False)


def feeding_of(*feeds, **wired):
    return Feeding(feeds, wiring(len(feeds), **wired), SYMBOLS)


async def batches_of(feeding):
    async with contextlib.aclosing(feeding.batches()) as batches:
        return [list(batch) async for batch in batches]


async def events_of(feeding):
    return [event for batch in await batches_of(feeding) for event in batch]


def trade(ts, symbol=BTC, price=1.0, number=0):
    return Trade(symbol, ts, price, 1.0, 1, number)


def bar(ts, symbol=BTC, interval=MINUTE):
    return Bar(symbol, ts, interval, 1.0, 1.0, 1.0, 1.0, 1.0)


def order(event):
    return (event.ts, event.interval if isinstance(event, Bar) else 0, SYMBOLS.index(event.symbol))


SYMBOL = st.sampled_from(SYMBOLS)
TIME = st.integers(0, 8)
EVENT = st.one_of(
    st.builds(trade, TIME, SYMBOL, number=st.integers(0, 1_000_000)),
    st.builds(bar, TIME, SYMBOL, st.sampled_from([1, 2, MINUTE])),
    st.builds(lambda ts, symbol: Mark(symbol, ts, 1.0), TIME, SYMBOL),
)


@st.composite
def replayed(draw):
    """Draw the events of a feed in order, cut into batches anyhow."""
    events = sorted(draw(st.lists(EVENT, max_size=12)), key=order)
    batches = []
    while events:
        size = draw(st.integers(0, len(events)))
        batches.append(events[:size])
        del events[:size]
    return batches


class TestMerging:
    @given(st.lists(replayed(), min_size=2, max_size=4))
    def test_it_is_sorting_whatever_the_batches(self, feeds):
        merged = asyncio.run(events_of(feeding_of(*(Given(batches) for batches in feeds))))
        everything = [event for batches in feeds for batch in batches for event in batch]
        assert merged == sorted(everything, key=order)

    async def test_the_order_of_one_feed_is_its_own(self):
        given_out = [Quote(ETH, 1, 1.0, 2.0, 1.0, 1.0), Quote(BTC, 1, 1.0, 2.0, 1.0, 1.0), trade(1, ETH)]
        assert await events_of(feeding_of(Given([given_out]))) == given_out

    async def test_no_batch_is_longer_than_a_stop_should_wait(self):
        long = [trade(ts) for ts in range(2 * MOST_AT_ONCE + 1)]
        for feeds in ([Given([long])], [Given([long]), Given([[trade(5)]])]):
            batches = await batches_of(feeding_of(*feeds))
            assert max(map(len, batches)) <= MOST_AT_ONCE
            assert [e for batch in batches for e in batch] == sorted(
                [e for feed in feeds for batch in feed.batches for e in batch], key=order
            )

    async def test_a_feed_without_events_holds_nothing_up(self):
        assert await events_of(feeding_of(Given([]), Given([[], [trade(1)]]), Given([[]]))) == [trade(1)]


class TestHistory:
    async def test_it_is_sorted_and_only_from_the_feed_that_delivers_the_channel(self):
        first = Given([], history=[bar(MINUTE), bar(2 * MINUTE), bar(3 * MINUTE)])
        second = Given([], history=[bar(2 * MINUTE, ETH), bar(2 * MINUTE, BTC)])
        channel = bars(MINUTE)
        wired = wiring(
            wanted=({BTC: frozenset({channel})}, {ETH: frozenset({channel})}),
            history={(ETH, channel): 5, (BTC, channel): 2},
        )
        history = await Feeding([first, second], wired, SYMBOLS).history()
        assert history == [bar(2 * MINUTE, BTC), bar(2 * MINUTE, ETH), bar(3 * MINUTE)]

    async def test_bars_that_are_built_live_have_the_history_of_who_gives_their_source(self):
        built, channel = (Built(BTC, MINUTE, TRADES),), bars(MINUTE)
        wanted = ({BTC: frozenset({TRADES})},)
        wired = wiring(built=built, wanted=wanted, history={(BTC, channel): 2})
        before = [bar(MINUTE), bar(2 * MINUTE)]
        assert await Feeding([Live([], history=before)], wired, SYMBOLS).history() == before
        assert await Feeding([Given([], history=before)], wired, SYMBOLS).history() == []

    async def test_the_bar_that_is_open_live_begins_where_history_ends(self):
        class Opened(Live):
            """Knows what was traded before it began."""

            name = "opened"
            asked = ()

            async def since(self, symbol, ts):
                self.asked = (*self.asked, (symbol, ts))
                return [trade(2 * MINUTE + 7, price=5.0), trade(3 * MINUTE + 1, price=6.0), trade(3 * MINUTE + 2)]

        feed = Opened(
            [[trade(3 * MINUTE + 9, price=9.0)], [trade(4 * MINUTE + 1)]], history=[bar(MINUTE), bar(2 * MINUTE)]
        )
        wired = wiring(built=(Built(BTC, MINUTE, TRADES),), wanted=({BTC: {TRADES}},), history={(BTC, bars(MINUTE)): 2})
        feeding = Feeding([feed], wired, SYMBOLS)
        await feeding.history()
        given = [event for event in await events_of(feeding) if isinstance(event, Bar)]
        assert feed.asked == ((BTC, 2 * MINUTE),)
        assert given == [
            Bar(BTC, 3 * MINUTE, MINUTE, 5.0, 5.0, 5.0, 5.0, 1.0),
            Bar(BTC, 4 * MINUTE, MINUTE, 6.0, 9.0, 1.0, 9.0, 3.0),
        ]

    async def test_without_any_there_is_none(self):
        assert await feeding_of(Given([]), history={(BTC, TRADES): 3}).history() == []


class TestBuiltBars:
    @given(st.data(), st.lists(st.integers(0, 4 * MINUTE // SECOND), min_size=1, max_size=30))
    def test_they_come_after_their_closing_time_and_before_anything_later(self, data, seconds):
        trades = [trade(second * SECOND, number=i) for i, second in enumerate(sorted(seconds))]
        marks = [Mark(ETH, ts * MINUTE, 1.0) for ts in data.draw(st.sets(st.integers(0, 5)).map(sorted))]
        cut = data.draw(st.integers(0, len(trades)))
        built = [Built(BTC, MINUTE, TRADES), Built(BTC, 2 * MINUTE, TRADES)]
        feeding = feeding_of(Given([trades[:cut], trades[cut:]]), Given([marks]), built=built)
        events = asyncio.run(events_of(feeding))
        assert [event for event in events if not isinstance(event, Bar)] == sorted([*trades, *marks], key=order)
        for index, event in enumerate(events):
            if isinstance(event, Bar):
                assert all(earlier.ts <= event.ts for earlier in events[:index])
                assert all(
                    later.ts > event.ts or (isinstance(later, Bar) and later.interval > event.interval)
                    for later in events[index + 1 :]
                )
        minutes = [event.ts for event in events if isinstance(event, Bar) and event.interval == MINUTE]
        first = trades[0].ts
        start = first - first % MINUTE + (MINUTE if first % MINUTE else 0)
        last = max(event.ts for event in (*trades, *marks))
        assert minutes == list(range(start + MINUTE, last + 1, MINUTE))

    async def test_a_bar_that_ends_with_the_data_is_given_out_and_a_part_of_one_is_not(self):
        feeding = feeding_of(Given([[trade(0), trade(MINUTE)]]), built=[Built(BTC, MINUTE, TRADES)])
        assert [event.ts for event in await events_of(feeding)] == [0, MINUTE, MINUTE]
        feeding = feeding_of(Given([[trade(0), trade(MINUTE - 1)]]), built=[Built(BTC, MINUTE, TRADES)])
        assert [type(event) for event in await events_of(feeding)] == [Trade, Trade]


class TestPace:
    async def test_event_time_passes_as_often_as_it_should(self):
        events = [trade(index * SECOND // 10) for index in range(11)]
        began = time.monotonic()
        batches = await batches_of(feeding_of(Given([events], speed=10.0)))
        assert time.monotonic() - began >= 0.09
        assert len(batches) > 1
        assert [event for batch in batches for event in batch] == events

    async def test_what_is_due_is_given_out_before_the_next_one_is_waited_for(self):
        feeding = feeding_of(Given([[trade(0), trade(1), trade(3600 * SECOND)]], speed=1_000.0))
        batches = feeding.batches()
        seen = list(await anext(batches))
        while len(seen) < 2:
            seen.extend(await anext(batches))
        assert seen == [trade(0), trade(1)]
        await batches.aclose()

    async def test_pace_changes_nothing_but_the_pace(self):
        def feeds(speed):
            return Given([[trade(i * SECOND) for i in range(120)]], speed=speed), Given([[bar(MINUTE)]], speed=speed)

        built = [Built(BTC, MINUTE, TRADES)]
        plain = await events_of(feeding_of(*feeds(None), built=built))
        assert await events_of(feeding_of(*feeds(1_000_000.0), built=built)) == plain

    async def test_what_was_handled_before_an_interruption_comes_again_without_waiting(self):
        events = [trade(index * 3600 * SECOND) for index in range(100)]
        events += [trade(events[-1].ts + 3600 * SECOND + index * SECOND // 10) for index in range(11)]
        feeding = feeding_of(Given([events], speed=10.0))
        feeding.handled = 100
        began = time.monotonic()
        assert [event for batch in await batches_of(feeding) for event in batch] == events
        assert 0.09 <= time.monotonic() - began < 5


class TestStop:
    async def test_nothing_follows_the_batch_at_hand(self):
        given_out = Given([[trade(1)], [trade(2)], [trade(3)]])
        feeding = feeding_of(given_out)
        seen = []
        async for batch in feeding.batches():
            seen.extend(batch)
            if batch[0].ts == 2:
                feeding.stop()
        assert seen == [trade(1), trade(2)]

    @pytest.mark.timeout(30)
    async def test_the_bars_of_a_long_silence_come_in_parts_that_are_no_longer(self):
        built = [Built(BTC, 10, TRADES)]
        feeding = feeding_of(Given([[trade(1), trade(10**15)]]), built=built)
        lengths = []
        async for batch in feeding.batches():
            lengths.append(len(batch))
            if len(lengths) == 3:
                feeding.stop()
        assert len(lengths) == 3
        assert all(MOST_AT_ONCE <= length <= 2 * MOST_AT_ONCE for length in lengths)

    async def test_the_bars_of_a_silence_are_those_of_one_call(self):
        built = [Built(BTC, 10, TRADES), Built(BTC, 100, TRADES)]
        events = await events_of(feeding_of(Given([[trade(0), trade(3_000_000)]]), built=built))
        closes = [(event.ts, event.interval) for event in events if isinstance(event, Bar)]
        assert closes == sorted(
            [(ts, 10) for ts in range(10, 3_000_001, 10)] + [(ts, 100) for ts in range(100, 3_000_001, 100)]
        )

    @pytest.mark.timeout(10)
    async def test_it_wakes_a_replay_that_waits_for_its_time(self):
        feeding = feeding_of(Given([[trade(0), trade(3600 * SECOND)]], speed=1.0))
        reading = asyncio.create_task(events_of(feeding))
        await asyncio.sleep(0.05)
        feeding.stop()
        assert await reading == [trade(0)]

    async def test_a_bar_that_is_not_full_is_not_made_full_by_it(self):
        feeding = feeding_of(Given([[trade(0)], [trade(MINUTE)]]), built=[Built(BTC, MINUTE, TRADES)])
        seen = []
        async for batch in feeding.batches():
            seen.extend(batch)
            feeding.stop()
        assert seen == [trade(0)]

    @pytest.mark.timeout(10)
    @pytest.mark.parametrize("built", [(), (Built(BTC, MINUTE, TRADES),)])
    async def test_live_feeds_end_at_once_and_are_left_nothing_to_do(self, built):
        waiting, spoken = Live([None]), Live([[trade(1)], None])
        feeding = feeding_of(waiting, spoken, built=built)
        seen = []
        async for batch in feeding.batches():
            seen.extend(batch)
            feeding.stop()
        assert seen == [trade(1)]
        assert waiting.ended
        assert spoken.ended

    @pytest.mark.timeout(10)
    async def test_live_feeds_that_say_nothing_end_as_well(self):
        feeding = feeding_of(Live([None]), Live([None]))
        reading = asyncio.create_task(events_of(feeding))
        await asyncio.sleep(0.02)
        feeding.stop()
        assert await reading == []


class TestSoundness:
    BAD = (trade(2, price=float("nan")), trade(2, price=-1.0), trade(2, "DOGE/USDT:USDT"))

    @pytest.mark.parametrize("kind", [Given, Live])
    async def test_what_cannot_be_true_is_left_out_and_told(self, kind, caplog):
        feeding = feeding_of(kind([[trade(1), *self.BAD, trade(3)]]))
        assert await events_of(feeding) == [trade(1), trade(3)]
        count, fault = feeding.take_faults()
        assert count == 3
        assert fault == f"feed {kind.name}: DOGE/USDT:USDT is not an instrument of the recipe"
        assert feeding.take_faults()[0] == 0
        assert [record.getMessage().rpartition("; ")[2] for record in caplog.records] == [
            "left out, 1 so far",
            "left out, 2 so far",
        ]

    async def test_of_a_live_batch_of_nothing_else_is_heard_at_once(self):
        assert await batches_of(feeding_of(Live([[self.BAD[0]], [trade(3)]]))) == [[], [trade(3)]]
        assert await batches_of(feeding_of(Given([[self.BAD[0]], [trade(3)]]))) == [[trade(3)]]

    async def test_no_bar_is_built_of_it(self):
        built = [Built(BTC, MINUTE, TRADES)]
        given_out = [trade(0), trade(1, price=float("inf")), trade(MINUTE + 1)]
        (closed,) = [e for e in await events_of(feeding_of(Given([given_out]), built=built)) if isinstance(e, Bar)]
        assert closed == Bar(BTC, MINUTE, MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)

    async def test_history_is_looked_at_too(self):
        feed = Given([], history=[bar(MINUTE), msgspec.structs.replace(bar(2 * MINUTE), high=0.5)])
        feeding = Feeding([feed], wiring(history={(BTC, bars(MINUTE)): 5}), SYMBOLS)
        assert await feeding.history() == [bar(MINUTE)]


class TestLive:
    async def test_a_feed_is_not_read_from_while_the_reader_stands_still(self):
        read = []

        def batches():
            for ts in range(1, 101):
                read.append(ts)
                yield [trade(ts)]

        feeding = feeding_of(Live(batches()))
        reading = feeding.batches()
        assert await anext(reading) == [trade(1)]
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(read) < 10
        assert [event for batch in [batch async for batch in reading] for event in batch] == [
            trade(ts) for ts in range(2, 101)
        ]

    async def test_batches_come_as_they_arrive(self):
        early, late = Live([[trade(9)], 0.05, [trade(8)]]), Live([0.02, [trade(1, ETH)]])
        assert await events_of(feeding_of(early, late)) == [trade(9), trade(1, ETH), trade(8)]

    async def test_the_last_words_of_a_feed_that_ends_are_heard(self):
        batches = [[trade(ts)] for ts in range(1, 6)]
        assert await batches_of(feeding_of(Live(batches))) == batches

    @pytest.mark.timeout(10)
    async def test_a_feed_that_fails_ends_the_others_after_what_came_before(self):
        waiting = Live([None])
        feeding = feeding_of(Live([[trade(1)]], OSError("connection reset")), waiting)
        batches = feeding.batches()
        assert await anext(batches) == [trade(1)]
        with pytest.raises(ComponentError, match="feed happening failed: OSError: connection reset"):
            await anext(batches)
        assert waiting.ended

    async def test_leaving_early_leaves_no_feed_running(self):
        waiting = Live([[trade(1)], None])
        async with contextlib.aclosing(feeding_of(waiting).batches()) as batches:
            await anext(batches)
        assert waiting.ended


class TestFaults:
    @pytest.mark.parametrize("others", [0, 1])
    async def test_a_feed_that_raises_is_named(self, others):
        feeds = [Given([[trade(1)]], ValueError("a bad line")), *[Given([[trade(2)]])] * others]
        with pytest.raises(ComponentError, match="feed given failed: ValueError: a bad line"):
            await events_of(feeding_of(*feeds))

    async def test_an_error_that_says_who_it_is_of_stays_as_it_is(self):
        with pytest.raises(ComponentError, match=r"^the exchange is closed$"):
            await events_of(feeding_of(Given([], ComponentError("the exchange is closed"))))

    async def test_an_error_for_its_user_is_told_without_the_name_of_a_class(self):
        with pytest.raises(ComponentError, match=r"^feed given failed: a\.csv: high is nan; correct it$"):
            await events_of(feeding_of(Given([], QuantMindError("a.csv: high is nan; correct it"))))

    def test_two_speeds(self):
        with pytest.raises(RecipeError, match="not at 10 and max"):
            feeding_of(Given([], speed=10.0), Given([]))

    def test_live_and_replayed(self):
        with pytest.raises(RecipeError, match="cannot be mixed"):
            feeding_of(Live([]), Given([]))
