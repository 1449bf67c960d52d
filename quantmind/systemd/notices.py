"""Notices: what the operator has to see to before the units can start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from quantmind.systemd.layout import Layout
from quantmind.systemd.needs import addresses, is_local, needs, stages
from quantmind.systemd.units import network

_HOMES = (Path("/home"), Path("/"))


def notices(layout: Layout, data: Mapping[str, Any]) -> list[str]:
    """Return one line for each thing to see to, without what is said twice."""
    return list(dict.fromkeys(_notices(layout, data)))


def _notices(layout: Layout, data: Mapping[str, Any]) -> Iterator[str]:
    found = stages(data)
    everything = needs(data, None)
    if everything.variables:
        yield f"set {', '.join(everything.variables)} in {_shown(layout.environment)}, which every stage reads"
    for stage in found or (None,):
        need = needs(data, stage)
        for name in need.all_credentials:
            yield f"write the credential {_shown(layout.source(name, need, stage))}, readable by its owner only"
    for path in everything.files:
        yield f"{path} must be readable by the user of the stages; a credential need not be"
    runtime = f"{'$XDG_RUNTIME_DIR' if layout.user else '/run'}/{layout.runtime}"
    for address in addresses(data) if found else ():
        if is_local(address) and f"/{layout.runtime}/" not in address:
            yield f"{address} is not in the folder that the stages share: put the endpoint below ipc://{runtime}/"
    if "strategy" in found and network(data, "strategy") != "any":
        yield "the strategy stage may talk to this machine only: write the units again when the transport moves"
    if not layout.user and (layout.folder == Path("/root") or layout.folder.parent in _HOMES):
        yield f"the stages can read all of {layout.folder}: keep the recipe in a folder of its own"


def _shown(path: str) -> str:
    return path.replace("%E", "~/.config").replace("%%", "%")
