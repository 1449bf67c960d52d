"""What is listed on the venue: each contract with its steps and filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from quantmind.market.instruments import KNOWN, Instrument
from quantmind_binance.symbols import unified
from quantmind_venue.errors import VenueError

_FOREVER = 4_133_404_800_000
_ONBOARD = 1_569_398_400_000
_ZERO = Decimal(0)

ORDER_TYPES = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX", "GTD")


class Listed(msgspec.Struct, frozen=True):
    """One contract as the venue lists it."""

    spelling: str
    instrument: Instrument
    price_precision: int
    quantity_precision: int
    min_price: Decimal
    max_price: Decimal
    max_quantity: Decimal
    market_max_quantity: Decimal
    market_step: Decimal
    multiplier_up: Decimal = Decimal("1.0500")
    multiplier_down: Decimal = Decimal("0.9500")
    max_orders: int = 200
    max_algo_orders: int = 200
    status: str = "TRADING"
    price: float = 100.0
    """What a synthetic market begins with."""

    @property
    def symbol(self) -> str:
        """The unified symbol."""
        return self.instrument.symbol

    @property
    def tick(self) -> Decimal:
        """The step of prices."""
        return self.instrument.tick

    @property
    def step(self) -> Decimal:
        """The step of quantities."""
        return self.instrument.step

    @property
    def min_quantity(self) -> Decimal:
        """The smallest quantity."""
        return self.instrument.step

    @property
    def min_notional(self) -> Decimal:
        """The smallest notional of an order that is not reduce-only."""
        return self.instrument.min_notional

    @property
    def base(self) -> str:
        """The currency that is traded."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The currency of prices and margin."""
        return self.symbol.partition(":")[2]

    def price_text(self, price: float | Decimal) -> str:
        """Write a price as the venue does."""
        return f"{price:.{self.price_precision}f}"

    def quantity_text(self, quantity: float | Decimal) -> str:
        """Write a quantity as the venue does."""
        return f"{quantity:.{self.quantity_precision}f}"

    def information(self) -> dict[str, object]:
        """Return its entry of exchangeInfo."""
        return {
            "symbol": self.spelling,
            "pair": self.spelling,
            "contractType": "PERPETUAL",
            "deliveryDate": _FOREVER,
            "onboardDate": _ONBOARD,
            "status": self.status,
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": self.base,
            "quoteAsset": self.quote,
            "marginAsset": self.quote,
            "pricePrecision": self.price_precision,
            "quantityPrecision": self.quantity_precision,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": ["PoW"],
            "settlePlan": 0,
            "triggerProtect": "0.0500",
            "liquidationFee": "0.012500",
            "marketTakeBound": "0.05",
            "maxMoveOrderLimit": 10000,
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": f"{self.min_price:f}",
                    "maxPrice": f"{self.max_price:f}",
                    "tickSize": self.price_text(self.tick),
                },
                {
                    "filterType": "LOT_SIZE",
                    "minQty": f"{self.min_quantity:f}",
                    "maxQty": f"{self.max_quantity:f}",
                    "stepSize": f"{self.step:f}",
                },
                {
                    "filterType": "MARKET_LOT_SIZE",
                    "minQty": f"{self.market_step:f}",
                    "maxQty": f"{self.market_max_quantity:f}",
                    "stepSize": f"{self.market_step:f}",
                },
                {"filterType": "MAX_NUM_ORDERS", "limit": self.max_orders},
                {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": self.max_algo_orders},
                {"filterType": "MIN_NOTIONAL", "notional": f"{self.min_notional:f}"},
                {
                    "filterType": "PERCENT_PRICE",
                    "multiplierUp": f"{self.multiplier_up:f}",
                    "multiplierDown": f"{self.multiplier_down:f}",
                    "multiplierDecimal": "4",
                },
            ],
            "orderTypes": ORDER_TYPES,
            "timeInForce": TIMES_IN_FORCE,
        }


_CONTRACTS = {
    # base: tick, step, smallest notional, largest quantities of limit and market orders, price to begin with
    "BTC": ("0.10", "0.001", "100", "1000", "120", 50_000.0),
    "ETH": ("0.01", "0.001", "20", "10000", "2000", 3_000.0),
    "BNB": ("0.010", "0.01", "5", "100000", "2000", 600.0),
    "SOL": ("0.0100", "0.01", "5", "1000000", "80000", 150.0),
    "XRP": ("0.0001", "0.1", "5", "10000000", "2000000", 0.5),
    "DOGE": ("0.000010", "1", "5", "50000000", "30000000", 0.15),
}
_OTHER = ("0.001", "0.1", "5", "10000000", "1000000", 20.0)


def listed(spelling: str) -> Listed:
    """Return a contract with the venue's own steps where they are known, and with usual ones elsewhere.

    Raises:
        ValueError: it is no spelling of a linear perpetual.
    """
    symbol = unified(spelling)
    tick, step, notional, largest, market, price = _CONTRACTS.get(symbol.partition("/")[0], _OTHER)
    known = KNOWN.get(symbol)
    instrument = known or Instrument(symbol, Decimal(tick), Decimal(step), Decimal(notional), Decimal(market))
    return Listed(
        spelling=spelling.upper(),
        instrument=instrument,
        price_precision=max(len(tick.partition(".")[2]), 2),
        quantity_precision=len(step.partition(".")[2]),
        min_price=instrument.tick,
        max_price=Decimal(1_000_000) if price > 1 else Decimal(100_000),
        max_quantity=Decimal(largest),
        market_max_quantity=Decimal(market),
        market_step=instrument.step,
        price=price,
    )


class Listing:
    """The contracts by their spelling."""

    def __init__(self, spellings: Iterable[str]) -> None:
        self._listed = {each.spelling: each for each in map(listed, spellings)}

    def __iter__(self) -> Iterator[Listed]:
        return iter(self._listed.values())

    def __contains__(self, spelling: object) -> bool:
        return spelling in self._listed

    def __getitem__(self, spelling: str) -> Listed:
        found = self._listed.get(spelling)
        if found is None:
            raise VenueError(-1121, "Invalid symbol.")
        return found

    def change(self, spelling: str, **changes: object) -> Listed:
        """Change a contract's steps, limits or status, as the venue does now and then.

        `tick`, `step` and `min_notional` are those of its instrument; the others are the fields of Listed.

        Raises:
            ValueError: there is no such figure.
        """
        before = self[spelling]
        names = set(Listed.__struct_fields__) - {"spelling", "instrument"} | {"tick", "step", "min_notional"}
        unknown = sorted(set(changes) - names)
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no figure of a contract; there are {', '.join(sorted(names))}")
        typed = {name: _like(_figure(before, name), value) for name, value in changes.items()}
        inner = {name: typed.pop(name) for name in ("tick", "step", "min_notional") if name in typed}
        if "step" in inner:
            typed.setdefault("market_step", inner["step"])
            typed.setdefault("quantity_precision", _digits(inner["step"]))
        if "tick" in inner:
            typed.setdefault("price_precision", max(_digits(inner["tick"]), before.price_precision))
        instrument = msgspec.structs.replace(before.instrument, **inner)
        after = msgspec.structs.replace(before, instrument=instrument, **typed)
        self._listed[spelling] = after
        return after


def _figure(contract: Listed, name: str) -> object:
    return getattr(contract, name)


def _like(before: object, value: object) -> object:
    if isinstance(before, Decimal):
        return Decimal(str(value))
    return type(before)(value)  # type: ignore[call-arg]


def _digits(step: object) -> int:
    return len(f"{Decimal(str(step)).normalize():f}".partition(".")[2])
