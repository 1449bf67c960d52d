"""`quantmind plugins check`: whether a component keeps the promises of its kind."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.kinds import KINDS

if TYPE_CHECKING:
    from quantmind.scaffold.finding import Finding, Subject

_LABELS = {"ok": "ok", "failed": "FAILED", "left out": "left out", "advice": "advice"}


@click.command(
    "check",
    short_help="Check that a component keeps the promises of its kind.",
    epilog="\b\nExample: quantmind plugins check breakout\n"
    "Example: quantmind plugins check breakout --set window=50 --set interval=5m --json",
)
@click.argument("name", shell_complete=completers.names)
@click.option("--kind", type=click.Choice([*KINDS, "command"]), help="What it is, where several are called like it.")
@click.option("--options", metavar="MAPPING", default="", help="Its options, as YAML or JSON; default: its example's.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One of its options, as in YAML.")
@click.option("--live", is_flag=True, help="Let it connect to what it talks to.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0.1, max=86_400),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one promise may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    ctx: click.Context,
    name: str,
    kind: str | None,
    options: str,
    settings: tuple[str, ...],
    live: bool,
    patience: float,
    as_json: bool,
) -> None:
    """Check the installed component NAME, or a command, and the package that brings it.

    It is tried on drawn examples in a process of its own: each promise of its kind is kept, broken or left out. It ends
    with 1 where one is broken, with 2 where nothing is called NAME, and with 78 where it is there but cannot be
    loaded. Nothing is connected to without --live.
    """
    from quantmind.scaffold.finding import Request, Subject
    from quantmind.scaffold.trial import trial

    session: Session = ctx.obj
    request = Request(name, kind or "", options, settings, live, session.only_own, patience)
    subject: Subject | None = None
    findings: list[Finding] = []
    for told in trial(request):
        if isinstance(told, Subject):
            subject = told
        else:
            findings.append(told)
        if not as_json:
            _print(told, findings)
    broken = any(finding.state == "failed" for finding in findings)
    if as_json:
        click.echo(json.dumps(_answer(name, subject, findings, broken), indent=2))
    else:
        click.echo(_summary(findings))
    ctx.exit(1 if broken else 0)


def _print(told: Subject | Finding, findings: list[Finding]) -> None:
    from quantmind.scaffold.finding import Subject

    if isinstance(told, Subject):
        origin = f"{told.distribution} {told.version} ({told.module})" if told.distribution else told.module
        click.echo(f"{told.kind} {told.name} of {origin}")
        return
    if told.part == "package" and (len(findings) == 1 or findings[-2].part != "package"):
        click.echo("the package")
    click.echo(f"  {_LABELS[told.state]:<8}  {told.words}")
    if told.told:
        again = len(findings) > 1 and findings[-2].told == told.told
        click.echo(f"            {'the same' if again else told.told}")


def _summary(findings: list[Finding]) -> str:
    counts = Counter[str](finding.state for finding in findings)
    parts = [f"{counts['ok']} kept"]
    parts += [f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state]]
    return ", ".join(parts)


_WORDS = {"failed": "broken", "left out": "left out", "advice": "advised"}


def _answer(name: str, subject: Subject | None, findings: list[Finding], broken: bool) -> dict[str, object]:
    import msgspec

    who = {"name": name} if subject is None else msgspec.to_builtins(subject)
    return {**who, "kept": not broken, "findings": [msgspec.to_builtins(finding) for finding in findings]}
