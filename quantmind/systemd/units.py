"""Units: the services of a recipe's stages, and the target that joins them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quantmind.systemd.escape import argument, bound, program, value
from quantmind.systemd.hardening import Network, hardening, hidden, reach
from quantmind.systemd.layout import Layout
from quantmind.systemd.needs import absolute, addresses, is_local, is_loopback, needs, stages

HEADER = "# Written by `quantmind systemd`, which may write it again: change it with `systemctl edit`."
"""The first line of every file; nothing without it is overwritten."""

_SERVICE = """\
Type=notify
NotifyAccess=main
WatchdogSec=30
TimeoutStartSec=120
TimeoutStopSec=30
KillSignal=SIGTERM
KillMode=mixed
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 78"""
_AFTER = {"execution": ("sink",), "strategy": ("execution", "sink"), "feed": ("strategy", "execution", "sink")}
"""Which stages are started after which, and so stopped before them: in the order in which a tick passes them."""
_STARTS = ("StartLimitIntervalSec=600", "StartLimitBurst=60")
"""A stage that fails at once is started for five minutes, as an outage of a venue or a broker may last."""


def units(layout: Layout, data: Mapping[str, Any]) -> dict[Path, str]:
    """Return the files of a recipe's units, by their paths below the folder of units."""
    found = stages(data)
    files = {Path(layout.target): _target(layout, [layout.service(stage) for stage in found or (None,)])}
    if not found:
        files[Path(layout.service(None))] = _unit(layout, None, _own(layout, data, None), [])
    if found and layout.template:
        files[Path(layout.service(""))] = _unit(layout, "%i", [], [])
    for stage in found:
        own = _own(layout, data, stage)
        after = [f"After={layout.service(other)}" for other in _AFTER.get(stage, ())]
        if layout.template:
            files[Path(f"{layout.service(stage)}.d", "stage.conf")] = _sections({"Unit": after, "Service": own})
        else:
            files[Path(layout.service(stage))] = _unit(layout, stage, own, after)
    return files


def network(data: Mapping[str, Any], stage: str | None) -> Network:
    """Say what a stage may talk to; only strategies talk to nothing but the transport."""
    bus = addresses(data)
    if stage != "strategy" or not bus or not all(map(is_loopback, bus)):
        return "any"
    return "none" if all(map(is_local, bus)) else "loopback"


def _unit(layout: Layout, stage: str | None, own: list[str], after: list[str]) -> str:
    what = f"{layout.recipe_name}: {f'stage {stage}' if stage else 'one process'}"
    networked = [] if layout.user else ["Wants=network-online.target", "After=network-online.target"]
    head = [
        f"Description=QuantMind {what}",
        f"PartOf={layout.target}",
        *networked,
        *after,
        *_STARTS,
    ]
    command = [*_program(), *map(argument, layout.flags), "run", argument(layout.recipe)]
    if stage is not None:
        command += ["--stage", stage]
    service = [
        *_SERVICE.splitlines(),
        f"ExecStart={' '.join(command)}",
        f"WorkingDirectory={value(layout.folder)}",
        f"SyslogIdentifier={layout.name}{f'-{stage}' if stage else ''}",
        # Lines reach the journal when they are written; nothing is compiled into folders that cannot be written.
        "Environment=PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1",
        f"Environment=QUANTMIND_STATE=%S/{layout.state}",
        *_folders(layout),
        *_who(layout),
        *hardening(user=layout.user, writable_code=layout.writable_code),
        *own,
    ]
    return _sections({"Unit": head, "Service": service, "Install": [f"WantedBy={layout.target}"]})


def _target(layout: Layout, services: Iterable[str]) -> str:
    head = [f"Description=QuantMind {layout.recipe_name}", *(f"Wants={service}" for service in services)]
    install = [f"WantedBy={'default.target' if layout.user else 'multi-user.target'}"]
    return _sections({"Unit": head, "Install": install})


def _folders(layout: Layout) -> list[str]:
    names = (
        f"StateDirectory={layout.state}",
        "StateDirectoryMode=0700",
        f"LogsDirectory={layout.state}",
        "LogsDirectoryMode=0700",
        f"RuntimeDirectory={layout.runtime}",
        "RuntimeDirectoryMode=0700",
        # It is shared: a stage that stops must not take the sockets of the others with it.
        "RuntimeDirectoryPreserve=yes",
    )
    return [*names, *_shown(layout, _program_folders(layout))]


def _own(layout: Layout, data: Mapping[str, Any], stage: str | None) -> list[str]:
    """Return what only one stage gets: its secrets, its files and its part of the network."""
    need = needs(data, stage)
    lines = [f"LoadCredential={name}:{layout.source(name, need, stage)}" for name in need.all_credentials]
    if need.variables:
        lines.append(f"EnvironmentFile=-{layout.environment}")
    lines += _shown(layout, [absolute(path, layout.folder) for path in need.files])
    return [*lines, *reach(network(data, stage), user=layout.user)]


def _who(layout: Layout) -> list[str]:
    if layout.user:
        return []
    if layout.account is not None:
        return [f"User={layout.account}"]
    # Stages of one name share the user, and so the folders; it exists while one of them runs.
    return ["DynamicUser=yes", "User=quantmind"]


def _program() -> list[str]:
    script = Path(sys.executable).with_name("quantmind")
    return [program(script)] if script.is_file() else [program(sys.executable), "-m", "quantmind"]


def _program_folders(layout: Layout) -> list[Path]:
    """Return what a stage reads to start: interpreter, packages, project."""
    path = [Path(entry) for entry in sys.path if entry and Path(entry).is_dir()]
    return [Path(sys.prefix), Path(sys.base_prefix), *path, layout.folder, layout.recipe.parent]


def _shown(layout: Layout, paths: Iterable[Path]) -> list[str]:
    """Return the settings by which a stage sees paths in hidden folders; one within another is seen with it."""
    folders = hidden(user=layout.user)
    found = sorted({path for path in paths if any(path.is_relative_to(folder) for folder in folders)})
    outer = [path for path in found if not any(other != path and path.is_relative_to(other) for other in found)]
    return [f"BindReadOnlyPaths={bound(path)}" for path in outer]


def _sections(sections: Mapping[str, list[str]]) -> str:
    parts = ["\n".join([f"[{name}]", *lines]) for name, lines in sections.items() if lines]
    return "\n\n".join([HEADER, *parts]) + "\n"
