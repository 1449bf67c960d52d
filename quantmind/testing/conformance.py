"""Checks any component: what all components promise, and then what its kind promises."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click
import msgspec
from pydantic import BaseModel, ValidationError

from quantmind.errors import QuantMindError
from quantmind.fitness import fault_of, misfit_of
from quantmind.kinds import Allocator, Component, Options, Run
from quantmind.market.instruments import KNOWN
from quantmind.testing import (
    allocator,
    archive,
    command,
    executor,
    feed,
    limit,
    protection,
    sink,
    sizing,
    strategy,
    transport,
)
from quantmind.testing.examples import BTC, ETH
from quantmind.testing.proving.opening import Terms
from quantmind.testing.proving.promise import Check, LeftOut, Promise, expect, importable, one_line, raised, report

_UNKNOWN = "an_option_that_nobody_has"
_REFERENCE = re.compile(r"\$\{[^}]*?(?::-(?P<default>[^}]*))?\}")
_INSTRUMENTS = tuple(KNOWN.values())


def check_component(
    component: type[Component[Any]] | click.Command,
    options: Mapping[str, Any] | None = None,
    *,
    live: bool = False,
) -> Iterator[Promise]:
    """Check a component class, or the command of a plugin, and yield each promise with what came of it, in their order.

    `options` are given as a recipe would, by name; left out, they are those of the component's example. Nothing is
    connected to but with `live`; transports are checked with `live` only, which starts and kills processes. Whatever
    the component raises is told as the fault of a promise.

        for promise in check_component(Breakout, {"window": 20}):
            assert not promise.fault, promise.words
    """
    if isinstance(component, click.Command):
        yield from report(command.PROMISES, component)
        return
    general = _General(component, options)
    broken = False
    for promise in report(_GENERAL, general):
        broken |= promise.words == _KNOWN.words and bool(promise.fault)
        yield promise
    kind = _KINDS.get(component.kind)
    if kind is None or broken:
        return
    try:
        subject = kind.subject(component, general.options(), live)
        why = ""
    except LeftOut as reason:
        why = str(reason)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's component may raise anything
        yield Promise("is made of its options", fault=_why_not_made(error))
        why = "it cannot be made"
    else:
        yield Promise("is made of its options")
    if why:
        yield from (Promise(check.words, left_out=why) for check in kind.checks)
    else:
        yield from report(kind.checks, subject)


class _Kind(msgspec.Struct, frozen=True):
    """How the promises of a kind are proven: what makes their subject, and what they are."""

    subject: Callable[[Any, Any, bool], Any]
    checks: Sequence[Check[Any]]


class _General:
    """A component class, and the options it is checked with."""

    def __init__(self, component: type[Component[Any]], given: Mapping[str, Any] | None) -> None:
        self.component = component
        self.given = given

    @property
    def model(self) -> type[Options]:
        """Its options model."""
        return self.component.options_model

    def data(self) -> Mapping[str, Any]:
        """Return the options as they are written: those given, else those of the example."""
        if self.given is not None:
            return self.given
        from quantmind.reference.example import example

        written = example(self.component)
        # What a recipe takes from elsewhere is some text by the time that a component gets it.
        filled: Mapping[str, Any] = _filled(written)
        try:
            self.model.model_validate(filled)
        except (ValidationError, QuantMindError):
            return written
        return filled

    def options(self) -> Options:
        """Return the options.

        Raises:
            LeftOut: they are not valid.
        """
        try:
            return self.model.model_validate(dict(self.data()))
        except (ValidationError, QuantMindError) as error:
            raise LeftOut("its options are not valid") from error


def _filled(data: Any) -> Any:
    """Return options with their defaults, or made-up texts, in place of `${NAME}` and the like."""
    if isinstance(data, str):
        return _REFERENCE.sub(lambda match: match["default"] or "example", data)
    if isinstance(data, dict):
        return {name: _filled(value) for name, value in data.items()}
    return [_filled(value) for value in data] if isinstance(data, list) else data


def _known(general: _General) -> None:
    fault = fault_of(general.component)
    expect(not fault, fault)


def _callable(general: _General) -> None:
    fault = misfit_of(general.component)
    expect(not fault, fault)


def _summary(general: _General) -> None:
    summary = general.component.summary()
    expect(summary.endswith("."), f"the first line of its docstring has no full stop, was {summary!r}")


def _described(general: _General) -> None:
    bare = [
        f"{model.__name__}.{name}"
        for model in _models(general.model)
        for name, field in model.model_fields.items()
        if not (field.description or "").strip()
    ]
    expect(not bare, f'{", ".join(bare)} has no description: write Field(..., description="...")')


def _closed(general: _General) -> None:
    for model in _models(general.model):
        try:
            model.model_validate({_UNKNOWN: 1})
        except ValidationError as error:
            if any(problem["type"] == "extra_forbidden" for problem in error.errors()):
                continue
        raise AssertionError(f"{model.__name__} takes any key: derive it from quantmind.kinds.Options")


def _frozen(general: _General) -> None:
    for model in _models(general.model):
        expect(bool(model.model_config.get("frozen")), f"{model.__name__} can be changed: derive it from Options")


def _defaults(general: _General) -> None:
    data = dict(general.data())
    for name, field in general.model.model_fields.items():
        if field.is_required() or name in data:
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        try:
            general.model.model_validate({**data, field.alias or name: default})
        except ValidationError as error:
            reasons = [problem["msg"] for problem in error.errors() if name in problem["loc"]]
            expect(not reasons, f"the default of {name}, {default!r}, is not valid: {'; '.join(reasons)}")


def _example(general: _General) -> None:
    try:
        general.model.model_validate(dict(general.data()))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        source = "the options given" if general.given is not None else "the options of its example"
        raise AssertionError(f"{source} are not valid: {one_line(problems)}") from error


def _importable(general: _General) -> None:
    kind = general.component
    expect(importable(kind), f"{kind.__module__}.{kind.__qualname__} is something else, or nothing")


def _capable(general: _General) -> None:
    capabilities: object = general.component.capabilities
    sound = isinstance(capabilities, frozenset) and all(isinstance(name, str) for name in capabilities)
    expect(sound, f"capabilities is a frozenset of names, was {capabilities!r}")


_KNOWN = Check("is of a known kind, has a name of small letters, a docstring and an options model", _known)

_GENERAL: tuple[Check[_General], ...] = (
    _KNOWN,
    Check("has a summary of one sentence, which ends with a full stop", _summary),
    Check("describes every option", _described),
    Check("refuses options that it does not know", _closed),
    Check("never changes its options", _frozen),
    Check("takes the options it is checked with", _example),
    Check("has defaults that are valid", _defaults),
    Check("can be imported by the name of its module", _importable),
    Check("tells its capabilities by name", _capable),
    Check("has methods that are called like those of its kind, and with the same", _callable),
)


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and every one that its fields may hold, each once."""
    found: dict[type[BaseModel], None] = {}
    waiting: list[Any] = [model]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, type) and issubclass(item, BaseModel):
            if item not in found:
                found[item] = None
                waiting += [field.annotation for field in item.model_fields.values()]
        else:
            waiting += getattr(item, "__args__", ())
    return list(found)


def _why_not_made(error: BaseException) -> str:
    told = raised(error)
    # A component that was made lacks what all of its kind have.
    if isinstance(error, AttributeError) and isinstance(error.obj, Component):
        return f"{told}: its __init__ takes what that of its kind takes, and calls super().__init__ with it"
    return told


def _strategy(kind: Any, options: Options, _: bool) -> strategy.StrategySubject:
    symbols = [BTC] if kind.scope == "symbol" else [BTC, ETH]
    return strategy.StrategySubject(lambda: kind(options, "checked", symbols))


def _allocator(kind: Any, options: Options, _: bool) -> allocator.AllocatorSubject:
    strategies = _fitting(kind, options)
    return allocator.AllocatorSubject(lambda: kind(options, strategies))


def _fitting(kind: type[Allocator[Any]], options: Options) -> Mapping[str, Sequence[str]]:
    """Return strategies that an allocator is content with: any, else those that its options name."""
    faults: Sequence[str] = ()
    named = [list(value) for _, value in options if isinstance(value, dict) and value]
    for ids in (["trend", "reversion"], *named):
        strategies = {BTC: ids, ETH: ids}
        faults = kind.check(options, strategies)
        if not faults:
            return strategies
    raise LeftOut(f"it is content with no strategies: {'; '.join(faults)}")


def _limit(kind: Any, options: Options, _: bool) -> limit.LimitSubject:
    return limit.LimitSubject(lambda: kind(options))


def _protection(kind: Any, options: Options, _: bool) -> protection.ProtectionSubject:
    return protection.ProtectionSubject(lambda: kind(options, _INSTRUMENTS[0]))


def _sizing(kind: Any, options: Options, _: bool) -> sizing.SizingSubject:
    return sizing.SizingSubject(lambda: kind(options, _INSTRUMENTS[0]))


def _executor(kind: Any, options: Options, _: bool) -> executor.ExecutorSubject:
    return executor.ExecutorSubject(lambda: kind(options, _INSTRUMENTS))


def _feed(kind: Any, options: Options, live: bool) -> feed.FeedSubject:
    return feed.FeedSubject(lambda: kind(options, _INSTRUMENTS), Terms(live=live, strict=False))


def _sink(kind: Any, options: Options, live: bool) -> sink.SinkSubject:
    def make(run: Run) -> Any:
        return kind(options, run)

    return sink.SinkSubject(make, options, Terms(live=live, strict=False))


def _archive(kind: Any, options: Options, live: bool) -> archive.ArchiveSubject:
    return archive.ArchiveSubject(lambda: kind(options), Terms(live=live, strict=False))


def _transport(kind: Any, options: Options, live: bool) -> Any:
    if not live:
        raise LeftOut("it carries frames between processes: live lets it")
    pipeline = f"check-{uuid.uuid4().hex[:8]}"
    return lambda stage: kind(options, pipeline, stage)


_KINDS: Mapping[str, _Kind] = {
    "strategy": _Kind(_strategy, strategy.PROMISES),
    "allocator": _Kind(_allocator, allocator.PROMISES),
    "limit": _Kind(_limit, limit.PROMISES),
    "protection": _Kind(_protection, protection.PROMISES),
    "sizing": _Kind(_sizing, sizing.PROMISES),
    "executor": _Kind(_executor, executor.PROMISES),
    "feed": _Kind(_feed, feed.PROMISES),
    "sink": _Kind(_sink, sink.PROMISES),
    "archive": _Kind(_archive, archive.PROMISES),
    "transport": _Kind(_transport, transport.PROMISES),
}
