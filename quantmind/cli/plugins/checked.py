"""The process in which `quantmind plugins check` looks at a component."""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from quantmind.cli.calling import contributed
from quantmind.cli.calling.session import Session
from quantmind.cli.plugins.catalogue import Catalogue
from quantmind.errors import QuantMindError, UsageError
from quantmind.plugins import PluginError, Plugins
from quantmind.project import Project
from quantmind.recipe.document import Document, parse
from quantmind.recipe.faults import validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.reference import markdown
from quantmind.reference.command import CommandDescription
from quantmind.scaffold.distribution import findings
from quantmind.scaffold.finding import Finding, Request, Subject
from quantmind.scaffold.trial import Began, Done, Message, Refused, Told
from quantmind.testing import check_component

if TYPE_CHECKING:
    from quantmind.kinds import Component
    from quantmind.testing import Promise


def main() -> None:
    """Do what the first argument asks for, and tell it by the file descriptor that is the second one.

    When something takes too long, the third one gets to know where, and the process ends.
    """
    request = msgspec.json.decode(sys.argv[1], type=Request)
    telling, stack = int(sys.argv[2]), int(sys.argv[3])

    def tell(message: Message) -> None:
        os.write(telling, msgspec.json.encode(message) + b"\n")

    faulthandler.enable(stack)
    try:
        messages = _messages(request)
        while True:
            faulthandler.dump_traceback_later(request.patience, exit=True, file=stack)
            message = next(messages, Done())
            faulthandler.cancel_dump_traceback_later()
            tell(message)
            if isinstance(message, Done):
                break
    except QuantMindError as error:
        tell(Refused(str(error), error.exit_code))
    except Exception as error:  # noqa: BLE001 - nobody sees the traceback of this process
        text = " ".join(f"{type(error).__name__}: {error}".split())
        tell(Refused(f"the check itself failed, which is a fault of QuantMind: {text}: please report it", 1))
    sys.stdout.flush()
    # Threads that a component has left must not keep the process.
    os._exit(0)


def _messages(request: Request) -> Iterator[Message]:
    """Find it, and yield all that is found out.

    Raises:
        UsageError: nothing is called so, or it is called wrongly.
        PluginError: it is there, and cannot be loaded.
        QuantMindError: hypothesis is not installed.
    """
    session = Session(only_own=request.only_own)
    plugins = session.plugins(Project.find(Path.cwd(), os.environ))
    catalogue = Catalogue(session, plugins)
    try:
        kinds = (request.kind,) if request.kind else catalogue.kinds(request.name)
        description = catalogue.describe(kinds[0], request.name)
    except UsageError as error:
        text = "; ".join([str(error), *_faults(plugins, str(error))])
        there = any(row.fault and not row.kind and row.name == request.name for row in plugins.all())
        raise (PluginError if there else UsageError)(text) from error
    if len(kinds) > 1:
        ways = " or ".join(f"--kind {kind}" for kind in kinds)
        raise UsageError(f"{request.name} is the name of several: write {ways}")
    (kind,) = kinds
    subject = Subject(kind, request.name, description.distribution, description.version, description.module)
    options = _options(request)
    if importlib.util.find_spec("hypothesis") is None:
        raise QuantMindError("the checks draw their examples with hypothesis, which is missing: pip install hypothesis")
    if isinstance(description, CommandDescription):
        if options is not None:
            raise UsageError(f"{request.name} is a command: it takes no --options and no --set")
        yield Began(subject)
        promises = check_component(contributed.load(request.name, session))
        described = markdown.command(description)
    else:
        component = plugins.find(kind, request.name)
        if options is not None:
            _expect_valid(component, options)
        yield Began(subject)
        promises = check_component(component, options, live=request.live)
        described = markdown.component(description)
    for promise in promises:
        yield Told(_finding(promise))
    if subject.distribution:
        for finding in findings(subject, described):
            yield Told(finding)


def _faults(plugins: Plugins, told: str) -> list[str]:
    """Say what is wrong with plugins, where that was not told: what is looked for may be of one of them."""
    told_of = [row for row in plugins.all() if row.fault and row.fault not in told]
    return [
        f"{row.distribution} {row.version} ({row.module}) "
        + (f"has {row.kind} {row.name}, {row.fault}" if row.kind else f"cannot be loaded: {row.fault}")
        for row in told_of
    ]


def _finding(promise: Promise) -> Finding:
    if promise.fault:
        return Finding("component", promise.words, "failed", promise.fault)
    if promise.left_out:
        # Here it is an option of the command that lets it.
        return Finding("component", promise.words, "left out", promise.left_out.replace(": live lets", ": --live lets"))
    return Finding("component", promise.words, "ok")


def _options(request: Request) -> dict[str, Any] | None:
    """Read the options that are given; None when there are none.

    Raises:
        UsageError: they are no options.
    """
    if not (request.options or request.settings):
        return None
    given: Any = _read(request.options, f"--options {request.options}") if request.options else {}
    if not isinstance(given, dict):
        raise UsageError(f"--options {request.options}: must be a mapping, such as '{{window: 20}}'")
    for setting in request.settings:
        key, sign, text = setting.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"--set {setting}: must be KEY=VALUE, such as --set window=20")
        given[key.strip()] = _read(text, f"--set {setting}")
    return given


def _read(text: str, where: str) -> Any:
    document = parse(text.encode(), "")
    if document.problems:
        raise UsageError(f"{where}: {document.problems[0].message}")
    return document.data


def _expect_valid(component: type[Component[Any]], given: Mapping[str, Any]) -> None:
    """Refuse options that a recipe could not have either.

    Raises:
        UsageError: they are not valid; every reason.
    """
    noted = Findings(Document("", None), Interpolation({}))
    if validate(component.options_model, dict(given), "", noted) is None:
        told = (": ".join(filter(None, (problem.path, problem.message))) for problem in noted.problems)
        raise UsageError(f"its options: {'; '.join(told)}")
