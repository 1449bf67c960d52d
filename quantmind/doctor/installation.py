"""The installation: QuantMind, Python, the platform, and the distributions that it requires."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

from quantmind.doctor.finding import Finding, failed, ok, warning
from quantmind.doctor.requirement import Requirement, fits

NAME = "quantmind"
_NAMED = 3
"""So many packages that an extra lacks are named."""


def installation() -> Iterator[Finding]:
    """Look at versions, against what the metadata of the package ask for."""
    try:
        own = distribution(NAME)
    except PackageNotFoundError:
        yield failed("quantmind", "is not installed, its metadata are missing", "pip install quantmind")
        return
    yield ok("quantmind", f"{own.version} in {Path(__file__).parents[1]}")
    yield _python(own)
    yield _platform()
    requirements = [Requirement.parse(line) for line in own.requires or ()]
    yield from _required([each for each in requirements if not each.extra and each.here])
    for extra in own.metadata.get_all("Provides-Extra") or ():
        yield _extra(extra, [each for each in requirements if each.extra == extra and each.here])


def _python(own: Distribution) -> Finding:
    here, asked = platform.python_version(), own.metadata["Requires-Python"] or ""
    words = f"{here} ({sys.executable})"
    if not fits(here, asked):
        return failed("python", f"{words} does not fit {asked}", "install QuantMind with a Python that does")
    return ok("python", words)


def _platform() -> Finding:
    words = f"{platform.system()} {platform.release()} {platform.machine()}, {platform.libc_ver()[0] or 'no glibc'}"
    if sys.platform != "linux":
        return warning("platform", words, "QuantMind is tested on Linux only")
    return ok("platform", words)


def _required(requirements: list[Requirement]) -> Iterator[Finding]:
    sound = []
    for each in requirements:
        here = _version(each.name)
        command = f"pip install '{each.name}{each.versions}'"
        if not here:
            yield failed("dependencies", f"{each.name} is not installed", command)
        elif not fits(here, each.versions):
            yield failed("dependencies", f"{each.name} {here} does not fit {each.versions}", command)
        else:
            sound.append(f"{each.name} {here}")
    if sound:
        yield ok("dependencies", ", ".join(sound))


def _extra(extra: str, requirements: list[Requirement]) -> Finding:
    subject = f"extra {extra}"
    command = f"pip install '{NAME}[{extra}]'"
    versions = {each: _version(each.name) for each in requirements}
    wrong = [f"{each.name} {here}" for each, here in versions.items() if here and not fits(here, each.versions)]
    lacking = [each.name for each, here in versions.items() if not here]
    if wrong:
        return warning(subject, f"{', '.join(wrong)} fit not what it asks for", command)
    if len(lacking) == len(versions):
        return ok(subject, f"not installed ({command})")
    if len(lacking) > _NAMED:
        # Some came with other things: nobody has asked for this extra.
        return ok(subject, f"{len(versions) - len(lacking)} of its {len(versions)} packages are here ({command})")
    if lacking:
        return ok(subject, f"installed but for {', '.join(lacking)} ({command})")
    return ok(subject, "installed")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
