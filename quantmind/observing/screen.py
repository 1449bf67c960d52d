"""The screen: a snapshot of a pipeline as tables; imported when one is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from quantmind.control.streams import StreamRow, VenueRow
from quantmind.observing.snapshot import AccountRow, Snapshot, StageRow

_STYLES = {"ready": "green", "starting": "yellow", "stopping": "yellow", "stopped": "dim", "silent": "bold red"}
_UNKNOWN = "-"
_WIDE = 104
_ONLY_WIDE = frozenset({"pid", "uptime", "frames/s", "frame gaps", "dups", "proven"})


def screen(snapshot: Snapshot, width: int) -> RenderableType:
    """Return the tables: stages, what ails, streams and venues, the account, positions, and the last incidents.

    Where there is little width, the columns that can be missed best are left out.
    """
    parts: list[RenderableType] = [_title(snapshot)]
    if snapshot.stages:
        parts.append(_stages(snapshot.stages, wide=width >= _WIDE))
    parts += [Text(f"ailing  {_clean(reason)}", style="yellow") for reason in snapshot.ailing]
    if snapshot.streams:
        parts.append(_streams(snapshot.streams, wide=width >= _WIDE))
    parts += [_venue(row) for row in snapshot.venues]
    if snapshot.account is not None:
        parts += [_account(snapshot.account), _positions(snapshot)]
    parts += [_incident(snapshot, index) for index in range(len(snapshot.incidents))]
    return Group(*parts)


def _title(snapshot: Snapshot) -> Text:
    run = f", run {snapshot.run}" if snapshot.run else ""
    text = Text(_clean(snapshot.pipeline), style="bold")
    return text.append(f"{_clean(run)}  {_time(snapshot.ts)} UTC", style="not bold")


def _stages(rows: tuple[StageRow, ...], *, wide: bool) -> Table:
    heads = [(row.stage, Text(row.state, style=_STYLES.get(row.state, "red"))) for row in rows]
    return _figures(("stage", "state"), heads, [_columns(row) for row in rows], wide=wide)


def _columns(row: StageRow) -> dict[str, str]:
    return {
        "pid": _UNKNOWN if row.pid is None else str(row.pid),
        "uptime": _span(row.uptime),
        "events/s": _number(row.events_per_second, 0),
        "frames/s": _number(row.frames_per_second, 0),
        "lag": _lag(row.lag),
        "backlog": _number(row.backlog, 0),
        "frame gaps": _number(row.gaps, 0),
        "drops": _number(row.dropped, 0),
        "dups": _number(row.duplicates, 0),
        "restarts": _number(row.restarts, 0),
        "heard": _span(row.heard),
    }


def _streams(rows: tuple[StreamRow, ...], *, wide: bool) -> Table:
    heads = [(_clean(row.symbol), _clean(row.channel)) for row in rows]
    return _figures(("stream", "channel"), heads, [_stream_columns(row) for row in rows], wide=wide)


def _stream_columns(row: StreamRow) -> dict[str, str]:
    return {
        "events": _number(row.events, 0),
        "gaps": _number(row.gaps, 0),
        "fetched": _number(row.backfilled, 0),
        "missing": _number(row.missing, 0),
        "dups": _number(row.duplicates, 0),
        "complete": _part(row.completeness),
        "proven": _UNKNOWN if row.proven is None else ("yes" if row.proven else "no"),
        "lag": _lag(row.lag),
        "age": _span(row.age),
    }


def _venue(row: VenueRow) -> Text:
    ahead = _UNKNOWN if row.clock_offset is None else f"{row.clock_offset * 1e3:+,.1f}ms"
    used = _UNKNOWN if row.rate_used is None else f"{row.rate_used:.1%}"
    return Text(f"venue {_clean(row.venue)}  reconnects {_number(row.reconnects, 0)}  clock {ahead}  rate {used}")


def _account(account: AccountRow) -> Text:
    text = Text(f"equity {account.equity:,.2f}  wallet {account.wallet:,.2f}  PnL ")
    text.append(f"{account.pnl:+,.2f}", style="green" if account.pnl >= 0 else "red")
    text.append(f"  drawdown {account.drawdown:.2%}  orders {account.orders:,}  fills {account.fills:,}")
    refused = ", ".join(f"{_clean(code)} {count:,}" for code, count in account.refusals.items())
    text.append(f"  refused {refused}" if refused else "")
    latched = ", ".join(f"{_clean(name)} ({_clean(level)})" for name, level in account.latches.items())
    return text.append(f"\nlatched {latched}" if latched else "", style="bold red")


def _positions(snapshot: Snapshot) -> RenderableType:
    if not snapshot.positions:
        return Text("no position", style="dim")
    table = _table("position")
    for name in ("quantity", "average price", "price", "unrealised", "stop"):
        table.add_column(name, justify="right")
    for row in snapshot.positions:
        prices = (_price(row.average_price), _price(row.price), _number(row.unrealised, 2), _price(row.stop))
        table.add_row(_clean(row.symbol), f"{row.quantity:.12g}", *prices)
    return table


def _incident(snapshot: Snapshot, index: int) -> Text:
    incident = snapshot.incidents[index]
    topic = f" {incident.topic}" if incident.topic else ""
    line = f"{_time(incident.ts)} {incident.stage}: {incident.what} of {incident.of}{topic} {incident.detail}"
    return Text(_clean(line), style="dim")


def _figures(
    titles: Sequence[str], heads: Sequence[Sequence[str | Text]], rows: Sequence[dict[str, str]], *, wide: bool
) -> Table:
    """Make a table of rows, each with its head and its figures by column."""
    table = _table(*titles)
    columns = [name for name in rows[0] if wide or name not in _ONLY_WIDE]
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for head, row in zip(heads, rows, strict=True):
        table.add_row(*head, *(row[name] for name in columns))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _clean(text: str) -> str:
    """Return a stranger's text without what would steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _time(ts: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ts // 1_000_000_000, UTC):%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return str(ts)


def _number(value: float | None, digits: int) -> str:
    return _UNKNOWN if value is None else f"{value:,.{digits}f}"


def _part(value: float | None) -> str:
    """Write a part of a whole; what is not all of it never looks like all."""
    if value is None:
        return _UNKNOWN
    return "100%" if value >= 1.0 else f"{min(value, 0.99999):.3%}"


def _price(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.12g}"


def _lag(seconds: float | None) -> str:
    if seconds is None:
        return _UNKNOWN
    return f"{seconds * 1e3:.1f}ms" if abs(seconds) < 1.0 else _span(seconds)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return _UNKNOWN
    if seconds < 60.0:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02d}" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}"
