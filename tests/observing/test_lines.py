"""Lines of a tap say what a frame says."""

from __future__ import annotations

import json
from decimal import Decimal

from quantmind.events import (
    Done,
    FactsWanted,
    History,
    Incident,
    Mark,
    Share,
    Signal,
    Target,
    Transfer,
    Upto,
    codec,
)
from quantmind.events.trading import Part
from quantmind.observing.lines import lines

BTC = "BTC/USDT:USDT"


def said(*messages, stage="feed", symbols=()):
    frame = codec.Frame(codec.FRAME_VERSION, "p", stage, "s", "operations", 3, messages)
    return [json.loads(line) for line in lines(frame, symbols)]


def test_who_is_addressed_does_not_hide_who_speaks():
    (row,) = said(History("strategy", 1, 5, 0, (Mark(BTC, 1, 2.0),)))
    assert (row["stage"], row["for"]) == ("feed", "strategy")
    assert row["events"] == [{"type": "mark", "symbol": BTC, "ts": 1, "price": 2.0, "received": 0}]
    (own,) = said(FactsWanted("feed", 5))
    assert (own["stage"], "for" in own) == ("feed", False)
    assert said(Incident("feed", 1, "gap", "sink", "facts", 2))[0]["stage"] == "feed"


def test_decisions_and_facts_have_lines_of_their_own():
    target = Target(BTC, Decimal("0.10"), (Share("m", Decimal("1E-3")),), 5, "t1", "s1")
    upto = Upto(7, (Signal(BTC, "m", 1.0, 0.5),), (target,), ("refused it",))
    signal, told, rest = said(upto, stage="strategy")
    assert (signal["type"], told["type"], rest["type"]) == ("signal", "target", "upto")
    assert told["value"] == "0.10"
    assert told["shares"] == [{"strategy": "m", "value": "0.001"}]
    assert (rest["signals"], rest["targets"], rest["refused"]) == ([], [], ["refused it"])
    transfer = Transfer(4, "x", BTC, Decimal(5), (Part("m", Decimal(1), Decimal(0)),), 5, "t1")
    fact, report = said(Done(9, (transfer,)), Done(10), stage="execution")
    assert (fact["type"], fact["seq"], fact["price"]) == ("transfer", 9, "5")
    assert (report["type"], report["seq"], report["facts"]) == ("done", 10, [])


def test_lines_of_one_symbol():
    assert said(Mark(BTC, 1, 2.0), Mark("ETH/USDT:USDT", 1, 2.0), Done(1), symbols=(BTC,)) == said(Mark(BTC, 1, 2.0))
