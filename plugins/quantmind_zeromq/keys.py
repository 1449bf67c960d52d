"""Keys: the files that hold them, and those that a stage works with."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from quantmind.errors import QuantMindError, RecipeError
from quantmind.kinds.transport import OBSERVER, STAGES
from quantmind_zeromq.options import CurveOptions, check_key

_OWN = ".key"
_PUBLIC = ".pub"
_ALLOWED = "allow"
"""The folder, in that of the keys, of public keys of others that may listen."""

_LONGEST = 1_000


class KeyFaultError(RecipeError):
    """A key is missing, open to others, or no key: trying again helps nobody."""


@dataclass(frozen=True)
class Keys:
    """What a stage needs to be known and to know the others."""

    secret: bytes = field(repr=False)
    public: bytes
    stages: Mapping[str, bytes]
    allowed: frozenset[bytes]
    """Public keys of those that may connect to this stage."""


def load(options: CurveOptions, stage: str) -> Keys:
    """Read the keys of a stage; files only here, and not before.

    Raises:
        QuantMindError: one is missing, open to others, no key, or not the stage's.
    """
    folder = Path(options.keys) if options.keys is not None else None
    stages: dict[str, bytes]
    if options.public_keys is not None:
        stages = {name: key.encode() for name, key in options.public_keys.items()}
    elif folder is not None:
        stages = {name: public_key(folder / f"{name}{_PUBLIC}") for name in STAGES}
    else:
        raise KeyFaultError("zeromq: `curve` names no public keys")
    if options.secret_key is not None:
        where, secret = "`curve.secret_key`", options.secret_key.get_secret_value().strip().encode()
    elif folder is not None:
        where, secret = str(folder / f"{stage}{_OWN}"), secret_key(folder / f"{stage}{_OWN}")
    else:
        raise KeyFaultError("zeromq: `curve` names no secret key")
    public = public_of(secret, where)
    if stages.get(stage, public) != public:
        raise KeyFaultError(f"zeromq: {where} does not belong to the public key of {stage}: give the stage its own key")
    others = {key.encode() for key in options.allow}
    if folder is not None:
        listeners = [folder / f"{OBSERVER}{_PUBLIC}", *sorted((folder / _ALLOWED).glob(f"*{_PUBLIC}"))]
        others |= {public_key(path) for path in listeners if path.exists()}
    return Keys(secret, public, stages, frozenset(others.union(stages.values())))


def secret_key(path: Path) -> bytes:
    """Read a secret key, which nobody but its owner may read.

    Raises:
        QuantMindError: others may, it is somebody else's, or it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _unread(path, error) from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeyFaultError(f"zeromq: {path} is no file")
        if found.st_uid not in {os.geteuid(), 0}:
            raise KeyFaultError(f"zeromq: {path} belongs to user {found.st_uid}: make it the own one's, chown it")
        if found.st_mode & 0o077:
            raise KeyFaultError(
                f"zeromq: {path} is open to others (mode {stat.S_IMODE(found.st_mode):04o}): chmod 600 it"
            )
        return file.read(_LONGEST).strip()


def public_key(path: Path) -> bytes:
    """Read a public key.

    Raises:
        QuantMindError: it cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST).decode("ascii").strip()
        return check_key(text).encode()
    except OSError as error:
        raise _unread(path, error) from None
    except ValueError:
        raise KeyFaultError(f"zeromq: {path} holds no public key: copy it again") from None


def public_of(secret: bytes, where: str) -> bytes:
    """Return the public key that belongs to a secret one.

    Raises:
        QuantMindError: it is no secret key.
    """
    try:
        check_key(secret.decode("ascii"))
        return zmq.curve_public(secret)
    except (ValueError, zmq.ZMQError):
        raise KeyFaultError(f"zeromq: {where} holds no secret key: it must have 40 characters") from None


def _unread(path: Path, error: OSError) -> QuantMindError:
    return KeyFaultError(
        f"zeromq: {path}: {error.strerror}: make the keys with `quantmind zeromq keys {path.parent}` and spread them"
    )
