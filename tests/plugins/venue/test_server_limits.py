"""Limits: counted as the venue counts, said in headers, and kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind_venue.api.limits import Limits
from quantmind_venue.errors import VenueError

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class Wall:
    def __init__(self):
        self.now = 1_700_000_040 * SECOND

    def __call__(self):
        return self.now


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def limits(wall):
    return Limits(enforced=True, now=wall)


def refused(call, *arguments):
    with pytest.raises(VenueError) as caught:
        call(*arguments)
    return caught.value


def test_weight_is_counted_to_the_minute(limits, wall):
    headers = {}
    for used in range(40, 2_401, 40):
        limits.request(40, headers)
        assert headers["X-MBX-USED-WEIGHT-1M"] == str(used)
    error = refused(limits.request, 1, headers)
    assert (error.status, error.code, error.headers) == (429, -1003, {"Retry-After": "60"})
    wall.now += 59 * SECOND
    assert refused(limits.request, 1, headers).headers == {"Retry-After": "1"}
    wall.now += SECOND
    limits.request(1, headers)
    assert headers["X-MBX-USED-WEIGHT-1M"] == "1"


def test_who_goes_on_is_banned_for_two_minutes(limits, wall):
    limits.request(2_400, {})
    assert [refused(limits.request, 1, {}).status for _ in range(12)] == [429] * 10 + [418] * 2
    wall.now += 119 * SECOND
    error = refused(limits.request, 1, {})
    assert (error.status, error.headers) == (418, {"Retry-After": "1"})
    wall.now += SECOND
    limits.request(1, {})


@pytest.mark.parametrize(("count", "interval", "wait"), [(300, "10 SECOND", 10), (1_200, "1 MINUTE", 20)])
def test_orders_are_counted_twice(limits, wall, count, interval, wait):
    headers = {}
    left = count
    while left:
        for _ in range(min(left, 300)):
            limits.order(1, headers)
        left -= min(left, 300)
        if left:
            wall.now += 10 * SECOND
    if count > 300:
        wall.now += 10 * SECOND
    error = refused(limits.order, 1, headers)
    assert (error.status, error.code, error.headers["Retry-After"]) == (429, -1015, str(wait))
    assert f"{count} orders per {interval}" in error.message
    assert headers["X-MBX-ORDER-COUNT-1M"] == str(count + 1)


def test_without_limits_they_are_only_counted(wall):
    limits, headers = Limits(enforced=False, now=wall), {}
    for _ in range(100):
        limits.request(100, headers)
        limits.order(100, headers)
    assert (headers["X-MBX-USED-WEIGHT-1M"], headers["X-MBX-ORDER-COUNT-10S"]) == ("10000", "10000")


@given(st.lists(st.tuples(st.integers(0, 30 * SECOND), st.integers(1, 100)), max_size=80))
def test_no_minute_takes_more_than_the_limit(steps):
    wall = Wall()
    limits = Limits(enforced=True, now=wall)
    taken = {}
    for wait, weight in steps:
        wall.now += wait
        try:
            limits.request(weight, {})
        except VenueError:
            continue
        minute = wall.now // MINUTE
        taken[minute] = taken.get(minute, 0) + weight
    assert all(weight <= 2_400 for weight in taken.values())


async def test_headers_and_refusals_over_http(venues, http):
    venue = await venues()
    for path, used in (("time", 1), ("depth?symbol=BTCUSDT&limit=1000", 21), ("klines?symbol=BTCUSDT&interval=1m", 26)):
        async with http.get(f"{venue.url}/fapi/v1/{path}") as answer:
            assert answer.headers["X-MBX-USED-WEIGHT-1M"] == str(used)
    while True:
        async with http.get(f"{venue.url}/fapi/v1/ticker/24hr") as answer:
            if answer.status != 200:
                break
            used += 40
            assert answer.headers["X-MBX-USED-WEIGHT-1M"] == str(used)
    assert (answer.status, used) == (429, 2_386)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    async with http.get(f"{venue.url}/venue/state") as answer:
        assert answer.status == 200


async def test_who_talks_too_much_on_a_stream_is_cut_off(venues, http):
    venue = await venues()
    socket = await http.ws_connect(venue.url + "/ws")
    for number in range(12):
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
    for number in range(10):
        assert await socket.receive_json() == {"result": [], "id": number}
    await socket.receive()
    assert socket.close_code == 1008


async def test_a_fault_of_the_venue_itself_is_told_as_the_venue_tells_of_its_own(venues, http, monkeypatch, caplog):
    venue = await venues()
    monkeypatch.setattr(venue.limits, "request", lambda *_: 1 / 0)
    async with http.get(f"{venue.url}/fapi/v1/time") as answer:
        assert answer.status == 500
        assert (await answer.json())["code"] == -1000
    assert "GET /fapi/v1/time failed" in caplog.text
