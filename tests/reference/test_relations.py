from pathlib import Path

import pytest
from pydantic import Field

from quantmind.events import Fill, Health
from quantmind.kinds import (
    BOOKS,
    FUNDING,
    QUOTES,
    TRADES,
    Archive,
    Executor,
    Feed,
    Limit,
    Needs,
    NoOptions,
    Options,
    Sink,
    Strategy,
    bars,
)
from quantmind.kinds.server import Server
from quantmind.reference.relations import UNTOLD, capabilities, channels, relations

MINUTE = 60_000_000_000


class Model(Options):
    window: int = Field(default=20, description="Window.")


NOTHING = NoOptions()


def told(component, options=NOTHING):
    return {each.word: each.what for each in relations(component, options)}


def test_channels_are_told_in_the_order_of_the_market():
    assert (
        channels({bars(5 * MINUTE), FUNDING, bars(MINUTE), BOOKS, QUOTES})
        == "quotes, funding rates, books, bars of 1m, 5m"
    )


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs((bars(MINUTE),), history=260), "bars of 1m, 260 before the first"),
        (Needs((QUOTES, TRADES), history=10, fills=True), "quotes, trades, 10 of each before the first; fills"),
        (Needs((QUOTES,), positions=True), "quotes; positions"),
        (Needs(fills=True), "fills"),
    ],
)
def test_needs_are_told_in_words(needs, expected):
    class Some(Strategy[NoOptions]):
        """Some."""

        name = "some"

        @classmethod
        def needs(cls, options):
            return needs

    assert told(Some) == {"instances": "one for each symbol", "needs": expected}


def test_needs_follow_the_options():
    class Some(Limit[Model]):
        """Some."""

        name = "some"

        @classmethod
        def needs(cls, options):
            return Needs((bars(MINUTE),), history=options.window)

    assert told(Some, Model(window=7)) == {"needs": "bars of 1m, 7 before the first"}
    assert told(Some, None) == {"needs": UNTOLD}


def test_what_raises_depends_on_its_options():
    class Some(Feed[NoOptions]):
        """Some."""

        name = "some"
        live = True

        @classmethod
        def offers(cls, options, symbols):
            raise ZeroDivisionError

        @classmethod
        def servers(cls, options):
            return (Server.listening("127.0.0.1", 80),)

    assert told(Some) == {
        "offers": UNTOLD,
        "runs": "live, never waited for",
        "venue": "some",
        "talks to": "127.0.0.1:80",
    }


def test_an_executor_tells_what_it_looks_at():
    class Some(Executor[NoOptions]):
        """Some."""

        name = "some"
        capabilities = frozenset({"live", "of its own"})

        @classmethod
        def account(cls, options):
            return "key"

        @classmethod
        def wants(cls, options, offered):
            return offered & {QUOTES, BOOKS}

    assert told(Some) == {"orders": "sent to a venue", "watches": "quotes, books", "account": "key"}
    words = {each.word: each.what for each in capabilities(Some)}
    assert words.keys() == {"live", "of its own"}
    assert "trades at a venue" in words["live"]
    assert words["of its own"] == ""


def test_a_sink_is_asked_without_being_opened():
    class Some(Sink[NoOptions]):
        """Some."""

        name = "some"

        @property
        def events(self):
            return frozenset({Health, Fill})

        async def open(self):
            raise AssertionError

    assert told(Some) == {"takes": "fill, health"}


def test_a_sink_that_writes_before_it_is_opened_writes_nowhere():
    made = []

    class Some(Sink[NoOptions]):
        """Some."""

        name = "some"

        def __init__(self, options, run):
            super().__init__(options, run)
            run.folder.mkdir(parents=True)
            made.append(run.folder)

    assert told(Some) == {"takes": UNTOLD}
    assert made == []


def test_an_archive_of_recordings_opens_none():
    class Some(Archive[NoOptions]):
        """Some."""

        name = "some"
        venue = "here"

        @classmethod
        def reading(cls, path: Path):
            raise AssertionError

        def channels(self, symbol):
            raise AssertionError

    assert told(Some) == {"has": "what was recorded", "venue": "here"}
