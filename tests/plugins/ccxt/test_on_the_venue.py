"""The feed on a simulated venue that goes wrong in every way it can."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from decimal import Decimal as D

import msgspec
import pytest
from aiohttp import web

from quantmind.errors import ComponentError, RecipeError
from quantmind.events import Book, FundingRate, Mark, Quote, Ticker, Trade
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, bars
from quantmind.market.instruments import KNOWN
from quantmind_ccxt import Ccxt
from quantmind_ccxt.options import CcxtOptions

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000
FAST = {"quote_interval": "100ms", "trade_interval": "200ms"}


def sent(live, ending, missed=False):
    return [json.loads(each.payload) for each in live.log if each.stream.endswith(ending) and each.missed is missed]


def agrees(live, symbol=BTC):
    quotes = {quote.update: quote for quote in live.of(Quote) if quote.symbol == symbol}
    pairs = [(book, quotes[book.update]) for book in live.of(Book) if book.symbol == symbol and book.update in quotes]
    assert pairs
    return all((*b.bids[0], *b.asks[0]) == (q.bid, q.bid_size, q.ask, q.ask_size) for b, q in pairs)


def fault(live, name, **told):
    live.venue.faults.add({name: told}, live.venue.clock.ns())


class TestChannels:
    async def test_every_message_becomes_its_event(self, live):
        running = await live(frozenset({QUOTES, TRADES, BOOKS, MARKS, FUNDING, TICKERS}))
        await running.advance(5, 0.1)
        await running.well()
        await running.settled()
        quotes, trades, marks = sent(running, "@bookTicker"), sent(running, "@trade"), sent(running, "@markPrice@1s")
        assert [
            (event.update, event.bid, event.ask, event.bid_size, event.ask_size) for event in running.of(Quote)
        ] == [(told["u"], float(told["b"]), float(told["a"]), float(told["B"]), float(told["A"])) for told in quotes]
        assert [(event.id, event.price, event.size, event.side) for event in running.of(Trade)] == [
            (told["t"], float(told["p"]), float(told["q"]), -1 if told["m"] else 1) for told in trades
        ]
        assert [event.price for event in running.of(Mark)] == [float(told["p"]) for told in marks]
        tickers = sent(running, "@miniTicker")
        assert [(event.last, event.turnover) for event in running.of(Ticker)] == [
            (float(told["c"]), float(told["q"])) for told in tickers
        ]
        assert all((quotes, trades, marks, tickers))
        assert agrees(running)
        assert {event.symbol for event in running.events} == {BTC}
        assert all(event.received > 0 for event in running.events)

    async def test_only_what_is_wanted_is_subscribed_to(self, live):
        running = await live(frozenset({QUOTES, FUNDING}), symbols=(BTC, ETH))
        assert set(running.venue.hub.wanted) == {
            "btcusdt@bookTicker", "ethusdt@bookTicker", "btcusdt@markPrice@1s", "ethusdt@markPrice@1s",
        }  # fmt: skip
        await running.advance(3, 0.5)
        await running.settled()
        assert {type(event) for event in running.events} == {Quote}

    async def test_books_have_the_levels_and_the_speed_that_are_asked_for(self, live):
        running = await live(frozenset({BOOKS}), book_speed="500ms", book_levels=3)
        assert set(running.venue.hub.wanted) == {"btcusdt@depth@500ms"}
        await running.advance(2, 0.5)
        await running.well()
        assert {len(book.bids) for book in running.of(Book)} == {3}

    async def test_funding_comes_at_its_settlement_with_rate_and_mark(self, live):
        slow = {"quote_interval": "10m", "trade_interval": "10m", "funding_rate": 0.0003}
        running = await live(frozenset({MARKS, FUNDING}), venue=slow, stale_after="1d")
        now = running.venue.clock.ns()
        due = (now // (480 * MINUTE) + 1) * 480 * MINUTE
        if due - now > 10_000_000_000:
            await running.venue.advance(due - now - 5_000_000_000)
            await running.settled()
        await running.advance(10, 1)
        await running.settled()
        (settled,) = running.of(FundingRate)
        before = [event for event in running.of(Mark) if event.ts < due]
        assert (settled.rate, settled.mark) == (0.0003, before[-1].price)
        assert due <= settled.ts <= due + 2_000_000_000


class TestGaps:
    async def test_a_lost_change_is_mended_for_that_symbol_alone(self, live):
        running = await live(symbols=(BTC, ETH))
        await running.advance(1, 0.1)
        await running.well()
        fault(running, "swallow", on="btcusdt@depth*")
        await running.advance(0.2, 0.1)
        await running.until(lambda: running.stream("book").gaps == 1)
        assert "order book" in running.feed.ailments().get(BTC, "order book")
        assert ETH not in running.feed.ailments()
        await running.well()
        await running.advance(1, 0.1)
        await running.settled()
        assert agrees(running)
        assert agrees(running, ETH)
        assert (running.stream("book", ETH).gaps, running.stream("book").gaps) == (0, 1)
        assert [line.reconnects for line in running.lines] == [0, 0, 0, 0]
        assert running.stream("book").completeness < running.stream("book", ETH).completeness == 1

    async def test_nothing_is_entered_while_a_book_is_not_proven(self, live):
        running = await live()
        await running.advance(1, 0.1)
        await running.well()
        fault(running, "answer", on="GET /fapi/v1/depth", count="all", status=503)
        fault(running, "book_gap", symbol="BTCUSDT")
        await running.advance(0.5, 0.1)
        await running.until(lambda: "lost changes" in running.feed.ailments().get(BTC, ""))
        books = len(running.of(Book))
        await running.advance(1, 0.1)
        await running.settled()
        assert len(running.of(Book)) == books
        running.venue.faults.clear()
        await running.well()
        await running.advance(0.5, 0.1)
        await running.settled()
        assert len(running.of(Book)) > books
        assert agrees(running)

    async def test_lost_trades_are_fetched_and_come_in_order(self, live):
        running = await live(frozenset({TRADES}), venue=FAST)
        await running.advance(1, 0.1)
        fault(running, "swallow", on="*@trade", count=3)
        await running.advance(2, 0.1)
        await running.until(lambda: running.stream("trade").backfilled == 3)
        await running.settled()
        told = sent(running, "@trade") + sent(running, "@trade", missed=True)
        ids = [event.id for event in running.of(Trade)]
        assert len(sent(running, "@trade", missed=True)) == 3
        assert ids == sorted(each["t"] for each in told)
        by_id = {each["t"]: (float(each["p"]), float(each["q"]), -1 if each["m"] else 1) for each in told}
        assert {event.id: (event.price, event.size, event.side) for event in running.of(Trade)} == by_id
        assert [event.ts for event in running.events] == sorted(event.ts for event in running.events)
        assert (running.stream("trade").missing, running.stream("trade").completeness) == (0, 1.0)

    async def test_what_cannot_be_fetched_is_counted_as_missing(self, live):
        running = await live(frozenset({TRADES}), venue=FAST, backfill_timeout="300ms")
        await running.advance(1, 0.1)
        fault(running, "answer", on="GET /fapi/v1/trades", count="all", status=503)
        fault(running, "swallow", on="*@trade", count=2)
        await running.advance(2, 0.1)
        await running.until(lambda: running.stream("trade").missing == 2)
        assert running.stream("trade").proven == 1
        assert running.stream("trade").completeness < 1

    async def test_trades_of_a_quiet_market_are_looked_for_after_a_lost_connection(self, live):
        running = await live(frozenset({TRADES}), venue=FAST)
        await running.advance(1, 0.1)
        await running.settled()
        (connection,) = running.connections("@trade")
        running.venue.hub.lost(connection)
        connection.cut()
        await running.until(lambda: running.lines[0].trouble)
        await running.advance(1, 0.1)
        await running.connected()
        missed = [each["t"] for each in sent(running, "@trade", missed=True)]
        assert missed
        await running.until(lambda: running.of(Trade)[-1].id == missed[-1])
        ids = [event.id for event in running.of(Trade)]
        assert ids == list(range(ids[0], missed[-1] + 1))

    @pytest.mark.parametrize("kind", ["duplicate", "reorder"])
    async def test_what_comes_twice_or_late_is_given_out_once_and_in_order(self, live, kind):
        running = await live(frozenset({QUOTES, TRADES, BOOKS}), venue=FAST)
        await running.advance(0.5, 0.1)
        await running.well()
        for stream in ("*@trade", "*@bookTicker", "*@depth*"):
            fault(running, kind, on=stream, count=2, after=1)
        await running.advance(3, 0.1)
        await running.well()
        await running.settled()
        ids = [event.id for event in running.of(Trade)]
        assert ids == list(range(ids[0], ids[-1] + 1))
        updates = [event.update for event in running.of(Quote)]
        assert updates == sorted(set(updates))
        books = [event.update for event in running.of(Book)]
        assert books == sorted(set(books))
        assert agrees(running)
        if kind == "duplicate":
            assert {running.stream(channel).duplicates for channel in ("quote", "trade", "book")} == {2}
            assert {running.stream(channel).gaps for channel in ("quote", "trade", "book")} == {0}


class TestLines:
    @pytest.mark.parametrize("code", [1006, 1001])
    async def test_a_closed_connection_is_made_again_and_counted(self, live, code):
        running = await live()
        await running.advance(1, 0.1)
        await running.well()
        fault(running, "close", code=code)
        await running.until(lambda: all(line.reconnects for line in running.lines))
        await running.connected()
        await running.advance(1, 0.1)
        await running.well()
        assert sum(f.value for f in running.feed.figures() if f.name == "feed_reconnects_total") == 4
        count = len(running.of(Quote))
        await running.advance(1, 0.1)
        await running.until(lambda: len(running.of(Quote)) > count)

    async def test_a_half_open_connection_is_noticed_and_made_again(self, live):
        running = await live(venue={"speed": 1.0, **FAST}, stale_after="1s")
        await running.well()
        await running.until(lambda: running.of(Trade))
        fault(running, "half_open", path="public")
        await running.until(lambda: running.feed.ailments().get(BTC), "stale")
        await running.until(lambda: sum(line.reconnects for line in running.lines) == 3)
        await running.well()
        await running.until(lambda: running.stream("trade").backfilled and running.stream("trade").proven)
        ids = [event.id for event in running.of(Trade)]
        assert ids == list(range(ids[0], ids[-1] + 1))
        assert agrees(running)

    async def test_a_silent_stream_is_subscribed_to_again(self, live):
        # Quotes are rare, so that what ails is there for long enough to be seen on a slow machine.
        rare = {"speed": 1.0, "quote_interval": "800ms"}
        running = await live(frozenset({QUOTES}), symbols=(BTC, ETH), venue=rare, stale_after="1500ms")
        await running.well()
        connection = running.connections("btcusdt@bookTicker")[0]
        running.venue.hub.unsubscribe(connection, ["btcusdt@bookTicker"])
        await running.until(lambda: "no quote has come for" in running.feed.ailments().get(BTC, ""))
        await running.well()
        assert "btcusdt@bookTicker" in connection.streams
        assert running.lines[0].reconnects == 0

    async def test_a_venue_that_is_down_is_tried_until_it_is_back(self, live):
        running = await live(frozenset({QUOTES, TRADES, BOOKS}), venue={"speed": 1.0, **FAST})
        port = running.venue.port
        await running.until(lambda: len(running.of(Trade)) > 2)
        await running.venue.stop()
        await running.until(lambda: running.lines[0].reconnects >= 2)
        assert "connection is lost" in running.feed.ailments()[BTC]
        again = type(running.venue)(running.venue.options.model_copy(update={"port": port}))
        await again.start()
        counts = {kind: len(running.of(kind)) for kind in (Quote, Trade, Book)}
        try:
            await running.until(lambda: all(len(running.of(kind)) > count for kind, count in counts.items()))
            await running.well()
        finally:
            await again.stop()


class TestRequests:
    async def test_nothing_is_asked_before_the_venue_allows_it(self, live, monkeypatch):
        running = await live(frozenset({BOOKS}))
        asked = []
        request = running.venue.limits.request

        def counted(weight, headers):
            asked.append(time.monotonic())
            return request(weight, headers)

        monkeypatch.setattr(running.venue.limits, "request", counted)
        fault(running, "rate_limit", seconds=2)
        await running.advance(0.5, 0.1)
        await running.until(lambda: asked)
        await running.until(lambda: "forbids requests" in running.feed.ailments().get("", ""))
        await running.well()
        assert len(asked) == 2
        assert asked[1] - asked[0] >= 1.5
        assert running.feed._budget.refusals == 1

    async def test_a_ban_is_waited_for(self, live):
        running = await live(frozenset({BOOKS}))
        fault(running, "ban", seconds=2)
        await running.advance(0.5, 0.1)
        await running.until(lambda: running.feed._budget.refusals == 1)
        assert running.feed._budget.forbidden_for > 0
        await running.well()
        assert running.feed._budget.refusals == 1

    async def test_a_clock_that_is_off_is_told(self, live):
        running = await live(frozenset({QUOTES}), venue={"speed": 1.0, **FAST}, clock_tolerance="2s")
        await running.well()
        offset = next(f.value for f in running.feed.figures() if f.name == "venue_clock_offset_seconds")
        assert abs(offset) < 1
        running.venue.clock.shift = 10_000_000_000
        await running.feed._clock.sample()
        assert "clock is" in running.feed.ailments()[""]
        assert "behind the venue's" in running.feed.ailments()[""]

    async def test_the_use_of_the_limit_is_told(self, live):
        running = await live(frozenset({BOOKS}))
        await running.advance(0.5, 0.1)
        await running.well()
        used = next(f.value for f in running.feed.figures() if f.name == "venue_rate_used_ratio")
        assert 20 / 2_400 <= used < 100 / 2_400

    async def test_history_is_bars_that_have_closed(self, live):
        running = await live(frozenset({QUOTES}), clock_tolerance="2s")
        now = running.venue.clock.ns()
        told = await running.feed.history(BTC, bars(5 * MINUTE), 30)
        assert [bar.ts for bar in told] == [now - now % (5 * MINUTE) - back * 5 * MINUTE for back in range(29, -1, -1)]
        assert await running.feed.history(BTC, TRADES, 5) == ()

    async def test_history_of_an_interval_the_venue_does_not_have_is_built(self, live):
        running = await live(frozenset({QUOTES}))
        assert await running.feed.history(BTC, bars(10_000_000_000), 4) == ()
        two = await running.feed.history(BTC, bars(2 * MINUTE), 4)
        one = await running.feed.history(BTC, bars(MINUTE), 10)
        by_close = {bar.ts: bar for bar in one}
        assert len(two) == 4
        for bar in two:
            second, first = by_close[bar.ts], by_close[bar.ts - MINUTE]
            assert (bar.open, bar.close) == (first.open, second.close)
            assert bar.volume == pytest.approx(first.volume + second.volume)


class TestBeginning:
    async def test_an_instrument_with_other_steps_is_refused(self, live):
        running = await live(frozenset({QUOTES}))
        wrong = msgspec.structs.replace(KNOWN[BTC], tick=D("0.5"))
        feed = Ccxt(CcxtOptions(url=running.venue.url), [wrong])
        with pytest.raises(RecipeError, match=r"tick of BTC/USDT:USDT is 0\.5 in the recipe and 0\.1 at binanceusdm"):
            async with feed:
                pass

    async def test_an_instrument_the_venue_does_not_list_is_refused(self, live):
        running = await live(frozenset({QUOTES}))
        feed = Ccxt(CcxtOptions(url=running.venue.url), [msgspec.structs.replace(KNOWN[BTC], symbol="XYZ/USDT:USDT")])
        with pytest.raises(RecipeError, match="does not list XYZ/USDT:USDT"):
            async with feed:
                pass

    async def test_a_venue_that_is_not_there_is_told_in_one_line(self, free_ports, caplog):
        feed = Ccxt(CcxtOptions(url=f"http://127.0.0.1:{free_ports}"), [KNOWN[BTC]])
        with pytest.raises(ComponentError, match=r"cannot be reached: .*Connect call failed"):
            async with feed:
                pass
        del feed
        gc.collect()
        assert not caplog.records

    async def test_a_server_that_is_no_venue_is_told_in_one_line(self):
        page = web.Response(text="<html>\n" + "<p>Not here</p>\n" * 100, status=404)
        runner = web.ServerRunner(web.Server(lambda _: asyncio.sleep(0, page)))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        feed = Ccxt(CcxtOptions(url="http://127.0.0.1:{1}".format(*runner.addresses[0])), [KNOWN[BTC]])
        with pytest.raises(ComponentError, match=r"cannot be reached: .*404") as caught:
            async with feed:
                pass
        await runner.cleanup()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600

    async def test_no_stream_is_heard_of_before_anybody_listens(self):
        feed = Ccxt(CcxtOptions(), [KNOWN[BTC]])
        assert list(feed.figures()) == list(feed.figures())
        assert feed.ailments() == {}
        await asyncio.sleep(0)
