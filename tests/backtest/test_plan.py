"""What a backtest replaces of a recipe, and which data it takes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import polars as pl
import pytest

from quantmind.backtest.library import Library
from quantmind.backtest.plan import Plan
from quantmind.backtest.simulated import choose_executor
from quantmind.errors import UsageError
from quantmind.kinds import Executor, NoOptions
from quantmind.kinds.moment import parse_moment
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems

MINUTE = 60_000_000_000
NAMES = ("BTC_USDT_USDT", "ETH_USDT_USDT")


class Venue(Executor[NoOptions]):
    """Sends orders to a venue."""

    name = "venue"

    @classmethod
    def account(cls, _):
        return "venue"


class Twin(Venue):
    """Fills orders by another simulation."""

    name = "twin"
    simulated: ClassVar[bool] = True


@pytest.fixture
def recipe(plain, tmp_path):
    def make(components=(Venue,), **changes):
        plugins = Plugins(extra=components)
        return load({**plain, **changes}, plugins, Project(tmp_path), {}), plugins

    return make


@pytest.fixture
def library(tmp_path, save, make_bars):
    """Ten hours of bars of 1m and 5m of two instruments, with funding and marks of the first."""
    folder = tmp_path / "data"
    for name in NAMES:
        save(make_bars(), folder / f"{name}-1m-futures.feather")
        save(make_bars(every=5), folder / f"{name}-5m-futures.feather")
    times = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=8 * n) for n in range(2)]
    save(pl.DataFrame({"date": times, "open": [0.0001, 0.0002]}), folder / f"{NAMES[0]}-8h-funding_rate.feather")
    prices = [100.0, 101.0]
    save(pl.DataFrame({"date": times, "open": prices, "close": prices}), folder / f"{NAMES[0]}-8h-mark.feather")
    return Library.of([folder])


def plan_of(recipe, library, **options):
    loaded, plugins = recipe
    return Plan.make(loaded, library, choose_executor(loaded, plugins, None, {}), **options)


def test_feed_and_executor_are_replaced_and_sinks_left_out(recipe, library):
    plan = plan_of(recipe(), library)
    loaded = plan.recipe
    assert [spec.component.name for spec in loaded.feeds] == ["recorded"]
    assert loaded.sinks == ()
    assert loaded.resolved["feeds"] != recipe()[0].resolved["feeds"]
    assert "sinks" not in loaded.resolved
    assert plan.recorded.interval == MINUTE
    assert list(plan.recorded.funding) == list(plan.recorded.marks) == ["BTC/USDT:USDT"]
    assert (plan.begins, plan.ends) == (parse_moment("2024-01-01"), parse_moment("2024-01-01T10:00:00"))


def test_a_transport_is_left_out_and_sinks_can_be_kept(recipe, library):
    made = recipe(transport={"zeromq": {"endpoint": "tcp://127.0.0.1:5555"}})
    plan = plan_of(made, library, sinks=True)
    assert plan.recipe.transport is None
    assert [spec.component.name for spec in plan.recipe.sinks] == ["console"]


def test_the_shortest_bars_that_everything_can_be_built_from(recipe, library, plain):
    assert plan_of(recipe(), library, interval=5 * MINUTE).recorded.interval == 5 * MINUTE
    with pytest.raises(UsageError, match=r"no bars of 1h of every instrument; --interval may be 1m, 5m"):
        plan_of(recipe(), library, interval=60 * MINUTE)
    with pytest.raises(RecipeProblems, match=r"needs bars of 1m .*but no feed offers them"):
        plan_of(
            recipe(strategies=[{"momentum": {"interval": "1m"}}]), library, interval=5 * MINUTE
        )  # nothing shorter is built from longer bars


def test_symbols_of_different_spans(recipe, library, save, make_bars, tmp_path):
    later = save(make_bars(minutes=60, first=600), tmp_path / "data" / "ETHUSDT-1m-2024-01-01.csv")
    plan = plan_of(recipe(), Library.of([later, *library.paths]))
    assert plan.ends == parse_moment("2024-01-01T11:00:00")
    assert plan.notes[0] == "the bars of BTC/USDT:USDT are of 2024-01-01T00:00:00Z to 2024-01-01T10:00:00Z only"


def test_what_the_data_lack_is_said(recipe, library):
    assert plan_of(recipe(), library).notes == (
        "no funding rates of ETH/USDT:USDT were found: its positions pay and receive none",
    )


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2023-12-31", None, "begin 2024-01-01T00:00:00Z, after --start 2023-12-31T00:00:00Z"),
        (None, "2024-01-02", "end 2024-01-01T10:00:00Z, before --end 2024-01-02T00:00:00Z"),
        ("2024-01-03", None, "end 2024-01-01T10:00:00Z, before --start 2024-01-03T00:00:00Z"),
        (None, "2023-12-31", "begin 2024-01-01T00:00:00Z, after --end 2023-12-31T00:00:00Z"),
    ],
)
def test_data_that_do_not_cover_what_is_asked_for(recipe, library, start, end, words):
    span = {"start": start and parse_moment(start), "end": end and parse_moment(end)}
    with pytest.raises(UsageError) as error:
        plan_of(recipe(), library, **span)
    assert str(error.value).startswith(f"the bars of 1m of BTC/USDT:USDT {words}")


def test_a_simulated_executor_stays_with_its_options(recipe):
    loaded, plugins = recipe()
    spec = choose_executor(loaded, plugins, None, {"balance": "7000", "latency": "20ms", "fee": "0.001"})
    assert spec.component is loaded.executor.component
    assert (spec.options.balance, spec.options.latency, spec.options.taker_fee) == (
        Decimal(7000),
        20_000_000,
        Decimal("0.001"),
    )
    assert choose_executor(loaded, plugins, None, {}).options == loaded.executor.options


def test_terms_go_before_what_the_recipe_says(recipe):
    tiers = [{"volume": 0, "maker_fee": 0.0001, "taker_fee": 0.0003}]
    loaded, plugins = recipe(executor={"paper": {"fee_tiers": tiers, "slippage": {"ticks": 2}}})
    options = choose_executor(loaded, plugins, None, {"fee": "0", "slippage": "0.001", "leverage": "5"}).options
    assert (options.maker_fee, options.taker_fee, options.fee_tiers) == (0, 0, ())
    assert (options.slippage.ticks, options.slippage.fraction, options.leverage) == (2, 0.001, 5)


def test_a_venue_is_replaced_by_the_only_simulation_there_is(recipe):
    loaded, plugins = recipe(executor="venue")
    spec = choose_executor(loaded, plugins, None, {"balance": "7000"})
    assert (spec.component.simulated, spec.options.balance) == (True, Decimal(7000))


def test_of_several_simulations_one_is_named(recipe):
    loaded, plugins = recipe(executor="venue", components=(Venue, Twin))
    with pytest.raises(UsageError, match="a backtest needs one that is; name one with --executor: paper, twin"):
        choose_executor(loaded, plugins, None, {})
    assert choose_executor(loaded, plugins, "twin", {}).component is Twin
    with pytest.raises(UsageError, match="executor venue is not simulated: a backtest sends nothing to a venue"):
        choose_executor(loaded, plugins, "venue", {})


def test_an_option_that_the_executor_does_not_have(recipe):
    loaded, plugins = recipe(components=(Venue, Twin))
    with pytest.raises(UsageError, match="--slippage: executor twin has no such option"):
        choose_executor(loaded, plugins, "twin", {"slippage": "1"})


def test_an_option_out_of_range(recipe):
    loaded, plugins = recipe()
    with pytest.raises(UsageError, match=r"^--balance: must be above 0, was -5$"):
        choose_executor(loaded, plugins, None, {"balance": "-5"})


def test_what_sets_several_options_is_told_once_as_it_was_written(recipe):
    loaded, plugins = recipe()
    with pytest.raises(
        UsageError, match=r"^--fee: must be a number, was 0,0005; --slippage: must be a number, was 1%$"
    ):
        choose_executor(loaded, plugins, None, {"fee": "0,0005", "slippage": "1%"})


async def collected(plan):
    spec = plan.recipe.feeds[0]
    feed = spec.component(spec.options, plan.recipe.instruments)
    feed.wanted = feed.offers(spec.options, [i.symbol for i in plan.recipe.instruments])
    async with feed:
        return [event async for batch in feed.events() for event in batch]


def test_the_feed_gives_bars_marks_and_funding(recipe, library):
    events = asyncio.run(collected(plan_of(recipe(), library)))
    kinds = [type(event).__name__ for event in events]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"Bar": 1200, "Mark": 2, "FundingRate": 2}
