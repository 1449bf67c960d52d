"""The margin call: a warning that the margin of the account is running out."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from quantmind_venue.account.ledger import Held
from quantmind_venue.figures import ZERO, rounded

if TYPE_CHECKING:
    from quantmind_venue.account.account import Account

_LEAST = Decimal("0.8")
"""The part of the margin that is needed from which on the venue warns."""


class MarginCall:
    """Warns once, and again only after there was enough."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._called = False

    def check(self) -> None:
        """Compare what the positions with cross margin need with what there is."""
        account = self._account
        held = [each for each in account.ledger.held.values() if each.quantity]
        if not held:
            self._called = False
            return
        margins = account.margins
        wallet, needed = margins.cross_wallet(), ZERO
        for each in held:
            if not account.settings.isolated(each.listed):
                wallet += margins.profit(each)
                needed += margins.maintenance(each)
        low = needed > wallet * _LEAST
        if low and not self._called:
            account.stream.called(margins.cross_wallet(), [self._told(each) for each in held], account.clock.now())
        self._called = low

    def _told(self, held: Held) -> dict[str, Any]:
        margins = self._account.margins
        own = margins.own(held)
        return {
            "s": held.listed.spelling,
            "ps": "BOTH",
            "pa": held.listed.quantity_text(held.quantity),
            "mt": "CROSSED" if own is None else "ISOLATED",
            "iw": "0" if own is None else rounded(own),
            "mp": rounded(margins.value(held.listed)),
            "up": rounded(margins.profit(held)),
            "mm": rounded(margins.maintenance(held)),
        }
