from __future__ import annotations

from typing import get_args

from quantmind.events.names import EVENT_NAMES, EVENT_TYPES, DecisionName, EventName


def test_every_name_is_the_tag_of_its_type():
    assert {name: type_.__struct_config__.tag for name, type_ in EVENT_TYPES.items()} == {
        name: name for name in get_args(EventName)
    }


def test_names_and_types_are_one_to_one():
    assert {EVENT_TYPES[name]: name for name in EVENT_TYPES} == EVENT_NAMES
    assert len(EVENT_NAMES) == len(EVENT_TYPES)


def test_decisions_have_no_market_events():
    market = {"quote", "trade", "bar", "mark", "funding_rate", "book", "ticker"}
    assert set(get_args(EventName)) - set(get_args(DecisionName)) == market
