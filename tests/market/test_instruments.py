from __future__ import annotations

from quantmind.market.instruments import KNOWN


def test_it_is_named_in_a_few_words():
    # It stands in the messages of faults: "sizing kelly failed on Sizing(instrument=...".
    assert repr(KNOWN["BTC/USDT:USDT"]) == "Instrument('BTC/USDT:USDT', tick=0.1, step=0.001)"
