"""The paper executor: orders against the simulation, money that is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from quantmind.events import Amend, Cancel, Market, OrderEvent, Query, Submit
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TRADES, Channel, Duration, Executor, Options
from quantmind.ledger.accounts import Account
from quantmind.market.instruments import Instrument
from quantmind.simulation.matching import Matching
from quantmind.simulation.terms import Terms
from quantmind.trader.orders import Order
from quantmind_paper import venue
from quantmind_paper.venue import MeasuredTimes, RandomTimes, SlippageOptions, Tier


class PaperOptions(Options):
    """Options of `paper`."""

    account: str = Field(
        default="paper",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        examples=["demo"],
        description="Name of the account; its journal and lock belong to it.",
    )
    balance: Decimal = Field(
        default=Decimal(10000), gt=0, examples=[10000], description="Balance a new account starts with."
    )
    taker_fee: Decimal = Field(
        default=Decimal("0.0005"), ge=0, lt=1, description="Fee of an order that takes, as a part of its notional."
    )
    maker_fee: Decimal = Field(
        default=Decimal("0.0002"),
        gt=-1,
        lt=1,
        description="Fee of a resting limit order, as a part of its notional; negative is a rebate.",
    )
    fee_tiers: tuple[Tier, ...] = Field(default=(), description="Fees by traded volume, instead of the two above.")
    volume: Decimal = Field(
        default=Decimal(0), ge=0, description="The traded volume that chooses the fee tier; it stays what it is."
    )
    latency: Duration | RandomTimes | MeasuredTimes = Field(
        default=0,
        examples=["20ms"],
        description="Time a command takes to reach the venue: one, or drawn between `shortest` and `longest`, or out "
        "of those that were `measured`.",
    )
    slippage: SlippageOptions = Field(
        default=SlippageOptions(), description="What a taker pays beyond the price shown."
    )
    partial_fills: bool = Field(
        default=False, description="Fill no more than the size that a quote, a book or a trade shows."
    )
    participation: float | None = Field(
        default=None, gt=0, le=1, description="The largest part of a bar's volume that is filled; any size without."
    )
    limit_fills: Literal["pessimistic", "optimistic"] = Field(
        default="pessimistic",
        description="Whether the price must go through that of a limit order, or need only touch it.",
    )
    queue: bool = Field(
        default=False,
        description="Watch trades beside quotes: a limit order is filled when the size ahead of it has traded, too.",
    )
    margin: Literal["cross", "isolated", "none"] = Field(
        default="cross",
        description="What backs a position: the account, or its own margin; with none nothing is liquidated.",
    )
    leverage: Decimal = Field(
        default=Decimal(20), ge=1, le=125, description="The largest leverage an order may lead to."
    )
    liquidation_fee: Decimal = Field(
        default=Decimal("0.0125"), ge=0, lt=1, description="Fee of a liquidation, as a part of its notional."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fee_tiers and all(tier.volume > self.volume for tier in self.fee_tiers):
            raise ValueError("fee_tiers must have one for the volume: begin with volume: 0")
        return self


class Paper(Executor[PaperOptions]):
    """Fills orders by the market data of the recipe, without a venue.

    Quotes and books fill where there are any, else trades, else the shortest bars; never a price from before the order
    reached the venue.
    """

    name = "paper"
    simulated: ClassVar[bool] = True

    def __init__(self, options: PaperOptions, instruments: Sequence[Instrument]) -> None:
        super().__init__(options, instruments)
        self._waiting: set[str] = set()
        self.waiting = self._waiting

    @classmethod
    def account(cls, options: PaperOptions) -> str:
        """Return the account's key."""
        return f"paper-{options.account}"

    @classmethod
    def wants(cls, options: PaperOptions, offered: frozenset[Channel]) -> frozenset[Channel]:
        """Choose quotes and books, else trades, else the shortest bars to fill by; and marks and funding rates."""
        best = {QUOTES, BOOKS} & offered
        if best and options.queue:
            best |= {TRADES} & offered
        elif not best and TRADES in offered:
            best = {TRADES}
        elif not best:
            best = set(sorted(c for c in offered if c.kind == "bar")[:1])
        return frozenset(best | ({MARKS, FUNDING} & offered))

    @property
    def balance(self) -> Decimal:
        """The balance a new account starts with."""
        return self.options.balance

    @property
    def figures(self) -> Mapping[str, float]:
        """How many fills there were, and for how many the worse path of a bar was taken."""
        return {"fills": float(self._matching.fills), "decided_by_path": float(self._matching.decided)}

    def prepare(self, channels: Mapping[str, frozenset[Channel]]) -> None:
        """Make the matching engine for what will come."""
        options = self.options
        terms = Terms(
            fees=venue.fees(options.maker_fee, options.taker_fee, options.fee_tiers, options.volume),
            latency=venue.latency(options.latency),
            slippage=venue.slippage(options.slippage),
            partial=options.partial_fills,
            participation=options.participation,
            optimistic=options.limit_fills == "optimistic",
            queue=options.queue,
            margin=options.margin,
            leverage=options.leverage,
            liquidation_fee=options.liquidation_fee,
        )
        self._matching = Matching(self.instruments, channels, terms, options.balance, self._waiting)
        # Every market event comes this way while something waits: it saves a call.
        self.on_market = self._matching.on_market  # type: ignore[method-assign]

    def restore(self, orders: Sequence[Order], account: Account) -> None:
        """Take back the account and the open orders of the journal."""
        self._matching.restore_account(account.wallet, account.positions)
        for order in orders:
            fills = len(order.executions)
            self._matching.restore(order.submit(), order.filled, fills, order.cancel(), triggered=order.triggered)

    def remember(self, seq: int, event: Market) -> None:
        """Take note of an event that was matched before a restart."""
        self._matching.remember(seq, event)

    def submit(self, command: Submit) -> Sequence[OrderEvent]:
        """Place an order."""
        return self._matching.submit(command)

    def amend(self, command: Amend) -> Sequence[OrderEvent]:
        """Change a resting order."""
        return self._matching.amend(command)

    def cancel(self, command: Cancel) -> Sequence[OrderEvent]:
        """Take back an order."""
        return self._matching.cancel(command)

    def query(self, query: Query) -> Sequence[OrderEvent]:
        """Say what became of an order."""
        return self._matching.query(query.order)
