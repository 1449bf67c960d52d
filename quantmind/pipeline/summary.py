"""The summary of a run: what came in, what was decided, what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.control.answers import in_force
from quantmind.kinds.moment import format_moment
from quantmind.pipeline.executing import Executing
from quantmind.pipeline.tally import AccountTally

_ZERO = Decimal(0)


class Summary(msgspec.Struct, frozen=True):
    """Figures of a run; money in the settlement currency, latency in microseconds.

    Events, signals, Targets, orders, refusals, fills and latency are the run's own; equity, PnL, fees, funding,
    drawdown, positions and latches are the account's, which a live one brings along from the runs before.
    """

    run: str
    events: int
    signals: int
    targets: int
    orders: int
    refusals: Mapping[str, int]
    fills: int
    equity: Decimal
    pnl: Decimal
    fees: Decimal
    latency_us: Mapping[str, float | None]
    positions: Mapping[str, Decimal]
    sinks: Mapping[str, str]
    latches: Mapping[str, str] = {}
    """The level of each latch that is set."""
    funding: Decimal = _ZERO
    """What was received in funding, negative when paid."""
    drawdown: float = 0.0
    """The largest fall of the equity from its peak, as a part of it."""
    figures: Mapping[str, float] = {}
    """What rules and executor publish of themselves."""
    account: AccountTally | None = None
    """What an account that had runs before has decided and done since it began; None where that was with this run."""

    @classmethod
    def of(
        cls, run: str, events: int, executing: Executing, latencies: Iterable[int], sinks: Mapping[str, str]
    ) -> Summary:
        """Sum up a run; PnL is equity less the balance the account started with."""
        trader, tally = executing.trader, executing.tally
        equity = trader.equity()
        account = trader.account
        ordered = sorted(latencies)
        return cls(
            run,
            events,
            tally.signals,
            tally.targets,
            tally.orders,
            tally.refusals,
            tally.fills,
            equity,
            equity - account.started_with,
            sum((position.fees for position in account.positions.values()), Decimal(0)),
            {"p50": _percentile(ordered, 50), "p99": _percentile(ordered, 99)},
            {s: p.quantity for s, p in account.positions.items() if p.quantity},
            dict(sinks),
            in_force(trader.latches),
            account.funding,
            trader.books.fall,
            executing.figures,
            executing.account_tally,
        )

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Summary:
        """Return the summary that `as_json` gave."""
        return msgspec.convert(plain, cls, strict=False)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data; money as strings, so that no digit is lost."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for key in ("equity", "pnl", "fees", "funding"):
            plain[key] = f"{getattr(self, key):f}"
        plain["positions"] = {symbol: f"{quantity:f}" for symbol, quantity in self.positions.items()}
        return plain

    def lines(self) -> Iterable[str]:
        """Return it as lines for a person."""
        refused = ", ".join(f"{code} {count}" for code, count in self.refusals.items()) or "none"
        p50, p99 = self.latency_us["p50"], self.latency_us["p99"]
        nothing = "not measured" if self.orders else "no command"
        latency = nothing if p50 is None else f"p50 {p50:.1f} us, p99 {p99:.1f} us"
        held = ", ".join(f"{q:f} {symbol}" for symbol, q in self.positions.items()) or "flat"
        yield f"run {self.run}"
        yield f"  events    {self.events:,}"
        yield f"  signals   {self.signals:,}"
        yield f"  targets   {self.targets:,}"
        yield f"  orders    {self.orders:,}"
        yield f"  refusals  {refused}"
        yield f"  fills     {self.fills:,}"
        if self.account is not None:
            yield f"  latency   {latency}"
            yield f"account since {format_moment(self.account.since)[:16].replace('T', ' ')}"
        yield f"  position  {held}"
        yield f"  equity    {self.equity:,.4f}"
        yield f"  pnl       {self.pnl:+,.4f}"
        yield f"  fees      {self.fees:,.4f}"
        yield f"  funding   {self.funding:+,.4f}"
        yield f"  drawdown  {self.drawdown:.2%}"
        if self.account is None:
            yield f"  latency   {latency}"
        for name, level in self.latches.items():
            yield f"  latched   {name} ({level})"
        for sink, failure in self.sinks.items():
            yield f"  sink {sink} failed: {failure}"


def _percentile(ordered: list[int], percent: int) -> float | None:
    """Return a percentile by the nearest-rank method, ns in and us out."""
    if not ordered:
        return None
    return ordered[-(-len(ordered) * percent // 100) - 1] / 1_000
