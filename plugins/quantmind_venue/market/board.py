"""The board: the markets of all contracts, told to the account and to the streams, one event after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from quantmind.events import FundingRate, Mark, Market, Quote, Trade
from quantmind.market.book import BookGap, Change
from quantmind_binance.wire import MarkPriceUpdate
from quantmind_venue.clock import Clock
from quantmind_venue.listing import Listed, Listing
from quantmind_venue.market.depths import Changes, Depths, written
from quantmind_venue.market.klines import INTERVALS, Candle
from quantmind_venue.market.pit import AggregateTrade, Pit, Settlement
from quantmind_venue.market.pit import Trade as PublicTrade
from quantmind_venue.streaming import streams
from quantmind_venue.streaming.hub import Hub

MS = 1_000_000
"""ns in a ms."""

_LATE = 2_000
"""How long after its end (ms) a candle is told to be closed, as on the venue: trades of it may still come."""

FUNDING_INTERVAL = 8 * 3_600_000
"""Time between settlements of funding (ms), counted from midnight UTC."""

Callback = Callable[[int, Market], None]
"""Called with the number of a market event, and the event."""

_encode = msgspec.json.Encoder().encode


class Board:
    """Takes what happens in the markets: first its own figures change, then listeners are called, then it is sent."""

    def __init__(self, clock: Clock, listing: Listing, hub: Hub, *, rate: float = 0.0, base: str = "1m") -> None:
        self.clock = clock
        self.listing = listing
        self.hub = hub
        self.pits = {contract.spelling: Pit(contract, base) for contract in listing}
        self.settled_by_data: set[str] = set()
        """The contracts of which the data say when funding is settled; else it is settled every 8 hours."""
        self.marks_of_data: set[str] = set()
        self.hidden: dict[str, int] = {}
        """How many of the next single changes of a book are not sent."""
        self.gaps = 0
        """Changes of books that were missing in the data."""
        self._by_symbol = {pit.symbol: pit for pit in self.pits.values()}
        self._depths = {spelling: Depths(pit, hub) for spelling, pit in self.pits.items()}
        self._kline_names = {
            spelling: [
                (interval, (f"{pit.low}@kline_{interval}", f"{pit.low}_perpetual@continuousKline_{interval}"))
                for interval in INTERVALS
            ]
            for spelling, pit in self.pits.items()
        }
        self._listeners: list[Callback] = []
        self._seq = 0
        self._ts = 0
        for pit in self.pits.values():
            pit.rate = rate

    def __iter__(self) -> Iterator[tuple[Listed, Pit]]:
        for spelling, pit in self.pits.items():
            yield self.listing[spelling], pit

    def listen(self, callback: Callback) -> None:
        """Call it with every market event, before its message is sent."""
        self._listeners.append(callback)

    def quote(self, symbol: str) -> Quote | None:
        """Return the last quote of a unified symbol."""
        return self._by_symbol[symbol].quote

    def last(self, symbol: str) -> float | None:
        """Return the price of its last trade."""
        return self._by_symbol[symbol].last

    def mark(self, symbol: str) -> float | None:
        """Return its mark price."""
        return self._by_symbol[symbol].mark

    def settles(self, ms: int) -> int:
        """Return when funding is settled next (ms)."""
        return (ms // FUNDING_INTERVAL + 1) * FUNDING_INTERVAL

    def quoted(self, spelling: str, quote: Quote, payload: object) -> None:
        """Take a best bid and ask."""
        pit = self.pits[spelling]
        pit.quote, pit.quote_ms = quote, quote.ts // MS
        self._tell(quote)
        wanted = self.hub.wanted
        own, every = f"{pit.low}@bookTicker", "!bookTicker"
        if own in wanted or every in wanted:
            data = payload if isinstance(payload, bytes) else _encode(payload)
            self.hub.publish(own, data)
            self.hub.publish(every, data)

    def traded(self, spelling: str, trade: PublicTrade, payload: object = None) -> None:
        """Take a trade; one without a price is only sent on: the venue settled something by itself."""
        pit = self.pits[spelling]
        price = float(trade.price)
        if price > 0:
            closed = pit.trade(trade)
            side = -1 if trade.sold else 1
            self._tell(Trade(pit.symbol, trade.ms * MS, price, float(trade.quantity), side, trade.id))
            if closed is not None:
                self._aggregate(spelling, closed)
        stream = f"{pit.low}@trade"
        if stream in self.hub.wanted:
            self.hub.publish(stream, streams.trade(self.listing[spelling], trade) if payload is None else payload)

    def changed(self, spelling: str, change: Change, bids: Changes, asks: Changes, payload: object) -> None:
        """Take a change of the book; what a snapshot contains already is passed over."""
        pit = self.pits[spelling]
        previous = pit.book.last if change.previous is None else change.previous
        try:
            if not pit.book.update(change):
                return
        except BookGap:
            self.gaps += 1
            return
        self._depths[spelling].add((change.first, change.last, previous, bids, asks))
        stream = f"{pit.low}@depth@0ms"
        if self.hidden.get(spelling):
            self.hidden[spelling] -= 1
            self.hub.missed(stream, payload if isinstance(payload, bytes) else _encode(payload))
        elif stream in self.hub.wanted:
            self.hub.publish(stream, payload)

    def marked(self, spelling: str, price: float, index: float, ms: int) -> None:
        """Take a mark price and an index price."""
        pit = self.pits[spelling]
        pit.mark, pit.index = price, index
        pit.marks.price(ms, price)
        self._tell(Mark(pit.symbol, ms * MS, price))

    def mark_recorded(self, spelling: str, message: MarkPriceUpdate, shift: int) -> None:
        """Take a mark price of the data, its time moved by `shift` (ms)."""
        pit = self.pits[spelling]
        self.marks_of_data.add(spelling)
        pit.rate = float(message.r) if message.r else pit.rate
        price = float(message.p)
        self.marked(spelling, price, float(message.i) if message.i else price, message.E + shift)

    def mark_of_data(self, spelling: str, price: float, ms: int) -> None:
        """Take a mark price of the data."""
        self.marks_of_data.add(spelling)
        self.marked(spelling, price, price, ms)

    def mark_middles(self, ms: int) -> None:
        """Take the middle of bid and ask for the mark price where the data say none."""
        for spelling, pit in self.pits.items():
            if spelling not in self.marks_of_data:
                middle = pit.last if pit.quote is None else round((pit.quote.bid + pit.quote.ask) / 2, 8)
                if middle is not None:
                    self.marked(spelling, middle, middle, ms)

    def settle(self, spelling: str, rate: float, ms: int, mark: float = 0.0) -> None:
        """Take a settlement of funding."""
        pit = self.pits[spelling]
        pit.rate = rate
        price = mark or pit.mark or pit.last or 0.0
        pit.settlements.append(Settlement(ms, rate, price))
        self._tell(FundingRate(pit.symbol, ms * MS, rate, price))

    def liquidated(self, spelling: str, side: str, quantity: Decimal, price: Decimal) -> None:
        """Send the liquidation of a position on the streams of forced orders."""
        contract = self.listing[spelling]
        payload = streams.force_order(contract, side, quantity, price, self.clock.now())
        self.hub.publish(f"{spelling.lower()}@forceOrder", payload)
        self.hub.publish("!forceOrder@arr", payload)

    def hide(self, spelling: str) -> None:
        """Let the next message of every depth stream of a book vanish."""
        self.hidden[spelling] = self.hidden.get(spelling, 0) + 1
        self._depths[spelling].hide()

    def changed_contract(self, contract: Listed) -> None:
        """Tell that a contract has changed."""
        self.hub.publish("!contractInfo", streams.contract_info(contract, self.clock.now()))

    def subscribed(self, stream: str) -> None:
        """Prepare a stream that somebody begins to listen to."""
        depths = self._depths.get(stream.partition("@")[0].upper())
        if depths is not None:
            depths.listen(stream)

    def depth(self, spelling: str, count: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return the best levels of a book as the venue writes them."""
        contract, book = self.listing[spelling], self.pits[spelling].book
        return written(contract, book.bids(count)), written(contract, book.asks(count))

    def flush(self, speed: int, ms: int) -> None:
        """Send the depth streams of a speed (ms)."""
        for spelling, depths in self._depths.items():
            depths.flush(speed, self.listing[spelling], ms)

    def flush_aggregates(self, ms: int) -> None:
        """Send aggregate trades that nothing can be added to any more."""
        for spelling, pit in self.pits.items():
            if pit.aggregates and pit.aggregates[-1].ms < ms - 100:
                self._aggregate(spelling, pit.aggregates[-1])

    def flush_klines(self, ms: int) -> None:
        """Begin new candles where it is time, and send those that closed, and the last one where it changed."""
        wanted = self.hub.wanted
        for contract, pit in self:
            for interval, names in self._kline_names[pit.spelling]:
                listened = names[0] in wanted or names[1] in wanted
                series = pit.klines(interval) if listened else pit.series.get(interval)
                if series is None or not series.candles:
                    continue
                series.roll(ms)
                if not listened:
                    series.sent = None
                    continue
                for candle in series.closed(ms - _LATE):
                    self._kline(contract, names, interval, candle, True, ms)
                if series.changed and series.candles[-1].count:
                    self._kline(contract, names, interval, series.candles[-1], False, ms)
                series.changed = False

    def _kline(
        self, contract: Listed, names: tuple[str, str], interval: str, candle: Candle, closed: bool, ms: int
    ) -> None:
        for name, make in zip(names, (streams.kline, streams.continuous_kline), strict=True):
            if name in self.hub.wanted:
                self.hub.publish(name, make(contract, interval, candle, closed, ms))

    def _aggregate(self, spelling: str, trade: AggregateTrade) -> None:
        if trade.closed:
            return
        trade.closed = True
        stream = f"{spelling.lower()}@aggTrade"
        if stream in self.hub.wanted:
            self.hub.publish(stream, streams.aggregate_trade(self.listing[spelling], trade, self.clock.now()))

    def _tell(self, event: Market) -> None:
        # Streams overtake each other by some ms; time never goes back.
        if event.ts < self._ts:
            event = msgspec.structs.replace(event, ts=self._ts)
        else:
            self._ts = event.ts
        self._seq += 1
        for listener in self._listeners:
            listener(self._seq, event)
