"""`check_component` tells each promise of any component in words, and what came of it."""

from __future__ import annotations

import click
import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from quantmind.events import Signal
from quantmind.kinds import KINDS, Component, Limit, Needs, NoOptions, Options, Protection, Sink, Strategy, bars
from quantmind.testing import Promise, check_component, conformance


class WindowOptions(Options):
    window: int = Field(default=3, ge=2, description="Bars that are looked at.", examples=[5])


class SecretOptions(Options):
    key: SecretStr = Field(description="The key.")
    host: str = Field(description="The server.", examples=["${HOST:-localhost}"])
    words: list[str] = Field(description="Words.", examples=[["${WORD}", "plain"]])


class Sound(Strategy[WindowOptions]):
    """Is always long."""

    name = "sound"

    @classmethod
    def needs(cls, options):
        return Needs((bars(60_000_000_000),))

    def on_bar(self, bar):
        return self.signal(1.0)


def faults(component, options=None):
    return {promise.words: promise.fault for promise in check_component(component, options) if promise.fault}


def fault(component, options=None):
    ((_, text),) = faults(component, options).items()
    return text


def test_a_sound_component_keeps_every_promise():
    told = list(check_component(Sound))
    assert all(isinstance(promise, Promise) for promise in told)
    assert [promise for promise in told if promise.fault or promise.left_out] == []
    words = [promise.words for promise in told]
    assert words[1] == "has a summary of one sentence, which ends with a full stop"
    assert "never raises, whatever the market" in words
    assert len(set(words)) == len(words) > 15


def test_every_kind_has_promises():
    assert set(conformance._KINDS) == set(KINDS)


def test_words_read_after_the_name_of_the_component():
    for kind in conformance._KINDS.values():
        for check in kind.checks:
            assert check.words[0].islower()
            assert not check.words.endswith(".")
            assert check.words.isprintable()


class Unended(Sound):
    """Has no full stop"""


class Bare(Sound):
    __doc__ = None


class Shouting(Sound):
    """Has a name of capitals."""

    name = "Shouting"


class Kindless(Component[NoOptions]):
    """Is of no kind."""

    name = "kindless"


class BareOptions(Options):
    window: int = 3


class Undescribed(Strategy[BareOptions]):
    """Does not describe its options."""

    name = "undescribed"
    needs = Sound.needs
    on_bar = Sound.on_bar


class InnerOptions(BaseModel):
    model_config = ConfigDict(frozen=True)
    deep: int = Field(default=1, description="Deep.")


class OuterOptions(Options):
    inner: InnerOptions = Field(default=InnerOptions(), description="What is inside.")


class Open(Strategy[OuterOptions]):
    """Takes any key inside."""

    name = "open"
    needs = Sound.needs
    on_bar = Sound.on_bar


class MutableOptions(Options):
    model_config = ConfigDict(frozen=False)


class Mutable(Strategy[MutableOptions]):
    """Has options that may change."""

    name = "mutable"
    needs = Sound.needs
    on_bar = Sound.on_bar


class WrongOptions(Options):
    window: int = Field(default=1, ge=2, description="Bars that are looked at.")


class Wrong(Strategy[WrongOptions]):
    """Has a default that is refused when it is written."""

    name = "wrong"
    needs = Sound.needs
    on_bar = Sound.on_bar


class Able(Sound):
    """Is able to do one thing."""

    capabilities = "protects"


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (Unended, "the first line of its docstring has no full stop, was 'Has no full stop'"),
        (Undescribed, 'BareOptions.window has no description: write Field(..., description="...")'),
        (Open, "InnerOptions takes any key: derive it from quantmind.kinds.Options"),
        (Mutable, "MutableOptions can be changed: derive it from Options"),
        (Wrong, "the default of window, 1, is not valid: Input should be greater than or equal to 2"),
        (Able, "capabilities is a frozenset of names, was 'protects'"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_general_promise_that_is_broken_is_told(component, said):
    assert fault(component) == said


def test_options_that_are_not_valid_leave_the_kind_out():
    told = list(check_component(Sound, {"window": 1, "width": 2}))
    (broken,) = [promise for promise in told if promise.fault]
    assert broken.words == "takes the options it is checked with"
    assert broken.fault.startswith("the options given are not valid: window: Input should be greater")
    assert "width: Extra inputs are not permitted" in broken.fault
    assert {promise.left_out for promise in told} == {"", "its options are not valid"}


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (Bare, "has no docstring: its first line is the summary"),
        (Shouting, "must have a name of small letters, digits and _, was 'Shouting'"),
        (Kindless, "is of no known kind: derive it from one of Feed"),
    ],
)
def test_what_is_no_component_is_told_and_nothing_more_is_asked(component, said):
    told = faults(component)
    assert said in told["is of a known kind, has a name of small letters, a docstring and an options model"]


def test_a_class_inside_a_function_cannot_be_imported():
    class Inside(Sound):
        """Is hidden."""

    assert "test_conformance" in faults(Inside)["can be imported by the name of its module"]


class Unmade(Sink[NoOptions]):
    """Cannot be made."""

    name = "unmade"

    def __init__(self, options):
        super().__init__(options, None)


class Exploding(Limit[NoOptions]):
    """Cannot be made."""

    name = "exploding"

    def __init__(self, options):
        raise SystemExit(3)


class Broken(Protection[NoOptions]):
    """Raises at everything."""

    name = "broken"

    def __getattribute__(self, name):
        if name == "levels":
            raise RuntimeError("one\ntwo")
        return super().__getattribute__(name)


def test_whatever_it_raises_is_told_in_one_line():
    assert any("raised TypeError" in text for text in faults(Unmade).values())
    told = faults(Exploding)
    assert told["is made of its options"].startswith("raised SystemExit: 3 (test_conformance.py:")
    said = faults(Broken)["puts stops on the losing side"]
    assert said.startswith("raised RuntimeError: one two (test_conformance.py:")


class Secretive(Strategy[SecretOptions]):
    """Wants what a recipe takes from elsewhere."""

    name = "secretive"

    def start(self):
        for text in (self.options.key.get_secret_value(), self.options.host, *self.options.words):
            if not text.isalnum():
                raise ValueError(text)

    needs = Sound.needs
    on_bar = Sound.on_bar


def test_an_example_is_filled_in_as_a_recipe_would_be():
    assert faults(Secretive) == {}
    told = faults(Secretive, {"key": "${credential:key}", "host": "h", "words": []})
    assert told["is made of its options"].startswith("raised ValueError: ${credential:key} (test_conformance.py:")


class Alone(Sound):
    """Forgets the one that it is derived from."""

    def __init__(self, options, id, symbols):
        self.options = options


def test_a_component_that_does_not_call_the_one_above_is_told_so():
    told = faults(Alone)["is made of its options"]
    assert told.startswith("raised AttributeError: 'Alone' object has no attribute 'symbols'")
    assert told.endswith(": its __init__ takes what that of its kind takes, and calls super().__init__ with it")


def test_the_place_of_what_a_library_raised_is_its_authors():
    class Parsing(Sound):
        """Reads what is no model."""

        def on_bar(self, bar):
            click.Choice(["a"]).convert("b", None, None)

    told = faults(Parsing)["never raises, whatever the market"]
    assert told.startswith("raised BadParameter: ")
    assert "(test_conformance.py:" in told


def test_a_command_is_checked_as_well():
    @click.command(epilog="Example: quantmind fees")
    def fees():
        """Work out fees."""

    told = list(check_component(fees))
    assert "shows an example of each command" in [promise.words for promise in told]
    assert not any(promise.fault for promise in told)


def test_a_fault_is_told_with_its_promise():
    class Loud(Sound):
        """Is too sure."""

        def on_bar(self, bar):
            return Signal(self.symbol, self.id, 3.0, 1.0)

    told = faults(Loud)
    assert told["signals its own symbols, with directions in [-1, 1] and confidences in [0, 1]"] == (
        "a direction is in [-1, 1], was 3.0"
    )
