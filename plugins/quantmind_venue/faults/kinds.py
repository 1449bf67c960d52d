"""Faults: what can be let go wrong, each with what it needs to be told."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from quantmind.kinds import Duration, Options
from quantmind.kinds.options import parse_duration

EVERY = 2**63 - 1


def _count(value: object) -> object:
    if isinstance(value, str) and value != "all" and not value.lstrip("-").isdecimal():
        raise ValueError("must be a whole number, or all")
    return EVERY if value == "all" else value


def _signed(value: object) -> int:
    if isinstance(value, str) and value.startswith("-"):
        return -parse_duration(value[1:])
    return parse_duration(value)


class Fault(Options):
    """What all faults have: when they are armed, and what they hit.

    Without `on` a fault happens once, at `at`. With it, it hits what matches from then on.
    """

    at: Duration = Field(default=0, description="When it is armed, from the start of the market.")
    on: str = Field(
        default="",
        description="What it hits: a request such as `POST /fapi/v1/order`, a method of the WebSocket API such as "
        "`WS order.place`, or a stream such as `btcusdt@depth*` or `user`; * stands for anything.",
    )
    after: int = Field(default=0, ge=0, description="How many that match pass first.")
    count: Annotated[int, BeforeValidator(_count)] = Field(default=1, ge=1, description="How many it hits; or `all`.")
    chance: float = Field(default=1.0, gt=0, le=1, description="The chance that one which matches is hit.")
    lasting: Duration = Field(default=EVERY, alias="for", description="How long it is armed: `for: 10s`.")


class Delay(Fault):
    """Makes requests wait, or everything on the connections of streams."""

    on: str = Field(default="* /*", description="What is late: requests, or streams.")
    by: Duration = Field(description="How late.")
    jitter: Duration = Field(default=0, description="How much later at most, drawn for each request.")
    when: Literal["before", "after"] = Field(default="before", description="Before or after the request is handled.")


class DropReply(Fault):
    """Cuts the line of a request instead of an answer, or lets it wait for ever."""

    on: str = Field(description="Requests.")
    when: Literal["before", "after"] = Field(default="after", description="Before or after the request is handled.")
    silent: bool = Field(default=False, description="Whether the line stays open, without an answer.")


class Answer(Fault):
    """Answers requests with an error."""

    on: str = Field(description="Requests.")
    status: int = Field(default=503, ge=400, le=599, description="The HTTP status.")
    code: int = Field(default=-1008, description="The venue's code.")
    message: str = Field(default="", description="The venue's words; left out, those of the code.")
    when: Literal["before", "after"] = Field(default="before", description="Before or after the request is handled.")


class RateLimit(Fault):
    """Answers everything with 429, and with 418 those who go on."""

    seconds: float = Field(default=10, gt=0, description="For how long (of the wall clock).")


class Ban(Fault):
    """Answers everything with 418."""

    seconds: float = Field(default=120, gt=0, description="For how long (of the wall clock).")


class Close(Fault):
    """Takes connections down: those that listen to what `on` matches, else all at addresses that match `path`."""

    path: str = Field(default="*", description="Kinds of addresses: `public`, `market`, `private`, or * for all.")
    code: int = Field(
        default=1006, ge=1000, le=4999, description="1006 is a cut line; any other is said to the client."
    )


class HalfOpen(Fault):
    """Lets connections seem to be up, while nothing goes through them any more."""

    path: str = Field(default="*", description="Kinds of addresses: `public`, `market`, `private`, or * for all.")


class Swallow(Fault):
    """Lets messages of a stream vanish."""

    on: str = Field(description="Streams.")


class Duplicate(Fault):
    """Sends messages of a stream twice."""

    on: str = Field(description="Streams.")


class Reorder(Fault):
    """Sends a message of a stream after the one that follows it."""

    on: str = Field(description="Streams.")


class BookGap(Fault):
    """Lets the next message of each depth stream of a book vanish."""

    symbol: str = Field(description="The contract as the venue spells it.")


class SetClock(Fault):
    """Sets the clock that clients are told and judged by forward or back."""

    by: Annotated[int, BeforeValidator(_signed)] = Field(description="How far: `10s` is forward, `-10s` back.")


class ChangeFilter(Fault):
    """Changes the steps and limits of a contract."""

    symbol: str = Field(description="The contract as the venue spells it.")
    tick: Decimal | None = Field(default=None, gt=0, description="The step of prices.")
    step: Decimal | None = Field(default=None, gt=0, description="The step of quantities.")
    min_notional: Decimal | None = Field(default=None, ge=0, description="The smallest notional.")
    max_quantity: Decimal | None = Field(default=None, gt=0, description="The largest quantity.")
    market_max_quantity: Decimal | None = Field(
        default=None, gt=0, description="The largest quantity of market orders."
    )
    max_orders: int | None = Field(default=None, ge=1, description="How many orders may be open.")
    status: str | None = Field(default=None, description="Such as TRADING, SETTLING.")


class AccountFault(Fault):
    """Does something to the account."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the account is told of it."""
        own = type(self).model_fields.keys() - AccountFault.model_fields.keys()
        return self.model_dump(include=set(own), exclude_unset=True)


class PartialFills(AccountFault):
    """Shows no more than a size of each quote, so that orders fill in slices; without one, all there is again."""

    size: Decimal | None = Field(default=None, gt=0, description="The most of a quote that is shown.")


class RejectStop(AccountFault):
    """Refuses the next `count` conditional orders at their trigger; with `on` one each time it hits."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the account is told of it."""
        return {} if self.on else {"count": self.count}


class ChangePosition(AccountFault):
    """Brings a position to a quantity by an order that the owner gives by hand elsewhere."""

    symbol: str = Field(description="The contract as the venue spells it.")
    quantity: Decimal = Field(description="The signed quantity that is held then.")


class Liquidate(AccountFault):
    """Liquidates a position, whatever its margin is."""

    symbol: str = Field(description="The contract as the venue spells it.")
    price: Decimal | None = Field(default=None, gt=0, description="At which price; the mark price without.")


class Adl(AccountFault):
    """Closes a position or a part of it for the sake of somebody who was liquidated."""

    symbol: str = Field(description="The contract as the venue spells it.")
    price: Decimal | None = Field(default=None, gt=0, description="At which price; the mark price without.")
    quantity: Decimal | None = Field(default=None, description="How much of it, of either sign; all without.")


class Settle(AccountFault):
    """Closes a position because its contract is no longer listed."""

    symbol: str = Field(description="The contract as the venue spells it.")
    price: Decimal | None = Field(default=None, gt=0, description="At which price; the mark price without.")


class ExpireListenKey(AccountFault):
    """Lets the listen key expire."""


KINDS: dict[str, type[Fault]] = {
    "delay": Delay,
    "drop_reply": DropReply,
    "answer": Answer,
    "rate_limit": RateLimit,
    "ban": Ban,
    "close": Close,
    "half_open": HalfOpen,
    "swallow": Swallow,
    "duplicate": Duplicate,
    "reorder": Reorder,
    "book_gap": BookGap,
    "set_clock": SetClock,
    "change_filter": ChangeFilter,
    "partial_fills": PartialFills,
    "reject_stop": RejectStop,
    "change_position": ChangePosition,
    "liquidate": Liquidate,
    "adl": Adl,
    "settle": Settle,
    "expire_listen_key": ExpireListenKey,
}
"""What a fault is called, and what it needs to be told."""

WORDS = {
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    -1008: "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. "
    "Please try again.",
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1003: "Too many requests queued.",
    -1001: "Internal error; unable to process your request. Please try again.",
    -1000: "An unknown error occurred while processing the request.",
}
"""What the venue says with its codes."""
