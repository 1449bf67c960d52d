"""Accounts: the worked figures of fills, fees and funding, and their money accounts."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.ledger.accounts import Account

BTC = "BTC/USDT:USDT"


@pytest.fixture
def account():
    return Account(D(10_000), [BTC])


class TestLedgerExample12:
    def test_the_buy(self, account):
        assert account.fill(BTC, D("0.400"), D(50_000), D(10)) == 0
        assert account.balances == {
            "wallet": 9_990,
            "capital": -10_000,
            "clearing": -20_000,
            "realised": 0,
            "fees": 10,
            "funding": 0,
            f"position:{BTC}": 20_000,
        }

    def test_the_sell_brings_position_and_clearing_to_0(self, account):
        account.fill(BTC, D("0.400"), D(50_000), D(10))
        assert account.fill(BTC, D("-0.400"), D(50_600), D("10.12")) == 240
        assert account.wallet == D("10219.88")
        balances = account.balances
        assert balances["wallet"] + balances["capital"] == D("219.88")
        assert balances["fees"] == D("20.12")
        assert balances["realised"] == -240
        assert balances["clearing"] == balances[f"position:{BTC}"] == 0
        assert sum(balances.values()) == 0


class TestPartialFillExample8:
    def test_the_fee_of_the_first_part(self, account):
        account.fill(BTC, D("0.150"), D(50_000), D("0.150") * 50_000 * D("0.0005"))
        assert account.fees == D("3.75")
        assert account.wallet == D("9996.25")
        account.fill(BTC, D("0.250"), D(50_000), D("6.25"))
        assert account.positions[BTC].quantity == D("0.400")
        assert account.fees == 10


class TestFundingExample11:
    def test_a_long_pays_at_a_positive_rate(self, account):
        account.fill(BTC, D("0.400"), D(50_000), D(0))
        account.fund(BTC, -(D("0.400") * 50_500 * D("0.0001")))
        assert account.funding == D("-2.02")
        assert account.wallet == D("9997.98")
        assert account.balances["funding"] == D("2.02")
        assert sum(account.balances.values()) == 0

    def test_a_symbol_that_is_not_there_is_not_funded(self, account):
        with pytest.raises(KeyError, match="ETH"):
            account.fund("ETH/USDT:USDT", D(1))
        assert account.wallet == 10_000


def test_a_difference_is_exact():
    # Example 9: 0.3 - 0.1 is 0.19999999999999998 in floats.
    account = Account(D(0), [BTC])
    account.fill(BTC, D("0.3"), D(50_000), D(0))
    account.fill(BTC, D("-0.1"), D(50_000), D(0))
    assert account.positions[BTC].quantity == D("0.2")
