"""Frames for the contract of transports: events of many kinds, and bytes that are no frame."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.events import (
    Bar,
    Book,
    Fill,
    Incident,
    Latch,
    Mark,
    Numbered,
    OrderState,
    OrderUpdate,
    Part,
    Presence,
    Quote,
    Refusal,
    Share,
    Signal,
    Target,
    Ticker,
    Trade,
    Upto,
    Valuation,
    Vitals,
    codec,
)
from quantmind.metrics import LAG, REFUSALS
from quantmind.testing.proving.walk import START

_SYMBOL = "BTC/USDT:USDT"


def one_of_each() -> tuple[codec.Message, ...]:
    """Return messages of every topic, with figures of many sizes."""
    d, ts = Decimal, START
    signal = Signal(_SYMBOL, "trend", -0.1, 1 / 3, ts, "s1", "1-2")
    target = Target(_SYMBOL, d("-0.21"), (Share("trend", d("-0.210")),), ts, "t1", "s1")
    parts = (Part("trend", d("1E-8"), d("-0.00"), d("2.5006150")),)
    market = (
        Quote(_SYMBOL, ts, 50012.2, 50012.3, 0.1, 1e16),
        Trade(_SYMBOL, ts, 50012.3, 5e-324, -1, 2**53),
        Bar(_SYMBOL, ts, 60_000_000_000, 1.0, 2.0, 0.1, 1.5, 1e-07),
        Mark(_SYMBOL, ts, 50012.25),
        Ticker(_SYMBOL, ts, 49000.0, 50500.0, 48900.5, 50012.2, 1234.5, 61_000_000.0),
        Book(_SYMBOL, ts, ((50012.2, 0.1),), ((50012.3, 2.0), (50012.4, 1.0))),
    )
    return (
        Numbered(1, 2**40, market),
        Upto(7, (signal,), (target,)),
        OrderUpdate(1, "o1", _SYMBOL, "buy", d("0.100"), d(0), False, OrderState.ACCEPTED, ts, "t1"),
        Fill(
            2, "f1", "o1", _SYMBOL, "buy", d("0.100"), d("5.00123E+4"), d("2.5"), d(0), d("0.1"),
            d("50012.3"), ts, "t1", "x1", True, parts,
        ),
        Refusal(3, _SYMBOL, "buy", d("0.300"), "leverage", "leverage 3.2 > limit 3 - é 漢 🙂", ts, "t1"),
        Latch(4, "drawdown", "flatten", "drawdown 0.1008 >= 0.1", ts, "1-2"),
        Valuation(5, ts, d("10000.5"), ((_SYMBOL, 50012.25),)),
        Presence("feed", ("execution", "strategy"), "20240101-000000", "ready"),
        Vitals("feed", ts, 4711, "ready", ("market data: late",), (LAG.figure(0.25), REFUSALS.figure(2, "band"))),
        Incident("sink", ts, "gap", "feed", "market", 3, "frames 4 to 6"),
    )  # fmt: skip


def bad_frames(good: bytes) -> dict[str, bytes]:
    """Return what is no frame, each made of a good one, by what is wrong with it."""
    other = msgspec.structs.replace(codec.decode_frame(good), version=codec.FRAME_VERSION + 1)
    return {
        "a frame of an unknown version": codec.encode_frame(other),
        "garbage": bytes(range(256)),
        "text": b"GET / HTTP/1.1\r\n\r\n",
        "a single byte": b"\x00",
        "a frame without its last byte": good[:-1],
        "the first half of a frame": good[: len(good) // 2],
        "a frame with a byte too many": good + b"\x00",
        "a map that claims to be large": b"\xdf\xff\xff\xff\xff",
        "lists within lists": b"\x91" * 5_000 + b"\x90",
    }
