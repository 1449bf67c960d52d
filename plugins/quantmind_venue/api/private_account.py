"""The private REST API of the account: balances, positions, settings, income and listen keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quantmind_venue.api.parameters import flag, integer, limited, span, text
from quantmind_venue.api.route import Parameters, Route
from quantmind_venue.api.signing import missing
from quantmind_venue.errors import VenueError
from quantmind_venue.figures import plain
from quantmind_venue.listing import Listed

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

_SUCCESS = {"code": 200, "msg": "success"}
_INCOMES = frozenset(
    {
        "TRANSFER",
        "WELCOME_BONUS",
        "REALIZED_PNL",
        "FUNDING_FEE",
        "COMMISSION",
        "INSURANCE_CLEAR",
        "REFERRAL_KICKBACK",
        "COMMISSION_REBATE",
        "API_REBATE",
        "CONTEST_REWARD",
        "CROSS_COLLATERAL_TRANSFER",
        "OPTIONS_PREMIUM_FEE",
        "OPTIONS_SETTLE_PROFIT",
        "INTERNAL_TRANSFER",
        "AUTO_EXCHANGE",
        "DELIVERED_SETTELMENT",
        "COIN_SWAP_DEPOSIT",
        "COIN_SWAP_WITHDRAW",
        "POSITION_LIMIT_INCREASE_FEE",
        "STRATEGY_UMFUTURES_TRANSFER",
        "FEE_RETURN",
        "BFUSD_REWARD",
    }
)


def _listed(venue: Venue, sent: Parameters) -> list[Listed]:
    return [venue.listing[sent["symbol"]]] if "symbol" in sent else list(venue.listing)


def _account_2(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return venue.account.margins.account(2)


def _account_3(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return venue.account.margins.account(3)


def _balance(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return venue.account.margins.balance()


def risk_2(venue: Venue, sent: Parameters) -> object:
    """Return every contract's position, the empty ones too."""
    account = venue.account
    return [account.margins.risk(account.ledger.position(listed), 2) for listed in _listed(venue, sent)]


def risk_3(venue: Venue, sent: Parameters) -> object:
    """Return the positions that there are, and contracts with orders."""
    account = venue.account
    return [
        account.margins.risk(held, 3)
        for listed in _listed(venue, sent)
        if (held := account.ledger.position(listed)).quantity or account.orders.count(listed.spelling)
    ]


def _configuration(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return venue.account.margins.configuration()


def _symbol_configuration(venue: Venue, sent: Parameters) -> object:
    settings = venue.account.settings
    return [
        {
            "symbol": listed.spelling,
            "marginType": "ISOLATED" if settings.isolated(listed) else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": settings.leverage(listed),
            "maxNotionalValue": plain(settings.max_notional(listed)),
        }
        for listed in _listed(venue, sent)
    ]


def _leverage(venue: Venue, sent: Parameters) -> object:
    listed = venue.listing[text(sent, "symbol")]
    wanted = integer(sent, "leverage")
    if wanted is None:
        raise missing("leverage")
    account = venue.account
    before = account.settings.leverage(listed)
    notional = abs(account.margins.notional(account.ledger.position(listed)))
    answer = account.settings.set_leverage(listed, wanted, notional)
    if wanted != before:
        account.stream.configured(venue.clock.now(), ac={"s": listed.spelling, "l": wanted})
    return answer


def _brackets(venue: Venue, sent: Parameters) -> object:
    return [
        {
            "symbol": listed.spelling,
            "notionalCoef": 1.0,
            "brackets": [
                {
                    "bracket": number,
                    "initialLeverage": bracket.leverage,
                    "notionalCap": int(bracket.cap),
                    "notionalFloor": int(bracket.floor),
                    "maintMarginRatio": float(bracket.rate),
                    "cum": float(bracket.amount),
                }
                for number, bracket in enumerate(venue.account.settings.brackets(listed), 1)
            ],
        }
        for listed in _listed(venue, sent)
    ]


def _margin_type(venue: Venue, sent: Parameters) -> object:
    listed = venue.listing[text(sent, "symbol")]
    wanted = text(sent, "marginType")
    if wanted not in {"ISOLATED", "CROSSED"}:
        raise VenueError(-1130, "Data sent for parameter 'marginType' is not valid.")
    account = venue.account
    isolated = wanted == "ISOLATED"
    if isolated == account.settings.isolated(listed):
        raise VenueError(-4046, "No need to change margin type.")
    if account.orders.count(listed.spelling) or account.algos.of(listed.spelling):
        raise VenueError(-4047, "Margin type cannot be changed if there exists open orders.")
    if account.ledger.position(listed).quantity:
        raise VenueError(-4048, "Margin type cannot be changed if there exists position.")
    account.settings.set_isolated(listed, isolated)
    return _SUCCESS


def _position_mode(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return {"dualSidePosition": False}


def _set_position_mode(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    text(sent, "dualSidePosition")
    if not flag(sent, "dualSidePosition"):
        raise VenueError(-4059, "No need to change position side.")
    raise VenueError(-4084, "Method is not allowed currently: this venue trades one-way, it has no hedge mode.")


def _assets_mode(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return {"multiAssetsMargin": False}


def _set_assets_mode(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    text(sent, "multiAssetsMargin")
    if not flag(sent, "multiAssetsMargin"):
        raise VenueError(-4171, "No need to change the multi-assets mode.")
    raise VenueError(-4084, "Method is not allowed currently: this venue has one asset of margin.")


def _position_margin(venue: Venue, sent: Parameters) -> object:
    listed = venue.listing[text(sent, "symbol")]
    account = venue.account
    if not account.settings.isolated(listed):
        raise VenueError(-4051, "Isolated balance insufficient: the margin of this contract is cross.")
    if not account.ledger.position(listed).quantity:
        raise VenueError(-4054, "Cannot add position margin: position is 0.")
    raise VenueError(-4084, "Method is not allowed currently: margin of a position is its cost by its leverage.")


def _margin_history(venue: Venue, sent: Parameters) -> object:
    _ = venue.listing[text(sent, "symbol")]
    return []


def _commission(venue: Venue, sent: Parameters) -> object:
    from quantmind_venue.account.account import FEES

    return {
        "symbol": venue.listing[text(sent, "symbol")].spelling,
        "makerCommissionRate": plain(FEES.maker),
        "takerCommissionRate": plain(FEES.taker),
        "rpiCommissionRate": "0.00005",
    }


def _income(venue: Venue, sent: Parameters) -> object:
    spelling = venue.listing[sent["symbol"]].spelling if "symbol" in sent else None
    kind = sent.get("incomeType")
    if kind is not None and kind not in _INCOMES:
        raise VenueError(-1130, "Data sent for parameter 'incomeType' is not valid.")
    start, end = span(sent, 200)
    limit = limited(sent, "limit", 100, 1000)
    found = [
        income
        for income in venue.account.ledger.incomes
        if (spelling is None or income.symbol == spelling)
        and (kind is None or income.type == kind)
        and start <= income.time <= end
    ]
    page = integer(sent, "page")
    if page is not None:
        chosen = found[(max(page, 1) - 1) * limit : max(page, 1) * limit]
    else:
        chosen = found[:limit] if "startTime" in sent else found[-limit:]
    return [income.shown() for income in chosen]


def _order_limits(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return [rule for rule in venue.limits.rules() if rule["rateLimitType"] == "ORDERS"]


def _adl(venue: Venue, sent: Parameters) -> object:
    account = venue.account
    rows: list[dict[str, Any]] = [
        {"symbol": listed.spelling, "adlQuantile": {"LONG": 0, "SHORT": 0, "BOTH": 2}}
        for listed in _listed(venue, sent)
        if account.ledger.position(listed).quantity
    ]
    return rows[0] if "symbol" in sent and rows else rows


def _burn(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return {"feeBurn": False}


def _set_burn(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    text(sent, "feeBurn")
    if flag(sent, "feeBurn"):
        raise VenueError(-4084, "Method is not allowed currently: fees are paid in the asset of margin.")
    return _SUCCESS


def _rules(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    return {"indicators": {}, "updateTime": venue.clock.now()}


def begin_listening(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    """Return the listen key."""
    return {"listenKey": venue.account.stream.begin()}


def keep_listening(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    """Let the listen key be good for another hour."""
    return {"listenKey": venue.account.stream.keep()}


def end_listening(venue: Venue, sent: Parameters) -> object:  # noqa: ARG001
    """Forget the listen key."""
    venue.account.stream.end()
    return {}


def routes(venue: Venue) -> list[Route]:  # noqa: ARG001 - as all of them
    """Return the endpoints of the account's figures and settings."""
    v1, v2, v3 = "/fapi/v1", "/fapi/v2", "/fapi/v3"
    return [
        Route("GET", f"{v2}/account", _account_2, 5, signed=True),
        Route("GET", f"{v3}/account", _account_3, 5, signed=True),
        Route("GET", f"{v2}/balance", _balance, 5, signed=True),
        Route("GET", f"{v3}/balance", _balance, 5, signed=True),
        Route("GET", f"{v2}/positionRisk", risk_2, 5, signed=True),
        Route("GET", f"{v3}/positionRisk", risk_3, 5, signed=True),
        Route("GET", f"{v1}/accountConfig", _configuration, 5, signed=True),
        Route("GET", f"{v1}/symbolConfig", _symbol_configuration, 5, signed=True),
        Route("POST", f"{v1}/leverage", _leverage, 1, signed=True),
        Route("GET", f"{v1}/leverageBracket", _brackets, 1, signed=True),
        Route("POST", f"{v1}/marginType", _margin_type, 1, signed=True),
        Route("GET", f"{v1}/positionSide/dual", _position_mode, 30, signed=True),
        Route("POST", f"{v1}/positionSide/dual", _set_position_mode, 1, signed=True),
        Route("GET", f"{v1}/multiAssetsMargin", _assets_mode, 30, signed=True),
        Route("POST", f"{v1}/multiAssetsMargin", _set_assets_mode, 1, signed=True),
        Route("POST", f"{v1}/positionMargin", _position_margin, 1, signed=True),
        Route("GET", f"{v1}/positionMargin/history", _margin_history, 1, signed=True),
        Route("GET", f"{v1}/commissionRate", _commission, 20, signed=True),
        Route("GET", f"{v1}/income", _income, 30, signed=True),
        Route("GET", f"{v1}/rateLimit/order", _order_limits, 1, signed=True),
        Route("GET", f"{v1}/adlQuantile", _adl, 5, signed=True),
        Route("GET", f"{v1}/apiTradingStatus", _rules, 1, signed=True),
        Route("GET", f"{v1}/feeBurn", _burn, 30, signed=True),
        Route("POST", f"{v1}/feeBurn", _set_burn, 1, signed=True),
        Route("POST", f"{v1}/listenKey", begin_listening, 1, keyed=True),
        Route("PUT", f"{v1}/listenKey", keep_listening, 1, keyed=True),
        Route("DELETE", f"{v1}/listenKey", end_listening, 1, keyed=True),
    ]
