"""Live stages: each may come late, go and come again; positions, stops and facts are right all the while."""

from __future__ import annotations

import asyncio

import pytest

from quantmind.events import Fill, Health, Incident, OrderUpdate, Refusal

pytestmark = pytest.mark.timeout(60)


async def test_a_signal_becomes_a_position_with_its_stop_and_the_sinks_have_every_fact(pipeline):
    made = pipeline()
    made.start()
    await made.until(lambda: made.position() == 1)
    await made.until(lambda: made.heard(Fill))
    assert made.heard(Fill)[0].quantity == 1
    await made.until(lambda: any(o.purpose == "stop" and o.state == "accepted" for o in made.heard(OrderUpdate)))
    await made.until(lambda: made.strategy.fills)
    await made.stop()


@pytest.mark.parametrize(
    "order", [("sink", "execution", "strategy", "feed"), ("strategy", "feed", "sink", "execution")]
)
async def test_stages_may_come_in_any_order(pipeline, order):
    made = pipeline()
    for name in order:
        made.start(name)
        await asyncio.sleep(0.3)
    await made.until(lambda: made.position() == 1)
    await made.stop()


@pytest.mark.parametrize("name", ["feed", "strategy", "execution", "sink"])
async def test_a_stage_that_starts_again_moves_nothing_and_goes_on(pipeline, name):
    made = pipeline()
    made.start()
    await made.until(lambda: made.position() == 1 and made.heard(Fill))
    await made.stop(name)
    made.start(name)
    await asyncio.sleep(1.5)
    assert made.position() == 1
    made.strategy.wanted = -1.0
    await made.until(lambda: made.position() == -1)
    await made.until(lambda: len(made.heard(Fill)) >= 2)
    numbers = [fill.number for fill in made.heard(Fill)]
    assert numbers == sorted(set(numbers))
    await made.stop()


async def test_entries_stop_while_the_strategy_stage_is_away_and_exits_do_not(pipeline, caplog):
    made = pipeline()
    made.start()
    await made.until(lambda: made.position() == 1)
    await made.stop("strategy")
    await made.until(lambda: "strategy: its last word" in " ".join(made.heard(Health)[-1].reasons))
    # At the start, too, it had said nothing yet; that is no ailment.
    await made.until(lambda: any("ailing" in message for message in caplog.messages))
    (logged,) = (message for message in caplog.messages if "ailing" in message)
    assert logged.startswith("ailing: strategy: its last word is ")
    assert logged.endswith(" s old; nothing is entered")
    made.market.price = 80.0
    await made.until(lambda: made.position() == 0)
    made.market.price = 100.0
    made.start("strategy")
    await made.until(lambda: made.heard(Health)[-1].reasons == ())
    assert made.position() == 0, "what is signalled while it warms up is not sent"
    made.strategy.wanted = -1.0
    await made.until(lambda: made.position() == -1)
    await made.stop()


async def test_entries_stop_while_the_feed_is_away(pipeline):
    made = pipeline()
    made.start("strategy", "execution", "sink")
    made.start("feed")
    await made.until(lambda: made.position() == 1)
    await made.stop("feed")
    await made.until(lambda: "market data" in " ".join(made.heard(Health)[-1].reasons))
    made.start("feed")
    await made.until(lambda: made.heard(Health)[-1].reasons == ())
    restarts = [i for i in made.heard(Incident) if i.what == "restart" and i.of == "feed"]
    assert {incident.stage for incident in restarts} >= {"strategy", "execution"}
    await made.stop()


async def test_entries_stop_while_the_market_is_silent(pipeline):
    made = pipeline()
    made.start()
    await made.until(lambda: made.position() == 1)
    made.market.silent = True
    await made.until(lambda: "no market event has come" in " ".join(made.heard(Health)[-1].reasons))
    made.market.silent = False
    await made.until(lambda: made.heard(Health)[-1].reasons == ())
    await made.stop()


async def test_lost_facts_are_told_again_and_the_gap_is_told(pipeline):
    made = pipeline()
    lost = []

    def lose(stage, frame):
        if stage == "execution" and frame.topic == "facts" and len(lost) < 4 and made.position():
            lost.append(frame)
            return True
        return False

    made.wire.lose = staticmethod(lose)
    made.start()
    await made.until(lambda: made.position() == 1)
    await made.until(lambda: made.heard(Fill))
    await made.until(lambda: made.strategy.fills)
    assert len(lost) == 4
    gaps = [i for i in made.heard(Incident) if i.what == "gap" and i.of == "execution" and i.topic == "facts"]
    assert sum(incident.count for incident in gaps if incident.stage == "sink") == 4
    numbers = [event.number for event in made.seen if hasattr(event, "number") and not isinstance(event, Refusal)]
    assert numbers == sorted(set(numbers))
    await made.stop()


async def test_a_lost_target_is_said_again(pipeline):
    made = pipeline()
    made.wire.lose = staticmethod(
        lambda stage, frame: stage == "strategy" and any(getattr(m, "signals", ()) for m in frame.messages)
    )
    made.start()
    await made.until(lambda: made.position() == 1)
    await made.stop()


async def test_market_events_that_are_not_sound_are_told_and_left_out(pipeline):
    made = pipeline()
    made.start()
    await made.until(lambda: made.position() == 1)
    made.market.price = float("nan")
    await made.until(lambda: any(i.what == "invalid" for i in made.heard(Incident)))
    made.market.price = 100.0
    made.strategy.wanted = -1.0
    await made.until(lambda: made.position() == -1)
    await made.stop()


async def test_a_sink_that_hangs_holds_up_nothing_and_its_facts_are_told_again_to_the_next(pipeline):
    made = pipeline()
    hanging = asyncio.Event()

    class Hanging(made.components[-1]):
        """Takes nothing until it is let."""

        async def write(self, batch):
            await hanging.wait()
            await super().write(batch)

    made.components[-1] = Hanging
    made.start()
    await made.until(lambda: made.position() == 1)
    sink = made.stages["sink"]
    await made.until(lambda: sink._given)
    await asyncio.sleep(0.5)
    assert sink._progress.number is None, "nothing is written, so nothing is noted"
    assert len(sink._waiting) < 1_000
    hanging.set()
    await made.until(lambda: made.heard(Fill))
    await made.until(lambda: sink._progress.number == sink._facts.number)
    await made.stop()
