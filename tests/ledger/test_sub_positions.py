"""Sub-positions: who has what of one net position, in the worked figures."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.events import Fill, Funding, Part, Transfer
from quantmind.ledger.sub_positions import SubPositions

BTC = "BTC/USDT:USDT"
STEP = D("0.001")


def subs_of(**held):
    subs = SubPositions(list(held), STEP)
    for strategy, quantity in held.items():
        if D(quantity):
            subs.fill({strategy: D(quantity)}, D(50_000), D(0))
    return subs


def quantities(subs):
    return {strategy: str(position.quantity) for strategy, position in subs.positions.items()}


class TestOpposedStrategiesExample4:
    def test_they_pass_it_to_each_other(self):
        subs = SubPositions(["momentum", "mean_reversion"], STEP)
        transfers, rest = subs.plan({"momentum": D("0.160"), "mean_reversion": D("-0.160")}, {})
        assert transfers == {"momentum": D("0.160"), "mean_reversion": D("-0.160")}
        assert list(transfers) == ["momentum", "mean_reversion"]
        assert rest == {}
        parts = subs.transfer(transfers, D(50_000))
        assert parts == (Part("momentum", D("0.160"), D(0)), Part("mean_reversion", D("-0.160"), D(0)))
        assert quantities(subs) == {"momentum": "0.160", "mean_reversion": "-0.160"}
        assert all(position.fees == 0 for position in subs.positions.values())

    def test_what_one_earns_the_other_loses(self):
        subs = SubPositions(["momentum", "mean_reversion"], STEP)
        subs.transfer({"momentum": D("0.160"), "mean_reversion": D("-0.160")}, D(50_000))
        back = subs.transfer({"momentum": D("-0.160"), "mean_reversion": D("0.160")}, D(50_500))
        assert [part.realised for part in back] == [80, -80]


class TestStopsExample5:
    def test_a_stop_of_the_net_position_closes_those_on_its_side(self):
        subs = subs_of(a="0.5", b="-0.1")
        parts = subs.allot(D("-0.4"), {"a": D("-0.5")})
        assert parts == {"a": D("-0.4")}
        subs.fill(parts, D(49_500), D("9.9"))
        assert quantities(subs) == {"a": "0.1", "b": "-0.1"}

    def test_nobody_wants_it_but_those_that_hold_against_it(self):
        assert subs_of(a="0.5", b="-0.1").allot(D("-0.4"), {}) == {"a": D("-0.4")}

    def test_a_liquidation_leaves_nothing_on_either_side(self):
        subs = subs_of(a="0.5", b="-0.1")
        subs.fill(subs.allot(D("-0.4"), {}), D(40_000), D(8))
        transfers, rest = subs.plan(dict.fromkeys(subs.positions, D(0)), {})
        assert rest == {}
        subs.transfer(transfers, D(40_000))
        assert [position.quantity for position in subs.positions.values()] == [0, 0]
        assert [position.realised for position in subs.positions.values()] == [-5_000, 1_000]


class TestPartialFillExample8:
    def test_each_part_of_an_order_goes_by_share(self):
        subs = SubPositions(["a", "b"], STEP)
        _, rest = subs.plan({"a": D("0.300"), "b": D("0.100")}, {})
        first = subs.allot(D("0.150"), rest)
        assert first == {"a": D("0.113"), "b": D("0.037")}
        parts = subs.fill(first, D(50_000), D("3.75"))
        assert [part.fee for part in parts] == [D("2.825"), D("0.925")]
        second = subs.allot(D("0.250"), {"a": D("0.187"), "b": D("0.063")})
        subs.fill(second, D(50_000), D("6.25"))
        assert quantities(subs) == {"a": "0.300", "b": "0.100"}


class TestRoundingExample9:
    def test_three_share_a_fill(self):
        subs = SubPositions(["a", "b", "c"], STEP)
        wanted = {"a": D("0.134"), "b": D("0.133"), "c": D("0.133")}
        assert subs.allot(D("0.400"), wanted) == wanted
        equal = dict.fromkeys("abc", D("0.400"))
        assert list(subs.allot(D("0.400"), equal).values()) == [D("0.134"), D("0.133"), D("0.133")]


class TestFundingExample11:
    def test_a_long_pays(self):
        subs = subs_of(a="0.400")
        assert subs.fund(D("-2.02"), D(50_500), D("0.0001")) == (Part("a", D("0.400"), D("-2.02")),)
        assert subs.funding == {"a": D("-2.02")}

    def test_each_on_its_own_signed_quantity(self):
        subs = subs_of(a="0.500", b="-0.100", c="0")
        parts = subs.fund(D("-2.02"), D(50_500), D("0.0001"))
        assert parts == (Part("a", D("0.500"), D("-2.525")), Part("b", D("-0.100"), D("0.505")))
        assert subs.funding == {"a": D("-2.525"), "b": D("0.505"), "c": 0}

    def test_a_rounding_rest_goes_to_the_largest(self):
        subs = subs_of(a="0.001", b="0.002", c="0.001")
        # 0.001 * 10 * 0.0000015 = 1.5E-8: half-even 2E-8 each for a and c, 3E-8 for b: 1E-8 too much.
        parts = subs.fund(D("-6E-8"), D(10), D("0.0000015"))
        assert [part.realised for part in parts] == [D("-2E-8"), D("-2E-8"), D("-2E-8")]

    def test_what_comes_after_all_is_closed_is_the_first_ones(self):
        subs = subs_of(a="0", b="0")
        assert subs.fund(D("-1"), D(50_000), D("0.0001")) == (Part("a", D(0), D(-1)),)


class TestPlan:
    def test_what_goes_against_the_net_change_is_passed_on_in_proportion(self):
        transfers, rest = subs_of(a="0", b="0", c="0.300").plan({"a": D("0.400"), "b": D("0.200"), "c": D(0)}, {})
        assert transfers == {"a": D("0.200"), "b": D("0.100"), "c": D("-0.300")}
        assert rest == {"a": D("0.200"), "b": D("0.100")}

    def test_downwards(self):
        transfers, rest = subs_of(a="0", b="0").plan({"a": D("-0.5"), "b": D("0.1")}, {})
        assert transfers == {"a": D("-0.1"), "b": D("0.1")}
        assert rest == {"a": D("-0.4")}

    def test_what_is_working_is_on_its_way(self):
        assert subs_of(a="0.100").plan({"a": D("0.400")}, {"a": D("0.300")}) == ({}, {})

    def test_who_is_not_named_stays(self):
        assert subs_of(a="0.100", b="-0.100").plan({"a": D("0.100")}, {}) == ({}, {})

    def test_a_new_strategy_may_be_named(self):
        assert SubPositions([], STEP).plan({"new": D("0.1")}, {}) == ({}, {"new": D("0.1")})


class TestAllot:
    def test_what_is_too_much_closes_and_the_rest_is_the_first_ones(self):
        subs = subs_of(a="0", b="-0.100", c="0.050")
        assert subs.allot(D("0.300"), {"c": D("0.050")}) == {"c": D("0.050"), "b": D("0.100"), "a": D("0.150")}

    def test_what_was_wanted_may_close_as_well(self):
        subs = subs_of(a="0.1", b="-0.2")
        assert subs.allot(D("0.2"), {"b": D("0.1")}) == {"b": D("0.2")}
        assert subs.allot(D("0.4"), {"b": D("0.1")}) == {"b": D("0.2"), "a": D("0.2")}

    def test_wishes_of_the_other_side_do_not_count(self):
        assert subs_of(a="0", b="0").allot(D("0.1"), {"a": D("-0.4"), "b": D("0.1")}) == {"b": D("0.1")}

    def test_the_only_one_has_all(self):
        assert subs_of(a="0").allot(D("0.7"), {}) == {"a": D("0.7")}


class TestFill:
    def test_a_rounding_rest_of_the_fee_goes_to_the_largest(self):
        subs = SubPositions(["a", "b"], STEP)
        parts = subs.fill({"a": D("0.001"), "b": D("0.002")}, D(50_000), D("0.00000001"))
        assert [part.fee for part in parts] == [0, D("1E-8")]
        parts = subs.fill({"a": D("0.001"), "b": D("0.001")}, D(50_000), D("0.00000003"))
        assert [part.fee for part in parts] == [D("1E-8"), D("2E-8")]

    def test_each_realises_its_own(self):
        subs = SubPositions(["a", "b"], STEP)
        subs.fill({"a": D("0.1")}, D(50_000), D(0))
        subs.fill({"b": D("0.1")}, D(51_000), D(0))
        parts = subs.fill({"a": D("-0.1"), "b": D("-0.1")}, D(52_000), D(0))
        assert [part.realised for part in parts] == [200, 100]


def test_a_transfer_sums_to_0():
    with pytest.raises(ValueError, match="changes: a transfer must sum to 0"):
        subs_of(a="0", b="0").transfer({"a": D("0.1")}, D(50_000))


class TestBook:
    def test_an_old_recipes_strategy_is_added(self):
        subs = SubPositions(["new"], STEP)
        parts = (Part("old", D("0.4"), D(0), D(10)),)
        subs.book(
            Fill(
                1, "f", "o", BTC, "buy", D("0.4"), D(50_000), D(10), D(0), D("0.4"), D(50_000), 0, "", "x", False, parts
            )
        )
        subs.book(
            Funding(
                2,
                "u",
                BTC,
                D("0.0001"),
                D(50_500),
                D("0.4"),
                D("-2.02"),
                (Part("old", D("0.4"), D("-2.02")),),
                0,
                "",
                "x",
            )
        )
        subs.book(
            Transfer(3, "x", BTC, D(50_500), (Part("old", D("-0.4"), D(200)), Part("new", D("0.4"), D(0))), 0, "")
        )
        assert quantities(subs) == {"new": "0.4", "old": "0.0"}
        assert subs.positions["old"].realised == 200
        assert subs.positions["old"].fees == 10
        assert subs.funding == {"new": 0, "old": D("-2.02")}

    def test_a_fill_without_parts_is_the_first_ones(self):
        subs = SubPositions(["a", "b"], STEP)
        subs.book(Fill(1, "f", "o", BTC, "sell", D("0.4"), D(50_000), D(10), D(0), D("-0.4"), D(50_000), 0, "", "x"))
        assert quantities(subs) == {"a": "-0.4", "b": "0"}


def test_where_no_strategy_trades_it_is_nobodys():
    subs = SubPositions([], STEP)
    assert subs.allot(D("0.1"), {}) == {"": D("0.1")}
    subs.fill({"": D("0.1")}, D(50_000), D(0))
    subs.fund(D("-0.5"), D(50_000), D("0.0001"))
    assert subs.funding == {"": D("-0.5")}
    assert SubPositions([], STEP).fund(D(1), D(50_000), D("0.0001")) == (Part("", D(0), D(1)),)
