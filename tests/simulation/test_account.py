"""Funding, margin and liquidation, to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal as D

import msgspec
import pytest

from quantmind.events import Cancelled, Executed, Funded, FundingRate, Liquidated, Mark, Quote, Rejected
from quantmind.kinds import FUNDING, MARKS, QUOTES
from quantmind.ledger.positions import Position
from quantmind.market.instruments import KNOWN, Tier
from quantmind.simulation.fees import Fees, FeeTier, fees_of
from quantmind.simulation.latency import ConstantLatency, MeasuredLatency, RandomLatency
from quantmind.simulation.matching import Matching
from quantmind.simulation.terms import Terms

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000


class TestFunding:
    def test_a_long_pays_at_the_mark(self, quotes):
        """money.md 11."""
        venue = quotes(FUNDING, balance="100000")
        venue.order("buy", "0.400")
        venue.quote(50_000.0, 50_000.0)
        before = venue.wallet
        (funded,) = venue.show(FundingRate(BTC, 9 * MINUTE, 0.0001, 50_500.0))
        assert (funded.amount, funded.mark, funded.quantity) == (D("-2.02000000"), D("50500.0"), D("0.400"))
        assert venue.wallet == before - D("2.02")

    def test_a_short_receives_at_the_last_mark_or_price(self, marked):
        venue = marked(balance="100000")
        venue.order("sell", "0.400")
        venue.quote(50_000.0, 50_001.0)
        (funded,) = venue.show(FundingRate(BTC, 9 * MINUTE, 0.0001))
        assert (funded.mark, funded.amount) == (D("50000.5"), D("2.00002000"))
        venue.show(Mark(BTC, 10 * MINUTE, 50_500.0))
        (funded,) = venue.show(FundingRate(BTC, 11 * MINUTE, 0.0001))
        assert funded == Funded(
            BTC, 11 * MINUTE, f"funding-{BTC}-{11 * MINUTE}", D("0.0001"), D("50500.0"), D("-0.400"), D("2.02")
        )

    def test_who_holds_nothing_pays_nothing(self, quotes):
        venue = quotes(FUNDING)
        venue.order("buy")
        assert not venue.show(FundingRate(BTC, 9 * MINUTE, 0.0001, 50_500.0))


class TestWaiting:
    def test_it_holds_orders_and_positions_that_events_can_change(self, marked):
        venue = marked()
        waiting = venue.engine.waiting
        assert not waiting
        order = venue.order("buy")
        assert waiting == {order}
        venue.quote(100.0, 100.1)
        assert waiting == {BTC}
        venue.order("sell")
        venue.quote(100.0, 100.1)
        assert not waiting
        assert venue.engine.waiting is waiting

    def test_without_margin_and_funding_a_position_waits_for_nothing(self, quotes):
        venue = quotes(margin="none")
        venue.order("buy", "1000000")
        venue.quote(100.0, 100.1)
        assert not venue.engine.waiting


class TestMargin:
    def test_an_increase_beyond_the_margin_is_rejected(self, quotes):
        venue = quotes(balance="1000", leverage=D(10))
        small, large = venue.order("buy", "100"), venue.order("buy", "0.001")
        events = venue.quote(100.0, 100.0)
        assert [type(event) for event in events] == [Executed, Rejected]
        assert (events[0].order, events[1].order, events[1].reason) == (small, large, "margin")

    def test_what_reduces_always_passes_and_a_reversal_is_judged_by_what_it_leads_to(self, quotes):
        venue = quotes(balance="1000", leverage=D(10))
        venue.order("buy", "100")
        venue.quote(100.0, 100.0)
        venue.order("sell", "200")
        assert isinstance(venue.quote(100.0, 100.0)[0], Executed)
        assert venue.position == -100

    def test_resting_limit_orders_reserve_margin(self, quotes):
        venue = quotes(balance="1000", leverage=D(10))
        venue.order("buy", "60", type="limit", price="90")
        assert not venue.quote(100.0, 100.0)
        venue.order("buy", "60")
        assert isinstance(venue.quote(100.0, 100.0)[0], Rejected)

    def test_a_stop_is_judged_when_it_triggers(self, quotes):
        venue = quotes(balance="1000", leverage=D(10))
        order = venue.order("buy", "200", type="stop_market", trigger="110")
        assert not venue.quote(100.0, 100.0)
        assert venue.quote(110.0, 110.0) == [Rejected(order, venue.now, "margin")]


class TestLiquidation:
    """Long 100 at 100 with 1,000: backing 1000 + 100 p - 10000 = 100 p * 0.02 at p = 91.83673469..."""

    @pytest.fixture
    def venue(self, marked):
        venue = marked(balance="1000", leverage=D(10))
        tiers = (Tier(D(0), D("0.02"), D(0)),)
        instruments = {BTC: msgspec.structs.replace(KNOWN[BTC], tiers=tiers)}
        venue.engine = Matching(instruments, venue.channels, venue.terms, D(1000))
        venue.order("buy", "100")
        venue.quote(100.0, 100.0)
        return venue

    def test_it_comes_when_the_mark_crosses_and_not_before(self, venue):
        stop = venue.order("sell", "100", type="stop_market", trigger="50", close_position=True)
        venue.quote(100.0, 100.0)
        assert not venue.show(Mark(BTC, venue.now + MINUTE, 91.84))
        events = venue.show(Mark(BTC, venue.now + MINUTE, 91.83))
        assert events == [
            Cancelled(stop, venue.now, "liquidated"),
            Liquidated(
                BTC, venue.now, f"liquidation-{BTC}-{venue.now}", "sell", D("91.8"), D(100), D("9180.0") * D("0.0125")
            ),
        ]
        assert venue.position == 0
        assert venue.wallet == D(1000) - D(820) - D("114.75")
        assert not venue.engine.waiting

    def test_the_last_price_does_not_count_where_there_is_a_mark(self, venue):
        venue.show(Mark(BTC, venue.now + MINUTE, 100.0))
        assert not venue.quote(50.0, 50.0)

    def test_against_bars_the_low_counts(self, minutes):
        venue = minutes(balance="1000", leverage=D(10))
        venue.order("buy", "100")
        venue.flat_bar(100.0)
        assert not venue.bar(100.0, 101.0, 90.5, 100.0)
        (liquidated,) = venue.bar(100.0, 101.0, 90.0, 100.0)
        assert liquidated.price == D("90.3")

    def test_against_bars_a_stop_before_it_saves_the_rest(self, minutes):
        venue = minutes(balance="1000", leverage=D(10))
        venue.order("buy", "100")
        venue.order("sell", "100", type="stop_market", trigger="95", close_position=True)
        venue.flat_bar(100.0)
        (executed,) = venue.bar(100.0, 101.0, 80.0, 100.0)
        assert isinstance(executed, Executed)
        assert executed.price == D("95.0")

    def test_a_position_opened_and_lost_in_one_bar(self, minutes):
        venue = minutes(balance="1000", leverage=D(10))
        venue.order("sell", "100")
        events = venue.bar(100.0, 120.0, 100.0, 100.0)
        assert [type(event) for event in events] == [Executed, Liquidated]


def vectors(data):
    return json.loads((data / "binance_usdm_fixtures" / "vectors.json").read_text())["liquidation_price"]


def worked(data, mode, leverage=D(20)):
    """The worked example of Binance's FAQ: one account, two positions."""
    found = {ETH: vectors(data)[0], BTC: vectors(data)[1]}
    instruments, positions = {}, {}
    for symbol, vector in found.items():
        tiers = (Tier(D(0), D(str(vector["mmr"])), D(str(vector["cum"]))),)
        instruments[symbol] = msgspec.structs.replace(KNOWN[symbol], tiers=tiers)
        positions[symbol] = position = Position()
        position.quantity = D(str(vector["pos"]))
        position.cost = position.quantity * D(str(vector["entry"]))
    terms = Terms(margin=mode, leverage=leverage)
    return Matching(instruments, dict.fromkeys(KNOWN, frozenset({QUOTES, MARKS})), terms, D(0)), positions


@pytest.mark.parametrize(("symbol", "case"), [(ETH, 0), (BTC, 1)])
def test_the_worked_examples_with_cross_margin(data, symbol, case):
    engine, positions = worked(data, "cross")
    vector = vectors(data)[case]
    engine.restore_account(D(str(vector["wb"])), positions)
    # The marks of the example, by the unrealised profit that the other vector says.
    other = BTC if symbol == ETH else ETH
    held = positions[other]
    mark = (held.cost + D(str(vector["upnl"]))) / held.quantity
    assert not engine.on_market(1, Mark(other, 1, float(mark)))
    own = positions[symbol]
    assert not engine.on_market(2, Mark(symbol, 2, float(own.cost / own.quantity)))
    assert not engine.on_market(3, Mark(symbol, 3, vector["lp"] + 0.01))
    assert any(isinstance(event, Liquidated) for event in engine.on_market(4, Mark(symbol, 4, vector["lp"] - 0.01)))


@pytest.mark.parametrize(("symbol", "case"), [(ETH, 2), (BTC, 3)])
def test_the_worked_examples_with_isolated_margin(data, symbol, case):
    vector = vectors(data)[case]
    notional = D(str(vector["pos"])) * D(str(vector["entry"]))
    engine, positions = worked(data, "isolated", notional / D(str(vector["wb"])))
    engine.restore_account(D(str(vector["wb"])), {symbol: positions[symbol]})
    assert not engine.on_market(1, Mark(symbol, 1, vector["entry"]))
    assert not engine.on_market(2, Mark(symbol, 2, vector["lp"] + 0.01))
    (liquidated,) = engine.on_market(3, Mark(symbol, 3, vector["lp"] - 0.01))
    assert liquidated.quantity == positions[symbol].quantity


def test_with_cross_margin_one_loss_can_take_another_position(marked):
    venue = marked(balance="3000", leverage=D(20))
    venue.order("buy", "100")
    venue.order("buy", "100", symbol=ETH)
    venue.quote(100.0, 100.0)
    venue.quote(100.0, 100.0, symbol=ETH)
    assert not venue.show(Mark(ETH, venue.now + 1, 100.0))
    assert not venue.show(Mark(BTC, venue.now + 1, 80.0))
    events = venue.show(Mark(BTC, venue.now + 1, 65.0))
    assert [event.symbol for event in events if isinstance(event, Liquidated)] == [BTC, ETH]


class TestTerms:
    def test_fees_go_by_the_volume(self):
        tiers = [FeeTier(D(volume), Fees(D(volume), D(volume))) for volume in (0, 100, 200)]
        assert fees_of(tiers, D(150)).maker == 100
        with pytest.raises(ValueError, match="no fee tier"):
            fees_of(tiers[1:], D(50))

    def test_latency_is_drawn_by_the_name_of_the_command(self):
        assert ConstantLatency(5).of("a") == 5
        drawn = RandomLatency(10, 20, seed=3)
        times = [drawn.of(f"o{n}") for n in range(200)]
        assert set(times) <= set(range(10, 21))
        assert len(set(times)) == 11
        assert times == [RandomLatency(10, 20, seed=3).of(f"o{n}") for n in range(200)]
        assert {MeasuredLatency([7, 9], 1).of(f"o{n}") for n in range(50)} == {7, 9}


def test_a_position_is_valued_before_any_price(marked):
    """After a restart no price is known until the first event."""
    venue = marked()
    position = Position()
    position.quantity, position.cost = D(1), D(100)
    venue.engine.restore_account(D(1000), {BTC: position})
    assert venue.engine.account.equity() == 1000
    assert not venue.engine.on_market(1, Quote(BTC, 1, 100.0, 100.1, 1.0, 1.0))
    assert venue.engine.account.equity() == 1000 + D("0.05")


def test_what_another_symbol_lost_counts_at_the_next_price(quotes):
    """Cross margin: ETH is left with a loss, and BTC has 200 behind it instead of 3,000."""
    venue = quotes(balance="3000", margin="cross")
    venue.order("buy", "0.400")
    venue.quote(50_000.0, 50_000.0)
    venue.order("buy", "4", symbol=ETH)
    venue.quote(2_000.0, 2_000.0, symbol=ETH)
    venue.order("sell", "4", symbol=ETH)
    assert [type(event) for event in venue.quote(1_300.0, 1_300.0, symbol=ETH)] == [Executed]
    assert venue.wallet == 200
    events = venue.quote(49_600.0, 49_600.0)
    assert [type(event) for event in events] == [Liquidated]


def test_a_mark_of_hours_ago_does_not_hide_a_liquidation(marked):
    """Recorded marks may be 8 h apart: after a minute what is traded counts."""
    venue = marked(balance="1000", margin="cross")
    venue.order("buy", "0.200")
    venue.quote(50_000.0, 50_000.0)
    venue.show(Mark(BTC, venue.now + MINUTE, 50_000.0))
    assert not venue.quote(44_000.0, 44_000.0)
    assert [type(event) for event in venue.quote(44_000.0, 44_000.0)] == [Liquidated]


@pytest.mark.parametrize(
    ("side", "gap"), [("buy", 40_000.0), ("buy", 49_600.0), ("sell", 60_000.0), ("sell", 50_390.0)]
)
def test_an_isolated_position_loses_no_more_than_its_margin(quotes, side, gap):
    """1 BTC at 50,000 with a leverage of 100 has a margin of 500, whatever the price is by then, and the fee."""
    venue = quotes(balance="10000", margin="isolated", leverage=D(100), liquidation_fee=D("0.0125"))
    venue.order(side, "1")
    venue.quote(50_000.0, 50_000.0)
    assert Liquidated in [type(event) for event in venue.quote(gap, gap)]
    assert 9_500 <= venue.wallet < 9_501
