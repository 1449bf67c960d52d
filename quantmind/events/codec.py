"""Bus messages as MessagePack bytes: written by type, and read under limits, strictly, by type again.

Only what belongs on a bus is known here: a command, and above all the gate's `Approved`, has no bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_args

import msgpack
import msgspec
from msgspec import inspect

from quantmind.errors import QuantMindError
from quantmind.events.decision import Signal, Target, Upto
from quantmind.events.market import Market
from quantmind.events.operations import (
    Clock,
    Ended,
    FactsWanted,
    Failed,
    Health,
    History,
    HistoryWanted,
    Holdings,
    Incident,
    Instruction,
    Numbered,
    Presence,
    Vitals,
)
from quantmind.events.order_events import OrderEvent
from quantmind.events.trading import Done, Fact

Message = (
    Market
    | Signal
    | Target
    | Upto
    | Fact
    | Done
    | OrderEvent
    | Clock
    | Ended
    | FactsWanted
    | Failed
    | Health
    | History
    | HistoryWanted
    | Holdings
    | Incident
    | Instruction
    | Numbered
    | Presence
    | Vitals
)
"""What may be said on a bus."""

FRAME_VERSION = 3
"""The layout of frames and messages that this program writes and reads."""

MAX_FRAME = 16 * 1024 * 1024
"""The most bytes that are written or read at once. Reading takes at most about 30 times their memory."""

MAX_ITEMS = 65_536
"""The most messages of a frame, events of a Numbered, facts of a Done, …"""

MAX_DIGITS = 128
"""The longest Decimal, in characters."""

MAX_EXPONENT = 999
"""The largest and (negative) smallest power of ten of a Decimal."""


class CodecError(QuantMindError):
    """A message has no bytes, or bytes are no message."""


class Frame(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a stage publishes at once under a topic."""

    version: int
    """The layout, `FRAME_VERSION` of who wrote it."""
    pipeline: str
    """The recipe's name."""
    stage: str
    """Who publishes."""
    start: str
    """A text that tells one start of the publisher from the next."""
    topic: str
    """What it is about."""
    sequence: int
    """The number of the frame, counted from 1 on for each start and topic."""
    messages: tuple[Message, ...]
    """What is said, in order."""


Writer = Callable[[Any], tuple[Any, ...]]
"""Turns a message into what msgpack can write."""


def _decimal(value: object) -> str:
    if type(value) is not Decimal:
        raise CodecError(f"expected a Decimal, was {type(value).__name__}: {value!r:.40}")
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        raise CodecError(f"a Decimal must be finite and below 1E{MAX_EXPONENT + 1}, was {value!s:.40}")
    text = str(value)
    if len(text) > MAX_DIGITS:
        raise CodecError(f"a Decimal must have at most {MAX_DIGITS} characters, was {text:.40}…")
    return text


def _decimal_or_none(value: object) -> str | None:
    return None if value is None else _decimal(value)


def _sequence(writers: dict[type[Any], Writer]) -> Writer:
    def write(values: Any) -> tuple[Any, ...]:
        if len(values) > MAX_ITEMS:
            raise CodecError(f"at most {MAX_ITEMS} items fit into one message, were {len(values)}: send fewer")
        try:
            if len(values) == 1:
                # Live, most frames hold one message, and it one event.
                return (writers[type(values[0])](values[0]),)
            return tuple([writers[type(value)](value) for value in values])
        except KeyError as error:
            raise CodecError(f"{_name(error.args[0])} may not stand here on the bus") from None

    return write


def _writer(described: inspect.StructType) -> Writer:
    """Build the writer of a Struct from its fields, so that a new field needs no line here."""
    astuple = msgspec.structs.astuple
    head = () if described.tag is None else (described.tag,)
    parts: list[tuple[int, Callable[[Any], Any]]] = []
    for index, field in enumerate(described.fields, start=len(head)):
        if isinstance(field.type, inspect.DecimalType):
            parts.append((index, _decimal))
        elif isinstance(field.type, inspect.UnionType) and field.type.includes_none and _holds_decimals(field.type):
            parts.append((index, _decimal_or_none))
        elif isinstance(field.type, inspect.VarTupleType):
            items = getattr(field.type.item_type, "types", (field.type.item_type,))
            structs = [item for item in items if isinstance(item, inspect.StructType)]
            if structs:
                parts.append((index, _sequence({item.cls: _writer(item) for item in structs})))
    if not parts:
        return lambda message: head + astuple(message)
    if len(parts) == 1 and parts[0][0] == len(head) + len(described.fields) - 1:
        return _plain_but_last(head, parts[0][1])

    def write(message: Any) -> tuple[Any, ...]:
        values = [*head, *astuple(message)]
        for index, part in parts:
            values[index] = part(values[index])
        return tuple(values)

    return write


def _plain_but_last(head: tuple[str | int, ...], last: Callable[[Any], Any]) -> Writer:
    """Build the writer of a Struct, such as a frame, whose last field alone is not plain."""
    astuple = msgspec.structs.astuple

    def write(message: Any) -> tuple[Any, ...]:
        # Unpacking would take twice the time.
        values = astuple(message)
        return head + values[:-1] + (last(values[-1]),)

    return write


def _holds_decimals(described: inspect.Type) -> bool:
    if isinstance(described, inspect.DecimalType):
        return True
    inner = getattr(described, "types", None) or getattr(described, "fields", None)
    if isinstance(described, inspect.VarTupleType):
        inner = (described.item_type,)
    return any(_holds_decimals(getattr(item, "type", item)) for item in inner or ())


def _name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else repr(kind)


_DESCRIBED = [
    described
    for described in inspect.multi_type_info((*get_args(Message), Frame))
    if isinstance(described, inspect.StructType)
]
_WRITERS = {described.cls: _writer(described) for described in _DESCRIBED}
_write_frame = _WRITERS.pop(Frame)
_TYPES = {described.tag: described.cls for described in _DESCRIBED if described.tag is not None}
_EXACT = {
    described.cls: _WRITERS[described.cls]
    for described in _DESCRIBED
    if described.cls is not Frame and _holds_decimals(described)
}
"""Messages with Decimals. msgspec would take numbers and NaN for one, so their figures are compared again."""

_pack = msgpack.Packer(autoreset=True).pack
"""One for all threads: the writers leave only plain values, so no Python code runs while it packs."""


def encode(message: Message) -> bytes:
    """Write a message.

    Raises:
        CodecError: it does not belong on a bus, or holds what has no bytes.
    """
    writer = _WRITERS.get(type(message))
    if writer is None:
        raise CodecError(f"{_name(type(message))} is no message of the bus")
    return _packed(writer, message)


def encode_frame(frame: Frame) -> bytes:
    """Write a frame.

    Raises:
        CodecError: as for `encode`.
    """
    return _packed(_write_frame, frame)


def frame_head(frame: Frame) -> bytes:
    """Return how every frame begins that has the version, publisher, start and topic of this one."""
    head: bytes = _pack((frame.version, frame.pipeline, frame.stage, frame.start, frame.topic))
    # The same array, but for how many items it has.
    return bytes([head[0] - 5 + len(frame.__struct_fields__)]) + head[1:]


def decode(data: bytes) -> Message:
    """Read a message.

    Raises:
        CodecError: the bytes are garbage, cut off, too long, of an unknown type or of wrong content.
    """
    raw = _unpacked(data)
    try:
        kind = _TYPES[raw[0]]
    except (TypeError, LookupError):
        raise CodecError(f"{_type_of(raw)} is no message of the bus") from None
    message: Message = _converted(raw, kind)
    if kind in _EXACT:
        _compare(message, raw)
    return message


def decode_frame(data: bytes) -> Frame:
    """Read a frame.

    Raises:
        CodecError: as for `decode`, or the frame has another version.
    """
    raw = _unpacked(data)
    if type(raw) is not tuple or not raw or type(raw[0]) is not int:
        raise CodecError("not a frame of QuantMind")
    if raw[0] != FRAME_VERSION:
        raise CodecError(
            f"the frame has version {raw[0]}, this program reads {FRAME_VERSION}: "
            "run the same version of quantmind in every stage"
        )
    frame: Frame = _converted(raw, Frame)
    for index, message in enumerate(frame.messages):
        if type(message) in _EXACT:
            _compare(message, raw[6][index])
    return frame


def _packed(writer: Writer, message: object) -> bytes:
    try:
        data: bytes = _pack(writer(message))
    except (TypeError, ValueError, OverflowError) as error:
        raise CodecError(f"this {_name(type(message))} has no bytes: {_line(error)}") from None
    if len(data) > MAX_FRAME:
        raise CodecError(f"at most {MAX_FRAME} bytes can be sent at once, were {len(data)}: split it")
    return data


def _unpacked(data: bytes) -> Any:
    if len(data) > MAX_FRAME:
        raise CodecError(f"at most {MAX_FRAME} bytes are read at once, were {len(data)}")
    try:
        return msgpack.unpackb(
            data,
            use_list=False,
            max_str_len=MAX_FRAME,
            max_array_len=MAX_ITEMS,
            max_bin_len=0,
            max_map_len=0,
            max_ext_len=0,
        )
    except (ValueError, TypeError) as error:
        raise CodecError(f"the bytes are no MessagePack within the limits: {_line(error)}") from None


def _converted(raw: Any, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(raw, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise CodecError(f"the bytes are no {kind.__name__}: {_line(error)}") from None


def _compare(message: Message, raw: tuple[Any, ...]) -> None:
    if _EXACT[type(message)](message) != raw:
        name = type(message).__name__
        raise CodecError(f"the bytes are no {name}: its Decimals must be written as plain strings")


def _type_of(raw: Any) -> str:
    return f"{raw[0]!r:.40}" if isinstance(raw, tuple) and raw else type(raw).__name__


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
