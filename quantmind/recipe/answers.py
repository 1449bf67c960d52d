"""Answers: what a component says of its options before anything runs, and that it is its fault when it is no answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, get_args

import msgspec

from quantmind.blame import defined, place, shown, told
from quantmind.events.market import ChannelKind
from quantmind.kinds import Channel, Needs
from quantmind.recipe.model import Spec

_KINDS = frozenset(get_args(ChannelKind))


class UnansweredError(Exception):
    """A component raised, or answered something that is no answer; says so, and in which line of its author's file."""


class _Form(msgspec.Struct, frozen=True):
    """What an answer looks like, in words, and what tells one."""

    wanted: str
    fits: Callable[[object], bool]


def asked(spec: Spec, what: str, *given: object) -> Any:
    """Return what the component of a spec answers of its options: `what` is one of its class methods.

    Raises:
        UnansweredError: it raises, or its answer is none.
    """
    form = _FORMS[what]
    try:
        method = getattr(spec.component, what)
        answer = method(spec.options, *given)
        if form.fits(answer):
            return answer
        text = f"its {what} must give {form.wanted}, was {shown(answer)}{defined(method)}"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        text = f"its {what} cannot be told: {told(error)}{place(error)}"
    raise UnansweredError(f"{text}; a fault of its plugin, or of its options")


def _offers(answer: object) -> bool:
    return isinstance(answer, Mapping) and all(map(_channels, answer.values()))


def _needs(answer: object) -> bool:
    if not isinstance(answer, Needs):
        return False
    facts: Collection[object] = (answer.fills, answer.positions)
    return _channels(answer.channels) and _whole(answer.history) and all(isinstance(fact, bool) for fact in facts)


def _channels(answer: object) -> bool:
    return isinstance(answer, Collection) and all(map(_channel, answer))


def _channel(answer: object) -> bool:
    """Say whether it is a channel that there may be: bars have an interval, and nothing else has one."""
    return (
        isinstance(answer, Channel)
        and answer.kind in _KINDS
        and _whole(answer.interval)
        and (answer.interval > 0) == (answer.kind == "bar")
    )


def _whole(answer: object) -> bool:
    return isinstance(answer, int) and answer >= 0


def _messages(answer: object) -> bool:
    texts = isinstance(answer, Sequence) and not isinstance(answer, str)
    return texts and all(isinstance(text, str) for text in answer)  # type: ignore[attr-defined] # it is a sequence


_FORMS: Mapping[str, _Form] = {
    "offers": _Form("channels by symbol, such as {symbol: frozenset({TRADES, bars(60 * SECOND)})}", _offers),
    "needs": _Form("Needs((CHANNEL, ...), history=BARS), such as Needs((bars(60 * SECOND),), 20)", _needs),
    "wants": _Form("channels, such as frozenset({TRADES, bars(60 * SECOND)})", _channels),
    "check": _Form("a list of what is wrong, in words; an empty one where nothing is", _messages),
    "runs_live": _Form("True or False", lambda answer: isinstance(answer, bool)),
}
"""What is asked of components, and the form of the answers."""
