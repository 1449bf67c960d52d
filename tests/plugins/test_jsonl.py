from __future__ import annotations

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from quantmind.errors import QuantMindError
from quantmind.events import Fill, Funding, Latch, OrderUpdate, Part, Refusal, Signal, Target, Transfer
from quantmind.events.names import EVENT_TYPES
from quantmind_files.jsonl import JsonLines, JsonLinesOptions


def sink(run, **options):
    return JsonLines(JsonLinesOptions.model_validate(options), run)


async def test_each_event_is_one_line_with_its_type_first(run_of_sink, one_of_each):
    async with sink(run_of_sink, events=list(EVENT_TYPES)) as jsonl:
        await jsonl.write(list(one_of_each.values()))
    lines = (run_of_sink.folder / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["type"] for line in lines] == list(one_of_each)
    by_type = dict(zip(one_of_each, lines, strict=True))
    assert lines[0] == (
        '{"type":"signal","symbol":"BTC/USDT:USDT","strategy":"trend","direction":1.0,"confidence":0.42,'
        '"ts":1704067400250000000,"id":"s1","cause":"1-2"}'
    )
    assert '"value":"0.21","shares":[{"strategy":"trend","value":"0.21"}]' in lines[1]
    assert '"reduce_only":false,"state":"accepted"' in lines[2]
    assert '"fee":"2.5006150"' in lines[3]
    assert '"average_price":"50012.3"' in lines[3]
    assert '"ask_size":1e+16' in by_type["quote"]
    assert '"volume":1e-07' in by_type["bar"]


async def test_a_line_gives_the_event_back(run_of_sink, one_of_each):
    async with sink(run_of_sink, events=["fill"]) as jsonl:
        await jsonl.write([one_of_each["fill"]])
    fields = json.loads((run_of_sink.folder / "events.jsonl").read_text())
    del fields["type"]
    texts = {"quantity", "price", "fee", "realised", "position", "average_price"}
    parts = [
        (part["strategy"], *(Decimal(part[n]) for n in ("quantity", "realised", "fee"))) for part in fields["parts"]
    ]
    fields["parts"] = tuple(Part(*part) for part in parts)
    again = Fill(**{name: Decimal(value) if name in texts else value for name, value in fields.items()})
    assert again == one_of_each["fill"]


async def test_only_wanted_events_are_written_and_decisions_are_by_default(run_of_sink, one_of_each):
    jsonl = sink(run_of_sink)
    assert jsonl.events == {Signal, Target, OrderUpdate, Fill, Transfer, Funding, Latch, Refusal}
    async with jsonl:
        await jsonl.write(list(one_of_each.values()))
    assert len((run_of_sink.folder / "events.jsonl").read_text().splitlines()) == 8


async def test_a_batch_is_in_the_file_when_write_returns(run_of_sink, one_of_each, tmp_path):
    path = tmp_path / "here.jsonl"
    async with sink(run_of_sink, path=str(path)) as jsonl:
        await jsonl.write([one_of_each["signal"]])
        assert path.read_text().count("\n") == 1


@pytest.mark.parametrize(("named", "lines"), [(True, 2), (False, 1)])
async def test_it_appends_to_a_named_file_and_begins_its_own_anew(run_of_sink, one_of_each, named, lines):
    path = run_of_sink.folder / "events.jsonl"
    options = {"path": str(path)} if named else {}
    for _ in range(2):
        async with sink(run_of_sink, **options) as jsonl:
            await jsonl.write([one_of_each["signal"]])
    assert len(path.read_text().splitlines()) == lines


async def test_a_folder_that_does_not_exist_is_an_error_at_open(run_of_sink, tmp_path):
    jsonl = sink(run_of_sink, path=str(tmp_path / "none" / "a.jsonl"))
    with pytest.raises(QuantMindError, match=r"a.jsonl cannot be written: No such file .*; its folder must exist"):
        await jsonl.open()
    await jsonl.close()


async def test_writing_before_opening_is_an_error(run_of_sink):
    with pytest.raises(QuantMindError, match="write was called before open"):
        await sink(run_of_sink).write([])


@pytest.mark.parametrize("events", [[], ["fills"]])
def test_unknown_events_are_refused(events):
    with pytest.raises(ValidationError):
        JsonLinesOptions.model_validate({"events": events})
