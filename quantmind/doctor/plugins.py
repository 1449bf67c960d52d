"""Plugins: what they give, what is wrong with them, and which may be loaded."""

from __future__ import annotations

from collections.abc import Iterator

from quantmind.cli import VERBS
from quantmind.cli.calling import contributed
from quantmind.doctor.finding import Finding, failed, ok
from quantmind.plugins import Plugins
from quantmind.project import Project


def plugins(known: Plugins, project: Project) -> Iterator[Finding]:
    """Load every plugin that may be loaded."""
    rows = [*known.all(), *contributed.listed(known, tuple(VERBS))]
    sound = [row for row in rows if row.kind and not row.fault]
    owners = sorted({f"{row.distribution} {row.version}".strip() for row in sound if row.distribution})
    components = sum(row.kind != "command" for row in sound)
    words = f"{components} components and {len(sound) - components} commands of {', '.join(owners) or 'nobody'}"
    yield ok("plugins", words)
    for row in rows:
        if not row.fault:
            continue
        what = " ".join(part for part in (row.kind, row.name) if part)
        who = f"{what} of {row.distribution} {row.version} ({row.module})"
        if row.fault.startswith(("is not on the allow-list", "is left out", "is not named by")):
            yield ok("plugins", f"{who} {row.fault}")
        elif row.fault.startswith("also "):
            yield failed("plugins", f"{who} is {row.fault}", "uninstall one, or allow only one in quantmind.yaml")
        else:
            by = row.distribution
            advice = f"mend it if it is yours, else pip install --upgrade {by}, or pip uninstall {by}"
            yield failed("plugins", f"{who}: {row.fault}", advice)
    if project.allow is not None:
        yield ok("allow-list", f"{', '.join(project.allow) or 'nobody'} ({project.file})")
