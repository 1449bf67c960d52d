"""Options: what cannot be meant is refused, and says what to do."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES
from quantmind_ccxt import Ccxt
from quantmind_ccxt.options import CcxtOptions

BTC = "BTC/USDT:USDT"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"exchange": "binanceusd"}, "did you mean binanceusdm"),
        ({"exchange": "no such place"}, "ccxt.pro's ids are such as"),
        ({"url": "127.0.0.1:8900"}, "must be an address such as http://127.0.0.1:8900"),
        ({"url": "http://127.0.0.1:8900/ws"}, "must be an address such as"),
        ({"url": "http://127.0.0.1:8900", "exchange": "bybit"}, "stands in for binanceusdm alone"),
        ({"settings": {"apiKey": "k", "secret": "s"}}, "needs no apiKey and no secret"),
        ({"book_levels": 0}, "greater than or equal to 1"),
        ({"book_speed": "1s"}, "0ms"),
        ({"rate_share": 1.5}, "less than or equal to 1"),
        ({"stale_after": "1ms"}, "greater than or equal to"),
    ],
)
def test_what_is_refused(options, why):
    with pytest.raises(ValidationError, match=why):
        CcxtOptions(**options)


def test_binance_offers_all_but_bars_which_are_built_from_its_trades():
    assert Ccxt.offers(CcxtOptions(), [BTC]) == {BTC: {QUOTES, TRADES, BOOKS, MARKS, FUNDING, TICKERS}}


def test_another_exchange_offers_what_ccxt_says():
    assert Ccxt.offers(CcxtOptions(exchange="okx"), [BTC])[BTC] >= {QUOTES, TRADES, BOOKS, MARKS}


def test_it_is_live():
    assert Ccxt.runs_live(CcxtOptions())
