"""Hardening: what a stage may not do, as settings of its unit."""

from __future__ import annotations

from typing import Literal

Network = Literal["any", "loopback", "none"]
"""What a stage may talk to: everything, this machine, or sockets in the file system only."""

_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - named to be hidden
_HOMES = ("/home", "/root", "/run/user")

_ALWAYS = """\
NoNewPrivileges=yes
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
PrivateMounts=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
PrivateUsers=yes
PrivateIPC=yes
ProtectSystem=strict
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
KeyringMode=private
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=sched_setscheduler
SystemCallErrorNumber=EPERM"""
# sched_setscheduler is back in because ZeroMQ sets the ordinary schedule for its threads, and aborts when it is
# refused; the others are denied by RestrictRealtime.

_NEEDS_PRIVILEGES = ("CapabilityBoundingSet", "AmbientCapabilities", "DevicePolicy", "ProtectClock")
"""What the manager of a user, who has no privileges to take away, cannot set."""

_REACH: dict[Network, tuple[str, ...]] = {
    "any": (),
    "loopback": ("IPAddressDeny=any", "IPAddressAllow=localhost"),
    "none": ("RestrictAddressFamilies=", "RestrictAddressFamilies=AF_UNIX", "IPAddressDeny=any"),
}


def hardening(*, user: bool, writable_code: bool) -> list[str]:
    """Return the settings that all stages have."""
    lines = _ALWAYS.splitlines()
    if user:
        lines = [line for line in lines if line.partition("=")[0] not in _NEEDS_PRIVILEGES]
    else:
        # Empty folders, in which a project or an interpreter that is kept there can be shown.
        lines += ["ProtectHome=tmpfs", "RemoveIPC=yes"]
    if not writable_code:
        lines.append("MemoryDenyWriteExecute=yes")
    # AF_NETLINK lists the machine's addresses: ZeroMQ asks for them, and aborts when it is refused.
    return [*lines, "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX"]


def hidden(*, user: bool) -> tuple[str, ...]:
    """Return the folders that a stage sees empty, but for what is bound into them."""
    return _TEMPORARY if user else (*_HOMES, *_TEMPORARY)


def reach(network: Network, *, user: bool) -> list[str]:
    """Return the settings that narrow what one stage may talk to."""
    # Packets are filtered by a program in the kernel, which the manager of a user may not load.
    return [line for line in _REACH[network] if not (user and line.startswith("IPAddress"))]
