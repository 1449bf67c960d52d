from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from pydantic import ValidationError

from quantmind.events import OrderState
from quantmind_console.console import Console, ConsoleOptions


async def lines(run, batch, **options):
    async with Console(ConsoleOptions.model_validate(options), run) as console:
        await console.write(batch)
    return run.output.getvalue().splitlines()


async def test_one_line_for_each_event(run_of_sink, one_of_each):
    assert await lines(run_of_sink, list(one_of_each.values())) == [
        "2024-01-01 00:03:20.250 signal  BTC/USDT:USDT momentum direction +1 confidence 0.42",
        "2024-01-01 00:03:20.250 order   BTC/USDT:USDT buy 0.100 accepted",
        "2024-01-01 00:03:20.250 fill    BTC/USDT:USDT buy 0.100 @ 50012.3 fee 2.500615 position 0.100",
        "2024-01-01 00:03:20.250 funding BTC/USDT:USDT -2.02 on 0.4 @ 50500 rate 0.0001",
        "2024-01-01 00:03:20.250 latch   account max_drawdown flatten: drawdown 0.1008 >= 0.1",
        "2024-01-01 00:03:20.250 refusal BTC/USDT:USDT buy 0.300 max_leverage: leverage 3.2 > limit 3",
    ]


async def test_targets_are_shown_when_asked_for(run_of_sink, one_of_each):
    assert await lines(run_of_sink, list(one_of_each.values()), events=["target"]) == [
        "2024-01-01 00:03:20.250 target  BTC/USDT:USDT target 0.21 (momentum 0.21)"
    ]


@pytest.mark.parametrize("state", list(OrderState))
async def test_states_that_other_lines_tell_are_left_out(run_of_sink, one_of_each, state):
    order = msgspec.structs.replace(one_of_each["order"], state=state)
    shown = state in {OrderState.ACCEPTED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.NOT_PLACED}
    assert len(await lines(run_of_sink, [order])) == shown


async def test_an_order_says_what_came_of_it(run_of_sink, one_of_each):
    order = msgspec.structs.replace(
        one_of_each["order"],
        state=OrderState.NOT_PLACED,
        reduce_only=True,
        filled=Decimal("0.040"),
        reason="never received",
    )
    (line,) = await lines(run_of_sink, [order])
    assert line.endswith("buy 0.100 reduce-only not placed filled 0.040: never received")


async def test_a_resting_order_says_why_it_rests_and_where(run_of_sink, one_of_each):
    order = msgspec.structs.replace(
        one_of_each["order"], side="sell", purpose="stop", trigger=Decimal("49512.30"), reduce_only=True
    )
    (line,) = await lines(run_of_sink, [order])
    assert line.endswith("stop sell 0.100 @ 49512.3 reduce-only accepted")


async def test_transfers_and_valuations_are_shown_when_asked_for(run_of_sink, one_of_each):
    assert await lines(run_of_sink, list(one_of_each.values()), events=["transfer", "valuation"]) == [
        "2024-01-01 00:03:20.250 transfer BTC/USDT:USDT momentum +0.1, reversion -0.1 @ 50012.25",
        "2024-01-01 00:03:20.250 valuation account equity 10000.5 at BTC/USDT:USDT 50012.25",
    ]


async def test_a_fill_that_realises_says_so(run_of_sink, one_of_each):
    fill = msgspec.structs.replace(one_of_each["fill"], realised=Decimal("-1.50"), position=Decimal(0))
    (line,) = await lines(run_of_sink, [fill])
    assert line.endswith("fee 2.500615 realised -1.5 position 0")


async def test_nothing_to_show_prints_nothing(run_of_sink, one_of_each):
    assert await lines(run_of_sink, [one_of_each["quote"]]) == []


@pytest.mark.parametrize("events", [[], ["quote"]])
def test_events_it_cannot_show_are_refused(events):
    with pytest.raises(ValidationError):
        ConsoleOptions.model_validate({"events": events})


async def test_flat_has_no_sign(run_of_sink, one_of_each):
    (line,) = await lines(run_of_sink, [msgspec.structs.replace(one_of_each["signal"], direction=0.0)])
    assert line.endswith("momentum direction 0 confidence 0.42")
