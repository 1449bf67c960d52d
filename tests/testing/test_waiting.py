"""Waiting: it ends when something holds, acts meanwhile, and says what did not come."""

from __future__ import annotations

import asyncio

import pytest

from quantmind.testing import until, waiting


async def test_what_holds_is_not_waited_for():
    acted = []
    await until(lambda: [1], act=lambda: acted.append(1))
    assert not acted


async def test_others_run_until_it_holds():
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, done.set)
    await until(done.is_set)
    assert done.is_set()


async def test_it_acts_again_and_again_and_awaits_what_is_to_be_awaited():
    acted = []

    async def act():
        await asyncio.sleep(0)
        acted.append("slowly")

    await until(lambda: len(acted) == 3, act=act)
    await until(lambda: len(acted) == 5, act=lambda: acted.append("at once"))
    assert acted == ["slowly"] * 3 + ["at once"] * 2


@pytest.mark.parametrize(
    ("told", "words"),
    [("", "what is waited for has not come in 0.05 s"), ("no frame", "no frame"), (lambda: "2 of 3", "2 of 3")],
)
async def test_what_does_not_come_is_told(monkeypatch, told, words):
    monkeypatch.setattr(waiting, "PATIENCE", 0.05)
    with pytest.raises(AssertionError, match=f"^{words}$"):
        await until(lambda: False, told)


async def test_what_a_condition_or_an_act_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        await until(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await until(lambda: False, act=lambda: 1 / 0)
