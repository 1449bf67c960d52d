"""Lines of a tap: each message of a pipeline as a JSON object."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.events import Done, Numbered, Upto, codec


def lines(frame: codec.Frame, symbols: Collection[str] = ()) -> Iterator[str]:
    """Return a line for each message of a frame; with `symbols`, for those that are about one of them.

    What a Numbered, an Upto or a Done carries has lines of its own, with the `seq` it belongs to. Decimals are plain
    strings, and so are floats that are no number.
    """
    head = {"stage": frame.stage, "topic": frame.topic, "sequence": frame.sequence}
    for message in frame.messages:
        for part, place in _parts(message):
            if symbols and getattr(part, "symbol", None) not in symbols:
                continue
            fields = _fields(part)
            # Of a message to another stage, its name would hide the one that speaks.
            addressed = fields.pop("stage", frame.stage)
            to = {"for": addressed} if addressed != frame.stage else {}
            yield json.dumps({**head, **to, **place, **fields}, ensure_ascii=False, separators=(",", ":"))


def _parts(message: codec.Message) -> Iterator[tuple[msgspec.Struct, dict[str, Any]]]:
    """Return what a message carries, each with its place; else the message itself."""
    if isinstance(message, Numbered):
        for seq, event in enumerate(message.events, start=message.seq):
            yield event, {"epoch": message.epoch, "seq": seq}
        return
    if isinstance(message, Upto):
        for decision in (*message.signals, *message.targets):
            yield decision, {"seq": message.seq}
        if message.refused or not (message.signals or message.targets):
            yield msgspec.structs.replace(message, signals=(), targets=()), {}
        return
    if isinstance(message, Done) and message.facts:
        for fact in message.facts:
            yield fact, {"seq": message.seq}
        return
    yield message, {}


def _fields(record: msgspec.Struct) -> dict[str, Any]:
    tag = record.__struct_config__.tag
    named = {} if tag is None else {"type": tag}
    return {**named, **{name: _plain(getattr(record, name)) for name in record.__struct_fields__}}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, msgspec.Struct):
        return _fields(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
