"""The budget of requests and the clock: by the venue's own words."""

from __future__ import annotations

import asyncio
import time

import pytest

from quantmind_ccxt.budget import Budget
from quantmind_ccxt.clock import VenueClock

LIMITS = '{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":600},...'


def answered(status=200, used=None, retry=None, body="", share=0.8):
    budget = Budget(share)
    headers = {"X-MBX-USED-WEIGHT-1M": used, "Retry-After": retry}
    budget.answered(status, {name: value for name, value in headers.items() if value is not None}, body)
    return budget


def test_what_is_used_is_what_the_venue_says():
    assert answered(used="1200").used == 0.5
    assert answered(used="300", body=LIMITS).used == 0.5
    assert answered(used="many").used == 0


@pytest.mark.parametrize(
    ("status", "retry", "body", "seconds"),
    [
        (429, "7", "", 7),
        (429, None, "", 60),
        (418, "120.5", "", 120.5),
        (418, None, "Way too much request weight used; IP banned until {}.", 3_600),
    ],
)
def test_a_refusal_forbids_everything_until_its_end(status, retry, body, seconds):
    # The names of tests hold no time: workers would know different ones.
    body = body.format(int((time.time() + 3_600) * 1_000))
    budget = answered(status, retry=retry, body=body)
    assert budget.forbidden_for == pytest.approx(seconds, rel=0.05, abs=2)
    assert budget.refusals == 1


async def test_requests_wait_for_the_end_of_a_refusal():
    budget = answered(429, retry="0.2")
    began = time.monotonic()
    await budget.take(5)
    assert time.monotonic() - began >= 0.19
    budget.done(5)


async def test_the_share_that_is_kept_for_others_is_not_taken():
    budget = answered(used="1915")
    await budget.take(5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await budget.take(1)
    budget.done(5)
    assert budget.used == pytest.approx(1_915 / 2_400)


async def test_a_request_that_is_given_up_leaves_its_place():
    budget = answered(used="2400")
    for _ in range(20):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await budget.take(1)
    budget.answered(200, {"X-MBX-USED-WEIGHT-1M": "1"}, "")
    async with asyncio.timeout(5):
        await budget.take(1)
    budget.done(1)


async def test_the_clock_is_that_of_half_the_way():
    async def fetch():
        await asyncio.sleep(0.2)
        return (time.time_ns() + 5_000_000_000) // 1_000_000

    clock = VenueClock(fetch, 2_000_000_000)
    assert clock.ailment == ""
    await clock.sample()
    # Told at the end of the way, it seems half of it too early: within what cannot be known.
    assert clock.offset == pytest.approx(5_100_000_000, abs=800_000_000)
    assert "clock is 5." in clock.ailment
    assert "behind the venue's: set it by NTP" in clock.ailment


async def test_what_the_way_may_hide_is_not_held_against_the_clock():
    async def fetch():
        await asyncio.sleep(0.2)
        return time.time_ns() // 1_000_000

    clock = VenueClock(fetch, 50_000_000)
    await clock.sample()
    assert clock.ailment == ""
